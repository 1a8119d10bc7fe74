package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// dist is what npm builds from folder web; a fresh clone has only the placeholder.
//
//go:embed all:dist
var dist embed.FS

const indexFile = "index.html"

// unbuilt is shown while dist holds no page.
const unbuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Punchcard</title>
<p>The page is not built into this program. Run <code>make build</code> (it needs Node 20 and npm), then start it again.</p></html>
`

// assets serves the files of dist: those with a hash in their name for ever, the
// others checked each time by ETag.
type assets struct {
	files map[string]*asset
}

type asset struct {
	body, etag, kind string
	fixed            bool // its name changes with its content
	packing          sync.Once
	packed           string
}

// Built reports whether the page was built into this program.
func Built() bool {
	_, err := fs.Stat(dist, "dist/"+indexFile)
	return err == nil
}

func newAssets() *assets {
	a := &assets{files: map[string]*asset{}}
	// Reading from memory cannot fail.
	_ = fs.WalkDir(dist, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := dist.ReadFile(name)
		short := strings.TrimPrefix(name, "dist/")
		a.files[short] = &asset{body: string(body), etag: etagOf(body), kind: kindOfFile(short), fixed: strings.HasPrefix(short, "assets/")}
		return err
	})
	if a.files[indexFile] == nil {
		a.files[indexFile] = &asset{body: unbuilt, etag: etagOf([]byte(unbuilt)), kind: kindOfFile(indexFile)}
	}
	return a
}

func kindOfFile(name string) string {
	switch path.Ext(name) { // not asked of the machine's own table
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

func etagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// ServeHTTP implements http.Handler.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this path takes GET", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = indexFile
	}
	f, ok := a.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	if f.fixed {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Add("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if packed := f.gzip(); packed != "" && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write([]byte(body))
}

// gzip packs the file once; empty when that is not worth it.
func (f *asset) gzip() string {
	f.packing.Do(func() {
		if len(f.body) < gzipFrom || f.kind == "font/woff2" {
			return
		}
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = z.Write([]byte(f.body))
		_ = z.Close()
		f.packed = b.String()
	})
	return f.packed
}
