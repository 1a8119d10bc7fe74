package dashboards

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// variable is a filter above a dashboard. It means the same on all of them.
type variable struct {
	label, about string
	sql          string      // what it offers
	choices      [][2]string // text, value, when there is no sql
	multi        bool        // several, with All
	initial      []string
}

// variables are all filters, by name.
var variables = map[string]variable{
	"tier": {
		label: "Tier", about: "Customers who hold one of these tiers now.", multi: true, initial: []string{all},
		sql: "SELECT DISTINCT tier FROM customers WHERE tier != '' ORDER BY tier LIMIT 500",
	},
	"segment": {
		label: "Segment", about: "Customers who are in one of these segments now.", multi: true, initial: []string{all},
		sql: "SELECT DISTINCT toString(segment_id) AS segment FROM segment_sizes ORDER BY segment LIMIT 500",
	},
	"channel": {
		label: "Channel", about: "Orders from one of these channels.", multi: true, initial: []string{all},
		sql: "SELECT DISTINCT if(channel = '', 'none', toString(channel)) AS channel FROM orders ORDER BY channel LIMIT 500",
	},
	"campaign": {
		label: "Campaign", about: "These campaigns.", multi: true, initial: []string{all},
		sql: "SELECT DISTINCT toString(campaign_id) AS campaign FROM campaign_log ORDER BY campaign LIMIT 500",
	},
	"grain": {
		label: "By", about: "Width of a step of time.", initial: []string{"week"},
		choices: [][2]string{{"week", "week"}, {"month", "month"}},
	},
	"simulated": {
		label: "Data", about: "With simulated customers and events, or real ones only.", initial: []string{"all"},
		choices: [][2]string{{"all", "all"}, {"real only", "real"}},
	},
	"point_value": {
		label: "Value of a point", about: "What a point buys, in major units of the program's currency.", initial: []string{"0.01"},
		choices: [][2]string{{"0.001", "0.001"}, {"0.002", "0.002"}, {"0.005", "0.005"}, {"0.01", "0.01"}, {"0.02", "0.02"}, {"0.05", "0.05"}, {"0.1", "0.1"}},
	},
	"breakage": {
		label: "Breakage", about: "Share of points that is expected never to be spent; the panel on each month's points shows what it was.", initial: []string{"0.2"},
		choices: [][2]string{{"none", "0"}, {"10 %", "0.1"}, {"20 %", "0.2"}, {"30 %", "0.3"}, {"50 %", "0.5"}, {"70 %", "0.7"}, {"90 %", "0.9"}},
	},
	"customer": {
		label: "Customer", about: "Id of a customer to look up.", initial: []string{""},
	},
}

func (v variable) build(name string) dashboard.VariableModel {
	out := dashboard.VariableModel{Name: name, Label: ptr(v.label), Description: ptr(v.about), Hide: ptr(dashboard.VariableHideDontHide)}
	switch {
	case v.sql != "":
		out.Type = dashboard.VariableTypeQuery
		out.Query = &dashboard.StringOrMap{String: ptr(v.sql)}
		out.Datasource = source()
		out.Multi, out.IncludeAll = ptr(true), ptr(true)
		// Grafana puts this in as it is.
		out.AllValue = ptr(literal(all))
		out.Refresh = ptr(dashboard.VariableRefreshOnDashboardLoad)
		out.Sort = ptr(dashboard.VariableSortDisabled)
		out.Current = &dashboard.VariableOption{
			Selected: ptr(true), Text: dashboard.StringOrArrayOfString{ArrayOfString: []string{"All"}}, Value: dashboard.StringOrArrayOfString{ArrayOfString: []string{AllValues}},
		}
	case len(v.choices) == 0:
		out.Type = dashboard.VariableTypeTextbox
		out.Query = &dashboard.StringOrMap{String: ptr("")}
		out.Current = option("", "")
	default:
		out.Type = dashboard.VariableTypeCustom
		var offered []string
		for _, c := range v.choices {
			o := option(c[0], c[1])
			o.Selected = ptr(c[1] == v.initial[0])
			if *o.Selected {
				out.Current = o
			}
			out.Options = append(out.Options, *o)
			offered = append(offered, c[0]+" : "+c[1])
		}
		out.Query = &dashboard.StringOrMap{String: ptr(strings.Join(offered, ", "))}
		out.Multi, out.IncludeAll = ptr(false), ptr(false)
	}
	return out
}

