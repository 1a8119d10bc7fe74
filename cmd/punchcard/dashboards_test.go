package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/dashboards/grafana"
)

func TestDashboardsSource(t *testing.T) {
	s := &Settings{ClickhouseListen: "127.0.0.1:18123", Tenant: "acme"}
	for address, want := range map[string]grafana.Source{
		"":                              {Host: "127.0.0.1", Port: 18123, Database: s.database()},
		"http://reader:hush@ch":         {Host: "ch", Port: 8123, Database: s.database(), User: "reader", Password: "hush"},
		"https://ch:9999":               {Host: "ch", Port: 9999, Secure: true, Database: s.database()},
		"clickhouses://r@ch.example":    {Host: "ch.example", Port: 9440, Secure: true, Native: true, Database: s.database(), User: "r"},
		"clickhouse://[::1]:9000":       {Host: "::1", Port: 9000, Native: true, Database: s.database()},
		"ftp://ch":                      {},
		"http://":                       {},
		"http://user:topsecret@:99999x": {},
	} {
		have, err := (&dashboardsApply{Source: address}).source(s)
		if (err != nil) != (want.Host == "") || have != want {
			t.Errorf("%s: %+v, %v", address, have, err)
		}
		if err != nil && strings.Contains(err.Error(), "topsecret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// The token comes from a file too, reaches Grafana, and is in no output.
func TestDashboardsApplyNamesTheMissingPlugin(t *testing.T) {
	const token = "glsa_of_the_test"
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		http.NotFound(w, r)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &dashboardsApply{Grafana: server.URL, TokenFile: file, NoFacts: true}
	err := c.Run(t.Context(), &Settings{ClickhouseListen: "127.0.0.1:8123"}, nil)
	if err == nil || !strings.Contains(err.Error(), "grafana-clickhouse-datasource is missing") || strings.Contains(err.Error(), token) {
		t.Errorf("it says %v", err)
	}
	if got != "Bearer "+token {
		t.Errorf("Grafana got %q", got)
	}
	if _, err := (&dashboardsApply{TokenFile: file + "x"}).token(); err == nil {
		t.Error("a token file that is missing is no error")
	}
	if err := (&dashboardsShow{UID: "nothing"}).Run(); err == nil || !strings.Contains(err.Error(), "dashboards list") {
		t.Errorf("show nothing: %v", err)
	}
}
