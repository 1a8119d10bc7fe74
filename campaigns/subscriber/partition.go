package subscriber

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/punchcard/punchcard/event"
)

// worker reads one partition during one generation of the group.
type worker struct {
	s    *Subscriber
	run  context.Context         // ends with Run
	stop context.CancelCauseFunc // ends Run
	place
	committed int64 // where the group stands; negative: nowhere yet
	commits   *committer
	seen      *seen
	handle    Handler
}

// work reads back what was handled last, then hands out messages until the
// generation or Run ends.
func (w *worker) work(generation context.Context) {
	ctx, cancel := context.WithCancel(w.run)
	defer cancel()
	defer context.AfterFunc(generation, cancel)()
	if generation.Err() != nil {
		return
	}
	c := &w.s.config
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: c.Brokers, Dialer: c.Dialer, Topic: w.topic, Partition: w.partition,
		MinBytes: 1, MaxBytes: event.MaxRecordBytes, MaxWait: fetchWait, QueueCapacity: MaxHeld, ErrorLogger: w.s.reporter(),
	})
	defer r.Close()
	from := int64(kafka.FirstOffset)
	if w.committed > int64(c.Horizon.Messages) {
		from = w.committed - int64(c.Horizon.Messages)
	}
	if err := r.SetOffset(from); err != nil {
		c.Report(w.wrong(from, err))
		return
	}
	for {
		rec, err := r.FetchMessage(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil { // the reader tries again by itself, after a pause
			c.Report(w.wrong(w.committed, err))
			continue
		}
		if !w.take(ctx, rec) {
			return
		}
	}
}

func (w *worker) wrong(offset int64, err error) error {
	return fmt.Errorf("subscriber: %s/%d@%d: %w", w.topic, w.partition, offset, err)
}

// take handles one record and commits it; false: this generation is over for the
// partition.
func (w *worker) take(ctx context.Context, rec kafka.Message) bool {
	var m event.CampaignMessage
	err := event.DecodeCampaignMessage(rec.Value, &m)
	if err == nil && m.MessageID == "" {
		err = errors.New("no message_id")
	}
	if rec.Offset < w.committed {
		if err == nil {
			w.seen.add(m.MessageID, rec.Time)
		}
		return true
	}
	switch {
	case err != nil:
		if !w.unreadable(rec, err) {
			return false
		}
	case w.seen.has(m.MessageID, rec.Time):
		w.seen.add(m.MessageID, rec.Time)
		w.s.repeated.Add(1)
	case !w.deliver(ctx, rec, m):
		return false
	default:
		w.seen.add(m.MessageID, rec.Time)
	}
	if err := w.commits.commit(w.topic, w.partition, rec.Offset+1); err != nil {
		// Joining again tells where the group stands; what was handled is seen.
		w.s.config.Report(w.wrong(rec.Offset, fmt.Errorf("committing: %w", err)))
		pause(ctx, joinBackoff)
		return false
	}
	return true
}

// unreadable asks what to do with a record that holds no message.
func (w *worker) unreadable(rec kafka.Message, err error) bool {
	err = fmt.Errorf("no campaign message: %w", err)
	if ask := w.s.config.Unreadable; ask != nil {
		if err = ask(w.run, rec, err); err == nil {
			return true
		}
	}
	w.stop(&failure{w.wrong(rec.Offset, err)})
	return false
}

// deliver calls the handler until it returns nil; false: it did not, and the
// message is not to be committed.
func (w *worker) deliver(ctx context.Context, rec kafka.Message, m event.CampaignMessage) bool {
	c := &w.s.config
	wait := c.Pause
	for attempt := 1; ; attempt++ {
		handle, count := w.handle, &w.s.handled
		if !m.ExpiresTime.IsZero() && m.ExpiresTime < event.At(c.Now()) {
			handle, count = c.Expired, &w.s.expired
		}
		err := handle(w.run, m)
		if err == nil {
			count.Add(1)
			return true
		}
		err = w.wrong(rec.Offset, fmt.Errorf("message %s, attempt %d: %w", m.MessageID, attempt, err))
		if ctx.Err() != nil { // maybe that is why it failed; it is handed out again
			c.Report(err)
			return false
		}
		if attempt >= c.Attempts {
			w.stop(&failure{err})
			return false
		}
		c.Report(err)
		if !pause(ctx, wait) {
			return false
		}
		wait = min(2*wait, MaxPause)
	}
}

// pause waits; false: ctx ended before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
