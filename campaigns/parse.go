package campaigns

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
	"github.com/punchcard/punchcard/segments"
)

// versionBytes is how much of a file's hash is its version.
const versionBytes = 8

func version(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:versionBytes])
}

// Parse reads campaigns.yaml and the files campaigns/*.yaml of a bundle and checks
// them against the program and the bundle's segments. It reports all problems at
// once, in order of file and line; the Plan is nil when there is one. A nil book
// or set is one that has problems of its own: what they would tell is not checked.
// Other files are not looked at, but for the names of segments.
func Parse(files map[string]string, book *program.Book, set *segments.Set) (*Plan, []rulefile.Problem) {
	c := &rulefile.Complaints{}
	r := newReader(files, book)
	plan := &Plan{Book: book, Set: set, byID: make(map[string]int)}
	if content, ok := files[program.CampaignsFile]; ok {
		if top, ok := rulefile.Read(program.CampaignsFile, content, c); ok {
			readShared(top, plan)
		}
	}
	names := campaignFiles(files)
	if len(names) > MaxCampaigns {
		c.Add(rulefile.Problem{File: names[MaxCampaigns], Line: 1, Column: 1, Message: fmt.Sprintf("there are %d campaigns, at most %d", len(names), MaxCampaigns), Hint: "remove those that are over"})
		return nil, c.Sorted()
	}
	for _, name := range names {
		id := idOf(name)
		if !idForm.MatchString(id) {
			c.Add(rulefile.Problem{File: name, Line: 1, Column: 1, Message: fmt.Sprintf("%q is not an id", rulefile.Clip(id)), Hint: "small letters, digits, - and _, such as " + program.CampaignsDir + "win-back.yaml"})
			continue
		}
		campaign := Campaign{ID: id, Name: id, Version: version(files[name])}
		if top, ok := rulefile.Read(name, files[name], c); ok {
			r.readCampaign(top, &campaign)
		}
		plan.Campaigns = append(plan.Campaigns, campaign)
	}
	if !c.None() {
		return nil, c.Sorted()
	}
	plan.order()
	return plan, nil
}

// order sorts by descending priority, then id.
func (p *Plan) order() {
	slices.SortFunc(p.Campaigns, func(a, b Campaign) int {
		if a.Priority != b.Priority {
			return int(b.Priority - a.Priority)
		}
		return strings.Compare(a.ID, b.ID)
	})
	for i := range p.Campaigns {
		p.byID[p.Campaigns[i].ID] = i
	}
}

// Find returns a campaign by its id.
func (p *Plan) Find(id string) (*Campaign, bool) {
	if p == nil {
		return nil, false
	}
	i, ok := p.byID[id]
	if !ok {
		return nil, false
	}
	return &p.Campaigns[i], true
}

// Conditions returns what the customer processor watches for campaigns whose
// trigger is time alone: inactivity, a birthday, points about to expire. Each is
// a segment named "trigger:<campaign>", whose version is the hash of what it asks,
// so that new words for a message leave it as it is. A campaign whose trigger is
// not well-formed has none; Parse says what is wrong with it.
func Conditions(files map[string]string, book *program.Book, c *rulefile.Complaints) []segments.Condition {
	var out []segments.Condition
	names := campaignFiles(files)
	if len(names) > MaxCampaigns {
		return nil
	}
	r := newReader(files, book)
	for _, name := range names {
		id := idOf(name)
		quiet := &rulefile.Complaints{}
		top, ok := rulefile.Read(name, files[name], quiet)
		if !ok || !idForm.MatchString(id) {
			continue
		}
		when, ok := top.Children()["when"]
		if !ok {
			continue
		}
		trigger := r.readTrigger(when, id)
		if !quiet.None() {
			continue
		}
		asked := trigger.condition()
		if asked == "" {
			continue
		}
		if who, ok := rulefile.Read(name, asked, c); ok {
			out = append(out, segments.Condition{ID: trigger.Segment, Version: version(asked), Who: who})
		}
	}
	return out
}

// condition writes a trigger as a segment file would ask for it; empty: it is
// none that is watched.
func (t *Trigger) condition() string {
	switch t.Kind {
	case Inactivity:
		return fmt.Sprintf("days_since_last_order: {at_least: %d}\n", t.Days)
	case Birthday:
		return fmt.Sprintf("days_to_birthday: {at_most: %d}\n", t.Days)
	case PointsExpire:
		return fmt.Sprintf("all:\n  - days_to_expiry: {at_most: %d}\n  - expiring_points: {at_least: %d}\n", t.Days, t.Points)
	}
	return ""
}

