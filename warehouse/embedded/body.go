package embedded

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxFormBytes bounds a multipart or url-encoded form that carries the query.
const maxFormBytes = 16 << 20

// zstdWindow bounds the memory a zstd body may ask for.
const zstdWindow = 64 << 20

// openBody gives the body as plain bytes, or nil when there is none. A form's
// fields are moved into req.
func openBody(r *http.Request, req *request) (io.Reader, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := decodeBody(r.Body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	if kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		r.Body = io.NopCloser(body)
		r.Header.Del("Content-Encoding")
		return nil, req.readForm(r, options)
	}
	if req.decompress {
		body = &nativeReader{r: compress.NewReader(body)}
	}
	return body, nil
}

// decodeBody undoes Content-Encoding.
func decodeBody(body io.Reader, encoding string) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nil
	case "gzip", "x-gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, bodyError(err)
		}
		return r, nil
	case "deflate":
		r, err := zlib.NewReader(body)
		if err != nil {
			return nil, bodyError(err)
		}
		return r, nil
	case "lz4":
		return lz4.NewReader(body), nil
	case "zstd":
		r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindow))
		if err != nil {
			return nil, bodyError(err)
		}
		return r.IOReadCloser(), nil
	}
	return nil, refuse(codeNotImplemented, "NOT_IMPLEMENTED", "Content-Encoding %q is not supported; use gzip, deflate, lz4 or zstd", encoding)
}

// nativeReader reads ClickHouse's compressed blocks (decompress=1).
type nativeReader struct{ r *compress.Reader }

func (n *nativeReader) Read(p []byte) (int, error) {
	m, err := n.r.Read(p)
	if err != nil && errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return m, err
}

// readForm takes query and param_* from a multipart form.
func (req *request) readForm(r *http.Request, _ map[string]string) error {
	r.Body = http.MaxBytesReader(nil, r.Body, maxFormBytes)
	if err := r.ParseMultipartForm(maxFormBytes); err != nil {
		return bodyError(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	if len(r.MultipartForm.File) > 0 {
		return refuse(codeNotImplemented, "NOT_IMPLEMENTED", "External tables (files in a multipart form) are not supported by the embedded engine")
	}
	for name, list := range r.MultipartForm.Value {
		if name != "query" && !strings.HasPrefix(name, "param_") {
			return refuse(codeNotImplemented, "NOT_IMPLEMENTED", "Form field %q: only query and param_* are read from a form", name)
		}
		if err := req.readParameter(name, list[len(list)-1]); err != nil {
			return err
		}
	}
	return nil
}
