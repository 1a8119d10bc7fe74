package history

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
)

const (
	// maxColumns bounds the columns of a CSV file.
	maxColumns = 1000
	// maxRowLines bounds the physical lines of one row.
	maxRowLines = 100
)

// csvRows streams a CSV file. It parts the file into rows itself, so that a row
// is known by its bytes and a bad one cannot take others with it.
type csvRows struct {
	in        *counter
	lines     *bufio.Reader
	zip       *gzip.Reader
	pending   [][]byte // physical lines to be read again
	delimiter rune
	index     [roles]int // column of a role, -1 if none
	row       []byte     // bytes of the row that was read last
	line      int64      // physical line where it begins
	seen      int64      // physical lines read
	size      int64
}

// counter knows how many bytes of the file were read.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	c.n += int64(n)
	return n, err
}

func openCSV(in io.Reader, size int64, m *Mapping) (*csvRows, error) {
	r := &csvRows{in: &counter{in: in}, delimiter: m.delimiter, size: size}
	r.lines = bufio.NewReaderSize(r.in, 64<<10)
	if magic, err := r.lines.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		zip, err := gzip.NewReader(r.lines)
		if err != nil {
			return nil, fmt.Errorf("is not a gzip file: %w", err)
		}
		r.zip, r.lines = zip, bufio.NewReaderSize(zip, 64<<10)
	}
	if bom, err := r.lines.Peek(3); err == nil && bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		if _, err := r.lines.Discard(3); err != nil {
			return nil, err
		}
	}
	return r, r.columns(m)
}

// columns finds the mapped columns by the header, or by number.
func (r *csvRows) columns(m *Mapping) error {
	for i := range r.index {
		r.index[i] = -1
	}
	if !m.header {
		for i, column := range m.columns {
			if column == "" {
				continue
			}
			n, err := columnNumber(column)
			if err != nil {
				return err
			}
			r.index[i] = n - 1
		}
		return nil
	}
	fields, trouble, err := r.read()
	if errors.Is(err, io.EOF) {
		return errors.New("is empty: it has no header line")
	}
	if err != nil {
		return err
	}
	if trouble != nil {
		return fmt.Errorf("the header line %s", trouble.message)
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	if err := m.missingColumns(fields); err != nil {
		return err
	}
	for i, column := range m.columns {
		for k, name := range fields {
			if column != "" && name == column {
				r.index[i] = k
			}
		}
	}
	return nil
}

func (r *csvRows) next(cells *[roles]cell) (trouble *bad, err error) {
	fields, trouble, err := r.read()
	if err != nil || trouble != nil {
		return trouble, err
	}
	for i, k := range r.index {
		switch {
		case k < 0:
		case k >= len(fields):
			return &bad{code: event.RejectMissingField, field: roleNames[i], message: fmt.Sprintf("the row has %d columns, not %d", len(fields), k+1), hint: "is it cut off?"}, nil
		case fields[k] != "":
			cells[i] = cell{kind: cellText, s: fields[k]}
		}
	}
	return nil, nil
}

// read returns the fields of the next row that is not empty.
func (r *csvRows) read() (fields []string, trouble *bad, err error) {
	for {
		if trouble, err = r.nextRow(); err != nil || trouble != nil {
			return nil, trouble, err
		}
		if len(bytes.TrimSpace(r.row)) > 0 {
			break
		}
	}
	if r.delimiter == 0 {
		fields = strings.Fields(string(r.row))
	} else {
		c := csv.NewReader(bytes.NewReader(r.row))
		c.Comma, c.FieldsPerRecord = r.delimiter, -1
		if fields, err = c.Read(); err != nil {
			return nil, &bad{code: event.RejectInvalidField, field: "row", message: fmt.Sprintf("is not CSV: %s", csvReason(err)), hint: `a field with quotes is written "so ""quoted"" there"`}, nil
		}
	}
	if len(fields) > maxColumns {
		return nil, &bad{code: event.RejectTooLarge, field: "row", message: fmt.Sprintf("has %d columns, at most %d", len(fields), maxColumns)}, nil
	}
	return fields, nil, nil
}

func csvReason(err error) string {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// nextRow reads one row: a line, or more where quotes hold line ends. A row whose
// quotes do not end within MaxRowBytes and maxRowLines is a bad row of one line, and reading goes
// on after that line.
func (r *csvRows) nextRow() (trouble *bad, err error) {
	first, tooLong, err := r.physical()
	if err != nil {
		return nil, err
	}
	r.row, r.line = first, r.seen
	if tooLong {
		return &bad{code: event.RejectTooLarge, field: "row", message: fmt.Sprintf("is longer than %d bytes", MaxRowBytes)}, nil
	}
	if r.delimiter == 0 {
		return nil, nil
	}
	var more [][]byte
	inside := openQuote(first, r.delimiter, false)
	for inside {
		line, tooLong, err := r.physical()
		if err == nil {
			more = append(more, line)
		}
		if err != nil || tooLong || len(r.row)+len(line) > MaxRowBytes || len(more) > maxRowLines {
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			r.pending = append(more, r.pending...)
			r.seen -= int64(len(more))
			r.row = first
			return &bad{code: event.RejectInvalidField, field: "row", message: "is not CSV: a quoted field does not end", hint: `close the field with "`}, nil
		}
		if len(more) == 1 {
			r.row = bytes.Clone(first) // first may have to be read alone
		}
		r.row = append(r.row, line...)
		inside = openQuote(line, r.delimiter, true)
	}
	return nil, nil
}

// physical reads one line with its end. A line longer than MaxRowBytes is read
// to its end but kept only in part.
func (r *csvRows) physical() (line []byte, tooLong bool, err error) {
	r.seen++
	if n := len(r.pending); n > 0 {
		line, r.pending = r.pending[0], r.pending[1:]
		return line, len(line) > MaxRowBytes, nil
	}
	for {
		part, err := r.lines.ReadSlice('\n')
		if room := MaxRowBytes + 1 - len(line); room > 0 {
			line = append(line, part[:min(room, len(part))]...)
		}
		switch {
		case err == nil:
			return line, len(line) > MaxRowBytes, nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return line, len(line) > MaxRowBytes, nil
		default:
			r.seen--
			return nil, false, err
		}
	}
}

// openQuote reports whether the line ends within a quoted field; inside says that
// it begins in one.
func openQuote(line []byte, delimiter rune, inside bool) bool {
	start := !inside // at the start of a field
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case inside && c == '"' && i+1 < len(line) && line[i+1] == '"':
			i++
		case inside && c == '"':
			inside = false
		case inside:
		case start && c == '"':
			inside, start = true, false
		default:
			start = rune(c) == delimiter
		}
	}
	return inside
}

func (r *csvRows) at() string { return "line " + strconv.FormatInt(r.line, 10) }

func (r *csvRows) raw() []byte { return bytes.TrimRight(r.row, "\r\n") }

func (r *csvRows) progress() (done, total int64) { return min(r.in.n, r.size), r.size }

func (r *csvRows) close() {
	if r.zip != nil {
		r.zip.Close() // checksums are read with the last byte; nothing was written
	}
}