// reader reads the campaigns of one bundle.
type reader struct {
	book         *program.Book // nil: it has problems of its own
	segmentNames []string      // ascending
	tierNames    []string
}

func newReader(files map[string]string, book *program.Book) *reader {
	r := &reader{book: book}
	for name := range files {
		if id, ok := strings.CutPrefix(name, program.SegmentsDir); ok {
			r.segmentNames = append(r.segmentNames, strings.TrimSuffix(id, ".yaml"))
		}
	}
	slices.Sort(r.segmentNames)
	if book != nil {
		for _, l := range book.Tiers.Levels {
			r.tierNames = append(r.tierNames, l.ID)
		}
	}
	return r
}

// campaignFiles returns the names of the campaigns' files, ascending.
func campaignFiles(files map[string]string) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, program.CampaignsDir) && strings.HasSuffix(name, ".yaml") {
			out = append(out, name)
		}
	}
	return out
}

func idOf(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, program.CampaignsDir), ".yaml")
}

var idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// segment reads the name of a segment that has a file.
func (r *reader) segment(p rulefile.Place) string {
	s := p.Text()
	if s != "" {
		r.checkSegment(p, s)
	}
	return s
}

func (r *reader) checkSegment(p rulefile.Place, id string) {
	if _, ok := slices.BinarySearch(r.segmentNames, id); ok {
		return
	}
	hint := "write " + program.SegmentsDir + id + ".yaml"
	if len(r.segmentNames) > 0 {
		hint = rulefile.Suggest(id, r.segmentNames)
	}
	p.Problem(hint, "there is no segment %q", rulefile.Clip(id))
}

// segmentList reads names of segments.
func (r *reader) segmentList(p rulefile.Place) []string {
	return r.names(p, maxNamed, r.checkSegment)
}

// tiers reads names of tiers.
func (r *reader) tiers(p rulefile.Place) []string {
	return r.names(p, program.MaxTiers, func(p rulefile.Place, id string) {
		if r.book != nil && !slices.Contains(r.tierNames, id) {
			p.Problem(rulefile.Suggest(id, r.tierNames), "there is no tier %q", rulefile.Clip(id))
		}
	})
}

// maxNamed bounds a list of segments.
const maxNamed = 20

// names reads a list of names, and checks each where it stands.
func (r *reader) names(p rulefile.Place, most int, check func(rulefile.Place, string)) []string {
	out := texts(p, most)
	places := []rulefile.Place{p}
	if p.IsList() {
		places = p.Silently().Items(most)
	}
	for _, at := range places {
		s, ok := at.Scalar()
		if at.Complaints = p.Complaints; ok && slices.Contains(out, s) {
			check(at, s)
		}
	}
	return out
}

// readShared reads campaigns.yaml.
func readShared(top rulefile.Place, plan *Plan) {
	f, ok := top.Fields("global_holdout", "quiet_hours", "caps")
	if !ok {
		return
	}
	if p, ok := f.Get("global_holdout"); ok {
		plan.GlobalHoldoutBP = basisPoints(p)
	}
	if p, ok := f.Get("quiet_hours"); ok {
		plan.QuietHours = quietHours(p)
	}
	if p, ok := f.Get("caps"); ok {
		for _, item := range p.Items(MaxCaps) {
			plan.Caps = append(plan.Caps, readCap(item))
		}
	}
}

// maxPerWindow bounds what one cap allows.
const maxPerWindow = 1000

func readCap(p rulefile.Place) Cap {
	var c Cap
	f, ok := p.Fields("channel", "most", "within", "purposes")
	if !ok {
		return c
	}
	if w, ok := f.Get("channel"); ok {
		c.Channel = w.Choice(event.Channels...)
	}
	if w, ok := f.Need("most", "how many messages, such as 2"); ok {
		c.Most = w.Integer(1, maxPerWindow)
	}
	if w, ok := f.Need("within", "in which time, such as 7 days"); ok {
		c.Within = length(w, MaxCapDays*day)
	}
	if w, ok := f.Get("purposes"); ok {
		for _, item := range w.Items(len(purposes)) {
			purpose := Purpose(item.Choice(purposes...))
			if purpose != "" && slices.Contains(c.Purposes, purpose) {
				item.Problem("keep one", "%s is in the list twice", purpose)
				continue
			}
			if purpose != "" {
				c.Purposes = append(c.Purposes, purpose)
			}
		}
		if len(c.Purposes) == 0 && w.IsList() {
			w.Problem("leave it out for marketing and survey", "names no purpose")
		}
	}
	return c
}

var purposes = []string{string(Marketing), string(Service), string(Survey)}
