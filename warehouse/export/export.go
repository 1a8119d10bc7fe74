package export

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/util"
)

const (
	// rowGroupRows and rowGroupBytes bound a row group of a Parquet file, which is
	// held in memory until it is full; bytes are those of its Arrow records.
	rowGroupRows  = 128 << 10
	rowGroupBytes = 64 << 20
	// fileBuffer is held back before a write to the disk.
	fileBuffer = 1 << 20
)

// Formats are the values of File.Format.
var Formats = []string{"parquet", "arrow", "csv"}

// ErrExists says that the file is there already and File.Overwrite is not set.
var ErrExists = errors.New("export: the file is there already")

// Source is what answers: a *warehouse.Warehouse.
type Source interface {
	ArrowStream(ctx context.Context, statement string, parameters map[string]string, begin func(*arrow.Schema) error, fn func(arrow.Record) error) error
	Ask(ctx context.Context, statement string, parameters map[string]string) (columns []string, rows [][]any, err error)
}

// File says where an answer goes.
type File struct {
	// Path is the file's name; its folder must exist.
	Path string
	// Format is one of Formats.
	Format string
	// Overwrite replaces a file that is there.
	Overwrite bool
}

// Progress is how far an export is.
type Progress struct {
	// Rows written so far.
	Rows int64
	// Bytes of the file so far; the rest is in memory.
	Bytes int64
}

// Result is what was written.
type Result struct {
	Progress
	// Columns of the file.
	Columns int
	// Took is how long it took.
	Took time.Duration
}

// writer writes records in one format.
type writer interface {
	Write(arrow.Record) error
	// Close writes what is left; the file itself stays open.
	Close() error
}

// Write runs the SELECT, whose {name:Type} parameters fills, and writes its answer
// to the file; progress is called after every record. On an error, and when ctx
// ends, no file is left and one that was there is untouched.
func Write(ctx context.Context, from Source, statement string, parameters map[string]string, f File, progress func(Progress)) (Result, error) {
	began := time.Now()
	if err := f.free(); err != nil {
		return Result{}, err
	}
	statement, err := readable(ctx, from, statement, parameters)
	if err != nil {
		return Result{}, err
	}
	temporary, err := os.CreateTemp(filepath.Dir(f.Path), "."+filepath.Base(f.Path)+".*.part")
	if err != nil {
		return Result{}, fmt.Errorf("export: %w", err)
	}
	r, err := copyTo(ctx, from, statement, parameters, f.Format, temporary, progress)
	err = f.keep(temporary, err)
	r.Took = time.Since(began)
	return r, err
}

// free says whether the file may be made.
func (f File) free() error {
	info, err := os.Lstat(f.Path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("export: %w", err)
	case info.IsDir():
		return fmt.Errorf("export: %s is a folder: name a file in it", f.Path)
	case !f.Overwrite:
		return fmt.Errorf("%w: %s: choose another name or allow to replace it (--force)", ErrExists, f.Path)
	}
	return nil
}

// keep gives the whole file its name, or drops what there is of it.
func (f File) keep(temporary *os.File, err error) error {
	if err == nil {
		err = temporary.Sync()
	}
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = f.free() // it may have come meanwhile
	}
	if err == nil {
		err = os.Rename(temporary.Name(), f.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}

// counted counts the bytes that go to the file.
type counted struct {
	w io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func copyTo(ctx context.Context, from Source, statement string, parameters map[string]string, format string, file io.Writer, progress func(Progress)) (Result, error) {
	var r Result
	var to writer
	total := &counted{w: file}
	buffered := bufio.NewWriterSize(total, fileBuffer)
	begin := func(schema *arrow.Schema) (err error) {
		r.Columns = len(schema.Fields())
		to, err = newWriter(format, buffered, schema)
		return err
	}
	err := from.ArrowStream(ctx, statement, parameters, begin, func(record arrow.Record) error {
		if err := to.Write(record); err != nil {
			return fmt.Errorf("export: writing %s: %w", format, err)
		}
		r.Rows, r.Bytes = r.Rows+record.NumRows(), total.n
		if progress != nil {
			progress(r.Progress)
		}
		return ctx.Err()
	})
	if to != nil {
		err = errors.Join(err, to.Close())
	}
	err = errors.Join(err, buffered.Flush())
	r.Bytes = total.n
	return r, err
}

func newWriter(format string, w io.Writer, schema *arrow.Schema) (writer, error) {
	switch format {
	case "parquet":
		return newParquet(w, schema)
	case "arrow":
		return newArrow(w, schema)
	case "csv":
		return newCSV(w, schema)
	}
	return nil, fmt.Errorf("export: format %q: use one of %s", format, strings.Join(Formats, ", "))
}

// recordBytes is about what a record takes in memory.
func recordBytes(r arrow.Record) int64 { return util.TotalRecordSize(r) }
