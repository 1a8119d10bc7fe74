package campaigns

import (
	"slices"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

// send is a message that went to a customer.
type send struct {
	time    event.Time
	channel string
	purpose Purpose
}

// sends are those of the last MaxCapDays, ascending by time; of each channel and
// purpose the newest maxPerWindow, which is what the largest cap counts up to.
type sends []send

func (s sends) append(b []byte) []byte {
	w := packed.Encoder{B: append(b, stateFormat)}
	w.Uint(uint64(len(s)))
	var last event.Time
	for i := range s {
		w.Time(s[i].time - last)
		last = s[i].time
		w.String(s[i].channel)
		w.String(string(s[i].purpose))
	}
	return w.B
}

func decodeSends(b []byte) (s sends, err error) {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	var last event.Time
	for range r.Count() {
		last += r.Time()
		s = append(s, send{time: last, channel: r.Text(), purpose: Purpose(r.Text())})
	}
	return s, r.End("sends")
}

// add notes a message, and forgets what no cap can count any more.
func (s sends) add(n send) sends {
	oldest, same := n.time.Add(-MaxCapDays*24*time.Hour), 0
	s = append(s, n)
	for i := len(s) - 1; i >= 0; i-- {
		is := s[i].channel == n.channel && s[i].purpose == n.purpose
		if is {
			same++
		}
		if s[i].time <= oldest || is && same > maxPerWindow {
			s = slices.Delete(s, i, i+1)
		}
	}
	return s
}

// count returns how many messages that the cap counts went out in the window that
// ends at the clock: later than clock − Within.
func (s sends) count(c *Cap, clock event.Time) (n int64) {
	for i := range s {
		if s[i].time > clock.Add(-c.Within) && c.counts(s[i].channel, s[i].purpose) {
			n++
		}
	}
	return n
}

// counts reports whether the cap counts, and so bounds, such messages.
func (c *Cap) counts(channel string, p Purpose) bool {
	if c.Channel != "" && c.Channel != channel {
		return false
	}
	if len(c.Purposes) == 0 {
		return p == Marketing || p == Survey
	}
	return slices.Contains(c.Purposes, p)
}

// counter is what this partition has sent of a campaign.
type counter struct {
	hour   int64 // hours since 1970, UTC
	inHour int64
	sent   int64 // ever
	queued int64 // runs that wait for another hour
}

const msPerHour = 60 * 60 * 1000

func (c *counter) append(b []byte) []byte {
	w := packed.Encoder{B: append(b, stateFormat)}
	w.Int(c.hour)
	w.Int(c.inHour)
	w.Int(c.sent)
	w.Int(c.queued)
	return w.B
}

func (c *counter) decode(b []byte) error {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	c.hour, c.inHour, c.sent, c.queued = r.Int(), r.Int(), r.Int(), r.Int()
	return r.End("counter")
}

// at turns to the hour of the clock.
func (c *counter) at(clock event.Time) {
	if hour := int64(clock) / msPerHour; hour != c.hour {
		c.hour, c.inHour = hour, 0
	}
}

// share is a partition's part of a number for the whole program: the remainder goes
// to the lowest partitions.
func share(total int64, partition, partitions int32) int64 {
	n := total / int64(partitions)
	if int64(partition) < total%int64(partitions) {
		n++
	}
	return n
}
