package page

import (
	"net/http"
	"os"
	"testing"
	"time"
)

// TestStand is no test: it serves the page with canned answers, to look at.
//
//	PUNCHCARD_PAGE_STAND=127.0.0.1:8090 go test -run Stand -timeout 0 -v ./dashboards/page
func TestStand(t *testing.T) {
	addr := os.Getenv("PUNCHCARD_PAGE_STAND")
	if addr == "" {
		t.Skip("PUNCHCARD_PAGE_STAND names no address to serve at")
	}
	h, err := Handler(cannedConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("http://%s/#key=%s", addr, readKey)
	srv := &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 5 * time.Second}
	t.Fatal(srv.ListenAndServe())
}
