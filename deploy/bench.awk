# Makes one table of what `make bench` printed.
function row(a, b) { printf "%-62s %s\n", a, b }
function value(unit,   i) { for (i = 1; i < NF; i++) if ($(i + 1) == unit) return $i; return "-" }
BEGIN { print ""; row("measure", "value"); row("-------", "-----") }
/^BenchmarkCustomer\/bare/ { row("bare consume → produce loop (ceiling), events/s", value("events/s")) }
/^BenchmarkCustomer\/processor/ {
	row("customer processor, events/s", value("events/s"))
	row("  of the ceiling, %", value("%ofbare"))
}
/^segments: an event takes/ { match($0, /[0-9.]+ × 10/); row("1,000 segments beside 10, time of an event", substr($0, RSTART)) }
/^campaign over/ { match($0, /: [0-9]+/); row("campaign over 100,000 customers, messages/s", substr($0, RSTART + 2, RLENGTH - 2)) }
/^(event → (entry|message)|redemption in one call)/ { match($0, /p50.*/); what = $0; sub(/ +n=.*/, "", what); gsub(/  +/, ", ", what); row(what, substr($0, RSTART)) }
/^import of/ { match($0, /[0-9.]+ s$/); row("import of 541,909 lines, start to last ClickHouse row", substr($0, RSTART)) }
/^BenchmarkImport/ && /rows\/s/ { row("sink, rows/s", value("rows/s")) }
/^BenchmarkApplyOrder/ { row("rules of one order, ns", $3) }
/^BenchmarkReadOnlineRetail/ { row("reading the Parquet file into events, s", sprintf("%.2f", $3 / 1e9)) }
