package embedded

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestClickHouseGo(t *testing.T) {
	e := startAt(t, t.TempDir())
	for _, method := range []clickhouse.CompressionMethod{clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP} {
		t.Run(method.String(), func(t *testing.T) { useClickHouseGo(t, e, method) })
	}
}

func useClickHouseGo(t *testing.T, e *Engine, method clickhouse.CompressionMethod) {
	ctx := context.Background()
	conn := openWriter(t, e, method)
	version, err := conn.ServerVersion()
	if err != nil || version.Version.Major < 26 {
		t.Fatalf("version %v, %v", version, err)
	}
	table := "default.batch_" + fmt.Sprint(method)
	if err := conn.Exec(ctx, "CREATE TABLE "+table+` (id UInt64, name LowCardinality(String), tags Array(String), m Map(String, Int64),
		at DateTime64(3, 'UTC'), note Nullable(String), price Decimal(18, 4)) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100`); err != nil {
		t.Fatal(err)
	}
	const rows = 200_000
	at := time.Date(2011, 12, 9, 12, 50, 0, 123e6, time.UTC)
	for try := range 3 { // the first, its repeat, and another
		token := fmt.Sprint("block-", try/2)
		batch, err := conn.PrepareBatch(clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token})), "INSERT INTO "+table)
		if err != nil {
			t.Fatal(err)
		}
		for i := range uint64(rows) {
			var note *string
			if i%2 == 0 {
				s := fmt.Sprint("note ", i)
				note = &s
			}
			if err := batch.Append(i, fmt.Sprint("name ", i%10), []string{"a", "b"}, map[string]int64{"k": int64(i)}, at, note, "12.3456"); err != nil {
				t.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			t.Fatal(err)
		}
	}
	var n, notes, names uint64
	if err := conn.QueryRow(ctx, "SELECT count(), count(note), uniqExact(name) FROM "+table+" WHERE at = {at:DateTime64(3)} AND m['k'] >= {least:Int64} AND price > 12",
		clickhouse.Named("at", "2011-12-09 12:50:00.123"), clickhouse.Named("least", "0")).Scan(&n, &notes, &names); err != nil {
		t.Fatal(err)
	}
	if n != 2*rows || notes != rows || names != 10 {
		t.Fatalf("%d rows, %d notes, %d names; the repeated block was to be dropped and the other kept", n, notes, names)
	}
}
