package campaigns

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// drawn is a random plan as its author knows it, apart from the parser.
type drawn struct {
	id, event, channel string
	purpose            Purpose
	holdout            int64
	perHour, budget    int64
	quiet              bool
	version            int
}

const (
	drawnCampaigns = 4
	drawnGlobal    = 10
	capMost        = 2
	capAnyMost     = 3
)

var capWithin, capAnyWithin = 3 * day, 10 * day

// drawFiles draws a bundle: campaigns that listen to few events, with everything
// that lets a run wait.
func drawFiles(t *rapid.T, label string) (map[string]string, []drawn) {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label+name) }
	files := map[string]string{
		program.CampaignsFile: fmt.Sprintf("global_holdout: %d\ncaps:\n  - {channel: email, most: %d, within: 3 days}\n  - {most: %d, within: 10 days}\n", drawnGlobal, capMost, capAnyMost),
	}
	var all []drawn
	for i := range drawnCampaigns {
		id := fmt.Sprintf("c%d", i)
		d := drawn{
			id: id, event: pick("event"+id, "News", "Ask"), channel: pick("channel"+id, "email", "sms"),
			purpose: Purpose(pick("purpose"+id, "marketing", "service", "survey")), holdout: int64(rapid.IntRange(0, 40).Draw(t, label+"holdout"+id)),
			quiet: rapid.Bool().Draw(t, label+"quiet"+id),
		}
		if rapid.IntRange(0, 9).Draw(t, label+"there"+id) == 0 {
			continue
		}
		y := fmt.Sprintf("purpose: %s\nchannel: %s\npriority: %d\nwhen: {event: %s}\nholdout: %d\n", d.purpose, d.channel, rapid.IntRange(0, 100).Draw(t, label+"priority"+id), d.event, d.holdout)
		y += "again: " + pick("again"+id, "always", "always", "never", "after 2 days") + "\n"
		y += pick("delay"+id, "", "", "delay: 3 hours\n", "delay: 2 days\n")
		y += pick("wait"+id, "", "", "wait_for: {event: Came, within: 20 hours, if_comes: stop, if_not: send}\n", "wait_for: {event: Came, within: 2 days, if_comes: send, if_not: stop}\n")
		if d.quiet {
			y += "quiet_hours: {from: \"20:00\", until: \"09:30\"}\n"
		} else {
			y += "quiet_hours: none\n"
		}
		y += pick("age"+id, "", "max_age: 90 minutes\n", "max_age: 40 hours\n")
		if rapid.Bool().Draw(t, label+"limit"+id) {
			d.perHour, d.budget = int64(rapid.IntRange(1, 6).Draw(t, label+"hour"+id)), int64(rapid.IntRange(5, 40).Draw(t, label+"budget"+id))
			y += fmt.Sprintf("limit: {per_hour: %d, budget: %d}\n", d.perHour, d.budget)
		}
		if rapid.IntRange(0, 9).Draw(t, label+"paused"+id) == 0 {
			y += "paused: true\n"
		}
		subject := ""
		if d.channel == event.ChannelEmail {
			subject = "subject: \"S\", "
		}
		y += "arms:\n  - {id: a, weight: 30, " + subject + "text: \"A {{balance}}\"}\n  - {id: b, weight: 70, " + subject + "text: \"B\"}\n"
		files[program.CampaignsDir+id+".yaml"] = y
		all = append(all, d)
	}
	return files, all
}

// model is what the test knows by itself.
type model struct {
	*world
	base     map[string]string
	plan     []drawn
	consent  map[string]map[string]bool
	zones    map[string]string
	triggers int
	n        int
	limits   map[string][]drawn // every version of a campaign that was in force
}

func (m *model) activateDrawn(t *rapid.T, label string) {
	files, plan := drawFiles(t, label)
	all := maps.Clone(m.base)
	maps.Copy(all, files)
	all[program.ProgramFile] += fmt.Sprintf("# %d\n", m.n) // another bundle each time
	m.n++
	if err := m.activate(all, m.clock); err != nil {
		t.Fatal(err)
	}
	m.plan = plan
	for _, d := range plan {
		m.limits[d.id] = append(m.limits[d.id], d)
	}
}

