package sink

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/warehouse"
)

// span is the first and last sequence of a partition's rows in a block.
type span struct{ first, last int64 }

// block is the rows of one table in one round.
type block struct {
	table   string
	columns []warehouse.Column
	spans   map[int32]span
}

// token names the rows: the same sequences of a table are always the same rows.
func (b *block) token() string {
	var list []string
	for p, s := range b.spans {
		list = append(list, fmt.Sprintf("%d:%d-%d", p, s.first, s.last))
	}
	slices.Sort(list)
	sum := sha256.Sum256([]byte(b.table + " " + strings.Join(list, ",")))
	return hex.EncodeToString(sum[:16])
}

// covered says whether a table with these positions has the block: 1 all of it,
// 0 nothing, -1 a part, which cannot be.
func (b *block) covered(positions map[int32]int64) int {
	in := 0
	for p, s := range b.spans {
		if positions[p] >= s.last {
			in++
		}
	}
	switch in {
	case len(b.spans):
		return 1
	case 0:
		return 0
	}
	return -1
}

// rows collects one table's rows. A table knows how far it is: rows up to its
// position are dropped.
type rows struct {
	table     string
	positions map[int32]int64
	spans     map[int32]span

	partition   []int32
	sequence    []int64
	index       []int32
	eventTime   []int64
	entryTime   []int64
	isHistory   []bool
	isSimulated []bool
	accountID   []string
	bundleID    []string
}

// name says whose rows these are, and how far the table is.
func (r *rows) name(table string, positions map[string]map[int32]int64) {
	r.table, r.positions, r.spans = table, positions[table], make(map[int32]span)
}

// wants says whether the entry's rows are new to the table.
func (r *rows) wants(e *event.Entry) bool { return r.isNew(e.Partition, e.Sequence) }

func (r *rows) isNew(partition int32, sequence int64) bool { return sequence > r.positions[partition] }

// key appends what every row of the ledger carries.
func (r *rows) key(e *event.Entry, index int) {
	r.at(e.Partition, e.Sequence, index)
	r.eventTime = append(r.eventTime, int64(e.EventTime))
	r.entryTime = append(r.entryTime, int64(e.EntryTime))
	r.isHistory = append(r.isHistory, e.IsHistory)
	r.isSimulated = append(r.isSimulated, e.IsSimulated)
	r.accountID = append(r.accountID, e.AccountID)
	r.bundleID = append(r.bundleID, e.BundleID)
}

// keyCampaign is key for the campaigns' log: an entry has one row in a table.
func (r *rows) keyCampaign(e *event.CampaignEntry) {
	r.at(e.Partition, e.Sequence, 0)
	r.eventTime = append(r.eventTime, int64(e.EventTime))
	r.entryTime = append(r.entryTime, int64(e.EntryTime))
	r.isHistory = append(r.isHistory, e.IsHistory)
	r.isSimulated = append(r.isSimulated, e.IsSimulated)
	r.accountID = append(r.accountID, e.CustomerID)
	r.bundleID = append(r.bundleID, e.BundleID)
}

func (r *rows) at(partition int32, sequence int64, index int) {
	s, ok := r.spans[partition]
	if !ok {
		s.first = sequence
	}
	s.last = sequence
	r.spans[partition] = s
	r.partition = append(r.partition, partition)
	r.sequence = append(r.sequence, sequence)
	r.index = append(r.index, int32(index))
}

func (r *rows) len() int { return len(r.sequence) }

// block joins the key columns and the table's own.
func (r *rows) block(own ...warehouse.Column) block {
	return block{table: r.table, spans: r.spans, columns: append([]warehouse.Column{
		{Name: "partition", Values: r.partition},
		{Name: "sequence", Values: r.sequence},
		{Name: "index", Values: r.index},
		{Name: "event_time", Values: r.eventTime},
		{Name: "entry_time", Values: r.entryTime},
		{Name: "is_history", Values: r.isHistory},
		{Name: "is_simulated", Values: r.isSimulated},
		{Name: "account_id", Values: r.accountID},
		{Name: "bundle_id", Values: r.bundleID},
	}, own...)}
}

// money is the currency of a row's amounts.
type money struct {
	currency      []string
	minorPerMajor []uint16
}

func (m *money) add(currency string) {
	m.currency = append(m.currency, currency)
	m.minorPerMajor = append(m.minorPerMajor, minorPerMajor(currency))
}

func (m *money) columns(own ...warehouse.Column) []warehouse.Column {
	return append(own, warehouse.Column{Name: "currency", Values: m.currency}, warehouse.Column{Name: "minor_per_major", Values: m.minorPerMajor})
}

func minorPerMajor(currency string) uint16 {
	n := uint16(1)
	for range event.MinorDigits(currency) {
		n *= 10
	}
	return n
}
