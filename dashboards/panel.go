package dashboards

import (
	"maps"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/barchart"
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/text"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// panel is one question as the definitions write it.
type panel struct {
	kind  string // stat, timeseries, barchart, table, heatmap, bargauge, text
	title string
	// about says what it shows and how it is computed; base says of whom or what.
	about, base string
	sql         string
	unit        string
	decimals    float64
	// none is what stands there without data.
	none string
	w    int
	// steps are colours from a value on; the first has no value.
	steps []dashboard.Threshold
	// lines shows the steps as lines in a time series.
	lines bool
	// good says whether a rise of a stat is good (1), bad (-1) or neither (0).
	good int
	// still takes the sparkline and the change from a stat.
	still bool
	// bars draws a time series as bars; stacked stacks it.
	bars, stacked bool
	max           *float64
	// sideways draws a bar chart with lying bars.
	sideways bool
	// least is the least width of a point of a time series.
	least string
	// columns are what is special about single columns, by name.
	columns map[string]column
	// sort orders a table by a column, descending.
	sort string
	// real: what it shows is never simulated.
	real bool
}

// column is what is special about a column of a table or a series.
type column struct {
	unit     string
	decimals *float64
	name     string
	color    string // fixed
	steps    []dashboard.Threshold
	// cell is how a table draws it: gauge, shade (background by value), tone
	// (text by thresholds), ground (background by thresholds).
	cell   string
	link   string // an address; customer: the look-up
	title  string // of the link
	width  int
	hidden bool
	max    *float64
	words  map[string]string // a value → the text shown for it
	tints  map[string]string // a value → the colour of its text
	line   bool              // a series drawn as a line among bars
	band   string            // fill down to the series of this name
	thin   bool
}

// Colours, as Grafana names them: they are told apart by colour-blind people.
const (
	blue   = "blue"
	green  = "green"
	red    = "red"
	orange = "orange"
	purple = "purple"
	gray   = "gray"
	yellow = "yellow"
)

// steps makes thresholds: a base colour, then value, colour, …
func steps(base string, more ...any) []dashboard.Threshold {
	out := []dashboard.Threshold{{Color: base}}
	for i := 0; i+1 < len(more); i += 2 {
		v, _ := more[i].(float64)
		c, _ := more[i+1].(string)
		out = append(out, dashboard.Threshold{Value: &v, Color: c})
	}
	return out
}

// Units. Grafana shortens short, days and money by their size; whole numbers and
// days are read better in full.
const (
	whole = "locale"
	days  = "suffix: days"
	// moneyDecimals are those of £2.92K.
	moneyDecimals = 2
)

func ptr[T any](v T) *T { return &v }

// customerLink leads from a cell with a customer to the look-up.
const customerLink = "/d/punchcard-customers?var-customer=${__value.raw:percentencode}"

func source() *common.DataSourceRef {
	return &common.DataSourceRef{Type: ptr(sourceType), Uid: ptr("${datasource}")}
}

// build makes Grafana's panel of it.
func (p *panel) build(id, x, y, h int) dashboard.Panel {
	out := dashboard.NewPanel()
	out.Type, out.Id, out.Title = p.kind, ptr(uint32(id)), ptr(p.title)
	out.GridPos = &dashboard.GridPos{X: uint32(x), Y: uint32(y), W: uint32(p.w), H: uint32(h)}
	out.Description = ptr(p.description())
	if p.kind == "text" {
		out.Options = &text.Options{Mode: text.TextModeMarkdown, Content: p.about}
		return *out
	}
	out.Datasource = source()
	if p.sql != "" {
		out.Targets = append(out.Targets, target("A", p.sql, p.kind == "timeseries" || p.kind == "heatmap" || p.kind == "stat" && !p.still))
	}
	if p.least != "" {
		out.Interval = ptr(p.least)
	}
	if p.kind == "timeseries" {
		out.MaxDataPoints = ptr(200.0)
	}
	out.Options = p.options()
	out.FieldConfig = p.fields()
	return *out
}

func (p *panel) description() string {
	if p.kind == "text" {
		return "Says what the panels beside it mean. Base: none."
	}
	said := p.about
	if !p.real {
		said += " May hold simulated data: choose Data = real only to leave it out."
	}
	return said + " Base: " + p.base
}

func (p *panel) options() any {
	switch p.kind {
	case "stat":
		o := stat.NewOptions()
		o.ReduceOptions.Calcs = []string{"lastNotNull"}
		o.ShowPercentChange = !p.still
		o.PercentChangeColorMode = map[int]common.PercentChangeColorMode{1: "standard", -1: "inverted", 0: "same_as_value"}[p.good]
		if p.still {
			o.GraphMode = common.BigValueGraphModeNone
		}
		o.Orientation = common.VizOrientationAuto
		return o
	case "timeseries":
		o := timeseries.NewOptions()
		o.Legend.ShowLegend = true
		o.Tooltip.Mode, o.Tooltip.Sort = common.TooltipDisplayModeMulti, common.SortOrderDescending
		return o
	case "barchart":
		o := barchart.NewOptions()
		o.Legend = common.VizLegendOptions{DisplayMode: "list", Placement: "bottom", ShowLegend: true, Calcs: []string{}}
		o.Orientation = common.VizOrientationVertical
		if p.sideways {
			o.Orientation = common.VizOrientationHorizontal
		}
		if p.stacked {
			o.Stacking = common.StackingModeNormal
		}
		o.ShowValue = common.VisibilityModeNever
		o.Tooltip.Mode, o.Tooltip.Sort = common.TooltipDisplayModeMulti, common.SortOrderDescending
		return o
	case "bargauge":
		o := bargauge.NewOptions()
		o.ReduceOptions = common.ReduceDataOptions{Values: ptr(true), Calcs: []string{"lastNotNull"}, Fields: ptr("")}
		o.Orientation = common.VizOrientationHorizontal
		o.DisplayMode = common.BarGaugeDisplayModeBasic
		o.ValueMode = common.BarGaugeValueModeText
		return o
	case "heatmap":
		o := heatmap.NewOptions()
		o.Color = heatmap.HeatmapColorOptions{Mode: ptr(heatmap.HeatmapColorModeScheme), Scheme: "Blues", Fill: blue, Exponent: 0.5, Steps: 64, Reverse: true}
		o.RowsFrame = &heatmap.RowsHeatmapOptions{Layout: ptr(common.HeatmapCellLayoutAuto)}
		o.CellValues = &heatmap.CellValues{Unit: ptr(p.unit), Decimals: ptr(float32(p.decimals))}
		o.YAxis.Reverse = ptr(true)
		return o
	}
	o := table.NewOptions()
	o.Footer = nil // the one it makes is not valid
	if p.sort != "" {
		name := p.sort
		if n := p.columns[p.sort].name; n != "" {
			name = n
		}
		o.SortBy = []common.TableSortByFieldState{{DisplayName: name, Desc: ptr(true)}}
	}
	return o
}

func (p *panel) fields() *dashboard.FieldConfigSource {
	out := dashboard.NewFieldConfigSource()
	d := &out.Defaults
	d.Unit, d.Decimals, d.NoValue = ptr(p.unit), ptr(p.decimals), ptr(p.none)
	if p.unit == money {
		d.Decimals = ptr(float64(moneyDecimals))
	}
	d.Thresholds = &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: p.steps}
	d.Max = p.max
	d.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassic}
	switch p.kind {
	case "stat", "bargauge":
		d.Color.Mode = dashboard.FieldColorModeIdThresholds
		if p.kind == "bargauge" && p.max == nil {
			d.Min = ptr(0.0)
		}
	case "table":
		d.Color.Mode = dashboard.FieldColorModeIdThresholds
		d.Custom = map[string]any{"align": "auto", "inspect": false}
	case "timeseries":
		d.Custom = p.drawing()
	case "barchart":
		f := barchart.NewFieldConfig()
		f.AxisBorderShow = ptr(false)
		d.Custom = f
	}
	for _, name := range slices.Sorted(maps.Keys(p.columns)) {
		c := p.columns[name]
		out.Overrides = append(out.Overrides, dashboard.DashboardFieldConfigSourceOverrides{
			Matcher: dashboard.MatcherConfig{Id: "byName", Options: name}, Properties: c.properties(p.kind),
		})
	}
	return out
}