func (m *model) happens(who, name string, traits string) {
	m.n++
	ev := &event.Event{Type: event.TypeTrack, Name: name, MessageID: fmt.Sprintf("m%d", m.n), AccountID: who, EventTime: m.clock, BodyHash: "0"}
	if traits != "" {
		key, value, _ := strings.Cut(traits, "=")
		ev.Type, ev.Name, ev.Traits = event.TypeIdentify, "", map[string]json.RawMessage{key: jsonOf(value)}
	} else if !m.inside {
		for _, d := range m.plan {
			if d.event == name {
				m.triggers++
			}
		}
	}
	m.apply(ev)
}

// TestMachineHoldsWhatItPromises: random plans, customers and clocks.
func TestMachineHoldsWhatItPromises(t *testing.T) {
	base := map[string]string{program.ProgramFile: read(t, "testdata/timeline/bundle/program.yaml")}
	rapid.Check(t, func(t *rapid.T) { checkMachine(t, base) })
}

func checkMachine(t *rapid.T, base map[string]string) {
	partitions := int32(rapid.IntRange(1, 3).Draw(t, "partitions"))
	m := &model{
		world: newWorld(t, int32(rapid.IntRange(0, int(partitions)-1).Draw(t, "partition")), partitions), base: base,
		consent: map[string]map[string]bool{}, zones: map[string]string{}, limits: map[string][]drawn{},
	}
	m.activateDrawn(t, "first ")
	m.tick(event.Time(1_772_000_000_000 + rapid.Int64Range(0, 400).Draw(t, "day")*24*3600_000))
	customers := []string{"ann", "bob", "cem", "dot", "eve"}
	for i := range rapid.IntRange(10, 60).Draw(t, "steps") {
		who := rapid.SampledFrom(customers).Draw(t, "who")
		before := len(m.entries)
		switch step := rapid.IntRange(0, 19).Draw(t, "step"); {
		case step < 8:
			m.happens(who, rapid.SampledFrom([]string{"News", "Ask", "Came"}).Draw(t, "event"), "")
		case step < 10:
			name := rapid.SampledFrom([]string{"consent", "consent.email", "consent.sms.survey"}).Draw(t, "fact")
			given := rapid.IntRange(0, 3).Draw(t, "given") > 0
			if m.consent[who] == nil {
				m.consent[who] = map[string]bool{}
			}
			m.consent[who][name] = given
			m.happens(who, "", fmt.Sprintf("%s=%t", name, given))
		case step == 10:
			zone := rapid.SampledFrom(someZones).Draw(t, "zone")
			m.zones[who] = zone
			m.happens(who, "", "time_zone="+zone)
		case step == 11 && rapid.Bool().Draw(t, "new plan"):
			m.activateDrawn(t, fmt.Sprintf("%d ", i))
		case step == 12 && rapid.Bool().Draw(t, "history"):
			m.history(!m.inside)
		default:
			m.tick(m.clock.Add(time.Duration(rapid.SampledFrom([]int{1, 7, 45, 60, 180, 600, 1440, 4000}).Draw(t, "minutes")) * time.Minute))
		}
		m.checkSent(t, m.entries[before:])
	}
	m.checkAll(t)
	m.balanced()
	m.again()
}

