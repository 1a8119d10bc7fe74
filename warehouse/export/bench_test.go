package export

import (
	"path/filepath"
	"testing"
)

// BenchmarkExport writes two million rows of the width of table orders; b.N does
// not scale it, so run it with -benchtime 1x.
func BenchmarkExport(b *testing.B) {
	w := reader(b)
	const orders = `SELECT toInt32(n % 8) AS partition, toInt64(n) AS sequence, toInt32(0) AS index,
		toDateTime64(1700000000 + n, 3, 'UTC') AS event_time, toDateTime64(1700000000 + n, 3, 'UTC') AS entry_time, false AS is_history, n % 2 = 0 AS is_simulated,
		toString(n % 50000) AS account_id, toLowCardinality('3f2a9c') AS bundle_id, true AS is_identified, concat('o', toString(n)) AS order_id, toLowCardinality('GBP') AS currency,
		toUInt16(100) AS minor_per_major, toInt64(n % 40) AS number, toInt32(n % 9) AS lines, toInt64(0) AS discount_minor, toInt64(399) AS shipping_minor, toInt64(0) AS tax_minor,
		toInt64(n % 100000) AS net_minor, toInt64(n % 100000) AS base_minor, toLowCardinality('web') AS channel, toLowCardinality('United Kingdom') AS country,
		toLowCardinality('applied') AS outcome, toLowCardinality('') AS reason
		FROM (SELECT number AS n FROM numbers(2000000))`
	for _, format := range Formats {
		b.Run(format, func(b *testing.B) {
			for range b.N {
				r, err := Write(b.Context(), w, orders, nil, File{Path: filepath.Join(b.TempDir(), "o."+format), Format: format}, nil)
				if err != nil || r.Rows != 2_000_000 {
					b.Fatal(r, err)
				}
				b.ReportMetric(float64(r.Rows)/r.Took.Seconds(), "rows/s")
				b.ReportMetric(float64(r.Bytes)/float64(r.Rows), "bytes/row")
			}
		})
	}
}
