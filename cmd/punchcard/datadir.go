package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/punchcard/punchcard/ingest"
)

// Names in the data folder.
const (
	lockFile     = "lock"
	runningFile  = "running.json" // where the process that holds the lock listens
	keysFile     = "keys"         // kind name secret, one a line; 0600
	internalKey  = "internal-key" // shared by the processes of one group; 0600
	instanceFile = "instance"     // this folder's process in its groups
)

// running says where the process that holds the data folder listens.
type running struct {
	Pid        int      `json:"pid"`
	HTTP       string   `json:"http"`
	Kafka      []string `json:"kafka"`
	Clickhouse string   `json:"clickhouse"`
	Partitions int32    `json:"partitions"`
	// Embedded* say whose broker and engine they are.
	EmbeddedBroker bool `json:"embedded_broker"`
	EmbeddedEngine bool `json:"embedded_engine"`
}

// errInUse says that another process holds the data folder.
var errInUse = errors.New("the data folder is in use")

// lock takes the data folder for this process until the returned function is
// called or the process dies.
func lock(s *Settings) (unlock func(), err error) {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; choose another with --data", err)
	}
	f, err := os.OpenFile(s.path(lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%w: %s is held by another punchcard; stop it or choose another folder with --data", errInUse, s.Data)
	}
	return func() {
		os.Remove(s.path(runningFile))
		f.Close()
	}, nil
}

// findRunning returns where the process that holds the data folder listens; nil
// when none does.
func findRunning(s *Settings) (*running, error) {
	if _, err := os.Stat(s.path(lockFile)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	f, err := os.OpenFile(s.path(lockFile), os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return nil, nil // nobody holds it; the lock goes with the file
	}
	text, err := os.ReadFile(s.path(runningFile))
	if err != nil {
		return nil, fmt.Errorf("a punchcard is starting on %s: try again in a moment", s.Data)
	}
	var r running
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", s.path(runningFile), err)
	}
	return &r, nil
}

func writeRunning(s *Settings, r running) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(s.path(runningFile), append(text, '\n'))
}

// writeFile replaces a file at once, so that a reader never sees half of it.
func writeFile(path string, text []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// readKeys reads the door's keys, making one of each kind at the first start.
func readKeys(s *Settings) ([]ingest.Key, error) {
	path := s.path(keysFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		text := "# kind name secret; kinds: public (browser), server (moves points), read\n"
		for _, kind := range []ingest.KeyKind{ingest.KeyPublic, ingest.KeyServer, ingest.KeyRead} {
			text += fmt.Sprintf("%s default-%s %s\n", kind, kind, secret())
		}
		if err := writeFile(path, []byte(text)); err != nil {
			return nil, fmt.Errorf("keys: %w", err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	defer f.Close()
	keys, err := ingest.ParseKeys(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func secret() string {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		panic(err) // crypto/rand never fails on a working system
	}
	return hex.EncodeToString(b)
}

// keyOf returns the first key of a kind; empty when there is none.
func keyOf(keys []ingest.Key, kind ingest.KeyKind) string {
	for _, k := range keys {
		if k.Kind == kind {
			return k.Secret
		}
	}
	return ""
}

// readInternalKey reads the secret of the group's processes, making it first.
func readInternalKey(s *Settings) (string, error) {
	path := s.path(internalKey)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text = []byte(secret())
		err = writeFile(path, text)
	}
	if err != nil {
		return "", fmt.Errorf("internal key: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// nameInstance names this folder's process in its groups, the same at every start:
// it gets its partitions back at once, where a nameless one waits until the group
// has given its dead predecessor up.
func nameInstance(s *Settings) error {
	if s.Instance != "" {
		return nil
	}
	text, err := os.ReadFile(s.path(instanceFile))
	if errors.Is(err, os.ErrNotExist) {
		text = []byte("punchcard-" + secret()[:16])
		err = writeFile(s.path(instanceFile), text)
	}
	if err != nil {
		return fmt.Errorf("instance name: %w", err)
	}
	s.Instance = strings.TrimSpace(string(text))
	return nil
}
