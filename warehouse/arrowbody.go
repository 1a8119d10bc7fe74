package warehouse

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

const (
	arrowBuffer = 64 << 10
	// arrowWord is what an Arrow stream's reader asks for between messages: a
	// marker, a length. Nothing else in a stream is read in so small a piece.
	arrowWord = 4
)

var (
	errArrowCut   = errors.New("the answer was cut off before its end: try again")
	arrowContinue = []byte{0xff, 0xff, 0xff, 0xff}
	arrowNothing  = []byte{0, 0, 0, 0}
	// exceptionMark opens an error that ClickHouse writes into an answer under way.
	exceptionMark = []byte("\r\n__exception__\r\n")
)

// arrowBody watches an Arrow stream for its end, which Arrow's reader does not
// ask for, and for an error of ClickHouse's in place of a message.
type arrowBody struct {
	r       *bufio.Reader
	last    [arrowWord]byte
	ended   bool
	failure error
}

func newArrowBody(r io.Reader) *arrowBody { return &arrowBody{r: bufio.NewReaderSize(r, arrowBuffer)} }

// Read implements io.Reader.
func (b *arrowBody) Read(p []byte) (int, error) {
	if len(p) != arrowWord {
		return b.r.Read(p)
	}
	if mark, _ := b.r.Peek(len(exceptionMark)); bytes.Equal(mark, exceptionMark) {
		b.failure = exceptionText(b.r)
		return 0, b.failure
	}
	n, err := io.ReadFull(b.r, p)
	if n == arrowWord {
		b.ended = bytes.Equal(b.last[:], arrowContinue) && bytes.Equal(p, arrowNothing)
		copy(b.last[:], p)
	}
	return n, err
}

// exceptionText reads mark, tag, text, length and tag, mark.
func exceptionText(r io.Reader) error {
	text, _ := io.ReadAll(io.LimitReader(r, maxErrorBytes))
	_, rest, _ := strings.Cut(strings.TrimPrefix(string(text), string(exceptionMark)), "\r\n")
	if end := strings.LastIndex(rest, "\r\n__exception__"); end >= 0 {
		rest = rest[:end]
		rest = rest[:max(strings.LastIndexByte(rest, '\n'), 0)]
	}
	return errors.New(strings.TrimSpace(rest))
}
