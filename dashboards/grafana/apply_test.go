package grafana

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/punchcard/punchcard/dashboards"
)

const token = "glsa_secret_of_the_test"

// standIn answers like Grafana's HTTP API, and keeps what it is told as Grafana
// does: with fields of its own.
type standIn struct {
	t           *testing.T
	mu          sync.Mutex
	noPlugin    bool
	status      int // answers everything with it, 0: as usual
	writes      []string
	source      map[string]any
	folder      map[string]any
	boards      map[string]map[string]any
	folderOf    map[string]string
	rules       map[string]any
	annotations []map[string]any
}

func start(t *testing.T) (*standIn, Config) {
	s := &standIn{t: t, boards: map[string]map[string]any{}, folderOf: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/plugins/{id}/settings", func(w http.ResponseWriter, r *http.Request) {
		if s.noPlugin || r.PathValue("id") != dashboards.SourceType {
			http.Error(w, `{"message":"Plugin not found"}`, http.StatusNotFound)
			return
		}
		give(w, map[string]any{"id": r.PathValue("id")})
	})
	mux.HandleFunc("GET /api/datasources/uid/{uid}", func(w http.ResponseWriter, r *http.Request) { giveOr404(w, s.source) })
	mux.HandleFunc("POST /api/datasources", func(w http.ResponseWriter, r *http.Request) { s.keepSource(w, r) })
	mux.HandleFunc("PUT /api/datasources/uid/{uid}", func(w http.ResponseWriter, r *http.Request) { s.keepSource(w, r) })
	mux.HandleFunc("GET /api/folders/{uid}", func(w http.ResponseWriter, r *http.Request) { giveOr404(w, s.folder) })
	mux.HandleFunc("POST /api/folders", func(w http.ResponseWriter, r *http.Request) {
		s.folder = s.body(r)
		give(w, s.folder)
	})
	mux.HandleFunc("GET /api/dashboards/uid/{uid}", func(w http.ResponseWriter, r *http.Request) {
		uid := r.PathValue("uid")
		if s.boards[uid] == nil {
			giveOr404(w, nil)
			return
		}
		give(w, map[string]any{"dashboard": s.boards[uid], "meta": map[string]any{"folderUid": s.folderOf[uid]}})
	})
	mux.HandleFunc("POST /api/dashboards/db", s.keepBoard)
	const group = "/api/v1/provisioning/folder/{folder}/rule-groups/{group}"
	mux.HandleFunc("GET "+group, func(w http.ResponseWriter, r *http.Request) { giveOr404(w, s.rules) })
	mux.HandleFunc("PUT "+group, s.keepRules)
	mux.HandleFunc("GET /api/annotations", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("tags") != "punchcard" {
			t.Errorf("annotations are asked for with %s", r.URL.RawQuery)
		}
		give(w, s.annotations)
	})
	mux.HandleFunc("POST /api/annotations", func(w http.ResponseWriter, r *http.Request) {
		a := s.body(r)
		a["id"] = len(s.annotations) + 1
		s.annotations = append(s.annotations, a)
		give(w, map[string]any{"id": a["id"]})
	})
	mux.HandleFunc("PUT /api/annotations/{id}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		fmt.Sscan(r.PathValue("id"), &n)
		a := s.body(r)
		a["id"] = n
		s.annotations[n-1] = a
		give(w, map[string]any{"message": "updated"})
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if have := r.Header.Get("Authorization"); have != "Bearer "+token {
			http.Error(w, `{"message":"Invalid API key `+have+`"}`, http.StatusUnauthorized)
			return
		}
		if s.status != 0 {
			http.Error(w, "no: "+r.Header.Get("Authorization"), s.status)
			return
		}
		if r.Method != http.MethodGet {
			s.writes = append(s.writes, r.Method+" "+r.URL.Path)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return s, Config{URL: server.URL, Token: token}
}

func give(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func giveOr404(w http.ResponseWriter, v map[string]any) {
	if v == nil {
		http.Error(w, `{"message":"not found"}`, http.StatusNotFound)
		return
	}
	give(w, v)
}

func (s *standIn) body(r *http.Request) map[string]any {
	raw, _ := io.ReadAll(r.Body)
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		s.t.Errorf("%s %s: the body is not JSON: %v", r.Method, r.URL.Path, err)
	}
	return out
}

func (s *standIn) keepSource(w http.ResponseWriter, r *http.Request) {
	s.source = s.body(r)
	secret, _ := s.source["secureJsonData"].(map[string]any)
	if secret["password"] != "hush" {
		s.t.Errorf("the password of the data source is %v", secret["password"])
	}
	delete(s.source, "secureJsonData") // never given back
	s.source["id"], s.source["version"] = 3, 1
	give(w, map[string]any{"id": 3})
}

func (s *standIn) keepBoard(w http.ResponseWriter, r *http.Request) {
	b := s.body(r)
	model, _ := b["dashboard"].(map[string]any)
	uid, _ := model["uid"].(string)
	if b["overwrite"] != true || uid == "" || model["schemaVersion"] != 42.0 {
		s.t.Errorf("dashboard %q is saved with overwrite %v, schema %v", uid, b["overwrite"], model["schemaVersion"])
	}
	model["id"], model["version"] = len(s.boards)+10, 7
	s.boards[uid], s.folderOf[uid] = model, fmt.Sprint(b["folderUid"])
	give(w, map[string]any{"uid": uid, "status": "success"})
}

func (s *standIn) keepRules(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("folder") != "punchcard" || r.Header.Get("X-Disable-Provenance") != "true" {
		s.t.Errorf("rules are written to folder %s, X-Disable-Provenance %q", r.PathValue("folder"), r.Header.Get("X-Disable-Provenance"))
	}
	s.rules = s.body(r)
	list, _ := s.rules["rules"].([]any)
	for i, one := range list {
		rule, _ := one.(map[string]any)
		rule["id"], rule["updated"], rule["provenance"] = i+1, "2026-01-02T03:04:05Z", ""
		data, _ := rule["data"].([]any)
		ask, _ := data[0].(map[string]any)
		if span, _ := ask["relativeTimeRange"].(map[string]any); span["from"] == 0.0 {
			s.t.Errorf("rule %v looks back 0 seconds", rule["title"])
		}
	}
	give(w, s.rules)
}

func wanted() Wanted {
	return Wanted{
		Source:     Source{Host: "clickhouse", Port: 8123, Database: "punchcard", User: "reader", Password: "hush"},
		Dashboards: dashboards.List(), Alerts: dashboards.Alerts(),
		Annotations: []Annotation{{"welcome", "campaign", "Campaign welcome: first message", 1_700_000_000_000}, {"b1", "program", "Program Stamps: version b1", 1_600_000_000_000}},
	}
}

func actions(changes []Change) string {
	var out []string
	for _, c := range changes {
		if c.Action != Keep {
			out = append(out, strings.TrimSpace(c.Action+" "+c.What+" "+c.Name+" "+c.Detail))
		}
	}
	return strings.Join(out, "\n")
}

func TestApplyTwice(t *testing.T) {
	s, c := start(t)
	w := wanted()
	would, err := Apply(t.Context(), c, w, true)
	if err != nil || len(s.writes) != 0 {
		t.Fatalf("a dry run: %v, writes %v", err, s.writes)
	}
	did, err := Apply(t.Context(), c, w, false)
	if err != nil {
		t.Fatal(err)
	}
	if actions(would) != actions(did) || len(did) != 5+len(w.Dashboards) {
		t.Errorf("a dry run says\n%s\nand then it is\n%s", actions(would), actions(did))
	}
	if len(s.boards) != len(w.Dashboards) || s.folderOf["punchcard-overview"] != "punchcard" || len(s.annotations) != 2 || len(s.rules["rules"].([]any)) != len(w.Alerts) {
		t.Errorf("the Grafana has %d dashboards, %d annotations, folders %v", len(s.boards), len(s.annotations), s.folderOf)
	}
	if have := s.source["jsonData"].(map[string]any); have["host"] != "clickhouse" || have["port"] != 8123.0 || have["protocol"] != "http" || have["defaultDatabase"] != "punchcard" {
		t.Errorf("the data source is %v", have)
	}
	s.writes = nil
	again, err := Apply(t.Context(), c, w, false)
	if err != nil || len(s.writes) != 0 || actions(again) != "" {
		t.Errorf("a second run: %v, writes %v, says %s", err, s.writes, actions(again))
	}
}

// What somebody changed in Grafana is named, and put right.
func TestApplyPutsRight(t *testing.T) {
	s, c := start(t)
	if _, err := Apply(t.Context(), c, wanted(), false); err != nil {
		t.Fatal(err)
	}
	s.writes = nil
	s.boards["punchcard-voice"]["title"] = "Voices"
	s.folderOf["punchcard-value"] = "general"
	s.source["jsonData"].(map[string]any)["port"] = 9
	s.rules["rules"].([]any)[0].(map[string]any)["for"] = "9h"
	s.annotations[1]["time"] = 5
	did, err := Apply(t.Context(), c, wanted(), false)
	if err != nil {
		t.Fatal(err)
	}
	want := "change data source Punchcard jsonData.port\nchange dashboard Voice of the customer title\nchange dashboard Customer value folder\n" +
		"change alert rules group punchcard, 6 rules Punchcard is behind: for\nchange annotation Program Stamps: version b1 time or text"
	if actions(did) != want || len(s.writes) != 5 {
		t.Errorf("it did\n%s\nwith %v, want\n%s", actions(did), s.writes, want)
	}
	if again, err := Apply(t.Context(), c, wanted(), true); err != nil || actions(again) != "" {
		t.Errorf("afterwards: %v %s", err, actions(again))
	}
}

func TestApplyErrorsSayWhatToDo(t *testing.T) {
	s, c := start(t)
	s.noPlugin = true
	if _, err := Apply(t.Context(), c, wanted(), false); err == nil || !strings.Contains(err.Error(), "plugins install grafana-clickhouse-datasource") || len(s.writes) != 0 {
		t.Errorf("without the plugin: %v, writes %v", err, s.writes)
	}
	s.noPlugin = false
	for status, hint := range map[int]string{403: "needs the role Admin", 500: "status: 500", 302: "status"} {
		s.status = status
		_, err := Apply(t.Context(), c, wanted(), false)
		if err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("status %d: %v", status, err)
		} else if status != 302 && !strings.Contains(err.Error(), hint) {
			t.Errorf("status %d: %v does not say %s", status, err, hint)
		}
	}
	s.status = 0
	wrong := c
	wrong.Token = "another"
	if _, err := Apply(t.Context(), wrong, wanted(), false); err == nil || !strings.Contains(err.Error(), "is the token right") || strings.Contains(err.Error(), "another") {
		t.Errorf("a wrong token: %v", err)
	}
	for _, bad := range []Config{{URL: "127.0.0.1:3000", Token: token}, {URL: "http://admin:pw@127.0.0.1:3000", Token: token}, {URL: c.URL}} {
		if _, err := Apply(t.Context(), bad, wanted(), false); err == nil || strings.Contains(err.Error(), "pw") {
			t.Errorf("%s: %v", bad.URL, err)
		}
	}
	s.source = map[string]any{"uid": dashboards.SourceUID, "readOnly": true, "type": dashboards.SourceType, "access": "proxy"}
	if _, err := Apply(t.Context(), c, wanted(), false); err == nil || !strings.Contains(err.Error(), "provisioned from a file") {
		t.Errorf("a provisioned data source: %v", err)
	}
}
