package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/segments"
)

// segmentsAtOnce is how many segments one query works out: readers' queries are
// bounded.
const segmentsAtOnce = 100

// asker is what asking of segments needs of a warehouse.
type asker interface {
	Ask(ctx context.Context, statement string, parameters map[string]string) (columns []string, rows [][]any, err error)
}

// population is who is in which segment, in numbers.
type population struct {
	asOf      event.Time
	customers int64
	size      map[string]int64
	both      map[string]int64 // of them, also in the one segment asked about
}

// newestTick is up to when the warehouse knows.
func newestTick(ctx context.Context, w asker) (event.Time, error) {
	_, rows, err := w.Ask(ctx, "SELECT time FROM as_of", nil)
	if err != nil {
		return 0, err
	}
	t, ok := rows[0][0].(time.Time)
	if !ok {
		return 0, fmt.Errorf("the view as_of says %v, which is no time", rows[0][0])
	}
	return event.At(t), nil
}

// askPopulation counts the customers of segments (none named: of all), and those
// that are in segment with, too, unless it is empty.
func askPopulation(ctx context.Context, w asker, set *segments.Set, with string, ids ...string) (*population, error) {
	asOf, err := newestTick(ctx, w)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		ids = segmentIDs(set)
	}
	p := &population{asOf: asOf, size: map[string]int64{}, both: map[string]int64{}}
	for some := range slices.Chunk(ids, segmentsAtOnce) {
		if err := p.ask(ctx, w, set, with, some); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// segmentIDs lists the segments that customers see, by id.
func segmentIDs(set *segments.Set) (ids []string) {
	for i := range set.Segments {
		if id := set.Segments[i].ID; !strings.HasPrefix(id, event.SegmentTrigger) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (p *population) ask(ctx context.Context, w asker, set *segments.Set, with string, ids []string) error {
	if with != "" && !slices.Contains(ids, with) {
		ids = append(slices.Clone(ids), with)
	}
	query, err := set.SQL(segments.Question{Form: segments.SQLCustomers, Segments: ids})
	if err != nil {
		return err
	}
	// The empty id stands for everybody.
	_, rows, err := w.Ask(ctx, `SELECT id, toInt64(count()), toInt64(countIf(has(segments, {with:String})))
		FROM (SELECT segments, arrayJoin(arrayPushBack(segments, '')) AS id FROM (`+query+`)) GROUP BY id`,
		map[string]string{segments.SQLAsOf: segments.SQLTime(p.asOf), "with": with})
	if err != nil {
		return err
	}
	for _, row := range rows {
		id, n, both := row[0].(string), row[1].(int64), row[2].(int64)
		if id == "" {
			p.customers = n
			continue
		}
		p.size[id], p.both[id] = n, both
	}
	return nil
}

// share is a number of customers among all.
func (p *population) share(n int64) string {
	return fmt.Sprintf("%d of %d customers (%s)", n, p.customers, percent(n, p.customers))
}

// percent writes a share with one decimal, rounded half up.
func percent(n, of int64) string {
	if of == 0 {
		return "-"
	}
	tenths := (2*1000*n + of) / (2 * of)
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

func (p *population) printList(w io.Writer, set *segments.Set) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "id\tname\tcustomers\tshare\tversion")
	for _, id := range segmentIDs(set) {
		g, _ := set.Find(id)
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", id, g.Name, p.size[id], percent(p.size[id], p.customers), g.Version)
	}
	t.Flush()
	fmt.Fprintf(w, "of %d customers, as of %s\n", p.customers, p.asOf)
}

// preview prints who would be in a segment of the set, whether active or not.
func preview(ctx context.Context, w io.Writer, ask asker, set *segments.Set, id string) error {
	p, err := askPopulation(ctx, ask, set, id)
	if err != nil {
		return err
	}
	fmt.Fprint(w, set.DescribeSegment(id))
	fmt.Fprintf(w, "\nAs of %s: %s\n", p.asOf, p.share(p.size[id]))
	p.printOverlap(w, set, id)
	return printExamples(ctx, w, ask, set, id, p.asOf)
}

func (p *population) printOverlap(w io.Writer, set *segments.Set, id string) {
	others := slices.DeleteFunc(segmentIDs(set), func(other string) bool { return other == id })
	if len(others) == 0 {
		return
	}
	slices.SortStableFunc(others, func(a, b string) int { return cmp.Compare(p.both[b], p.both[a]) })
	fmt.Fprintln(w, "\nOverlap")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "segment\tcustomers\tin both\tof "+id+"\tof the other")
	for _, other := range others {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\n", other, p.size[other], p.both[other], percent(p.both[other], p.size[id]), percent(p.both[other], p.size[other]))
	}
	t.Flush()
}

// printExamples shows some members, the same for the same facts, with the values
// that the clauses look at.
func printExamples(ctx context.Context, w io.Writer, ask asker, set *segments.Set, id string, asOf event.Time) error {
	query, err := set.SQL(segments.Question{Form: segments.SQLReasons, Segments: []string{id}})
	if err != nil {
		return err
	}
	_, rows, err := ask.Ask(ctx, fmt.Sprintf("%s\nORDER BY cityHash64(customer_id), customer_id LIMIT %d", query, segmentExamples),
		map[string]string{segments.SQLAsOf: segments.SQLTime(asOf)})
	if err != nil || len(rows) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nExamples (+ holds, - does not; the value)")
	leaves := set.Clauses(id)
	for _, row := range rows {
		fmt.Fprintf(w, "%v\n", row[0])
		holds, values := row[1].([]uint8), row[2].([]*string)
		for i, leaf := range leaves {
			mark, value := "-", "none"
			if holds[i] != 0 {
				mark = "+"
			}
			if values[i] != nil {
				value = set.ValueText(leaf, *values[i])
			}
			fmt.Fprintf(w, "  %s %s: %s\n", mark, set.Leaves[leaf].Text, value)
		}
	}
	return nil
}
