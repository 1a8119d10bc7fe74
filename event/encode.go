package event

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// object writes one JSON object with fields in the order of the calls. The zero
// value of a field named ...Opt is left out. It is the only encoder of entries:
// their bytes are pinned by golden files.
type object struct {
	b     []byte
	empty bool
}

func open(dst []byte) object { return object{b: append(dst, '{'), empty: true} }

func (o *object) close() []byte { return append(o.b, '}') }

func (o *object) key(k string) {
	if o.empty {
		o.b = append(o.b, '"')
	} else {
		o.b = append(o.b, ',', '"')
	}
	o.empty = false
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) str(k, v string) { o.key(k); o.b = appendString(o.b, v) }
func (o *object) int(k string, v int64) {
	o.key(k)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) bool(k string, v bool) {
	o.key(k)
	o.b = strconv.AppendBool(o.b, v)
}

func (o *object) time(k string, v Time) {
	o.key(k)
	o.b = append(o.b, '"')
	o.b = v.Append(o.b)
	o.b = append(o.b, '"')
}

func (o *object) strOpt(k, v string) {
	if v != "" {
		o.str(k, v)
	}
}

func (o *object) intOpt(k string, v int64) {
	if v != 0 {
		o.int(k, v)
	}
}

func (o *object) boolOpt(k string, v bool) {
	if v {
		o.bool(k, v)
	}
}

func (o *object) timeOpt(k string, v Time) {
	if v != 0 {
		o.time(k, v)
	}
}

func (o *object) dayOpt(k string, v Day) {
	if v != 0 {
		o.key(k)
		o.b = append(o.b, '"')
		o.b = v.Append(o.b)
		o.b = append(o.b, '"')
	}
}

// raw writes JSON that is given, compact; nil is null.
func (o *object) raw(k string, v json.RawMessage) {
	o.key(k)
	var compact bytes.Buffer
	if len(v) == 0 || json.Compact(&compact, v) != nil {
		o.b = append(o.b, "null"...)
		return
	}
	o.b = append(o.b, compact.Bytes()...)
}

// rawMapOpt and stringMapOpt write maps by ascending key.
func (o *object) rawMapOpt(k string, m map[string]json.RawMessage) {
	if len(m) == 0 {
		return
	}
	o.key(k)
	in := open(o.b)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		in.raw(quotedKey(name), m[name])
	}
	o.b = in.close()
}

func (o *object) stringMapOpt(k string, m map[string]string) {
	if len(m) == 0 {
		return
	}
	o.key(k)
	in := open(o.b)
	for _, name := range slices.Sorted(maps.Keys(m)) {
		in.str(quotedKey(name), m[name])
	}
	o.b = in.close()
}

// quotedKey escapes a key that is not one of ours.
func quotedKey(name string) string {
	q := appendString(nil, name)
	return string(q[1 : len(q)-1])
}

// appendList writes a JSON array of values, each by its own encoder.
func appendList[T any](dst []byte, list []T, each func(dst []byte, v *T) []byte) []byte {
	dst = append(dst, '[')
	for i := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = each(dst, &list[i])
	}
	return append(dst, ']')
}

func listOpt[T any](o *object, k string, list []T, each func(dst []byte, v *T) []byte) {
	if len(list) > 0 {
		o.key(k)
		o.b = appendList(o.b, list, each)
	}
}

func valueOpt[T any](o *object, k string, v *T, enc func(dst []byte, v *T) []byte) {
	if v != nil {
		o.key(k)
		o.b = enc(o.b, v)
	}
}

const hexDigits = "0123456789abcdef"

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (is [256]bool) {
	for c := byte(0x20); c < utf8.RuneSelf; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// appendString quotes s as JSON; invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			dst = appendEscaped(dst, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			start = i
			continue
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
