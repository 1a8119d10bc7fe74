package grafana

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	gapi "github.com/grafana/grafana-api-golang-client"

	"github.com/punchcard/punchcard/dashboards"
)

// Wanted is what a Grafana is to have.
type Wanted struct {
	Source      Source
	Dashboards  []dashboards.Dashboard
	Alerts      []dashboards.Alert
	Annotations []Annotation
}

// Source is the ClickHouse that the Grafana asks, as seen from the Grafana.
type Source struct {
	Host     string
	Port     int
	Secure   bool // TLS
	Native   bool // ClickHouse's own protocol, otherwise HTTP
	Database string
	User     string
	// Password is written when the data source is made or changed; Grafana never
	// gives it back, so it is not compared.
	Password string
}

// Annotation marks a moment on every dashboard. ID is its own for ever.
type Annotation struct {
	ID, Kind, Text string
	TimeMs         int64
}

// Change is a difference that was removed (or, in a dry run, found).
type Change struct {
	What   string // folder, data source, dashboard, alert rules, annotation
	Name   string
	Action string // make, change, keep
	Detail string // what differs
}

// Actions of a Change.
const (
	Make = "make"
	Keep = "keep"
	Edit = "change"
)

// Apply makes the Grafana have what is wanted, and says what it did, in order. A
// dry run changes nothing and says what it would do. After an error the changes so
// far are returned with it; a second run does the rest.
func Apply(ctx context.Context, c Config, w Wanted, dryRun bool) ([]Change, error) {
	cl, err := newClient(ctx, c)
	if err != nil {
		return nil, err
	}
	a := &apply{client: cl, dry: dryRun}
	steps := []func(*Wanted) error{a.plugin, a.source, a.folder, a.dashboards, a.alerts, a.annotations}
	for _, step := range steps {
		if err := step(&w); err != nil {
			return a.changes, err
		}
	}
	return a.changes, nil
}

type apply struct {
	*client
	dry     bool
	changes []Change
}

// do notes a change and makes it, unless it is a dry run.
func (a *apply) do(change Change, make func() error) error {
	if change.Action != Keep && !a.dry {
		if err := make(); err != nil {
			return a.failed("writing "+change.What+" "+change.Name, err)
		}
	}
	a.changes = append(a.changes, change)
	return nil
}

// plugin looks for the data source's plugin; it installs nothing.
func (a *apply) plugin(*Wanted) error {
	found, err := a.hasPlugin(dashboards.SourceType)
	if err != nil {
		return a.failed("asking for the plugin "+dashboards.SourceType, err)
	}
	if !found {
		return fmt.Errorf("grafana: the plugin %s is missing at %s: install it there (grafana cli plugins install %s, or GF_INSTALL_PLUGINS=%s for the container), restart Grafana, and run this again",
			dashboards.SourceType, a.base.Host, dashboards.SourceType, dashboards.SourceType)
	}
	return nil
}

func (a *apply) source(w *Wanted) error {
	s := w.Source
	protocol := "http"
	if s.Native {
		protocol = "native"
	}
	want := gapi.DataSource{
		UID: dashboards.SourceUID, Name: "Punchcard", Type: dashboards.SourceType, Access: "proxy",
		JSONData: map[string]any{"host": s.Host, "port": s.Port, "protocol": protocol, "secure": s.Secure, "defaultDatabase": s.Database, "username": s.User},
	}
	if s.Password != "" {
		want.SecureJSONData = map[string]any{"password": s.Password}
	}
	have, err := a.api.DataSourceByUID(dashboards.SourceUID)
	switch {
	case missing(err):
		return a.do(Change{"data source", want.Name, Make, fmt.Sprintf("%s:%d", s.Host, s.Port)}, func() error { _, err := a.api.NewDataSource(&want); return err })
	case err != nil:
		return a.failed("reading the data source", err)
	}
	detail := differing(map[string]any{"type": want.Type, "access": want.Access, "jsonData": want.JSONData}, map[string]any{"type": have.Type, "access": have.Access, "jsonData": have.JSONData}, "")
	if detail == "" {
		return a.do(Change{"data source", have.Name, Keep, ""}, nil)
	}
	if have.ReadOnly {
		return fmt.Errorf("grafana: the data source %s is provisioned from a file and differs (%s): change the file in deploy/grafana/provisioning", dashboards.SourceUID, detail)
	}
	want.Name = have.Name
	return a.do(Change{"data source", want.Name, Edit, detail}, func() error { return a.api.UpdateDataSourceByUID(&want) })
}

func (a *apply) folder(*Wanted) error {
	_, err := a.api.FolderByUID(dashboards.FolderUID)
	switch {
	case missing(err):
		return a.do(Change{"folder", dashboards.FolderTitle, Make, ""}, func() error { _, err := a.api.NewFolder(dashboards.FolderTitle, dashboards.FolderUID); return err })
	case err != nil:
		return a.failed("reading the folder", err)
	}
	return a.do(Change{"folder", dashboards.FolderTitle, Keep, ""}, nil)
}

