package history

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/punchcard/punchcard/event"
)

// Limits on files.
const (
	// MaxRows bounds the rows of one file: a plan is held in memory, about 150
	// bytes a row.
	MaxRows = 20_000_000
	// MaxRowBytes bounds one row of a CSV file.
	MaxRowBytes = 64 << 10
	// MaxRejected bounds the rejects of one file: beyond it the mapping is wrong,
	// not the rows.
	MaxRejected = 10_000
)

// Input is an open file.
type Input interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

// Read makes the plan of the file under the mapping; .gz is read through for
// CSV. It reads only. progress, if not nil, is told now and then how far it is,
// in bytes or rows of the file. A bad row becomes a reject of the plan; an error
// means that the file as a whole cannot be used.
func Read(ctx context.Context, file string, m *Mapping, progress func(done, total int64)) (*Plan, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer f.Close()
	return ReadInput(ctx, filepath.Base(file), f, m, progress)
}

// ReadFS is Read from a file system, such as Data.
func ReadFS(ctx context.Context, fsys fs.FS, name string, m *Mapping, progress func(done, total int64)) (*Plan, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer f.Close()
	in, ok := f.(Input)
	if !ok {
		return nil, fmt.Errorf("history: %s cannot be read at any place of it", name)
	}
	return ReadInput(ctx, path.Base(name), in, m, progress)
}

// ReadInput is Read from an open file called name.
func ReadInput(ctx context.Context, name string, in Input, m *Mapping, progress func(done, total int64)) (*Plan, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	digest, size, err := digestOf(in, m)
	if err != nil {
		return nil, fmt.Errorf("history: %s: %w", name, err)
	}
	source, err := openRows(ctx, in, size, m)
	if err != nil {
		return nil, fmt.Errorf("history: %s: %w", name, err)
	}
	defer source.close()
	g := newGrouper(name, m)
	for {
		var cells [roles]cell
		trouble, err := source.next(&cells)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = g.row(source, trouble, &cells)
		}
		if err == nil && g.plan.LinesRead%8192 == 0 {
			progress(source.progress())
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("history: %s, after %d rows: %w", name, g.plan.LinesRead, err)
		}
	}
	g.plan.Digest = digest
	plan, err := g.finish()
	if err != nil {
		return nil, err
	}
	_, total := source.progress()
	progress(total, total)
	return plan, nil
}

// rows reads one file, row by row.
type rows interface {
	// next fills the cells that the mapping names; they are valid until the next
	// call. trouble says that the row has no readable form. io.EOF ends it.
	next(cells *[roles]cell) (trouble *bad, err error)
	// at names the row that was read last, such as "row 12".
	at() string
	// raw returns the row that was read last, as it was or as JSON.
	raw() []byte
	progress() (done, total int64)
	close()
}

func openRows(ctx context.Context, in Input, size int64, m *Mapping) (rows, error) {
	if m.format == "parquet" {
		return openParquet(ctx, in, m)
	}
	return openCSV(in, size, m)
}

// digestOf hashes the file and the mapping: the same pair is the same import.
func digestOf(in Input, m *Mapping) (digest string, size int64, err error) {
	h := sha256.New()
	fmt.Fprintf(h, "punchcard history 1\n%d\n%s", len(m.text), m.text)
	if size, err = io.Copy(h, in); err != nil {
		return "", 0, err
	}
	if _, err = in.Seek(0, io.SeekStart); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), size, nil
}

// reject makes a reject of original bytes.
func reject(b *bad, source, messageID string, original []byte) event.Reject {
	r := event.Reject{
		V: event.Version, Code: b.code, Field: b.field, Message: b.message, Hint: b.hint,
		Source: source, MessageID: messageID, IsHistory: true,
	}
	r.OriginalBytes = int64(len(original))
	r.Original, r.OriginalBase64 = keepOriginal(original)
	return r
}