// drawing is how a time series is drawn.
func (p *panel) drawing() *common.GraphFieldConfig {
	f := common.NewGraphFieldConfig()
	f.DrawStyle, f.LineWidth, f.FillOpacity = ptr(common.GraphDrawStyleLine), ptr(2.0), ptr(0.0)
	f.ShowPoints = ptr(common.VisibilityModeNever)
	f.LineInterpolation = ptr(common.LineInterpolationLinear)
	f.SpanNulls = &common.BoolOrFloat64{Bool: ptr(true)}
	if p.bars {
		f.DrawStyle, f.LineWidth, f.FillOpacity = ptr(common.GraphDrawStyleBars), ptr(0.0), ptr(85.0)
	}
	if p.stacked {
		f.Stacking = &common.StackingConfig{Mode: ptr(common.StackingModeNormal), Group: ptr("A")}
		if !p.bars {
			f.FillOpacity = ptr(35.0)
		}
	}
	if p.lines {
		f.ThresholdsStyle = &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeDashed}
	}
	return f
}

// properties are the overrides of one column, in a fixed order.
func (c column) properties(kind string) []dashboard.DynamicConfigValue {
	var out []dashboard.DynamicConfigValue
	add := func(id string, v any) { out = append(out, dashboard.DynamicConfigValue{Id: id, Value: v}) }
	if c.name != "" {
		add("displayName", c.name)
	}
	if c.unit != "" {
		add("unit", c.unit)
	}
	switch {
	case c.decimals != nil:
		add("decimals", *c.decimals)
	case c.unit == money:
		add("decimals", moneyDecimals)
	}
	if c.max != nil {
		add("max", *c.max)
		add("min", 0.0)
	}
	if c.color != "" {
		add("color", map[string]any{"mode": "fixed", "fixedColor": c.color})
	}
	if c.steps != nil {
		add("thresholds", dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: c.steps})
	}
	if len(c.words) > 0 {
		options := map[string]any{}
		for value, shown := range c.words {
			options[value] = map[string]any{"text": shown}
		}
		add("mappings", []any{map[string]any{"type": "value", "options": options}})
	}
	if len(c.tints) > 0 {
		options := map[string]any{}
		for value, color := range c.tints {
			options[value] = map[string]any{"text": value, "color": color}
		}
		add("mappings", []any{map[string]any{"type": "value", "options": options}})
		add("custom.cellOptions", map[string]any{"type": "color-text"})
	}
	if c.link != "" {
		url, title := c.link, c.title
		if url == "customer" {
			url, title = customerLink, "Look up this customer"
		}
		add("links", []any{map[string]any{"title": title, "url": url}})
	}
	if c.hidden {
		add("custom.hidden", true)
	}
	if c.width > 0 {
		add("custom.width", c.width)
	}
	return append(out, c.drawing(kind)...)
}