// Pieces of SQL that the definitions share.
const (
	// facts leaves simulated facts out when asked to.
	facts = "(NOT is_simulated OR ${simulated:singlequote} = 'all')"
	// inCampaign keeps to the chosen campaigns.
	inCampaign = "(has([${campaign:singlequote}], '(all)') OR campaign_id IN (${campaign:singlequote}))"
	// inChannel keeps to orders of the chosen channels.
	inChannel = "(has([${channel:singlequote}], '(all)') OR if(channel = '', 'none', toString(channel)) IN (${channel:singlequote}))"
	// chosen keeps, of the view customers, to the chosen tiers and segments.
	chosen = "(has([${tier:singlequote}], '(all)') OR tier IN (${tier:singlequote})) AND (has([${segment:singlequote}], '(all)') OR hasAny(segments, [${segment:singlequote}]))"
	// whose keeps facts to the chosen customers.
	whose = "account_id IN (SELECT customer_id FROM customers WHERE " + chosen + ")"
	// zone is the program's time zone.
	zone = "assumeNotNull((SELECT time_zone FROM program))"
	// currency is the program's currency.
	currency = "(SELECT currency FROM program)"
	// sold keeps orders and refunds to those that count.
	sold = "is_identified AND currency = " + currency + " AND " + facts + " AND " + whose
	// step is the beginning of a fact's week or month.
	step = "toDate(dateTrunc(${grain:singlequote}, event_time, " + zone + "))"
	// entryStep is the beginning of the week or month of a decision.
	entryStep = "toDate(dateTrunc(${grain:singlequote}, entry_time, " + zone + "))"
)

// rolling makes a course of windows as long as the range: the last point is the
// range itself, the first the period before it, so that the change that a stat
// shows is the change against the period before. states are aggregates with
// -State AS name; values merge them.
func rolling(from, timeColumn, where, states, values string) string {
	return `
	WITH dateDiff('second', $__fromTime, $__toTime) AS width
	SELECT $__fromTime + toIntervalSecond(intDiv(g.k * width, 24)) AS time, ` + values + `
	FROM (SELECT arrayJoin(range(25)) AS k) AS g
	LEFT JOIN
	(
	    SELECT toUInt8(at) AS k, x.* EXCEPT b
	    FROM
	    (
	        SELECT least(intDiv(dateDiff('second', $__fromTime - toIntervalSecond(width), ` + timeColumn + `) * 24, width), 47) AS b, ` + states + `
	        FROM ` + from + `
	        WHERE ` + timeColumn + ` > $__fromTime - toIntervalSecond(width) AND ` + timeColumn + ` <= $__toTime AND ` + where + `
	        GROUP BY b
	    ) AS x
	    ARRAY JOIN range(toUInt64(greatest(b - 23, 0)), toUInt64(least(b, 24) + 1)) AS at
	) AS s ON s.k = g.k
	GROUP BY g.k
	ORDER BY time`
}

// level makes a course of what there is: the sum of all changes up to each of 25
// points of the range, so that the change is that over the range.
func level(from, timeColumn, where, change, name string) string {
	return `
	WITH dateDiff('second', $__fromTime, $__toTime) AS width
	SELECT $__fromTime + toIntervalSecond(intDiv(g.k * width, 24)) AS time, sum(sum(s.change)) OVER (ORDER BY g.k) AS ` + name + `
	FROM (SELECT arrayJoin(range(25)) AS k) AS g
	LEFT JOIN
	(
	    SELECT toUInt8(if(` + timeColumn + ` <= $__fromTime, 0, least(intDiv(dateDiff('second', $__fromTime, ` + timeColumn + `) * 24, width) + 1, 24))) AS k, ` + change + ` AS change
	    FROM ` + from + `
	    WHERE ` + timeColumn + ` <= $__toTime AND ` + where + `
	    GROUP BY k
	) AS s ON s.k = g.k
	GROUP BY g.k
	ORDER BY time`
}
