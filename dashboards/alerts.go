package dashboards

// FolderUID and FolderTitle are Grafana's folder of everything of ours; AlertGroup
// is the group of the alert rules, evaluated every AlertInterval seconds.
const (
	FolderUID     = "punchcard"
	FolderTitle   = "Punchcard"
	AlertGroup    = "punchcard"
	AlertInterval = 60
)

// Alert is an alert rule: it fires when a number that SQL gives (one for each row,
// rows named by their text columns) is above Above for For.
type Alert struct {
	UID, Title string
	// Summary says what is wrong, Hint what to do.
	Summary, Hint string
	Severity      string // critical or warning
	// SQL may use the macros of the data source; its range is the last Window
	// seconds. Variables and macros of the browser are not known there.
	SQL    string
	Window int
	Above  float64
	For    string
	// Quiet says that no rows mean that all is well.
	Quiet bool
}

// AlertQuery is one stage of a rule, as Grafana's API and files have it.
type AlertQuery struct {
	RefID         string
	DatasourceUID string
	From          int // seconds before now
	Model         map[string]any
}

// Data gives the stages of the rule: A asks, B compares.
func (a Alert) Data() []AlertQuery {
	source := map[string]any{"type": sourceType, "uid": SourceUID}
	expression := map[string]any{"type": "__expr__", "uid": "__expr__"}
	return []AlertQuery{
		{"A", SourceUID, a.Window, map[string]any{
			"refId": "A", "datasource": source, "editorType": "sql", "queryType": "table", "format": 1, "rawSql": flat(a.SQL), "intervalMs": 1000, "maxDataPoints": 43200,
		}},
		{"B", "__expr__", 0, map[string]any{
			"refId": "B", "datasource": expression, "type": "threshold", "expression": "A", "intervalMs": 1000, "maxDataPoints": 43200,
			"conditions": []any{map[string]any{"evaluator": map[string]any{"type": "gt", "params": []any{a.Above}}}},
		}},
	}
}

// Alerts gives the alert rules.
func Alerts() []Alert {
	return []Alert{
		{
			UID: "punchcard-lag", Title: "Punchcard is behind", Severity: "critical", Window: 600, Above: 300, For: "5m",
			Summary: "The newest tick in ClickHouse is {{ $values.A.Value }} seconds old.", Hint: "Is punchcard serve running, do Kafka and ClickHouse answer? Dashboard Pipeline shows which part is stuck.",
			SQL: `
	SELECT dateDiff('second', time, $__toTime) AS seconds
	FROM as_of
	WHERE time > toDateTime64(0, 3)`,
		},
		{
			UID: "punchcard-partition", Title: "A partition of Punchcard is stuck", Severity: "critical", Window: 600, Above: 300, For: "5m", Quiet: true,
			Summary: "Partition {{ $labels.name }} is {{ $values.A.Value }} seconds behind the newest one.", Hint: "Its log says why: look for the partition's number.",
			SQL: `
	SELECT toString(partition) AS name, greatest(behind_seconds, campaign_behind_seconds) AS seconds
	FROM pipeline_health
	ORDER BY name`,
		},
		{
			UID: "punchcard-gaps", Title: "Entries of Punchcard are missing or double", Severity: "critical", Window: 600, Above: 0, For: "5m", Quiet: true,
			Summary: "{{ $values.A.Value }} entries are missing or double in partition {{ $labels.name }}.", Hint: "Run punchcard verify: it says which.",
			SQL: `
	SELECT toString(partition) AS name, gaps + doubles + campaign_gaps + campaign_doubles AS wrong
	FROM pipeline_health
	ORDER BY name`,
		},
		{
			UID: "punchcard-rejects", Title: "Events are refused", Severity: "warning", Window: 900, Above: 10, For: "0s", Quiet: true,
			Summary: "{{ $values.A.Value }} events from {{ $labels.sender }} were refused in 15 minutes: {{ $labels.code }}.", Hint: "Dashboard Pipeline lists them with what to do.",
			SQL: `
	SELECT toString(source) AS sender, toString(code) AS code, count() AS rejects
	FROM rejects
	WHERE $__timeFilter(received_time)
	GROUP BY sender, code
	ORDER BY sender, code`,
		},
		{
			UID: "punchcard-liability", Title: "Points owed have jumped", Severity: "warning", Window: 86400, Above: 0.1, For: "0s", Quiet: true,
			Summary: "Points owed have changed by {{ humanizePercentage $values.A.Value }} in a day.", Hint: "Dashboard Points and tiers shows by which rule. A new rule or a wrong multiplier?",
			SQL: `
	SELECT abs(sum(points) / sumIf(points, entry_time <= $__fromTime) - 1) AS change
	FROM points
	WHERE account = 'customer' AND entry_time <= $__toTime
	HAVING sumIf(points, entry_time <= $__fromTime) >= 10000`,
		},
		{
			UID: "punchcard-campaign-quiet", Title: "A campaign has gone quiet", Severity: "warning", Window: 691200, Above: 24, For: "0s", Quiet: true,
			Summary: "Campaign {{ $labels.campaign }} has sent nothing for {{ $values.A.Value }} hours; before, it sent on most days.", Hint: "Dashboard Campaigns shows why messages are held back. Was its file changed?",
			SQL: `
	SELECT toString(campaign_id) AS campaign, dateDiff('hour', max(entry_time), $__toTime) AS hours
	FROM messages
	WHERE $__timeFilter(entry_time)
	GROUP BY campaign
	HAVING uniqExactIf(toDate(entry_time), entry_time <= $__toTime - INTERVAL 24 HOUR) >= 5
	ORDER BY campaign`,
		},
	}
}
