package segments_test

import (
	"context"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	broker "github.com/punchcard/punchcard/event/stream/embedded"
	"github.com/punchcard/punchcard/processors/sink"
	"github.com/punchcard/punchcard/segments"
	"github.com/punchcard/punchcard/warehouse"
)

// instant is what the stream said when the clock stood at a time.
type instant struct {
	at   event.Time
	set  *segments.Set
	said map[string][]string // of all partitions
	cuts []cut
}

type cut struct {
	sequence int64
	said     map[string][]string
}

const (
	historyPartitions = 3
	historySteps      = 26
	eventsEachStep    = 12
)

// The stream decided random histories; the facts it left, asked by SQL as of many
// instants, put each customer into the same segments.
func TestSQLSaysWhatTheStreamSaid(t *testing.T) {
	seed := uint64(1)
	if s := os.Getenv("PUNCHCARD_TEST_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		must(t, err)
	}
	writer, reader := openEngine(t)
	histories, instants := live(t, seed)
	carry(t, writer, histories)
	entered := map[string]bool{}
	for i := range instants {
		in := &instants[i]
		for _, ids := range in.said {
			for _, id := range ids {
				entered[id] = true
			}
		}
		switch {
		case i%2 == 1: // each query takes a while
		case i%6 > 0:
			expect(t, reader, in.set, in.at, in.said, segments.Question{}, nil)
		default: // amid what happened at one clock
			p := i / 6 % historyPartitions
			expect(t, reader, in.set, in.at, in.cuts[p].said, segments.Question{OfPartition: true}, map[string]string{
				segments.SQLPartition: strconv.Itoa(p), segments.SQLSequence: strconv.FormatInt(in.cuts[p].sequence, 10),
			})
		}
		if t.Failed() {
			return
		}
	}
	// A segment that nobody was ever in was not tested.
	for id := range everyLeaf {
		if !entered[id] && seed == 1 {
			t.Errorf("nobody was ever in %s", id)
		}
	}
}

// live lets the partitions live through the same time.
func live(t *testing.T, seed uint64) (all []*history, instants []instant) {
	start := event.At(time.Date(2026, 1, 20, 9, 0, 0, 0, time.UTC))
	for p := range int32(historyPartitions) {
		all = append(all, newHistory(t, p, seed, start))
	}
	rules := files()
	for step := range historySteps {
		now := start
		if step > 0 {
			// Mostly hours, at times weeks; over the change of the clocks, and often
			// just around midnight.
			now = all[0].clock.Add(time.Duration(1+all[0].random.IntN(70)) * time.Hour)
			switch step % 10 {
			case 4:
				now = all[0].clock.Add(16 * 24 * time.Hour)
			case 6, 7, 8:
				day := event.DayOf(now, time.UTC)
				now = max(day.Start(time.UTC).Add(time.Duration(all[0].random.IntN(3)-1)*30*time.Minute), all[0].clock.Add(time.Minute))
			}
		}
		in := instant{at: now, said: map[string][]string{}}
		for _, h := range all {
			h.tick(now)
			if step == 1 || step == historySteps/2 {
				if step > 1 {
					rules = otherFiles()
				}
				h.activate(rules)
				h.tick(now + 1)
			}
			for i := range eventsEachStep {
				if i == eventsEachStep/2 {
					in.cuts = append(in.cuts, cut{h.sequence, h.said()})
				}
				h.act()
			}
			maps.Copy(in.said, h.said())
		}
		in.at = all[0].clock
		if step > 0 {
			in.set = parse(t, rules)
			instants = append(instants, in)
		}
	}
	return all, instants
}

// carry brings the ledgers to ClickHouse, as the engine does.
func carry(t *testing.T, w *warehouse.Warehouse, all []*history) {
	t.Helper()
	b, err := broker.Start(t.Context(), broker.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	c, err := stream.Open(t.Context(), stream.Config{Brokers: []string{b.Addr()}, WriterEpoch: b.Epoch()})
	must(t, err)
	t.Cleanup(c.Close)
	must(t, c.EnsureTopics(t.Context(), []stream.TopicSpec{{Name: event.TopicLedger, Partitions: historyPartitions}}))
	p, err := c.Publisher(stream.PublisherOptions{ManualPartition: true})
	must(t, err)
	t.Cleanup(p.Close)
	upTo := map[int32]int64{}
	for _, h := range all {
		records := h.out.Records()
		for _, r := range records {
			r.Topic, r.Partition = c.Topic(event.TopicLedger), h.partition
		}
		must(t, p.Publish(t.Context(), records...))
		upTo[h.partition] = h.sequence
	}
	s := sink.New(sink.Config{Cluster: c, Warehouse: w, CollectFor: 20 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	wait, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	must(t, s.WaitFor(wait, upTo))
	cancel()
	must(t, <-ended)
}

// expect compares one query with what the stream said, which it uses up.
func expect(t *testing.T, w *warehouse.Warehouse, set *segments.Set, at event.Time, said map[string][]string, q segments.Question, parameters map[string]string) {
	t.Helper()
	q.Form = segments.SQLCustomers
	query, err := set.SQL(q)
	must(t, err)
	all := map[string]string{segments.SQLAsOf: segments.SQLTime(at)}
	maps.Copy(all, parameters)
	_, rows, err := w.Ask(t.Context(), query, all)
	must(t, err)
	wrong := 0
	for _, row := range rows {
		id, facts := row[0].(string), row[1].([]string)
		if stream := said[id]; !slices.Equal(stream, facts) {
			if wrong++; wrong < 6 {
				t.Errorf("%s, customer %s: the stream says %v, the facts say %v", at, id, minus(stream, facts), minus(facts, stream))
			}
		}
		delete(said, id)
	}
	for id, stream := range said {
		if len(stream) > 0 {
			t.Errorf("%s, customer %s: the stream says %v, the facts do not know the customer", at, id, stream)
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d of %d customers differ", at, wrong, len(rows))
	}
}

func minus(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}
