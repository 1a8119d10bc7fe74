package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/bundle"
	"github.com/punchcard/punchcard/segments"
)

// segmentCut is up to where one partition is compared: an entry, and the
// partition's clock then. Its timers due by that clock must have fired: the last
// tick up to it says no more_due.
type segmentCut struct {
	Partition int32
	Sequence  int64
	Clock     event.Time
}

// compareSegments works out from the facts who is in which segment at the cuts,
// and compares it with what the stream says: the segments of each customer,
// ascending. It returns a line for each difference; with an error it could not
// compare.
func compareSegments(ctx context.Context, w asker, set *segments.Set, cuts []segmentCut, stream map[string][]string) ([]string, error) {
	facts := map[string][]string{}
	for some := range slices.Chunk(segmentIDs(set), segmentsAtOnce) {
		query, err := set.SQL(segments.Question{Segments: some, OfPartition: true})
		if err != nil {
			return nil, err
		}
		for _, cut := range cuts {
			_, rows, err := w.Ask(ctx, query, map[string]string{
				segments.SQLAsOf: segments.SQLTime(cut.Clock), segments.SQLPartition: strconv.Itoa(int(cut.Partition)), segments.SQLSequence: strconv.FormatInt(cut.Sequence, 10),
			})
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				customer, id := row[0].(string), row[1].(string)
				facts[customer] = append(facts[customer], id)
			}
		}
	}
	return differences(facts, stream), nil
}

func differences(facts, stream map[string][]string) (found []string) {
	for customer, ids := range facts {
		slices.Sort(ids)
		if !slices.Equal(ids, stream[customer]) {
			found = append(found, difference(customer, stream[customer], ids))
		}
	}
	for customer, ids := range stream {
		if _, both := facts[customer]; !both && len(ids) > 0 {
			found = append(found, difference(customer, ids, nil))
		}
	}
	slices.Sort(found)
	return found
}

func difference(customer string, stream, facts []string) string {
	only := func(a, b []string) string {
		var out []string
		for _, id := range a {
			if !slices.Contains(b, id) {
				out = append(out, id)
			}
		}
		return "[" + strings.Join(out, " ") + "]"
	}
	return fmt.Sprintf("segments of customer %s: by the stream alone %s, by the facts alone %s", customer, only(stream, facts), only(facts, stream))
}

// checkSegments compares the segments of every customer, as the stream says, with
// what the facts say: at the newest entry of each partition at which nothing was
// due or under way.
func (v *verification) checkSegments(ctx context.Context) error {
	b, err := v.conn.control.ActiveBundleFiles(ctx)
	if err != nil || b == nil {
		return err
	}
	rules, problems := bundle.Parse(b.Files)
	if len(problems) > 0 {
		return fmt.Errorf("the active bundle %s does not pass this version's checks: %s", b.ID, problems[0])
	}
	if rules.Segments.Len() == 0 {
		return nil
	}
	var cuts []segmentCut
	stream := map[string][]string{}
	for _, a := range v.auditors {
		if a.Cut.Clock < b.EffectiveFrom || a.Cut.Sequence == 0 {
			continue
		}
		kept := a.EachAt(a.Cut.Sequence, func(s *event.Standing) { stream[s.CustomerID] = s.Segments })
		if kept {
			cuts = append(cuts, segmentCut{Partition: a.Partition, Sequence: a.Cut.Sequence, Clock: a.Cut.Clock})
		}
	}
	found, err := compareSegments(ctx, v.conn.warehouse, rules.Segments, cuts, stream)
	if err != nil {
		return err
	}
	v.findings = append(v.findings, found...)
	v.segments = fmt.Sprintf("%d segments of %d customers compared with what the facts say", rules.Segments.Len(), len(stream))
	if n := len(v.auditors) - len(cuts); n > 0 {
		v.segments += fmt.Sprintf(" (not in %d partitions, which had timers or a sweep under way)", n)
	}
	return nil
}
