package demo

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Act is one thing that the receiver of a message does, or that happens to it.
type Act uint8

// Acts, in the order in which one can follow another.
const (
	Delivers Act = iota + 1
	Bounces
	Opens
	Clicks
	Answers      // the survey that it asked for
	Buys         // an order that would not have been
	Unsubscribes //
	Complains    // marks it as spam
)

// Step is an act and when, in the demo's time.
type Step struct {
	Act  Act
	Time event.Time
}

// Reaction is everything that comes of one message, by time.
type Reaction []Step

// React decides what comes of a message. It is a function of the seed and the
// message: the same message again gives the same reaction. Shares are those of
// PlantedEffects.
func React(seed uint64, m *event.CampaignMessage) Reaction {
	e := effectOf(&m.Message)
	r := draws(seed, "message:"+m.MessageID)
	at := max(m.NotBefore, m.EntryTime)
	// Every draw is made, whatever became of the one before: a changed share then
	// changes as little as can be.
	arrives, opens, clicks := r.Float64() < e.Delivered, r.Float64(), r.Float64()
	buys, answers, leaves, spam := r.Float64(), r.Float64(), r.Float64(), r.Float64()
	at = at.Add(seconds(r, 20, 300))
	if !arrives {
		return Reaction{{Bounces, at}}
	}
	out := Reaction{{Delivers, at}}
	seen := e.Delivered
	if e.Opened > 0 {
		if opens >= e.Opened/seen {
			return out
		}
		seen = e.Opened
		at = at.Add(opening(r))
		out = append(out, Step{Opens, at})
	} else {
		at = at.Add(seconds(r, 30, 3600))
	}
	if spam < complained/seen {
		return append(out, Step{Complains, at.Add(seconds(r, 5, 60))})
	}
	if leaves < e.Unsubscribed/seen {
		return append(out, Step{Unsubscribes, at.Add(seconds(r, 10, 120))})
	}
	return clicked(out, e, seen, at, clicks, answers, buys, r)
}

// clicked goes on with who has seen the message and neither complained nor left;
// the conditional shares make the planted ones come true over all messages.
func clicked(out Reaction, e Effect, seen float64, at event.Time, clicks, answers, buys float64, r *rand.Rand) Reaction {
	stayed := seen - complained - e.Unsubscribed
	if clicks >= e.Clicked/stayed {
		return out
	}
	at = at.Add(seconds(r, 10, 600))
	out = append(out, Step{Clicks, at})
	if answers < e.Answered/e.Clicked {
		at = at.Add(seconds(r, 20, 180))
		out = append(out, Step{Answers, at})
	}
	if buys < e.Extra/e.Clicked {
		// Half of them within a quarter of the time; opening has taken some of it.
		x := r.Float64()
		room := e.Within - maxOpening - time.Hour
		out = append(out, Step{Buys, at.Add(time.Duration(x * x * float64(room)))})
	}
	return out
}

// maxOpening is how long a message lies unread, at most.
const maxOpening = 48 * time.Hour

// opening is how long a message lies unread: half of them three hours.
func opening(r *rand.Rand) time.Duration {
	d := time.Duration(float64(3*time.Hour) * math.Exp(1.3*r.NormFloat64()))
	return min(max(d, time.Minute), maxOpening).Truncate(time.Second)
}

func seconds(r *rand.Rand, from, to int) time.Duration {
	return time.Duration(from+r.IntN(to-from)) * time.Second
}
