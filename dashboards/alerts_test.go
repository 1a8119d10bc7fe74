package dashboards

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const provisioning = "../deploy/grafana/provisioning/"

type ruleFile struct {
	APIVersion int         `yaml:"apiVersion"`
	Groups     []ruleGroup `yaml:"groups"`
}

type ruleGroup struct {
	OrgID    int        `yaml:"orgId"`
	Name     string     `yaml:"name"`
	Folder   string     `yaml:"folder"`
	Interval string     `yaml:"interval"`
	Rules    []ruleYAML `yaml:"rules"`
}

type ruleYAML struct {
	UID          string            `yaml:"uid"`
	Title        string            `yaml:"title"`
	Condition    string            `yaml:"condition"`
	Data         []ruleData        `yaml:"data"`
	NoDataState  string            `yaml:"noDataState"`
	ExecErrState string            `yaml:"execErrState"`
	For          string            `yaml:"for"`
	Annotations  map[string]string `yaml:"annotations"`
	Labels       map[string]string `yaml:"labels"`
	IsPaused     bool              `yaml:"isPaused"`
}

type ruleData struct {
	RefID             string         `yaml:"refId"`
	RelativeTimeRange map[string]int `yaml:"relativeTimeRange"`
	DatasourceUID     string         `yaml:"datasourceUid"`
	Model             map[string]any `yaml:"model"`
}

func rulesFile() ruleFile {
	g := ruleGroup{OrgID: 1, Name: AlertGroup, Folder: FolderTitle, Interval: "1m"}
	for _, a := range Alerts() {
		r := ruleYAML{
			UID: a.UID, Title: a.Title, Condition: "B", NoDataState: "NoData", ExecErrState: "Error", For: a.For,
			// In these files a dollar sign is a variable of the environment, unless doubled.
			Annotations: map[string]string{"summary": dollars(a.Summary), "description": dollars(a.Hint)}, Labels: map[string]string{"severity": a.Severity, "app": "punchcard"},
		}
		if a.Quiet {
			r.NoDataState = "OK"
		}
		for _, q := range a.Data() {
			if sql, ok := q.Model["rawSql"].(string); ok {
				q.Model["rawSql"] = dollars(sql)
			}
			r.Data = append(r.Data, ruleData{q.RefID, map[string]int{"from": q.From, "to": 0}, q.DatasourceUID, q.Model})
		}
		g.Rules = append(g.Rules, r)
	}
	return ruleFile{1, []ruleGroup{g}}
}

func dollars(s string) string { return strings.ReplaceAll(s, "$", "$$") }

// The file for Grafana's provisioning is what the rules are.
func TestAlertFileIsUpToDate(t *testing.T) {
	path := provisioning + "alerting/punchcard.yaml"
	made, err := yaml.MarshalWithOptions(rulesFile(), yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		t.Fatal(err)
	}
	made = append([]byte("# Never run in a Grafana here: the file is decoded by a test only.\n# Alert rules: made from dashboards/alerts.go by go test ./dashboards -update.\n"), made...)
	if *update {
		if err := os.WriteFile(path, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, made) {
		t.Fatalf("%s is not what the rules are (%v): go test ./dashboards -run TestAlertFileIsUpToDate -update", path, err)
	}
	var back ruleFile
	if err := yaml.UnmarshalWithOptions(have, &back, yaml.Strict()); err != nil || len(back.Groups[0].Rules) != len(Alerts()) {
		t.Fatalf("reading it back: %v", err)
	}
	for i, r := range back.Groups[0].Rules {
		if sql := strings.ReplaceAll(r.Data[0].Model["rawSql"].(string), "$$", "$"); sql != flat(Alerts()[i].SQL) {
			t.Errorf("%s: the SQL comes back as\n%s", r.UID, sql)
		}
	}
}

// backendMacros are those that Grafana's server knows; the others are filled in by
// the browser, and in an alert rule there is none.
var backendMacros = []string{"$__timeFilter", "$__timeInterval", "$__fromTime", "$__toTime", "$__interval_s"}

var dollarName = regexp.MustCompile(`\$\{?\w*`)

func TestAlertsAskNothingOfABrowser(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range Alerts() {
		for _, found := range dollarName.FindAllString(a.SQL, -1) {
			if !slices.Contains(backendMacros, found) {
				t.Errorf("%s uses %s, which an alert rule does not know", a.UID, found)
			}
		}
		if seen[a.UID] || a.Title == "" || a.Summary == "" || a.Hint == "" || a.For == "" || a.Window < 60 || (a.Severity != "critical" && a.Severity != "warning") {
			t.Errorf("%s is incomplete, or there twice", a.UID)
		}
		seen[a.UID] = true
	}
	if len(seen) < 5 {
		t.Errorf("only %d rules", len(seen))
	}
}

func TestProvisioningFiles(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct {
			Name           string            `yaml:"name"`
			UID            string            `yaml:"uid"`
			Type           string            `yaml:"type"`
			Access         string            `yaml:"access"`
			Editable       bool              `yaml:"editable"`
			JSONData       map[string]any    `yaml:"jsonData"`
			SecureJSONData map[string]string `yaml:"secureJsonData"`
		} `yaml:"datasources"`
	}
	readYAML(t, "datasources/punchcard.yaml", &sources)
	if d := sources.Datasources[0]; sources.APIVersion != 1 || d.UID != SourceUID || d.Type != SourceType || d.SecureJSONData["password"] != "${PUNCHCARD_CLICKHOUSE_PASSWORD}" || d.JSONData["defaultDatabase"] != "punchcard" {
		t.Errorf("the data source is %+v", d)
	}
	var providers struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name            string         `yaml:"name"`
			OrgID           int            `yaml:"orgId"`
			Folder          string         `yaml:"folder"`
			FolderUID       string         `yaml:"folderUid"`
			Type            string         `yaml:"type"`
			DisableDeletion bool           `yaml:"disableDeletion"`
			Update          int            `yaml:"updateIntervalSeconds"`
			AllowUIUpdates  bool           `yaml:"allowUiUpdates"`
			Options         map[string]any `yaml:"options"`
		} `yaml:"providers"`
	}
	readYAML(t, "dashboards/punchcard.yaml", &providers)
	if p := providers.Providers[0]; p.Type != "file" || p.Folder != FolderTitle || p.FolderUID != FolderUID || p.Options["path"] == "" {
		t.Errorf("the provider is %+v", p)
	}
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(provisioning + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalWithOptions(raw, into, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
