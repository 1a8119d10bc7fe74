// Package check tries the files of deploy as far as they can be tried without a
// container runtime: Compose's own loader, Prometheus's own parser, and the source.
package check

import (
	"encoding/xml"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whoever opens a file sees at once that nobody has brought it up.
func TestFilesSayThatTheyNeverRan(t *testing.T) {
	for _, path := range []string{"deploy/Dockerfile", "deploy/compose.yaml", "deploy/clickhouse/reader.xml", "deploy/prometheus/prometheus.yaml", "deploy/prometheus/alerts.yaml"} {
		first, _, _ := strings.Cut(read(t, path), "\n")
		if !strings.Contains(first, "never run") {
			t.Errorf("%s begins with %q", path, first)
		}
	}
}

func project(t *testing.T, env ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "deploy/compose.yaml")}, cli.WithEnv(env), cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

var passwords = []string{"CLICKHOUSE_PASSWORD=w", "CLICKHOUSE_READER_PASSWORD=r", "GRAFANA_PASSWORD=g"}

var pinned = regexp.MustCompile(`^[a-z/-]+:(slim|v?\d+\.\d+(\.\d+)?)$`)

func TestCompose(t *testing.T) {
	p, err := project(t, passwords...)
	if err != nil {
		t.Fatal(err)
	}
	if names := p.ServiceNames(); !slices.Equal(names, []string{"clickhouse", "grafana", "kafka", "prometheus", "punchcard"}) {
		t.Errorf("services %v", names)
	}
	for name, s := range p.Services {
		if !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q has no version", name, s.Image)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open beyond this machine", name, port.Published)
			}
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind {
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s mounts what is not there: %v", name, err)
				}
			} else if _, ok := p.Volumes[v.Source]; !ok {
				t.Errorf("%s: volume %q is not declared", name, v.Source)
			}
		}
		for other, d := range s.DependsOn {
			if d.Condition == types.ServiceConditionHealthy && p.Services[other].HealthCheck == nil {
				t.Errorf("%s waits for the health of %s, which has no check", name, other)
			}
		}
	}
	engine := p.Services["punchcard"]
	if got := *engine.Environment["PUNCHCARD_CLICKHOUSE"]; got != "http://punchcard:w@clickhouse:8123" {
		t.Errorf("the warehouse is %s", got)
	}
	if user := *p.Services["grafana"].Environment["PUNCHCARD_CLICKHOUSE_USER"]; user != "reader" {
		t.Errorf("Grafana is %s", user)
	}
	if _, err := os.Stat(filepath.Join(engine.Build.Context, engine.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
	for i := range passwords {
		if _, err := project(t, slices.Delete(slices.Clone(passwords), i, i+1)...); err == nil {
			t.Errorf("it comes up without %s", passwords[i])
		}
	}
}

// Every variable that we give is one that is read.
func TestVariablesAreRead(t *testing.T) {
	p, err := project(t, passwords...)
	if err != nil {
		t.Fatal(err)
	}
	settings := read(t, "cmd/punchcard/settings.go") + read(t, "warehouse/embedded/library.go")
	known := func(variable string) bool {
		if strings.Contains(settings, `"`+variable+`"`) {
			return true
		}
		field := strings.ToLower(strings.TrimPrefix(variable, "PUNCHCARD_"))
		return regexp.MustCompile(`(?im)^\s+`+field+`\s+\S+\s+.help:`).MatchString(settings) || strings.Contains(settings, `name:"`+strings.ReplaceAll(field, "_", "-")+`"`)
	}
	var given []string
	for name := range p.Services["punchcard"].Environment {
		given = append(given, name)
	}
	for _, m := range regexp.MustCompile(`(PUNCHCARD_\w+)=`).FindAllStringSubmatch(read(t, "deploy/Dockerfile"), -1) {
		given = append(given, m[1])
	}
	if len(given) < 5 || known("PUNCHCARD_NO_SUCH") {
		t.Fatal(given)
	}
	for _, v := range given {
		if !known(v) {
			t.Errorf("nobody reads %s", v)
		}
	}
	source := read(t, "deploy/grafana/provisioning/datasources/punchcard.yaml")
	for name := range p.Services["grafana"].Environment {
		if strings.HasPrefix(name, "PUNCHCARD_") && !strings.Contains(source, "${"+name+"}") {
			t.Errorf("Grafana's provisioning does not use %s", name)
		}
	}
	provider := read(t, "deploy/grafana/provisioning/dashboards/punchcard.yaml")
	for _, v := range p.Services["grafana"].Volumes {
		if strings.HasSuffix(v.Source, "dashboards/json") && !strings.Contains(provider, "path: "+v.Target+"\n") {
			t.Errorf("the dashboards are at %s, Grafana looks elsewhere", v.Target)
		}
	}
}

// The Dockerfile has no parser of its own here; what matters of it is read as text.
func TestDockerfile(t *testing.T) {
	text := read(t, "deploy/Dockerfile")
	stages := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^FROM (\S+) AS (\w+)$`).FindAllStringSubmatch(text, -1) {
		if !stages[m[1]] && !regexp.MustCompile(`^[a-z]+:[\w.-]*\d?[\w.-]*$`).MatchString(m[1]) {
			t.Errorf("FROM %s: no version", m[1])
		}
		stages[m[2]] = true
	}
	for _, m := range regexp.MustCompile(`--from=(\w+)`).FindAllStringSubmatch(text, -1) {
		if !stages[m[1]] {
			t.Errorf("there is no stage %s", m[1])
		}
	}
	if !stages["slim"] || !stages["whole"] {
		t.Errorf("stages %v", stages)
	}
	// What is copied from the source is there.
	for _, m := range regexp.MustCompile(`(?m)^COPY ([^-].*)$`).FindAllStringSubmatch(text, -1) {
		words := strings.Fields(m[1])
		for _, w := range words[:len(words)-1] {
			if _, err := os.Stat(filepath.Join(root, w)); err != nil {
				t.Error(err)
			}
		}
	}
	slim := text[strings.Index(text, " AS slim"):]
	user, entry := strings.Index(slim, "\nUSER 10001:10001\n"), strings.Index(slim, "\nENTRYPOINT")
	if user < 0 || entry < user || strings.Contains(slim[user:], "\nRUN ") || strings.Count(slim, "\nUSER ") != 1 {
		t.Error("the process is not an ordinary user's from first to last")
	}
	if !strings.Contains(slim, "\nHEALTHCHECK ") || !strings.Contains(read(t, "cmd/punchcard/health.go"), "GET /healthz") {
		t.Error("no health check, or no door for it")
	}
	library := regexp.MustCompile(`"(lib-linux-x64-gnu)"`).FindStringSubmatch(read(t, "warehouse/embedded/library.go"))
	if library == nil || !strings.Contains(slim, "/@chdb/"+library[1]+"/libchdb.so ") {
		t.Error("the engine's library is elsewhere")
	}
}

func TestReaderXML(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(read(t, "deploy/clickhouse/reader.xml")))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// Rules are well-formed, and ask for metrics and labels that are there.
func TestAlerts(t *testing.T) {
	groups, errs := rulefmt.ParseFile(filepath.Join(root, "deploy/prometheus/alerts.yaml"), false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.Default())
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	health := read(t, "cmd/punchcard/health.go")
	labels := map[string][]string{"up": {"job", "instance"}}
	for _, m := range regexp.MustCompile(`NewDesc\("(\w+)", ".*", (?:nil|\[\]string\{(.*?)\}), nil\)`).FindAllStringSubmatch(health, -1) {
		labels[m[1]] = []string{"job", "instance"}
		for _, l := range strings.Split(m[2], ",") {
			labels[m[1]] = append(labels[m[1]], strings.Trim(l, ` "`))
		}
	}
	rules := 0
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			rules++
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
			if err != nil {
				t.Fatal(err)
			}
			checkRule(t, r, expr, labels)
		}
	}
	if rules < 5 || len(labels) < 5 {
		t.Errorf("%d rules, %d metrics", rules, len(labels))
	}
}

func checkRule(t *testing.T, r rulefmt.Rule, expr parser.Expr, labels map[string][]string) {
	t.Helper()
	if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !slices.Contains([]string{"page", "warn"}, r.Labels["severity"]) {
		t.Errorf("%s: what it means and how urgent it is must be said", r.Alert)
	}
	parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		have, known := labels[v.Name]
		if !known {
			t.Errorf("%s: there is no metric %s", r.Alert, v.Name)
		}
		for _, m := range v.LabelMatchers {
			if m.Name != "__name__" && !slices.Contains(have, m.Name) {
				t.Errorf("%s: %s has no label %s", r.Alert, v.Name, m.Name)
			}
			if m.Name == "outcome" && !strings.Contains(read(t, "cmd/punchcard/health.go"), `"`+m.Value+`")`) {
				t.Errorf("%s: no outcome is called %s", r.Alert, m.Value)
			}
		}
		return nil
	})
}
