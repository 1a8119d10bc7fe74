package projector

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// Customers is how each customer stands, on topic customers: key customer id.
func Customers() Projection {
	return Projection{Source: event.TopicLedger, Topic: event.TopicCustomers, Project: func(rec *stream.Record, emit func(key, value []byte)) error {
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

// Segments is who entered or left which segment, on topic segments: key customer
// id, a record for each change. Conditions that only a campaign asks for are not
// there.
func Segments() Projection {
	return Projection{Source: event.TopicLedger, Topic: event.TopicSegments, Project: func(rec *stream.Record, emit func(key, value []byte)) error {
		// A standing's own list is of strings; inside a string quotes are escaped.
		if len(rec.Key) == 0 || !bytes.Contains(rec.Value, []byte(`"segments":[{`)) {
			return nil
		}
		var e event.Entry
		if err := event.DecodeEntry(rec.Value, &e); err != nil {
			return err
		}
		if !event.Identified(e.AccountID) {
			return nil
		}
		for _, c := range e.Segments {
			if strings.HasPrefix(c.SegmentID, event.SegmentTrigger) {
				continue
			}
			r := event.SegmentRecord{
				Partition: e.Partition, Sequence: e.Sequence, CustomerID: e.AccountID, EventTime: e.EventTime, EntryTime: e.EntryTime,
				CauseID: e.Cause.ID, IsHistory: e.IsHistory, IsSimulated: e.IsSimulated, SegmentChange: c,
			}
			emit([]byte(e.AccountID), r.Append(nil))
		}
		return nil
	}}
}

// Campaigns is what a campaign tool is to send on a channel, on topic
// campaigns.<channel>: key customer id, a record for each message.
func Campaigns(channel string) Projection {
	ours := []byte(`"channel":"` + channel + `"`)
	return Projection{Source: event.TopicCampaignLog, Topic: event.TopicCampaigns(channel), Project: func(rec *stream.Record, emit func(key, value []byte)) error {
		// Every channel's projection reads the whole log: few of it are messages.
		if len(rec.Key) == 0 || !bytes.Contains(rec.Value, []byte(`"message":{`)) || !bytes.Contains(rec.Value, ours) {
			return nil
		}
		var e event.CampaignEntry
		if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil {
			return err
		}
		if e.Message != nil && e.Message.Channel == channel {
			emit([]byte(e.Message.CustomerID), e.Message.AppendCampaignMessage(nil, e.Partition, e.Sequence, e.EntryTime))
		}
		return nil
	}}
}

// State is every state key that the customer processor wrote, on topic state:
// value is due (8 bytes, big endian, 0 none) and the value; a tombstone deletes.
// The newest source header of a partition is the sequence that it vouches for.
func State() Projection {
	return Projection{Source: event.TopicLedger, Topic: event.TopicState, Project: func(rec *stream.Record, emit func(key, value []byte)) error {
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
