package projector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// startAtOnce is how many partitions' tails are read at a time.
const startAtOnce = 4

// start is where a follower begins.
type start struct {
	// from is the first offset of the source to read, by partition: the lowest floor.
	from map[int32]int64
	// floors are, by topic and partition, the first offset of the source whose
	// records are published.
	floors map[string][]int64
}

// start reads the tails of the projection's topics.
func (p *Projector) start(ctx context.Context, pr Projection) (*start, error) {
	ends, err := p.cluster.Ends(ctx, pr.Source, stream.ReadUncommitted)
	if err != nil {
		return nil, err
	}
	s := &start{from: make(map[int32]int64, p.partitions), floors: make(map[string][]int64, len(pr.Topics))}
	for _, topic := range pr.Topics {
		s.floors[topic.Name] = make([]int64, p.partitions)
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(startAtOnce)
	for part := range p.partitions {
		g.Go(func() error {
			floors, err := p.floors(ctx, pr, part, ends[part])
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			s.from[part] = floors[0]
			for i, topic := range pr.Topics {
				s.floors[topic.Name][part] = floors[i]
				s.from[part] = min(s.from[part], floors[i])
			}
			return nil
		})
	}
	return s, g.Wait()
}

// none is the offset of an entry that no record tells of.
const none = -1

// floors are where each topic goes on in a partition; the package's doc has the rules.
func (p *Projector) floors(ctx context.Context, pr Projection, part int32, source stream.Range) ([]int64, error) {
	floors := make([]int64, len(pr.Topics))
	newest, news := int64(none), false
	for i, topic := range pr.Topics {
		at, err := p.tailSource(ctx, topic.Name, part)
		if err != nil {
			return nil, err
		}
		if at != none && (at < source.Start || at >= source.End) {
			return nil, fmt.Errorf("%w: %s/%d tells of offset %d of %s, which has %d to %d", stream.ErrDataLoss, topic.Name, part, at, pr.Source, source.Start, source.End)
		}
		floors[i], newest, news = at, max(newest, at), news || topic.Kept > 0
	}
	if !news {
		return atLeast(floors, 0), nil
	}
	young, err := p.firstNews(ctx, pr, part, source, newest)
	if err != nil {
		return nil, err
	}
	for i, topic := range pr.Topics {
		if topic.Kept > 0 {
			floors[i] = max(floors[i], young)
		}
	}
	return atLeast(floors, 0), nil
}

func atLeast(offsets []int64, least int64) []int64 {
	for i := range offsets {
		offsets[i] = max(offsets[i], least)
	}
	return offsets
}

// firstNews is the offset before which no news can be missing.
func (p *Projector) firstNews(ctx context.Context, pr Projection, part int32, source stream.Range, newest int64) (int64, error) {
	if newest != none {
		return p.back(ctx, pr.Source, part, source.Start, newest)
	}
	var kept time.Duration
	for _, topic := range pr.Topics {
		kept = max(kept, topic.Kept)
	}
	at, err := p.cluster.OffsetAt(ctx, pr.Source, part, time.Now().Add(-kept))
	// What is written meanwhile is young.
	return min(at, source.End), err
}

// back is the offset of the first of the window's entries, the last of which is at
// the given offset. Offsets have holes (markers, what was aborted), so it reads them.
func (p *Projector) back(ctx context.Context, source string, part int32, first, last int64) (int64, error) {
	// Where each transaction is of one entry, half of the offsets are markers.
	for span := int64(2 * p.window); ; span *= 4 {
		from := max(first, last+1-span)
		offsets := make([]int64, 0, span)
		_, err := p.cluster.Scan(ctx, source, part, from, last+1, stream.ReadCommitted, func(rec *stream.Record) error {
			offsets = append(offsets, rec.Offset)
			return nil
		})
		switch {
		case err != nil:
			return 0, err
		case len(offsets) >= p.window:
			return offsets[len(offsets)-p.window], nil
		case from == first:
			return first, nil
		}
	}
}

// tailSource is the offset of the entry that made the topic's newest record, or none.
func (p *Projector) tailSource(ctx context.Context, topic string, part int32) (int64, error) {
	tail, err := p.cluster.Tail(ctx, topic, part, 1)
	if err != nil || len(tail) == 0 {
		return none, err
	}
	src, err := sourceOf(tail[0])
	if err != nil {
		return none, fmt.Errorf("%w: %s/%d offset %d: %w; the topic is written by the projector alone", errProject, topic, part, tail[0].Offset, err)
	}
	return src.Offset, nil
}

func sourceOf(rec *stream.Record) (event.Source, error) {
	for _, h := range rec.Headers {
		if h.Key == event.HeaderSource {
			return event.DecodeSource(h.Value)
		}
	}
	return event.Source{}, errors.New("no source header")
}
