package embedded

import (
	"strconv"
	"strings"
	"time"
)

// Limits. All are checked; the answer names the one that was hit.
const (
	maxQueryBytes    = 64 << 20 // text of a statement with its inline rows
	maxInsertBytes   = 4 << 30  // body of one INSERT, after decompression
	appendBytes      = 1 << 20  // piece of an INSERT handed to the engine at once
	heldAnswerBytes  = 1 << 20  // of an answer held back, so that early errors get their own HTTP status
	maxAnswerBytes   = 512 << 20
	maxConcurrent    = 16 // statements at once, and of these
	maxReaders       = 10 // by readers, so that writers always find a place
	queueTime        = 15 * time.Second
	headerTime       = 10 * time.Second
	idleTime         = 2 * time.Minute
	drainTime        = 2 * time.Second
	readerSeconds    = 60
	readerRowsRead   = 2_000_000_000
	readerRowsResult = 10_000_000
	readerSorts      = 1 << 30 // bytes before GROUP BY and ORDER BY go to disk
	killAfter        = 5 * time.Second
)

// defaultMemory is what the engine may use when Config names no limit.
const defaultMemory = 2 << 30

// readerLimits are every reader query's settings. readonly=1 comes last: with
// it, neither the query nor anything in it can change a setting.
func readerLimits(memory int64) map[string]string {
	return map[string]string{
		"max_execution_time":                 strconv.Itoa(readerSeconds),
		"timeout_overflow_mode":              "throw",
		"max_rows_to_read":                   strconv.Itoa(readerRowsRead),
		"read_overflow_mode":                 "throw",
		"max_result_rows":                    strconv.Itoa(readerRowsResult),
		"max_result_bytes":                   strconv.Itoa(maxAnswerBytes),
		"result_overflow_mode":               "throw",
		"max_memory_usage":                   strconv.FormatInt(memory/2, 10),
		"max_bytes_before_external_group_by": strconv.Itoa(readerSorts),
		"max_bytes_before_external_sort":     strconv.Itoa(readerSorts),
		"allow_ddl":                          "0",
		"max_query_size":                     strconv.Itoa(1 << 20),
		"max_ast_elements":                   "50000",
		"max_concurrent_queries_for_user":    "0",
	}
}

// allLimits are everybody's; a writer may change them.
func allLimits(memory int64) map[string]string {
	return map[string]string{
		"implicit_select":               "0", // clickhouse-local's manners; a server has none of them
		"allow_introspection_functions": "0",
		"max_memory_usage":              strconv.FormatInt(memory, 10),
		"max_result_bytes":              strconv.Itoa(maxAnswerBytes),
		"async_insert":                  "0",
		"http_max_tries":                "1", // where the child has no network, trying again only takes time
	}
}

// readerSettings are what readers may set by URL; for a number in readerLimits,
// only to something lower.
var readerSettings = set("max_execution_time", "max_rows_to_read", "max_result_rows", "max_result_bytes", "max_memory_usage",
	"max_threads", "max_block_size", "join_use_nulls", "extremes", "session_timezone", "date_time_output_format", "final",
	"group_by_use_nulls", "prefer_column_name_to_alias", "use_query_cache", "enable_analyzer")

var readerSettingPrefixes = []string{"output_format_json_", "output_format_csv_", "output_format_tsv_", "output_format_pretty_",
	"output_format_arrow_", "output_format_parquet_", "output_format_native_", "output_format_decimal_", "output_format_write_",
	"output_format_binary_"}

// checkReaderSetting refuses what is not open to readers; 0, which means no
// limit, is refused for limits.
func checkReaderSetting(name, value string, memory int64) error {
	switch name {
	case "readonly":
		if value == "1" || value == "2" {
			return nil
		}
		return readerRefused("the setting readonly cannot be changed")
	}
	ok := readerSettings[name]
	for _, prefix := range readerSettingPrefixes {
		ok = ok || strings.HasPrefix(name, prefix)
	}
	if !ok {
		return readerRefused("the setting %s is not open to readers", name)
	}
	limit, limited := readerLimits(memory)[name]
	if !limited {
		return nil
	}
	want, err := strconv.ParseFloat(value, 64)
	most, _ := strconv.ParseFloat(limit, 64)
	if err != nil || !(want > 0 && want <= most) {
		return readerRefused("the setting %s may be more than 0 and up to %s for readers, not %s", name, limit, value)
	}
	return nil
}
