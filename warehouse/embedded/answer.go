package embedded

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// answer is one response. It holds back the first megabyte, so that an error up
// to there gets its own HTTP status; a later one is written into the body in
// ClickHouse's framing, and the connection is cut.
type answer struct {
	w        http.ResponseWriter
	accept   string // the client's Accept-Encoding
	native   string // method of ClickHouse's own blocks, or ""
	format   string
	tag      string
	held     bytes.Buffer
	body     io.Writer // nil until the header is out
	closers  []io.Closer
	stats    stats
	hasStats bool
}

func newAnswer(w http.ResponseWriter, accept string) *answer {
	return &answer{w: w, accept: accept, tag: randomHex()[:16]}
}

// begin sets what is known before the query is.
func (a *answer) begin(req request) {
	h := a.w.Header()
	h.Set("X-ClickHouse-Query-Id", strings.Map(headerSafe, req.queryID))
	h.Set("X-ClickHouse-Server-Display-Name", "punchcard")
	h.Set("X-ClickHouse-Timezone", "UTC")
	h.Set("X-ClickHouse-Exception-Tag", a.tag)
	if req.compress {
		a.native = req.method
	}
}

func headerSafe(r rune) rune {
	if r < ' ' || r > '~' {
		return -1
	}
	return r
}

func (a *answer) setFormat(format string) { a.format = format }

func (a *answer) setStats(st stats) { a.stats, a.hasStats = st, true }

// Write takes a piece of the answer.
func (a *answer) Write(p []byte) (int, error) {
	if a.body == nil {
		if a.held.Len()+len(p) <= heldAnswerBytes {
			return a.held.Write(p)
		}
		if err := a.release(http.StatusOK); err != nil {
			return 0, err
		}
	}
	return a.body.Write(p)
}

// release sends the header and what was held back.
func (a *answer) release(status int) error {
	h := a.w.Header()
	if a.format != "" {
		h.Set("X-ClickHouse-Format", a.format)
		h.Set("Content-Type", contentType(a.format))
	}
	if a.hasStats {
		h.Set("X-ClickHouse-Summary", fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"0","result_rows":"%d","result_bytes":"%d"}`,
			a.stats.readRows, a.stats.readBytes, a.stats.writtenRows, a.stats.writtenBytes, a.stats.resultRows, a.held.Len()))
	}
	if err := a.encode(h, status); err != nil {
		return err
	}
	held := a.held.Bytes()
	a.held = bytes.Buffer{}
	_, err := a.body.Write(held)
	return err
}

// encode chooses the answer's compression and sends the header.
func (a *answer) encode(h http.Header, status int) error {
	a.body = a.w
	if a.native != "" {
		w, err := newNativeWriter(a.w, a.native)
		if err != nil {
			return err
		}
		a.body, a.closers = w, append(a.closers, w)
	} else if encoding := chooseEncoding(a.accept); encoding != "" && a.held.Len() > 0 {
		h.Set("Content-Encoding", encoding)
		w := newEncoder(a.w, encoding)
		a.body, a.closers = w, append(a.closers, w)
	}
	a.w.WriteHeader(status)
	return nil
}

func chooseEncoding(accept string) string {
	offered := map[string]bool{}
	for _, part := range strings.Split(strings.ToLower(accept), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(q) != "q=0" {
			offered[strings.TrimSpace(name)] = true
		}
	}
	for _, name := range []string{"zstd", "lz4", "gzip", "deflate"} {
		if offered[name] {
			return name
		}
	}
	return ""
}

func newEncoder(w io.Writer, encoding string) io.WriteCloser {
	switch encoding {
	case "zstd":
		enc, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil { // only for bad options
			panic(err)
		}
		return enc
	case "lz4":
		return lz4.NewWriter(w)
	case "deflate":
		return zlib.NewWriter(w)
	}
	enc, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		panic(err)
	}
	return enc
}

// finish ends a good answer.
func (a *answer) finish() {
	if a.body == nil {
		if err := a.release(http.StatusOK); err != nil {
			a.fail(asException(err))
			return
		}
	}
	a.close()
}

func (a *answer) close() {
	for i := len(a.closers) - 1; i >= 0; i-- {
		_ = a.closers[i].Close()
	}
}

// fail ends a bad one.
func (a *answer) fail(ex *exception) {
	text := ex.text + "\n"
	if a.body == nil {
		h := a.w.Header()
		h.Set("X-ClickHouse-Exception-Code", fmt.Sprint(ex.code))
		h.Set("Content-Type", "text/plain; charset=UTF-8")
		a.held.Reset()
		a.accept, a.native, a.format = "", "", ""
		a.w.WriteHeader(ex.status())
		_, _ = io.WriteString(a.w, text)
		return
	}
	_, _ = fmt.Fprintf(a.body, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", a.tag, text, len(text), a.tag)
	a.close()
	_ = http.NewResponseController(a.w).Flush()
	panic(http.ErrAbortHandler) // the client must not take this for a whole answer
}

func contentType(format string) string {
	switch f := strings.ToLower(format); {
	case strings.HasPrefix(f, "jsoneachrow") || strings.HasPrefix(f, "jsoncompacteachrow") || strings.HasPrefix(f, "jsonlines"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(f, "json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(f, "csv"):
		return "text/csv; charset=UTF-8"
	case strings.HasPrefix(f, "tabseparated") || strings.HasPrefix(f, "tsv"):
		return "text/tab-separated-values; charset=UTF-8"
	case f == "native" || f == "parquet" || strings.HasPrefix(f, "arrow") || strings.HasPrefix(f, "rowbinary"):
		return "application/octet-stream"
	}
	return "text/plain; charset=UTF-8"
}

// nativeBlock is how many bytes go into one of ClickHouse's compressed blocks.
const nativeBlock = 1 << 20

// nativeWriter writes ClickHouse's compressed blocks (compress=1).
type nativeWriter struct {
	w      io.Writer
	c      *compress.Writer
	method compress.Method
}

func newNativeWriter(w io.Writer, method string) (*nativeWriter, error) {
	methods := map[string]compress.Method{"LZ4": compress.LZ4, "LZ4HC": compress.LZ4HC, "ZSTD": compress.ZSTD, "NONE": compress.None}
	m, ok := methods[method]
	if !ok {
		return nil, refuse(codeNotImplemented, "NOT_IMPLEMENTED", "network_compression_method %q is not supported; use LZ4, ZSTD or NONE", method)
	}
	return &nativeWriter{w: w, c: compress.NewWriter(compress.LevelZero, m)}, nil
}

func (n *nativeWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		piece := rest[:min(len(rest), nativeBlock)]
		rest = rest[len(piece):]
		if err := n.c.Compress(piece); err != nil {
			return 0, err
		}
		if _, err := n.w.Write(n.c.Data); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Close has nothing to end: blocks stand alone.
func (n *nativeWriter) Close() error { return nil }
