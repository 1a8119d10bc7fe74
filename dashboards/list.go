package dashboards

import (
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

//go:embed json/*.json
var files embed.FS

// Dashboard is one dashboard; JSON is what Grafana imports.
type Dashboard struct {
	UID, Title, Description string
	JSON                    []byte
}

// Panel is one panel of a dashboard. SQL has macros and variables: see Expand. It
// is empty for a text. Interval is the least width of one point, such as 1d; empty:
// none.
type Panel struct {
	ID                       int
	Title, Description, Type string
	SQL                      string
	Unit, Interval           string
}

// Query is the SQL of a variable or an annotation.
type Query struct {
	Name, SQL string
}

// order is the order of the menu.
var order = []string{"overview", "customers", "retention", "points-and-tiers", "campaigns", "voice", "value", "pipeline"}

type fileJSON struct {
	UID         string `json:"uid"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Panels      []struct {
		ID          int        `json:"id"`
		Type        string     `json:"type"`
		Title       string     `json:"title"`
		Description string     `json:"description"`
		Interval    string     `json:"interval"`
		Targets     []targetOf `json:"targets"`
		FieldConfig struct {
			Defaults struct {
				Unit string `json:"unit"`
			} `json:"defaults"`
		} `json:"fieldConfig"`
	} `json:"panels"`
	Templating struct {
		List []struct {
			Name  string          `json:"name"`
			Type  string          `json:"type"`
			Query json.RawMessage `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Name   string   `json:"name"`
			Target targetOf `json:"target"`
		} `json:"list"`
	} `json:"annotations"`
}

type targetOf struct {
	RawSQL string `json:"rawSql"`
}

// loaded reads the files once. They are part of the binary and tested: an error
// here is a broken build.
var loaded = sync.OnceValue(func() (out struct {
	list []Dashboard
	of   map[string]fileJSON
}) {
	out.of = map[string]fileJSON{}
	for _, name := range order {
		raw, err := files.ReadFile("json/punchcard-" + name + ".json")
		if err != nil {
			continue // not made yet: the test of the list says so
		}
		var f fileJSON
		if err := json.Unmarshal(raw, &f); err != nil {
			panic(fmt.Sprintf("dashboards: json/punchcard-%s.json: %v", name, err))
		}
		out.list = append(out.list, Dashboard{UID: f.UID, Title: f.Title, Description: f.Description, JSON: raw})
		out.of[f.UID] = f
	}
	return out
})

// List gives the dashboards in the order of the menu.
func List() []Dashboard { return append([]Dashboard(nil), loaded().list...) }

// Panels gives the panels of a dashboard from the top left; none for an unknown
// uid.
func Panels(uid string) []Panel {
	var out []Panel
	for _, p := range loaded().of[uid].Panels {
		q := Panel{ID: p.ID, Title: p.Title, Description: p.Description, Type: p.Type, Interval: p.Interval, Unit: p.FieldConfig.Defaults.Unit}
		if len(p.Targets) > 0 {
			q.SQL = p.Targets[0].RawSQL
		}
		out = append(out, q)
	}
	return out
}

// Variables gives the queries of a dashboard's variables.
func Variables(uid string) []Query {
	var out []Query
	for _, v := range loaded().of[uid].Templating.List {
		if v.Type != "query" {
			continue
		}
		var q Query
		var t targetOf
		if json.Unmarshal(v.Query, &t) == nil && t.RawSQL != "" {
			q = Query{Name: v.Name, SQL: t.RawSQL}
		} else {
			var s string
			_ = json.Unmarshal(v.Query, &s) // neither: the contract test finds it empty
			q = Query{Name: v.Name, SQL: s}
		}
		out = append(out, q)
	}
	return out
}

// Annotations gives the queries of a dashboard's annotations.
func Annotations(uid string) []Query {
	var out []Query
	for _, a := range loaded().of[uid].Annotations.List {
		if a.Target.RawSQL != "" {
			out = append(out, Query{a.Name, a.Target.RawSQL})
		}
	}
	return out
}

// money is the unit of amounts in the files.
const money = "currencyGBP"

// grafanaCurrencies are the currencies that Grafana knows as units.
const grafanaCurrencies = " USD GBP EUR JPY RUB UAH BRL DKK ISK NOK SEK CZK CHF PLN ZAR INR KRW IDR PHP VND TRY MYR BGN ILS "

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// InCurrency writes the unit of the dashboard's amounts: code is the ISO 4217 code
// of the program's currency. Without a valid code the JSON stays as it is.
func InCurrency(dashboard []byte, code string) []byte {
	if !currencyCode.MatchString(code) {
		return dashboard
	}
	unit := "currency:" + code
	if strings.Contains(grafanaCurrencies, " "+code+" ") {
		unit = "currency" + code
	}
	return []byte(strings.ReplaceAll(string(dashboard), `"`+money+`"`, `"`+unit+`"`))
}
