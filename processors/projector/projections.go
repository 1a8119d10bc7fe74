package projector

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// Ledger is what the ledger's entries give, each with the customer id as key:
//
//   - customers: how the customer stands.
//   - segments: a record for each segment entered or left. Conditions that only a
//     campaign asks for are not there.
//   - state, if asked for: every state key that the customer processor wrote. The
//     key is the state's, the value due (8 bytes, big endian, 0 none) and the value;
//     a tombstone deletes. The newest source header of a partition is the sequence
//     that it vouches for.
func Ledger(state bool) Projection {
	topics := []Topic{{Name: event.TopicCustomers}, {Name: event.TopicSegments, Kept: event.NewsKept}}
	if state {
		topics = append(topics, Topic{Name: event.TopicState})
	}
	return Projection{Source: event.TopicLedger, Topics: topics, Project: func(rec *stream.Record, emit Emit) error {
		if state {
			if err := emitState(rec, emit); err != nil {
				return err
			}
		}
		// Cheap first: most of what the clock makes has no key. A standing's own list
		// of segments is of strings; inside a string quotes are escaped.
		if len(rec.Key) == 0 || !bytes.Contains(rec.Value, []byte(`"standing":`)) && !bytes.Contains(rec.Value, []byte(`"segments":[{`)) {
			return nil
		}
		var e event.Entry
		if err := event.DecodeEntry(rec.Value, &e); err != nil {
			return err
		}
		if !event.Identified(e.AccountID) {
			return nil
		}
		if e.Standing != nil {
			emit(event.TopicCustomers, []byte(e.Standing.CustomerID), e.Standing.AppendCustomer(nil, e.Partition, e.Sequence, e.EntryTime))
		}
		emitSegments(&e, emit)
		return nil
	}}
}

func emitSegments(e *event.Entry, emit Emit) {
	for _, c := range e.Segments {
		if strings.HasPrefix(c.SegmentID, event.SegmentTrigger) {
			continue
		}
		r := event.SegmentRecord{
			Partition: e.Partition, Sequence: e.Sequence, CustomerID: e.AccountID, EventTime: e.EventTime, EntryTime: e.EntryTime,
			CauseID: e.Cause.ID, IsHistory: e.IsHistory, IsSimulated: e.IsSimulated, SegmentChange: c,
		}
		emit(event.TopicSegments, []byte(e.AccountID), r.Append(nil))
	}
}

func emitState(rec *stream.Record, emit Emit) error {
	i := slices.IndexFunc(rec.Headers, func(h stream.Header) bool { return h.Key == event.HeaderState })
	if i < 0 {
		return nil // nothing was written: nothing to vouch for
	}
	writes, err := event.DecodeState(rec.Headers[i].Value)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if w.Value == nil {
			emit(event.TopicState, w.Key, nil)
			continue
		}
		value := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(w.Value)), uint64(w.Due))
		emit(event.TopicState, w.Key, append(value, w.Value...))
	}
	return nil
}

// CampaignLog is what campaign tools are to send, on topics campaigns.<channel>:
// key customer id, a record for each message.
func CampaignLog() Projection {
	var topics []Topic
	for _, channel := range event.Channels {
		topics = append(topics, Topic{Name: event.TopicCampaigns(channel), Kept: event.NewsKept})
	}
	return Projection{Source: event.TopicCampaignLog, Topics: topics, Project: func(rec *stream.Record, emit Emit) error {
		// Little of the log are messages.
		if len(rec.Key) == 0 || !bytes.Contains(rec.Value, []byte(`"message":{`)) {
			return nil
		}
		var e event.CampaignEntry
		if err := event.DecodeCampaignEntry(rec.Value, &e); err != nil {
			return err
		}
		if e.Message != nil && slices.Contains(event.Channels, e.Message.Channel) {
			emit(event.TopicCampaigns(e.Message.Channel), []byte(e.Message.CustomerID), e.Message.AppendCampaignMessage(nil, e.Partition, e.Sequence, e.EntryTime))
		}
		return nil
	}}
}
