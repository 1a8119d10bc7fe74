package dashboards

const everyEntry = "every entry of the ledger, of guests, timers and ticks too."

func pipeline() board {
	return board{
		name: "pipeline", title: "Pipeline", from: "now-24h",
		about: "Is anything late, lost, double or refused on the way from the shop to these pictures.",
		rows: []row{
			{4, pipelineStats()},
			{8, []panel{entriesOverTime(), lateness()}},
			{8, []panel{rejectsOverTime(), rejectsByCode()}},
			{9, []panel{partitions()}},
			{8, []panel{newestRejects()}},
		},
	}
}

func pipelineStats() []panel {
	still := func(title, about, base, unit, sql string, s ...any) panel {
		first, _ := s[0].(string)
		return panel{kind: "stat", title: title, about: about, base: base, unit: unit, sql: sql, still: true, real: true, w: 4, none: "Nothing has come in yet", steps: steps(first, s[1:]...)}
	}
	entries := count("Entries", "Decisions written to the ledger.", everyEntry, rolling("entries", "entry_time", "1", "countState() AS n", "countMerge(n) AS entries"), "Nothing has come in yet")
	entries.real, entries.good = true, 0
	return []panel{
		still("Behind", "Seconds from the newest tick in ClickHouse to the end of the range (now). The clock ticks every 10 seconds: above a minute something is stuck.", everyEntry, "s", `
	SELECT greatest(0, dateDiff('second', time, $__toTime)) AS seconds
	FROM as_of
	WHERE time > toDateTime64(0, 3)`, green, 60.0, yellow, 300.0, red),
		still("Missing entries", "Numbers that are missing from the dense sequences of both logs. Must be 0.", everyEntry, "none", `
	SELECT sum(gaps) + sum(campaign_gaps) AS missing
	FROM pipeline_health
	HAVING count() > 0`, green, 1.0, red),
		still("Double entries", "Entries that are in ClickHouse twice. Must be 0.", everyEntry, "none", `
	SELECT sum(doubles) + sum(campaign_doubles) AS doubles
	FROM pipeline_health
	HAVING count() > 0`, green, 1.0, red),
		still("Slowest partition", "Seconds that the slowest partition's clock is behind the newest one, in either log.", everyEntry, "s", `
	SELECT max(greatest(behind_seconds, campaign_behind_seconds)) AS seconds
	FROM pipeline_health
	HAVING count() > 0`, green, 60.0, yellow, 300.0, red),
		still("Refused", "Events refused at a door, divided by nothing: every one is somebody's lost event.", "everything refused before it entered the log, kept for 30 days.", whole, `
	SELECT count() AS rejects
	FROM rejects
	WHERE $__timeFilter(received_time)`, green, 1.0, yellow, 100.0, red),
		entries,
	}
}

func entriesOverTime() panel {
	return panel{
		kind: "timeseries", title: "Entries by kind", w: 12, bars: true, stacked: true, unit: whole, none: "No entries in this range", steps: steps(blue), real: true, least: "10s",
		about: "Entries by the time of the decision and what caused them: events, timers, ticks, sweeps after new rules, control records.", base: everyEntry,
		sql: `
	SELECT $__timeInterval(entry_time) AS time, toString(kind) AS kind, count() AS entries
	FROM entries
	WHERE $__timeFilter(entry_time)
	GROUP BY time, kind
	ORDER BY time, kind`,
		columns: map[string]column{"entries": {name: "${__field.labels.kind}"}},
	}
}

func lateness() panel {
	return panel{
		kind: "timeseries", title: "How late events are", w: 12, unit: "s", none: "No events in this range", steps: steps(blue), real: true, least: "10s",
		about: "From the event's own time to the clock of its partition when it was decided: median and 95th percentile. The clock ticks every 10 seconds, so up to 10 seconds early is on time.", base: "live events (history apart) by the time of the decision.",
		sql: `
	SELECT $__timeInterval(entry_time) AS time, quantile(0.5)(greatest(0, dateDiff('second', event_time, entry_time))) AS median, quantile(0.95)(greatest(0, dateDiff('second', event_time, entry_time))) AS p95
	FROM entries
	WHERE $__timeFilter(entry_time) AND kind = 'event' AND NOT is_history
	GROUP BY time
	ORDER BY time`,
		columns: map[string]column{"median": {name: "Median", color: blue}, "p95": {name: "95th percentile", color: orange}},
	}
}

