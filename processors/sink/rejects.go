package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// carryRejects carries topic rejects into the table of the same name; its
// position is the newest offset there. The table forgets after 30 days: rows
// that are read again because all were forgotten are forgotten again.
func (s *Sink) carryRejects(ctx context.Context) error {
	if err := s.cfg.Warehouse.Settle(ctx); err != nil {
		return err
	}
	have, err := s.cfg.Warehouse.Positions(ctx, "rejects")
	if err != nil {
		return err
	}
	ends, err := s.cfg.Cluster.Ends(ctx, event.TopicRejects, stream.ReadUncommitted)
	if err != nil {
		return err
	}
	from := make(map[int32]int64)
	for p, r := range ends {
		from[p] = r.Start
		n, ok := have[p]
		if !ok {
			continue
		}
		if n >= r.End {
			return fmt.Errorf("%w: partition %d of rejects has offset %d, the topic ends at %d: use another database, or empty this one", ErrAhead, p, n, r.End)
		}
		from[p] = max(n+1, r.Start)
	}
	reader, err := s.cfg.Cluster.Reader(ctx, stream.ReaderOptions{Topic: event.TopicRejects, Partitions: from})
	if err != nil {
		return err
	}
	defer reader.Close()
	s.status.rejects(have)
	for {
		t, err := s.collectRejects(ctx, reader)
		if err != nil {
			return err
		}
		// Failing ends this try; the next one starts at what ClickHouse has.
		b := t.take()
		if err := s.cfg.Warehouse.Insert(ctx, b.table, b.token(), b.columns); err != nil {
			return err
		}
		s.status.rejects(t.last())
	}
}

func (s *Sink) collectRejects(ctx context.Context, reader *stream.Reader) (*rejectRows, error) {
	t := &rejectRows{spans: make(map[int32]span)}
	bytes := 0
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	for len(t.code) < s.cfg.MaxEntries && bytes < s.cfg.MaxBytes {
		recs, err := reader.Poll(within, pollRecords)
		if err != nil {
			if len(t.code) > 0 && within.Err() != nil && ctx.Err() == nil {
				break
			}
			return nil, err
		}
		if len(t.code) == 0 {
			defer time.AfterFunc(s.cfg.CollectFor, cancel).Stop()
		}
		for _, rec := range recs {
			t.add(rec)
			bytes += len(rec.Value)
		}
	}
	return t, nil
}

type rejectRows struct {
	spans                                                   map[int32]span
	partition                                               []int32
	offset, received, originalBytes                         []int64
	isHistory, isBase64                                     []bool
	code, field, message, hint, source, messageID, original []string
}

// add appends a record. One that is no reject is kept as what it is: nothing
// that was refused gets lost.
func (t *rejectRows) add(rec *stream.Record) {
	var r event.Reject
	if err := json.Unmarshal(rec.Value, &r); err != nil {
		original := rec.Value[:min(len(rec.Value), event.MaxRejectBytes)]
		r = event.Reject{Code: event.RejectInvalidJSON, Message: "the record on topic rejects is not a reject", Original: string(original), OriginalBytes: int64(len(rec.Value)), ReceivedTime: event.At(rec.Timestamp)}
	}
	s, ok := t.spans[rec.Partition]
	if !ok {
		s.first = rec.Offset
	}
	s.last = rec.Offset
	t.spans[rec.Partition] = s
	t.partition = append(t.partition, rec.Partition)
	t.offset = append(t.offset, rec.Offset)
	t.received = append(t.received, int64(r.ReceivedTime))
	t.originalBytes = append(t.originalBytes, r.OriginalBytes)
	t.isHistory = append(t.isHistory, r.IsHistory)
	t.isBase64 = append(t.isBase64, r.OriginalBase64)
	t.code = append(t.code, r.Code)
	t.field = append(t.field, r.Field)
	t.message = append(t.message, r.Message)
	t.hint = append(t.hint, r.Hint)
	t.source = append(t.source, r.Source)
	t.messageID = append(t.messageID, r.MessageID)
	t.original = append(t.original, r.Original)
}

func (t *rejectRows) last() map[int32]int64 {
	out := make(map[int32]int64)
	for p, s := range t.spans {
		out[p] = s.last
	}
	return out
}

func (t *rejectRows) take() block {
	return block{table: "rejects", spans: t.spans, columns: []column{
		{Name: "partition", Values: t.partition},
		{Name: "record_offset", Values: t.offset},
		{Name: "received_time", Values: t.received},
		{Name: "is_history", Values: t.isHistory},
		{Name: "code", Values: t.code},
		{Name: "field", Values: t.field},
		{Name: "message", Values: t.message},
		{Name: "hint", Values: t.hint},
		{Name: "source", Values: t.source},
		{Name: "message_id", Values: t.messageID},
		{Name: "original", Values: t.original},
		{Name: "original_bytes", Values: t.originalBytes},
		{Name: "is_base64", Values: t.isBase64},
	}}
}