func (c column) drawing(kind string) (out []dashboard.DynamicConfigValue) {
	add := func(id string, v any) { out = append(out, dashboard.DynamicConfigValue{Id: id, Value: v}) }
	if kind == "timeseries" {
		if c.line {
			add("custom.drawStyle", "line")
			add("custom.fillOpacity", 0)
			add("custom.lineWidth", 2)
			add("custom.stacking", map[string]any{"mode": "none", "group": "A"})
		}
		if c.thin {
			add("custom.lineWidth", 1)
			add("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{4, 4}})
		}
		if c.band != "" {
			add("custom.fillBelowTo", c.band)
			add("custom.fillOpacity", 15)
			add("custom.lineWidth", 0)
		}
		return out
	}
	switch c.cell {
	case "gauge":
		add("custom.cellOptions", map[string]any{"type": "gauge", "mode": "basic", "valueDisplayMode": "text"})
		add("color", map[string]any{"mode": "fixed", "fixedColor": blue})
	case "shade":
		add("custom.cellOptions", map[string]any{"type": "color-background", "mode": "basic"})
		add("color", map[string]any{"mode": "continuous-blues"})
	case "ground":
		add("custom.cellOptions", map[string]any{"type": "color-background", "mode": "basic"})
	case "tone":
		add("custom.cellOptions", map[string]any{"type": "color-text"})
	}
	return out
}

// only keeps some of the columns that panels share.
func only(all map[string]column, names ...string) map[string]column {
	out := map[string]column{}
	for _, name := range names {
		out[name] = all[name]
	}
	return out
}

// flat writes SQL without the indentation of the definitions.
func flat(sql string) string {
	lines := strings.Split(strings.TrimSpace(sql), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, "\t"), " \t")
	}
	return strings.Join(lines, "\n")
}
