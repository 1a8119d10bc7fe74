package event

import (
	"bytes"
	"strconv"
)

// EntryPosition reads partition, sequence and source offset from the front of an
// encoded entry without decoding the rest. The encoder's field order makes that
// possible; the golden files hold it.
func EntryPosition(value []byte) (partition int32, sequence, sourceOffset int64, ok bool) {
	var p int64
	rest := value
	for _, f := range [...]struct {
		prefix string
		to     *int64
	}{
		{`{"v":1,"partition":`, &p},
		{`,"sequence":`, &sequence},
		{`,"source_offset":`, &sourceOffset},
	} {
		if !bytes.HasPrefix(rest, []byte(f.prefix)) {
			return 0, 0, 0, false
		}
		rest = rest[len(f.prefix):]
		end := bytes.IndexByte(rest, ',')
		if end < 0 {
			return 0, 0, 0, false
		}
		v, err := strconv.ParseInt(string(rest[:end]), 10, 64)
		if err != nil {
			return 0, 0, 0, false
		}
		*f.to, rest = v, rest[end:]
	}
	return int32(p), sequence, sourceOffset, true
}
