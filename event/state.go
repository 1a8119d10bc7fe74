package event

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// StateWrite is one write of a state key, as an entry's header carries it. A nil
// Value deletes. Due, when set, is the instant at which the key wants to be
// visited by time alone (see package processors/table).
type StateWrite struct {
	Key   []byte
	Value []byte
	Due   Time
}

// stateFormat is the first byte of a state header.
const stateFormat = 1

// AppendState encodes writes after dst: format byte, then for each write: key
// length and key, 0 for a deletion or value length+1 and value, due. Lengths
// are unsigned varints, due is a signed one.
func AppendState(dst []byte, writes []StateWrite) []byte {
	dst = append(dst, stateFormat)
	for i := range writes {
		w := &writes[i]
		dst = binary.AppendUvarint(dst, uint64(len(w.Key)))
		dst = append(dst, w.Key...)
		if w.Value == nil {
			dst = append(dst, 0)
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(len(w.Value))+1)
		dst = append(dst, w.Value...)
		dst = binary.AppendVarint(dst, int64(w.Due))
	}
	return dst
}

// ErrState says that a state header is not one of ours or damaged.
var ErrState = errors.New("state header")

// DecodeState reads a state header; the slices point into b.
func DecodeState(b []byte) ([]StateWrite, error) {
	if len(b) == 0 || b[0] != stateFormat {
		return nil, fmt.Errorf("%w: unknown format", ErrState)
	}
	b = b[1:]
	var out []StateWrite
	for len(b) > 0 {
		var w StateWrite
		var ok bool
		if w.Key, b, ok = cutBytes(b); !ok {
			return nil, fmt.Errorf("%w: key cut short", ErrState)
		}
		n, size := binary.Uvarint(b)
		if size <= 0 {
			return nil, fmt.Errorf("%w: value length", ErrState)
		}
		b = b[size:]
		if n > 0 {
			if uint64(len(b)) < n-1 {
				return nil, fmt.Errorf("%w: value cut short", ErrState)
			}
			w.Value, b = b[:n-1:n-1], b[n-1:]
			due, size := binary.Varint(b)
			if size <= 0 {
				return nil, fmt.Errorf("%w: due", ErrState)
			}
			w.Due, b = Time(due), b[size:]
		}
		out = append(out, w)
	}
	return out, nil
}

func cutBytes(b []byte) (v, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || uint64(len(b)-size) < n {
		return nil, nil, false
	}
	b = b[size:]
	return b[:n:n], b[n:], true
}

// Source is where a projected record comes from: the value of HeaderSource.
type Source struct {
	Partition int32
	Sequence  int64
	// Offset is the entry's offset in the ledger: where to read on.
	Offset int64
}

const sourceBytes = 4 + 8 + 8

// Append encodes the source, big endian: 4 bytes partition, 8 sequence, 8 offset.
func (s Source) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(s.Partition))
	dst = binary.BigEndian.AppendUint64(dst, uint64(s.Sequence))
	return binary.BigEndian.AppendUint64(dst, uint64(s.Offset))
}

// DecodeSource reads a HeaderSource value.
func DecodeSource(b []byte) (Source, error) {
	if len(b) != sourceBytes {
		return Source{}, fmt.Errorf("source header: %d bytes, want %d", len(b), sourceBytes)
	}
	return Source{
		Partition: int32(binary.BigEndian.Uint32(b)),
		Sequence:  int64(binary.BigEndian.Uint64(b[4:])),
		Offset:    int64(binary.BigEndian.Uint64(b[12:])),
	}, nil
}
