package dashboards

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Grafana's own types read every file, to the last field.
func TestFilesDecodeStrictly(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	for _, d := range List() {
		var got dashboard.Dashboard
		if errs := problems(got.UnmarshalJSONStrict(d.JSON)); len(errs) > 0 {
			t.Errorf("%s: %v", d.UID, errs)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", d.UID, err)
		}
		if got.SchemaVersion != 42 || len(got.Panels) != len(Panels(d.UID)) {
			t.Errorf("%s: schema %d, %d panels", d.UID, got.SchemaVersion, len(got.Panels))
		}
		if strings.Contains(string(d.JSON), `\u00`) {
			t.Errorf("%s has escapes that nobody can read", d.UID)
		}
		broken := strings.Replace(string(d.JSON), `"gridPos"`, `"gridpos"`, 1)
		if errs := problems(got.UnmarshalJSONStrict([]byte(broken))); len(errs) == 0 {
			t.Errorf("%s: a wrong field is not noticed: the check checks nothing", d.UID)
		}
	}
}

// problems: success is an empty list of errors, not nil.
func problems(err error) cog.BuildErrors {
	if err == nil {
		return nil
	}
	if list, ok := err.(cog.BuildErrors); ok {
		return list
	}
	return cog.MakeBuildErrors("", err)
}

func TestListIsWhole(t *testing.T) {
	if len(List()) != len(order) {
		t.Fatalf("List gives %d dashboards, want %d", len(List()), len(order))
	}
	for i, d := range List() {
		if d.UID != "punchcard-"+order[i] || d.Title == "" || d.Description == "" || len(Panels(d.UID)) < 6 {
			t.Errorf("dashboard %d is %s, %d panels", i, d.UID, len(Panels(d.UID)))
		}
		if len(Annotations(d.UID)) != 2 {
			t.Errorf("%s has %d annotations", d.UID, len(Annotations(d.UID)))
		}
	}
	if Panels("nothing") != nil || Variables("nothing") != nil {
		t.Error("a dashboard that is not there has panels")
	}
}

type placed struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Grid        struct {
		X, Y, W, H int
	} `json:"gridPos"`
	Targets     []targetOf `json:"targets"`
	FieldConfig struct {
		Defaults struct {
			Unit       string   `json:"unit"`
			Decimals   *float64 `json:"decimals"`
			NoValue    string   `json:"noValue"`
			Thresholds struct {
				Steps []struct {
					Value *float64 `json:"value"`
					Color string   `json:"color"`
				} `json:"steps"`
			} `json:"thresholds"`
		} `json:"defaults"`
		Overrides []struct {
			Matcher struct {
				Options string `json:"options"`
			} `json:"matcher"`
			Properties []struct {
				ID    string          `json:"id"`
				Value json.RawMessage `json:"value"`
			} `json:"properties"`
		} `json:"overrides"`
	} `json:"fieldConfig"`
}

func panelsOf(t *testing.T, d Dashboard) []placed {
	t.Helper()
	var all struct {
		Panels []placed `json:"panels"`
	}
	if err := json.Unmarshal(d.JSON, &all); err != nil {
		t.Fatal(err)
	}
	return all.Panels
}

// 24 columns, nothing over anything else, no hole, ids that are there once; six
// numbers at the top, no wall of tables.
func TestLayout(t *testing.T) {
	for _, d := range List() {
		cells, ids, tables := map[[2]int]string{}, map[int]bool{}, 0
		bottom, stats := 0, 0
		list := panelsOf(t, d)
		for _, p := range list {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s: id %d of %s is there twice, or 0", d.UID, p.ID, p.Title)
			}
			ids[p.ID] = true
			if p.Grid.X < 0 || p.Grid.X+p.Grid.W > columns || p.Grid.W < 4 || p.Grid.H < 4 {
				t.Errorf("%s: %s is at %+v", d.UID, p.Title, p.Grid)
			}
			for x := p.Grid.X; x < p.Grid.X+p.Grid.W; x++ {
				for y := p.Grid.Y; y < p.Grid.Y+p.Grid.H; y++ {
					if other := cells[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: %s lies over %s", d.UID, p.Title, other)
					}
					cells[[2]int{x, y}] = p.Title
				}
			}
			bottom = max(bottom, p.Grid.Y+p.Grid.H)
			if p.Type == "stat" && p.Grid.Y == 0 {
				stats++
			}
			if p.Type == "table" {
				tables++
			}
		}
		if len(cells) != bottom*columns {
			t.Errorf("%s has holes: %d of %d cells are filled", d.UID, len(cells), bottom*columns)
		}
		if stats < 4 || stats > 6 || 2*tables > len(list)+1 {
			t.Errorf("%s has %d numbers at the top and %d tables of %d panels", d.UID, stats, tables, len(list))
		}
	}
}

