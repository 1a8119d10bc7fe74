package projector

import (
	"bytes"
	"encoding/binary"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// Customers is how each customer stands, on topic customers: key customer id.
func Customers() Projection {
	return Projection{Topic: event.TopicCustomers, Project: func(rec *stream.Record, emit func(key, value []byte)) error {
		// Cheap first: most of what the clock makes has no key.
		if len(rec.Key) == 0 || !bytes.Contains(rec.Value, []byte(`"standing":`)) {
			return nil
		}
		var e event.Entry
		if err := event.DecodeEntry(rec.Value, &e); err != nil {
			return err
		}
		if e.Standing == nil || !event.Identified(e.AccountID) {
			return nil
		}
		emit([]byte(e.Standing.CustomerID), e.Standing.AppendCustomer(nil, e.Partition, e.Sequence, e.EntryTime))
		return nil
	}}
}

// State is every state key that the customer processor wrote, on topic state:
// value is due (8 bytes, big endian, 0 none) and the value; a tombstone deletes.
// The newest source header of a partition is the sequence that it vouches for.
func State() Projection {
	return Projection{Topic: event.TopicState, Project: func(rec *stream.Record, emit func(key, value []byte)) error {
		for _, h := range rec.Headers {
			if h.Key != event.HeaderState {
				continue
			}
			writes, err := event.DecodeState(h.Value)
			if err != nil {
				return err
			}
			for _, w := range writes {
				if w.Value == nil {
					emit(w.Key, nil)
					continue
				}
				value := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(w.Value)), uint64(w.Due))
				emit(w.Key, append(value, w.Value...))
			}
			return nil
		}
		return nil // nothing was written: nothing to vouch for
	}}
}
