package warehouse

import (
	"context"
	"maps"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/punchcard/punchcard/event"
)

const (
	positionTimeout = time.Minute
	// settleTimeout bounds the wait for inserts of a writer that is gone.
	settleTimeout = 2 * time.Minute
	settlePause   = 50 * time.Millisecond
)

// Position is how far the table of a log's entries is in one partition.
type Position struct {
	Sequence int64 // newest entry
	Offset   int64 // its offset in the log's topic
}

// Positions returns the newest sequence that a table has in each partition of
// its log (for rejects: the newest offset in topic rejects). Partitions
// without rows are missing.
func (w *Warehouse) Positions(ctx context.Context, table string) (map[int32]int64, error) {
	column := "sequence"
	if table == "rejects" {
		column = "record_offset"
	}
	out := make(map[int32]int64)
	err := w.each(ctx, positionTimeout, "reading the positions of "+table, "SELECT partition, max("+column+") FROM "+table+" GROUP BY partition", nil, func(r driver.Rows) error {
		var p int32
		var n int64
		err := r.Scan(&p, &n)
		out[p] = n
		return err
	})
	return out, err
}

// PositionsOf is Positions for several tables of a log, in one question.
func (w *Warehouse) PositionsOf(ctx context.Context, tables []string) (map[string]map[int32]int64, error) {
	out := make(map[string]map[int32]int64, len(tables))
	parts := make([]string, len(tables))
	for i, t := range tables {
		out[t] = make(map[int32]int64)
		parts[i] = "SELECT '" + t + "' AS name, partition, max(sequence) FROM " + t + " GROUP BY partition"
	}
	if len(tables) == 0 {
		return out, nil
	}
	err := w.each(ctx, positionTimeout, "reading positions", strings.Join(parts, " UNION ALL "), nil, func(r driver.Rows) error {
		var name string
		var p int32
		var n int64
		err := r.Scan(&name, &p, &n)
		if err == nil {
			out[name][p] = n
		}
		return err
	})
	return out, err
}

// LedgerPositions returns the position of the table entries in each partition:
// a reader of the ledger goes on at Offset + 1.
func (w *Warehouse) LedgerPositions(ctx context.Context) (map[int32]Position, error) {
	return w.logPositions(ctx, "entries", "ledger_offset")
}

// CampaignPositions is LedgerPositions for the table campaign_entries and topic
// campaign-log.
func (w *Warehouse) CampaignPositions(ctx context.Context) (map[int32]Position, error) {
	return w.logPositions(ctx, "campaign_entries", "log_offset")
}

func (w *Warehouse) logPositions(ctx context.Context, table, offset string) (map[int32]Position, error) {
	out := make(map[int32]Position)
	err := w.each(ctx, positionTimeout, "reading the positions of "+table, "SELECT partition, max(sequence), argMax("+offset+", sequence) FROM "+table+" GROUP BY partition", nil, func(r driver.Rows) error {
		var p int32
		var at Position
		err := r.Scan(&p, &at.Sequence, &at.Offset)
		out[p] = at
		return err
	})
	return out, err
}

// Settle waits until the inserts that now run in the database are done: one that
// an earlier connection, or a writer that is gone, began could otherwise land
// after the positions were read. It sees the server that it is connected to.
func (w *Warehouse) Settle(ctx context.Context) error {
	ctx, cancel := bound(ctx, settleTimeout)
	defer cancel()
	waitFor, err := w.runningInserts(ctx)
	for err == nil && len(waitFor) > 0 {
		select {
		case <-ctx.Done():
			return w.failed("waiting for running inserts", context.Cause(ctx))
		case <-time.After(settlePause):
		}
		var now map[string]bool
		now, err = w.runningInserts(ctx)
		maps.DeleteFunc(waitFor, func(id string, _ bool) bool { return !now[id] })
	}
	return err
}

func (w *Warehouse) runningInserts(ctx context.Context) (map[string]bool, error) {
	ids := make(map[string]bool)
	const running = "SELECT query_id FROM system.processes WHERE query_kind = 'Insert' AND current_database = $1"
	err := w.each(ctx, settleTimeout, "asking for running inserts", running, []any{w.cfg.Database}, func(r driver.Rows) error {
		var id string
		err := r.Scan(&id)
		ids[id] = true
		return err
	})
	return ids, err
}

// ProgramVersion is what views need to know of a version of the program.
type ProgramVersion struct {
	BundleID      string
	EffectiveFrom event.Time
	Name          string
	Currency      string // ISO 4217
	TimeZone      string // IANA
}

// NoteProgram writes a version of the program; doing it again changes nothing.
func (w *Warehouse) NoteProgram(ctx context.Context, v ProgramVersion) error {
	return w.Insert(ctx, "program_versions", "program-"+v.BundleID, []Column{
		{"bundle_id", []string{v.BundleID}},
		{"effective_from", []int64{int64(v.EffectiveFrom)}},
		{"name", []string{v.Name}},
		{"currency", []string{v.Currency}},
		{"time_zone", []string{v.TimeZone}},
	})
}