var panelTypes = []string{"stat", "timeseries", "barchart", "table", "heatmap", "bargauge", "text"}

// Every panel says what it is.
func TestPanelsAreComplete(t *testing.T) {
	for _, d := range List() {
		titles := map[string]bool{}
		for _, p := range panelsOf(t, d) {
			where := d.UID + "/" + p.Title
			if titles[p.Title+p.Type] {
				t.Errorf("%s: the title is there twice", where)
			}
			titles[p.Title+p.Type] = true
			if p.Title == "" || !slices.Contains(panelTypes, p.Type) {
				t.Errorf("%s: type %s", where, p.Type)
			}
			about, base, found := strings.Cut(p.Description, "Base: ")
			if !found || len(about) < 20 || !strings.HasSuffix(base, ".") {
				t.Errorf("%s: the description must say the formula and end with the base: %s", where, p.Description)
			}
			if p.Type == "text" {
				continue
			}
			f := p.FieldConfig.Defaults
			if f.Unit == "" || f.Decimals == nil || len(f.NoValue) < 5 || len(f.Thresholds.Steps) == 0 || f.Thresholds.Steps[0].Value != nil || len(p.Targets) != 1 {
				t.Errorf("%s: unit %q, decimals %v, without data %q, %d steps, %d queries", where, f.Unit, f.Decimals, f.NoValue, len(f.Thresholds.Steps), len(p.Targets))
			}
			for i := 2; i < len(f.Thresholds.Steps); i++ {
				if *f.Thresholds.Steps[i].Value <= *f.Thresholds.Steps[i-1].Value {
					t.Errorf("%s: its steps do not rise", where)
				}
			}
			checkSQL(t, where, p)
		}
	}
}

var selectsCustomer = regexp.MustCompile(`AS customer_id|SELECT customer_id`)

// checkSQL: rows of customers lead to the look-up; simulated data can be left out,
// and the panel says that it may be there.
func checkSQL(t *testing.T, where string, p placed) {
	sql := p.Targets[0].RawSQL
	if strings.Contains(sql, ";") || !strings.Contains(sql, "SELECT") {
		t.Errorf("%s: not one statement that reads", where)
	}
	first, _, _ := strings.Cut(sql, "\nFROM")
	if p.Type == "table" && selectsCustomer.MatchString(first) && !linksCustomers(p) {
		t.Errorf("%s: its customers lead nowhere", where)
	}
	filters, says := strings.Contains(sql, "${simulated"), strings.Contains(p.Description, "simulated data")
	if filters && !says {
		t.Errorf("%s may hold simulated data and does not say so", where)
	}
	if says && !filters && !strings.Contains(where, "Look-up") {
		t.Errorf("%s says that it may hold simulated data and cannot leave it out", where)
	}
}

func linksCustomers(p placed) bool {
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if o.Matcher.Options == "customer_id" && property.ID == "links" && strings.Contains(string(property.Value), "var-customer=") {
				return true
			}
		}
	}
	return false
}

// Variables that the SQL uses are on the dashboard, and the other way round; an
// override names a column that the SQL gives (the contract test knows the columns).
func TestVariablesAreUsed(t *testing.T) {
	used := regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}`)
	for i, d := range List() {
		offered := map[string]bool{}
		for _, b := range boards() {
			if b.name == order[i] {
				for _, v := range b.variables {
					offered[v] = false
				}
			}
		}
		for _, q := range questions() {
			if !strings.HasPrefix(q.name, d.UID+"/") {
				continue
			}
			for _, m := range used.FindAllStringSubmatch(q.sql, -1) {
				if _, ok := offered[m[1]]; !ok || m[2] != "singlequote" {
					t.Errorf("%s uses %s, which is not offered or not quoted", q.name, m[0])
				}
				offered[m[1]] = true
			}
		}
		for name, isUsed := range offered {
			if !isUsed {
				t.Errorf("%s offers %s, and nothing uses it", d.UID, name)
			}
		}
	}
}
