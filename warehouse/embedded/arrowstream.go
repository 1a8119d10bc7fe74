package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

const formatArrowStream = "arrowstream"

// arrowEnd closes an Arrow stream: a message of no bytes. Source: Apache Arrow's
// columnar format, "IPC Streaming Format".
var arrowEnd = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// arrowPieces joins the pieces of an answer, of which libchdb makes a whole Arrow
// stream each (schema, records, end), into one stream.
type arrowPieces struct {
	sink   func([]byte) error
	schema []byte // the first piece's, as bytes; nil: nothing came yet
}

var errArrowPiece = errors.New("the engine's Arrow pieces do not fit together: use another format")

// add takes the next piece.
func (a *arrowPieces) add(piece []byte) error {
	schema, err := arrowSchema(piece)
	if err != nil {
		return err
	}
	records, whole := bytes.CutSuffix(piece[len(schema):], arrowEnd)
	if !whole || a.schema != nil && !bytes.Equal(a.schema, schema) {
		return errArrowPiece
	}
	if a.schema == nil {
		a.schema = bytes.Clone(schema)
		if err := a.sink(schema); err != nil {
			return err
		}
	}
	return a.sink(records)
}

// end closes the stream.
func (a *arrowPieces) end() error { return a.sink(arrowEnd) }

// arrowSchema is the first message of a stream: a marker, the length of its
// metadata, the metadata; a schema has no body.
func arrowSchema(piece []byte) ([]byte, error) {
	const prefix = 8
	if len(piece) < prefix+len(arrowEnd) || !bytes.HasPrefix(piece, arrowEnd[:4]) {
		return nil, errArrowPiece
	}
	n := int(binary.LittleEndian.Uint32(piece[4:prefix]))
	if n <= 0 || n > len(piece)-prefix-len(arrowEnd) {
		return nil, errArrowPiece
	}
	return piece[:prefix+n], nil
}

// streamArrow runs a query as one Arrow stream. One without rows has no pieces:
// the engine then makes the empty stream, with its schema, whole.
func (p plan) streamArrow(s *session, req request, out *answer) (stats, error) {
	write := func(data []byte) error {
		_, err := out.Write(data)
		return err
	}
	pieces := arrowPieces{sink: write}
	st, err := s.stream(req.query, p.format, req.params, pieces.add)
	switch {
	case err != nil:
		return st, err
	case pieces.schema == nil:
		return s.whole(req.query, p.format, req.params, write)
	}
	return st, pieces.end()
}

func (p plan) isArrow() bool { return strings.EqualFold(p.format, formatArrowStream) }
