package page

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// gzipFrom is the size from which an answer is packed.
	gzipFrom = 1 << 10
	// maxMessageBytes bounds what is told of an error.
	maxMessageBytes = 400
)

// problem is why a call was refused; its JSON is the "error" of the answer.
type problem struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func fail(w http.ResponseWriter, status int, code, message, hint string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// An error here is the caller's connection, gone.
	_ = json.NewEncoder(w).Encode(map[string]problem{"error": {Code: code, Message: message, Hint: hint}})
}

// answer writes v as JSON, packed when that is worth it.
func answer(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		fail(w, http.StatusInternalServerError, "internal", "the answer could not be written: "+clip(err.Error()), "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	pack(w, r, body)
}

func pack(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if len(body) < gzipFrom || !takesGzip(r) {
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	w.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
	_, _ = w.Write(packed.Bytes())
}

func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" {
			return strings.TrimSpace(quality) != "q=0"
		}
	}
	return false
}

// clip shortens what an engine says of an error to its beginning.
func clip(s string) string {
	if len(s) <= maxMessageBytes {
		return s
	}
	s = s[:maxMessageBytes]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
