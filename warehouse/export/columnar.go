package export

import (
	"encoding/base64"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/flight"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// unclosed keeps Close from the writers of formats, which would close the file.
type unclosed struct{ io.Writer }

// parquetFile writes Parquet, a row group at a time.
type parquetFile struct {
	w      *pqarrow.FileWriter
	schema *arrow.Schema // with times in UTC
	same   bool          // as the records' own
	rows   int64         // of the row group
	bytes  int64
}

// dictionaryBytes is where a dictionary of texts is given up: ids differ in each row.
const dictionaryBytes = 256 << 10

// schemaKey is where readers that know Arrow look for the schema: it keeps what
// Parquet has no word for, such as the name of a zone.
const schemaKey = "ARROW:schema"

func newParquet(w io.Writer, schema *arrow.Schema) (*parquetFile, error) {
	p := &parquetFile{}
	p.schema, p.same = schemaInUTC(schema)
	options := []parquet.WriterProperty{
		parquet.WithCompression(compress.Codecs.Snappy),
		parquet.WithMaxRowGroupLength(rowGroupRows),
		parquet.WithDictionaryDefault(false),
		parquet.WithDictionaryPageSizeLimit(dictionaryBytes),
		parquet.WithCreatedBy("punchcard"),
	}
	// Texts repeat. A dictionary of numbers costs more time than it saves room.
	for _, f := range schema.Fields() {
		if arrow.IsBaseBinary(f.Type.ID()) {
			options = append(options, parquet.WithDictionaryFor(f.Name, true))
		}
	}
	var err error
	if p.w, err = pqarrow.NewFileWriter(p.schema, unclosed{w}, parquet.NewWriterProperties(options...), pqarrow.DefaultWriterProps()); err != nil {
		return nil, fmt.Errorf("export: columns that Parquet cannot hold: %w", err)
	}
	own := base64.StdEncoding.EncodeToString(flight.SerializeSchema(schema, memory.DefaultAllocator))
	return p, p.w.AppendKeyValueMetadata(schemaKey, own)
}

// Write adds a record to the row group.
func (p *parquetFile) Write(r arrow.Record) error {
	size := recordBytes(r)
	if p.rows > 0 && (p.rows+r.NumRows() > rowGroupRows || p.bytes+size > rowGroupBytes) {
		p.w.NewBufferedRowGroup()
		p.rows, p.bytes = 0, 0
	}
	p.rows, p.bytes = p.rows+r.NumRows(), p.bytes+size
	if !p.same {
		r = recordInUTC(r, p.schema)
		defer r.Release()
	}
	return p.w.WriteBuffered(r)
}

// Close writes the last row group and the footer.
func (p *parquetFile) Close() error { return p.w.Close() }

// arrowFile writes an Arrow IPC file ("Feather"), a record at a time.
type arrowFile struct{ w *ipc.FileWriter }

func newArrow(w io.Writer, schema *arrow.Schema) (*arrowFile, error) {
	out, err := ipc.NewFileWriter(&positioned{w: w}, ipc.WithSchema(schema), ipc.WithLZ4())
	if err != nil {
		return nil, fmt.Errorf("export: columns that an Arrow file cannot hold: %w", err)
	}
	return &arrowFile{w: out}, nil
}

// Write adds a record.
func (a *arrowFile) Write(r arrow.Record) error { return a.w.Write(r) }

// Close writes the footer.
func (a *arrowFile) Close() error { return a.w.Close() }

// positioned is an io.WriteSeeker that only says where it is: Arrow's writer asks
// for no more.
type positioned struct {
	w  io.Writer
	at int64
}

// Write implements io.Writer.
func (p *positioned) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.at += int64(n)
	return n, err
}

// Seek implements io.Seeker for the place that the writer is at.
func (p *positioned) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return p.at, fmt.Errorf("an export cannot go to another place of its file")
	}
	return p.at, nil
}