func (a *apply) dashboards(w *Wanted) error {
	for _, d := range w.Dashboards {
		var want map[string]any
		if err := json.Unmarshal(d.JSON, &want); err != nil {
			return fmt.Errorf("grafana: dashboard %s: %w", d.UID, err)
		}
		action, detail := Make, ""
		have, err := a.api.DashboardByUID(d.UID)
		switch {
		case missing(err):
		case err != nil:
			return a.failed("reading dashboard "+d.UID, err)
		default:
			action, detail = Keep, dashboardDiffers(want, have)
			if detail != "" {
				action = Edit
			}
		}
		err = a.do(Change{"dashboard", d.Title, action, detail}, func() error {
			_, err := a.api.NewDashboard(gapi.Dashboard{Model: want, FolderUID: dashboards.FolderUID, Overwrite: true, Message: "punchcard dashboards apply"})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dashboardDiffers compares all but what Grafana counts itself.
func dashboardDiffers(want map[string]any, have *gapi.Dashboard) string {
	own, theirs := maps.Clone(want), maps.Clone(have.Model)
	for _, m := range []map[string]any{own, theirs} {
		delete(m, "id")
		delete(m, "version")
	}
	detail := differing(own, theirs, "")
	for k := range theirs {
		if _, ok := own[k]; !ok && detail == "" {
			detail = k
		}
	}
	if detail == "" && have.Meta.FolderUID != dashboards.FolderUID {
		detail = "folder"
	}
	return detail
}

func (a *apply) alerts(w *Wanted) error {
	if len(w.Alerts) == 0 {
		return nil
	}
	want := gapi.RuleGroup{Title: dashboards.AlertGroup, FolderUID: dashboards.FolderUID, Interval: dashboards.AlertInterval}
	for _, alert := range w.Alerts {
		want.Rules = append(want.Rules, rule(alert))
	}
	name := fmt.Sprintf("group %s, %d rules", want.Title, len(want.Rules))
	have, err := a.api.AlertRuleGroup(dashboards.FolderUID, dashboards.AlertGroup)
	switch {
	case missing(err) || (err == nil && len(have.Rules) == 0):
		return a.do(Change{"alert rules", name, Make, ""}, func() error { return a.api.SetAlertRuleGroup(want) })
	case err != nil:
		return a.failed("reading the alert rules", err)
	}
	detail := rulesDiffer(want, have)
	if detail == "" {
		return a.do(Change{"alert rules", name, Keep, ""}, nil)
	}
	return a.do(Change{"alert rules", name, Edit, detail}, func() error { return a.api.SetAlertRuleGroup(want) })
}

func rule(alert dashboards.Alert) gapi.AlertRule {
	r := gapi.AlertRule{
		UID: alert.UID, Title: alert.Title, Condition: "B", For: alert.For, FolderUID: dashboards.FolderUID, RuleGroup: dashboards.AlertGroup, OrgID: 1,
		ExecErrState: gapi.ErrError, NoDataState: gapi.NoData,
		Annotations: map[string]string{"summary": alert.Summary, "description": alert.Hint}, Labels: map[string]string{"severity": alert.Severity, "app": "punchcard"},
	}
	if alert.Quiet {
		r.NoDataState = gapi.NoDataOk
	}
	for _, q := range alert.Data() {
		// The API counts seconds, whatever the library's type says.
		r.Data = append(r.Data, &gapi.AlertQuery{RefID: q.RefID, DatasourceUID: q.DatasourceUID, Model: q.Model, RelativeTimeRange: gapi.RelativeTimeRange{From: seconds(q.From)}})
	}
	return r
}

func rulesDiffer(want, have gapi.RuleGroup) string {
	if want.Interval != have.Interval {
		return "interval"
	}
	theirs := map[string]gapi.AlertRule{}
	for _, r := range have.Rules {
		theirs[r.UID] = r
	}
	var out []string
	for _, r := range want.Rules {
		other, ok := theirs[r.UID]
		if !ok {
			out = append(out, r.Title+" is missing")
			continue
		}
		if d := differing(compared(r), compared(other), ""); d != "" {
			out = append(out, r.Title+": "+d)
		}
	}
	if len(have.Rules) > len(want.Rules) {
		out = append(out, "it has rules that are not ours: they go")
	}
	return strings.Join(out, "; ")
}

// compared is what of a rule is compared: what we write, without what Grafana
// counts.
func compared(r gapi.AlertRule) map[string]any {
	raw, err := json.Marshal(r)
	out := map[string]any{}
	if err != nil || json.Unmarshal(raw, &out) != nil {
		return map[string]any{"unreadable": r.UID}
	}
	for _, k := range []string{"id", "orgId", "updated", "provenance", "isPaused", "folderUid", "ruleGroup"} {
		delete(out, k)
	}
	return out
}

// differing names what is in want and not the same in have; have may have more.
func differing(want, have any, path string) string {
	want, have = plain(want), plain(have)
	w, isMap := want.(map[string]any)
	h, otherMap := have.(map[string]any)
	if isMap && otherMap {
		var out []string
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if d := differing(w[k], h[k], strings.TrimPrefix(path+"."+k, ".")); d != "" {
				out = append(out, d)
			}
		}
		if len(out) > 3 {
			out = append(out[:3], fmt.Sprintf("%d more", len(out)-3))
		}
		return strings.Join(out, ", ")
	}
	wl, isList := want.([]any)
	hl, otherList := have.([]any)
	if isList && otherList && len(wl) == len(hl) {
		var out []string
		for i := range wl {
			if d := differing(wl[i], hl[i], fmt.Sprintf("%s[%d]", path, i)); d != "" {
				out = append(out, d)
			}
		}
		if len(out) > 3 {
			out = append(out[:3], fmt.Sprintf("%d more", len(out)-3))
		}
		return strings.Join(out, ", ")
	}
	if reflect.DeepEqual(want, have) {
		return ""
	}
	return path
}

// plain is a value as JSON has it.
func plain(v any) any {
	switch v.(type) {
	case map[string]any, []any, string, float64, bool, nil:
		return v
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	_ = json.Unmarshal(raw, &out) // it was just written
	return out
}
