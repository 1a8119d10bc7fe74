package control

import (
	"context"
	"fmt"
	"strconv"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// Control publishes control records and follows what becomes of them.
type Control struct {
	*Watcher
	cluster *stream.Cluster
	pub     *stream.Publisher
}

// New makes a control over a watcher, which someone runs.
func New(c *stream.Cluster, w *Watcher) (*Control, error) {
	pub, err := c.Publisher(stream.PublisherOptions{ManualPartition: true})
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return &Control{Watcher: w, cluster: c, pub: pub}, nil
}

// Close gives the connection back.
func (c *Control) Close() { c.pub.Close() }

// record makes the record of a control event for one partition.
func (c *Control) record(p int32, e *event.Event, class string) (*stream.Record, error) {
	value, err := e.Encode()
	if err != nil {
		return nil, fmt.Errorf("control: encoding a %s: %w", e.Type, err)
	}
	return &stream.Record{
		Topic:     c.cluster.Topic(event.TopicEvents),
		Partition: p,
		Value:     value,
		Headers:   []stream.Header{{Key: event.HeaderClass, Value: []byte(class)}},
	}, nil
}

// publish sends one event to the partitions and waits until the broker has it.
func (c *Control) publish(ctx context.Context, e *event.Event, class string, partitions ...int32) error {
	recs := make([]*stream.Record, 0, len(partitions))
	for _, p := range partitions {
		rec, err := c.record(p, e, class)
		if err != nil {
			return err
		}
		recs = append(recs, rec)
	}
	return c.pub.Publish(ctx, recs...)
}

func (c *Control) all() []int32 {
	out := make([]int32, c.Partitions())
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// Tick is the event that announces a time.
func Tick(t event.Time, slice int64) *event.Event {
	return &event.Event{
		Type:      event.TypeTick,
		MessageID: "tick:" + strconv.FormatInt(int64(t), 10) + ":" + strconv.FormatInt(slice, 10),
		EventTime: t,
		Tick:      &event.Tick{Slice: slice},
	}
}

// Activate publishes a bundle and returns when every partition has taken it. A
// bundle that all have already is not sent again.
func (c *Control) Activate(ctx context.Context, b event.Bundle) error {
	if err := c.CaughtUp(ctx); err != nil {
		return err
	}
	var missing []int32
	c.Look(func(parts []Partition) {
		for p := range parts {
			if !parts[p].Bundles[b.ID] {
				missing = append(missing, int32(p))
			}
		}
	})
	if len(missing) == 0 {
		return nil
	}
	e := &event.Event{Type: event.TypeBundle, MessageID: "bundle:" + b.ID, EventTime: max(b.EffectiveFrom, 1), Bundle: &b}
	if err := c.publish(ctx, e, event.ClassDerived, missing...); err != nil {
		return err
	}
	refused := int32(-1)
	err := c.Wait(ctx, func(parts []Partition) bool {
		have := 0
		for p := range parts {
			switch {
			case parts[p].Bundles[b.ID]:
				have++
			case parts[p].Refused[b.ID]:
				refused = int32(p)
				return true
			}
		}
		return have == len(parts)
	})
	if err == nil && refused >= 0 {
		err = fmt.Errorf("control: partition %d refuses bundle %s: its processor's version of punchcard cannot read these rules; run the same version everywhere", refused, b.ID)
	}
	return err
}

// ActiveBundleFiles finds the newest bundle that every partition has in topic
// events; nil when none is active.
func (c *Control) ActiveBundleFiles(ctx context.Context) (*event.Bundle, error) {
	if err := c.CaughtUp(ctx); err != nil {
		return nil, err
	}
	id := c.ActiveBundle()
	if id == "" {
		return nil, nil
	}
	var at int64
	c.Look(func(parts []Partition) { at = parts[0].BundleOffset })
	var found *event.Bundle
	_, err := c.cluster.Scan(ctx, event.TopicEvents, 0, at, at+1, stream.ReadUncommitted, func(rec *stream.Record) error {
		var e event.Event
		if err := event.Decode(rec.Value, &e); err != nil {
			return err
		}
		found = e.Bundle
		return nil
	})
	if err == nil && (found == nil || found.ID != id) {
		err = fmt.Errorf("control: events/0 offset %d is not bundle %s", at, id)
	}
	return found, err
}
