package ingest

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// KeyKind says what a key may do.
type KeyKind string

// Kinds of keys.
const (
	// KeyPublic may be seen in a browser: page, screen, identify, group, and track
	// of names that move nothing.
	KeyPublic KeyKind = "public"
	// KeyServer may send everything, and redeem. It reads nothing.
	KeyServer KeyKind = "server"
	// KeyRead reads standings and entries, and writes nothing.
	KeyRead KeyKind = "read"
)

// Key is one configured key. Name is what logs, events and rejects say; Secret
// is what the sender sends.
type Key struct {
	Kind   KeyKind `json:"kind"`
	Name   string  `json:"name"`
	Secret string  `json:"-"`
}

// String leaves the secret out, whoever prints it.
func (k Key) String() string { return string(k.Kind) + " " + k.Name }

// GoString does so for %#v.
func (k Key) GoString() string { return k.String() }

// keySecret has the characters that need no escaping in a header or in JSON.
var keySecret = regexp.MustCompile(`^[A-Za-z0-9_.~+/=-]+$`)

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ParseKeys reads keys, one a line: kind, name and secret, separated by blanks.
// Empty lines and lines that begin with # are skipped. The error lists every bad
// line by number and never shows a secret.
func ParseKeys(r io.Reader) ([]Key, error) {
	var keys []Key
	var errs []error
	scan := bufio.NewScanner(r)
	for n := 1; scan.Scan(); n++ {
		f := strings.Fields(scan.Text())
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if len(f) != 3 {
			errs = append(errs, fmt.Errorf("keys line %d: %d words; write: kind name secret", n, len(f)))
			continue
		}
		k := Key{KeyKind(f[0]), f[1], f[2]}
		if err := k.check(); err != nil {
			errs = append(errs, fmt.Errorf("keys line %d: %w", n, err))
			continue
		}
		keys = append(keys, k)
	}
	if err := scan.Err(); err != nil {
		errs = append(errs, fmt.Errorf("keys: %w", err))
	}
	if len(errs) == 0 {
		errs = append(errs, checkKeys(keys))
	}
	return keys, errors.Join(errs...)
}

func (k Key) check() error {
	switch {
	case k.Kind != KeyPublic && k.Kind != KeyServer && k.Kind != KeyRead:
		return fmt.Errorf("%.20q is not a kind of key; use public, server or read", k.Kind)
	case !keyName.MatchString(k.Name):
		return fmt.Errorf("key name %.70q: use letters, digits, dot, dash, underscore, at most 64", k.Name)
	case len(k.Secret) < MinKeyBytes || len(k.Secret) > MaxKeyBytes:
		return fmt.Errorf("key %s: the secret has %d bytes, not %d to %d", k.Name, len(k.Secret), MinKeyBytes, MaxKeyBytes)
	case !keySecret.MatchString(k.Secret):
		return fmt.Errorf("key %s: the secret holds other characters than letters, digits and -_.~+/=", k.Name)
	}
	return nil
}

// checkKeys checks each key and that no name or secret occurs twice.
func checkKeys(keys []Key) error {
	var errs []error
	if len(keys) > MaxKeys {
		errs = append(errs, fmt.Errorf("%d keys, at most %d", len(keys), MaxKeys))
	}
	names, secrets := map[string]bool{}, map[string]string{}
	for _, k := range keys {
		if err := k.check(); err != nil {
			errs = append(errs, err)
		}
		if names[k.Name] {
			errs = append(errs, fmt.Errorf("key name %s occurs twice", k.Name))
		}
		if other, ok := secrets[k.Secret]; ok {
			errs = append(errs, fmt.Errorf("keys %s and %s have the same secret", other, k.Name))
		}
		names[k.Name], secrets[k.Secret] = true, k.Name
	}
	return errors.Join(errs...)
}

// keyring finds a key by its secret without telling by its timing how near a
// guess was: it compares digests, and always all of them.
type keyring struct {
	keys    []Key
	digests [][sha256.Size]byte
}

func newKeyring(keys []Key) *keyring {
	k := &keyring{keys: keys}
	for i := range keys {
		k.digests = append(k.digests, sha256.Sum256([]byte(keys[i].Secret)))
	}
	return k
}

// find returns the key with that secret, or nil.
func (k *keyring) find(secret string) *Key {
	digest := sha256.Sum256([]byte(secret))
	found := -1
	for i := range k.digests {
		same := subtle.ConstantTimeCompare(digest[:], k.digests[i][:])
		found = subtle.ConstantTimeSelect(same, i, found)
	}
	if found < 0 {
		return nil
	}
	return &k.keys[found]
}

// blot writes (key) wherever one of the keys occurs in what someone sent.
func (k *keyring) blot(sent []byte) []byte {
	for i := range k.keys {
		sent = bytes.ReplaceAll(sent, []byte(k.keys[i].Secret), []byte("(key)"))
	}
	return sent
}
