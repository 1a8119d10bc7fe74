package dashboards

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	sourceType = "grafana-clickhouse-datasource"
	// SourceUID is the uid of the data source that dashboards and alert rules ask.
	SourceUID = "punchcard-clickhouse"
	// SourceType is the plugin that Grafana needs for it.
	SourceType = sourceType
	columns    = 24
)

// board is a dashboard as the definitions write it.
type board struct {
	name, title, about string
	from               string // now-180d
	grain              string // the step at first; empty: week
	variables          []string
	rows               []row
}

// row is panels of one height beside each other.
type row struct {
	height int
	panels []panel
}

// boards are all definitions.
func boards() []board {
	return []board{overview(), customers(), retention(), pointsAndTiers(), campaigns(), voice(), value(), pipeline()}
}

// target is a query of the ClickHouse data source.
func target(ref, sql string, series bool) variants.UnknownDataquery {
	format, kind := 1, "table"
	if series {
		format, kind = 0, "timeseries"
	}
	return variants.UnknownDataquery{
		"refId": ref, "editorType": "sql", "rawSql": flat(sql), "format": format, "queryType": kind,
		"datasource": map[string]any{"type": sourceType, "uid": "${datasource}"},
	}
}

// build makes Grafana's dashboard of it.
func (b *board) build() (*dashboard.Dashboard, error) {
	d := dashboard.NewDashboard()
	d.Uid, d.Title, d.Description = ptr("punchcard-"+b.name), ptr(b.title), ptr(b.about)
	d.Tags = []string{"punchcard"}
	d.Time = &dashboard.DashboardDashboardTime{From: b.from, To: "now"}
	d.Refresh = ptr("1m")
	d.GraphTooltip = ptr(dashboard.DashboardCursorSyncCrosshair)
	d.WeekStart = ptr("monday")
	d.Version = ptr(uint32(1))
	d.Links = []dashboard.DashboardLink{{
		Title: "Punchcard", Type: dashboard.DashboardLinkTypeDashboards, Icon: "external link", Tags: []string{"punchcard"},
		AsDropdown: true, IncludeVars: false, KeepTime: true,
	}}
	d.Templating.List = append(d.Templating.List, datasourceVariable())
	for _, name := range b.variables {
		v, ok := variables[name]
		if !ok {
			return nil, fmt.Errorf("dashboards: %s: no variable %s", b.name, name)
		}
		if name == "grain" && b.grain != "" {
			v.initial = []string{b.grain}
		}
		d.Templating.List = append(d.Templating.List, v.build(name))
	}
	d.Annotations.List = annotations()
	id, y := 1, 0
	for _, r := range b.rows {
		x := 0
		for i := range r.panels {
			p := r.panels[i].build(id, x, y, r.height)
			d.Panels = append(d.Panels, dashboard.PanelOrRowPanel{Panel: &p})
			x += r.panels[i].w
			id++
		}
		if x != columns {
			return nil, fmt.Errorf("dashboards: %s: the row with %q is %d columns wide, not %d", b.name, r.panels[0].title, x, columns)
		}
		y += r.height
	}
	return d, nil
}

// encode writes the file of a dashboard.
func (b *board) encode() ([]byte, error) {
	d, err := b.build()
	if err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dashboards: %s: %w", b.name, err)
	}
	return append([]byte(readable.Replace(string(raw))), '\n'), nil
}

// readable takes back what the encoder escapes for HTML's sake. No text of ours
// has a backslash before a u.
var readable = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// annotations mark when campaigns began and rules changed.
func annotations() []dashboard.AnnotationQuery {
	one := func(name, color, sql string) dashboard.AnnotationQuery {
		a := dashboard.NewAnnotationQuery()
		a.Name, a.IconColor, a.Enable = name, color, true
		a.Datasource = source()
		a.Target = target("Anno", sql, false)
		return *a
	}
	return []dashboard.AnnotationQuery{
		one("Campaign starts", purple, CampaignStarts+`
	HAVING time >= $__fromTime AND time <= $__toTime
	ORDER BY time`),
		one("Program versions", orange, ProgramVersions+`
	WHERE effective_from >= $__fromTime AND effective_from <= $__toTime
	ORDER BY time`),
	}
}

// What annotations mark: time, title, text, tags and the id of what began.
const (
	CampaignStarts = `
	SELECT min(entry_time) AS time, concat('Campaign ', campaign_id) AS title, concat('First message of campaign ', campaign_id) AS text,
	    'campaign' AS tags, toString(campaign_id) AS id
	FROM campaign_log
	WHERE outcome = 'sent'
	GROUP BY campaign_id`
	ProgramVersions = `
	SELECT effective_from AS time, concat('Program ', name) AS title, concat('Version ', substring(bundle_id, 1, 8), ' of the rules counts from here') AS text,
	    'program' AS tags, bundle_id AS id
	FROM program_versions`
)

func datasourceVariable() dashboard.VariableModel {
	return dashboard.VariableModel{
		Type: dashboard.VariableTypeDatasource, Name: "datasource", Label: ptr("Data source"), Query: &dashboard.StringOrMap{String: ptr(sourceType)},
		Current: option("Punchcard", SourceUID), Hide: ptr(dashboard.VariableHideDontHide), Refresh: ptr(dashboard.VariableRefreshOnDashboardLoad),
	}
}

func option(text, value string) *dashboard.VariableOption {
	return &dashboard.VariableOption{
		Selected: ptr(true), Text: dashboard.StringOrArrayOfString{String: &text}, Value: dashboard.StringOrArrayOfString{String: &value},
	}
}