func rejectsOverTime() panel {
	return panel{
		kind: "timeseries", title: "Refused by reason", w: 16, bars: true, stacked: true, unit: whole, none: "Nothing was refused in this range", steps: steps(blue), real: true, least: "10s",
		about: "Events refused at a door, by reason.", base: "everything refused before it entered the log, kept for 30 days.",
		sql: `
	SELECT $__timeInterval(received_time) AS time, toString(code) AS code, count() AS rejects
	FROM rejects
	WHERE $__timeFilter(received_time)
	GROUP BY time, code
	ORDER BY time, code`,
		columns: map[string]column{"rejects": {name: "${__field.labels.code}"}},
	}
}

func rejectsByCode() panel {
	return panel{
		kind: "table", title: "Refused by sender", w: 8, unit: whole, none: "Nothing was refused in this range", steps: steps(blue), real: true, sort: "rejects",
		about: "Events refused at a door, by sender (name of the key, or file) and reason.", base: "everything refused in the range, kept for 30 days.",
		sql: `
	SELECT toString(source) AS sender, toString(code) AS code, toString(field) AS field, count() AS rejects
	FROM rejects
	WHERE $__timeFilter(received_time)
	GROUP BY sender, code, field
	ORDER BY rejects DESC
	LIMIT 50`,
		columns: map[string]column{"sender": {name: "Sender"}, "code": {name: "Reason"}, "field": {name: "Field"}, "rejects": {name: "Refused", cell: "gauge"}},
	}
}

func partitions() panel {
	zero := column{cell: "ground", steps: steps("transparent", 1.0, red)}
	named := func(c column, name string) column { c.name = name; return c }
	behind := column{unit: "s", cell: "tone", steps: steps(green, 60.0, yellow, 300.0, red)}
	return panel{
		kind: "table", title: "Partitions", w: 24, unit: whole, none: "Nothing has come in yet", steps: steps(blue), real: true,
		about: "Both logs by partition: entries, missing and double numbers (must be 0), and how far the partition's clock is behind the newest one.", base: "all entries since the beginning; the range does not count here.",
		sql: `
	SELECT toString(partition) AS name, entries, gaps, doubles, newest_time, behind_seconds, history_entries, simulated_entries, campaign_entries, campaign_gaps, campaign_doubles, campaign_behind_seconds
	FROM pipeline_health
	ORDER BY partition`,
		columns: map[string]column{
			"name": {name: "Partition"}, "entries": {name: "Entries"}, "gaps": named(zero, "Missing"), "doubles": named(zero, "Double"), "newest_time": {name: "Newest", width: 180}, "behind_seconds": named(behind, "Behind"),
			"history_entries": {name: "Of history"}, "simulated_entries": {name: "Simulated"}, "campaign_entries": {name: "Campaign entries"}, "campaign_gaps": named(zero, "Missing there"),
			"campaign_doubles": named(zero, "Double there"), "campaign_behind_seconds": named(behind, "Behind there"),
		},
	}
}

func newestRejects() panel {
	return panel{
		kind: "table", title: "Newest refused", w: 24, unit: whole, none: "Nothing was refused in this range", steps: steps(blue), real: true,
		about: "What was refused, why, and what to do about it. The original bytes are in table rejects.", base: "everything refused in the range, the newest 100.",
		sql: `
	SELECT received_time AS time, toString(source) AS sender, toString(code) AS code, toString(field) AS field, message, hint, message_id
	FROM rejects
	WHERE $__timeFilter(received_time)
	ORDER BY time DESC, message_id
	LIMIT 100`,
		columns: map[string]column{
			"time": {name: "When", width: 180}, "sender": {name: "Sender", width: 140}, "code": {name: "Reason", width: 160}, "field": {name: "Field", width: 140}, "message": {name: "What is wrong"}, "hint": {name: "What to do"}, "message_id": {name: "Message"},
		},
	}
}
