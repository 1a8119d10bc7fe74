package warehouse

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/sql"
	"github.com/punchcard/punchcard/warehouse/embedded"
)

func TestMain(m *testing.M) {
	if embedded.IsChild() {
		embedded.RunChild()
	}
	os.Exit(m.Run())
}

func startEngine(t testing.TB, dir string) *embedded.Engine {
	t.Helper()
	if _, err := embedded.FindLibrary(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	e, err := embedded.Start(context.Background(), embedded.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func openAt(t testing.TB, e *embedded.Engine) *Warehouse {
	t.Helper()
	w, err := Open(context.Background(), Config{URL: e.URL(), User: "punchcard", Password: e.WriterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func migrated(t testing.TB) (*embedded.Engine, *Warehouse) {
	t.Helper()
	e := startEngine(t, t.TempDir())
	w := openAt(t, e)
	if err := w.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return e, w
}

func ask(t testing.TB, w *Warehouse, statement string, args ...any) [][]any {
	t.Helper()
	_, _, rows, err := w.Query(context.Background(), statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestMigrateAgainChangesNothing(t *testing.T) {
	e, w := migrated(t)
	const made = "SELECT table, name, type, comment FROM system.columns WHERE database = 'punchcard' ORDER BY ALL"
	before := ask(t, w, made)
	if err := w.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := openAt(t, e).Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	after := ask(t, w, made)
	if !slices.EqualFunc(before, after, slices.Equal) || len(before) < 100 {
		t.Fatalf("%d columns before, %d after", len(before), len(after))
	}
	migrations, _ := sql.Migrations()
	if n := ask(t, w, "SELECT count() FROM schema_migrations")[0][0].(uint64); n != uint64(len(migrations)+1) {
		t.Errorf("%d rows in schema_migrations, want %d and the views", n, len(migrations))
	}
	// A change of a migration that was run is refused, not ignored.
	ask(t, w, "ALTER TABLE schema_migrations UPDATE hash = 'other' WHERE version = 1 SETTINGS mutations_sync = 1")
	if err := w.Migrate(context.Background()); err == nil || !strings.Contains(err.Error(), "add a new migration") {
		t.Errorf("changed migration: %v", err)
	}
	ask(t, w, "INSERT INTO schema_migrations (version, name, hash) VALUES (999, 'later', '')")
	if err := w.Migrate(context.Background()); !errors.Is(err, ErrNewer) {
		t.Errorf("newer database: %v", err)
	}
}

func TestEverythingIsCommented(t *testing.T) {
	_, w := migrated(t)
	for _, r := range ask(t, w, "SELECT table || '.' || name FROM system.columns WHERE database = 'punchcard' AND comment = ''") {
		t.Errorf("column %s has no comment", r[0])
	}
	for _, r := range ask(t, w, "SELECT name FROM system.tables WHERE database = 'punchcard' AND comment = ''") {
		t.Errorf("table %s has no comment", r[0])
	}
	tables, _ := sql.Migrations()
	views, _ := sql.Views()
	for _, f := range append(tables, views...) {
		if f.Parameters != nil {
			continue // ClickHouse lists no columns of a view that must be given something
		}
		if n := ask(t, w, "SELECT count() FROM system.columns WHERE database = 'punchcard' AND table = $1", f.Name)[0][0].(uint64); n == 0 {
			t.Errorf("%s: does not make %s", f.Path, f.Name)
		}
	}
	for _, f := range views {
		from := f.Name
		if f.Parameters != nil {
			from += "(" + strings.Join(f.Parameters, " = 1, ") + " = 1)"
		}
		ask(t, w, "SELECT * FROM "+from) // an empty database has answers too
	}
}

func surveyRows(from, n int64) []Column {
	var sequence, at, score []int64
	var partition []int32
	var account []string
	for i := range n {
		partition, sequence, at, score, account = append(partition, 3), append(sequence, from+i), append(at, 1_300_000_000_000+i), append(score, i%11), append(account, "c1")
	}
	return []Column{{"partition", partition}, {"sequence", sequence}, {"event_time", at}, {"score", score}, {"account_id", account}}
}

func TestInsertTwiceIsOnce(t *testing.T) {
	_, w := migrated(t)
	ctx := context.Background()
	const rows = 300_000
	for range 3 {
		if err := w.Insert(ctx, "surveys", "first", surveyRows(1, rows)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Insert(ctx, "surveys", "second", surveyRows(rows+1, 1)); err != nil {
		t.Fatal(err)
	}
	r := ask(t, w, "SELECT count(), uniqExact(sequence), toInt64(sum(score)), max(event_time) FROM surveys")[0]
	at := time.UnixMilli(1_300_000_000_000 + rows - 1)
	if r[0] != uint64(rows+1) || r[1] != uint64(rows+1) || !r[3].(time.Time).Equal(at) {
		t.Errorf("%v; want %d rows up to %v", r, rows+1, at.UTC())
	}
	// One insert is one part: there is no moment at which half of it is seen.
	if n := ask(t, w, "SELECT count() FROM system.parts WHERE database = 'punchcard' AND table = 'surveys' AND min_block_number = max_block_number AND rows = $1", rows)[0][0].(uint64); n != 1 {
		t.Errorf("%d parts hold the insert, want 1: %v", n, ask(t, w, "SELECT name, rows, active FROM system.parts WHERE table = 'surveys'"))
	}
	positions, err := w.Positions(ctx, "surveys")
	if err != nil || len(positions) != 1 || positions[3] != rows+1 {
		t.Errorf("positions %v, %v", positions, err)
	}
	if err := w.Settle(ctx); err != nil {
		t.Error(err)
	}
}

func TestInsertSaysWhatIsWrong(t *testing.T) {
	_, w := migrated(t)
	for want, columns := range map[string][]Column{
		"has no column nosuch": {{"nosuch", []int64{1}}},
		"has 2 values":         {{"partition", []int32{1}}, {"sequence", []int64{1, 2}}},
		"column sequence":      {{"sequence", []string{"x"}}},
	} {
		if err := w.Insert(context.Background(), "surveys", "t", columns); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if err := w.Insert(context.Background(), "nosuch", "t", surveyRows(1, 1)); err == nil || !strings.Contains(err.Error(), "no table nosuch") {
		t.Errorf("no table: %v", err)
	}
}

func TestQueryGivesTypesAndNulls(t *testing.T) {
	e, w := migrated(t)
	columns, types, rows, err := w.Query(context.Background(), "SELECT 1 AS one, CAST(NULL, 'Nullable(String)') AS nothing, toDecimal64('12.50', 2) AS money, ['a'] AS list, $1 AS given", "it's")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(columns, ",") != "one,nothing,money,list,given" || types[1] != "Nullable(String)" || types[2] != "Decimal(18, 2)" {
		t.Errorf("columns %v, types %v", columns, types)
	}
	if rows[0][0] != uint8(1) || rows[0][1] != nil || rows[0][4] != "it's" {
		t.Errorf("row %v", rows[0])
	}
	ask(t, w, "INSERT INTO surveys (partition, sequence) VALUES (0, 1)")
	for name, c := range map[string]Config{
		"reader":            {URL: e.URL(), ReadOnly: true},
		"writer, read only": {URL: e.URL(), User: "punchcard", Password: e.WriterKey(), ReadOnly: true},
	} {
		r, err := Open(context.Background(), c)
		if err != nil {
			t.Fatal(name, err)
		}
		defer r.Close()
		if n := ask(t, r, "SELECT count() FROM surveys")[0][0]; n != uint64(1) {
			t.Errorf("%s: %v rows", name, n)
		}
		if _, _, _, err := r.Query(context.Background(), "DROP TABLE surveys"); err == nil {
			t.Errorf("%s: may drop a table", name)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for want, c := range map[string]Config{
		"must look like": {URL: "127.0.0.1:8123"},
		"scheme":         {URL: "ftp://127.0.0.1:8123"},
		"no ClickHouse":  {URL: "http://127.0.0.1:1"},
		"database":       {URL: "http://127.0.0.1:1", Database: "a-b;"},
	} {
		if _, err := Open(context.Background(), c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

func TestSettleWaitsForWhatRuns(t *testing.T) {
	_, w := migrated(t)
	ctx := t.Context()
	done := make(chan error, 1)
	go func() {
		_, _, _, err := w.Query(ctx, "INSERT INTO surveys (sequence) SELECT number + sleepEachRow(0.02) FROM numbers(50) SETTINGS function_sleep_max_microseconds_per_block = 5000000")
		done <- err
	}()
	for {
		running, err := w.runningInserts(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(running) == 1 {
			break
		}
		select {
		case err := <-done:
			t.Fatal("the insert was over before it was seen: ", err)
		default:
		}
	}
	if err := w.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	if n := ask(t, w, "SELECT count() FROM surveys")[0][0]; n != uint64(50) {
		t.Errorf("%v rows after Settle, want 50", n)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