// checkSent looks at messages of just now: nobody is woken, nobody is written to
// against their will.
func (m *model) checkSent(t *rapid.T, entries []event.CampaignEntry) {
	for i := range entries {
		e := &entries[i]
		if e.Message == nil {
			continue
		}
		versions := m.limits[e.Message.CampaignID]
		d := versions[len(versions)-1]
		zone, err := time.LoadLocation(orElse(m.zones[e.CustomerID], "Europe/London"))
		if err != nil {
			t.Fatal(err)
		}
		if now := m.clock.Std().In(zone).Format("15:04"); d.quiet && (now >= "20:00" || now < "09:30") {
			t.Fatalf("%s of %s was sent at %s in %s", d.id, e.CustomerID, now, zone)
		}
		given, known := false, false
		for _, name := range []string{"consent", "consent." + d.channel, "consent." + d.channel + "." + string(d.purpose)} {
			if v, ok := m.consent[e.CustomerID][name]; ok {
				given, known = v, true
			}
		}
		if d.purpose == Service && known && !given || d.purpose != Service && !given {
			t.Fatalf("%s was sent to %s without consent", d.id, e.CustomerID)
		}
	}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// checkAll looks at the whole log.
func (m *model) checkAll(t *rapid.T) {
	sent := map[string][]*event.CampaignEntry{}
	ids, ended, hours, total := map[string]bool{}, 0, map[string]int64{}, map[string]int64{}
	for i := range m.entries {
		e := &m.entries[i]
		if e.Decision == nil {
			continue
		}
		if e.IsHistory {
			t.Fatalf("decided inside history: %+v", e.Decision)
		}
		if e.Decision.Outcome != event.CampaignPostponed {
			ended++
		}
		if (e.Message != nil) != (e.Decision.Outcome == event.CampaignSent) {
			t.Fatalf("%s with message %v", e.Decision.Outcome, e.Message)
		}
		if e.Message == nil {
			continue
		}
		id := e.Message.CampaignID
		if ids[e.Message.MessageID] {
			t.Fatalf("message %s twice", e.Message.MessageID)
		}
		ids[e.Message.MessageID] = true
		sent[e.CustomerID] = append(sent[e.CustomerID], e)
		total[id]++
		hours[fmt.Sprint(id, int64(e.EntryTime)/3600_000)]++
		if point("global_holdout", e.CustomerID) < drawnGlobal*100 {
			t.Fatalf("%s is held out of all campaigns and got %s", e.CustomerID, id)
		}
	}
	if m.triggers != ended+m.waiting() {
		t.Fatalf("%d triggers, %d decided, %d wait", m.triggers, ended, m.waiting())
	}
	m.checkHoldouts(t)
	m.checkLimits(t, hours, total)
	for who, list := range sent {
		m.checkCaps(t, who, list)
	}
}

// point is an assignment's point, worked out as the documentation says.
func point(words ...string) int64 {
	h := sha256.New()
	for i, w := range words {
		if i > 0 {
			h.Write([]byte{0})
		}
		h.Write([]byte(w))
	}
	return int64(binary.BigEndian.Uint64(h.Sum(nil)) % 10_000)
}

// checkHoldouts compares each assignment with the holdout of the version that made
// it.
func (m *model) checkHoldouts(t *rapid.T) {
	for i := range m.entries {
		d := m.entries[i].Decision
		if d == nil || d.Outcome != event.CampaignSent {
			continue
		}
		least := int64(100)
		for _, v := range m.limits[d.CampaignID] {
			least = min(least, v.holdout)
		}
		who := m.entries[i].CustomerID
		if point("holdout", d.CampaignID, who) < 100*least {
			t.Fatalf("%s is held out of %s in every version, and got it", who, d.CampaignID)
		}
		want := "b"
		if point("arm", d.CampaignID, who) < 3000 {
			want = "a"
		}
		if d.Arm != want {
			t.Fatalf("%s has arm %s of %s, want %s", who, d.Arm, d.CampaignID, want)
		}
	}
}

// checkLimits holds hours and budgets against the largest of all versions.
func (m *model) checkLimits(t *rapid.T, hours, total map[string]int64) {
	for id, versions := range m.limits {
		var perHour, budget int64
		open := false
		for _, v := range versions {
			perHour, budget, open = max(perHour, v.perHour), max(budget, v.budget), open || v.perHour == 0
		}
		if open {
			continue
		}
		part := func(n int64) int64 { // the first n mod partitions have one more
			return (n + int64(m.partitions) - 1 - int64(m.partition)) / int64(m.partitions)
		}
		if total[id] > part(budget) {
			t.Fatalf("%s: %d sent, the share of %d is %d", id, total[id], budget, part(budget))
		}
		for hour, n := range hours {
			if strings.HasPrefix(hour, id) && n > part(perHour) {
				t.Fatalf("%s: %d in hour %s, the share of %d is %d", id, n, hour, perHour, part(perHour))
			}
		}
	}
}

// checkCaps tries every window that begins with a message.
func (m *model) checkCaps(t *rapid.T, who string, list []*event.CampaignEntry) {
	for i, first := range list {
		email, all := 0, 0
		for _, e := range list[i:] {
			if e.Message.Purpose == string(Service) {
				continue
			}
			if e.Message.Channel == event.ChannelEmail && e.EntryTime < first.EntryTime.Add(capWithin) {
				email++
			}
			if e.EntryTime < first.EntryTime.Add(capAnyWithin) {
				all++
			}
		}
		if email > capMost || all > capAnyMost {
			t.Fatalf("%s got %d e-mails in %s and %d messages in %s from %s on", who, email, capWithin, all, capAnyWithin, first.EntryTime)
		}
	}
}
