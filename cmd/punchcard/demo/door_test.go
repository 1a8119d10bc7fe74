package demo

import (
	"encoding/json"
	"testing"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest"
)

// The door takes every call of the shoppers and of the audience, and keeps what
// segments and outcomes need of them.
func TestTheDoorTakesWhatIsPosted(t *testing.T) {
	shop := Learn(pastOf(60))
	var posts []Post
	for hour := shop.Since; hour < shop.Since+21*24; hour++ {
		posts = append(posts, shop.Hour(1, hour)...)
	}
	a := &Audience{Shop: shop, Seed: 1}
	for _, e := range PlantedEffects() {
		for i := range 100 {
			m := sent(e, i)
			for _, s := range React(1, m) {
				posts = append(posts, a.post(m, s))
			}
		}
	}
	n := ingest.NewNormaliser(ingest.Config{Declared: []string{"message_id"}})
	kept := map[string]int{}
	for _, p := range posts {
		if p.Path == pathRedeem {
			continue
		}
		raw, err := json.Marshal(p.Body)
		if err != nil {
			t.Fatal(err)
		}
		m := n.Normalise(raw, ingest.Call{Key: &ingest.Key{Name: "demo", Kind: ingest.KeyServer}, Now: p.Time + 1, Received: p.Time + 1})
		if m.Invalid != nil {
			t.Fatalf("%s: %v", raw, m.Invalid)
		}
		if !m.Event.IsSimulated || m.Event.EventTime != p.Time || m.Profile != nil {
			t.Errorf("%s became %+v, profile %v", raw, m.Event, m.Profile)
		}
		for name := range m.Event.Traits {
			kept[name]++
		}
		for name := range m.Event.Properties {
			kept[m.Event.Name+" "+name]++
		}
		if m.Event.Survey != nil {
			kept[event.NameSurveyAnswered]++
		}
	}
	for _, want := range []string{
		"consent", "time_zone", "language", "country", "birth_month", "birth_day", event.NameSurveyAnswered, event.NameReviewed + " rating",
		"Email Delivered message_id", "Email Opened message_id", "Email Link Clicked message_id", "Email Bounced message_id",
		"SMS Delivered message_id", "Unsubscribed message_id", "Unsubscribed channel",
	} {
		if kept[want] == 0 {
			t.Errorf("nothing keeps %s: %v", want, kept)
		}
	}
}
