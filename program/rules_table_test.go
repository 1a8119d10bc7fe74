package program

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// The tables of testdata/tables say what rules do, in words that a marketer can
// check. A section begins with "== what it shows"; indented lines are sections
// of a program.yaml that replace those of base.yaml; then a header names the
// columns and each row is one thing that happens:
//
//	at      day and time in the program's zone (earlier than the row before: it
//	        arrives late), or with a zone
//	event   see parseEvent
//	points, balance, tier, scores, spend, lots   how the member stands after it
//	reason  what the ledger says
//
// A column that is not named is not looked at.
var fill = flag.Bool("fill", false, "replace ? in tables by what comes out (then read it)")

func TestTables(t *testing.T) {
	base, err := os.ReadFile("testdata/tables/base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob("testdata/tables/*.txt")
	if len(names) < 5 {
		t.Fatalf("only %d tables", len(names))
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(content), "\n")
		var sec *section
		for i, line := range lines {
			at := fmt.Sprintf("%s:%d", name, i+1)
			switch {
			case strings.HasPrefix(line, "== "):
				sec = &section{t: t, overrides: map[string]string{}, base: string(base), members: map[string]bool{}}
			case strings.HasPrefix(line, "#"), strings.TrimSpace(line) == "":
			case sec == nil:
				t.Fatalf("%s: before the first section", at)
			case strings.HasPrefix(line, "  "):
				sec.yaml += line[2:] + "\n"
			case sec.columns == nil:
				sec.begin(at, line)
			default:
				lines[i] = sec.row(at, line)
			}
		}
		if *fill {
			if err := os.WriteFile(name, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

type section struct {
	t         *testing.T
	base      string
	yaml      string
	overrides map[string]string
	columns   []string
	book      *Book
	w         *world
	members   map[string]bool
}

var topKey = regexp.MustCompile(`(?m)^([a-z_]+):`)

// byKey cuts a file into its top sections.
func byKey(content string) (keys []string, parts map[string]string) {
	parts = map[string]string{}
	starts := topKey.FindAllStringSubmatchIndex(content, -1)
	for i, s := range starts {
		end := len(content)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		key := content[s[2]:s[3]]
		keys = append(keys, key)
		parts[key] = content[s[0]:end]
	}
	return keys, parts
}

func (s *section) begin(at, header string) {
	for c := range strings.SplitSeq(header, "|") {
		s.columns = append(s.columns, strings.TrimSpace(c))
	}
	_, parts := byKey(s.base)
	_, own := byKey(s.yaml)
	for key, part := range own {
		parts[key] = part
	}
	content := ""
	for _, part := range parts {
		content += strings.TrimRight(part, "\n") + "\n"
	}
	b, problems := Parse(map[string]string{ProgramFile: content})
	for _, p := range problems {
		s.t.Errorf("%s: %s", at, p)
	}
	if b == nil {
		s.t.FailNow()
	}
	b.ID = "table" // the order of map keys above must not show
	s.book = b
	s.w = &world{t: s.t, st: &MemState{}, l: NewLibrary()}
	s.w.l.Add(b, 0)
}

func (s *section) time(at, text string) event.Time {
	if t, err := event.ParseTime(text); err == nil {
		return t
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", text, s.book.Zone)
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	return event.At(t)
}

// row plays one row and returns it with ? replaced.
func (s *section) row(at, line string) string {
	s.t.Helper()
	cells := strings.Split(line, "|")
	if len(cells) != len(s.columns) {
		s.t.Fatalf("%s: %d cells under %d columns", at, len(cells), len(s.columns))
	}
	want := map[string]string{}
	for i, c := range cells {
		want[s.columns[i]] = strings.TrimSpace(c)
	}
	instant, who := s.time(at, want["at"]), want["member"]
	s.members[who] = true
	fired := s.w.to(instant, who)
	ev, err := parseEvent(want["event"], s.book.Currency)
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	var got map[string]string
	switch {
	case ev == nil && want["event"] == "time passes":
		got = s.standing(who, fired)
	case ev == nil:
		got = s.standing(who, s.cuts(at, want["event"], instant, who))
	default:
		for _, e := range fired {
			if len(e.Postings) > 0 || e.Tier != nil {
				s.t.Errorf("%s: time changed something before it: give that a row \"time passes\"", at)
			}
		}
		ev.AccountID, ev.EventTime = who, instant
		got = s.standing(who, []event.Entry{s.w.apply(*ev)})
	}
	for i, c := range s.columns[3:] {
		i += 3
		switch {
		case want[c] == "?" && *fill:
			cells[i] = " " + got[c] + " "
		case want[c] != got[c]:
			s.t.Errorf("%s: %s: %s is %q, the table says %q", at, want["event"], c, got[c], want[c])
		}
	}
	return strings.TrimRight(strings.Join(cells, "|"), " ")
}

// cuts puts new cut points in force and visits the member.
func (s *section) cuts(at, text string, instant event.Time, who string) []event.Entry {
	var r, f, m [4]int64
	if _, err := fmt.Sscanf(text, "cut points: days %d %d %d %d, orders %d %d %d %d, spend %d %d %d %d",
		&r[0], &r[1], &r[2], &r[3], &f[0], &f[1], &f[2], &f[3], &m[0], &m[1], &m[2], &m[3]); err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	cut := &event.CutPoints{Day: event.DayOf(instant, s.book.Zone), Customers: 100}
	for i := range 4 {
		cut.RecencyDays5[i], cut.OrdersCount5[i], cut.SpendMinor5[i] = 5*r[i], 5*f[i], 5*100*m[i]
	}
	s.w.m.CutPoints = cut
	var e event.Entry
	if !s.w.l.Rescore(s.w.st, s.w.m, who, &e) {
		return nil
	}
	return []event.Entry{e}
}

func (s *section) standing(who string, entries []event.Entry) map[string]string {
	var points int64
	var why []string
	for i := range entries {
		for _, p := range entries[i].Postings {
			if p.Account == event.AccountCustomer {
				points += p.Points
			}
		}
		why = append(why, reasons(&entries[i], s.book)...)
	}
	st, ok := ReadStanding(s.w.st, s.w.l, who)
	if !ok {
		st = &event.Standing{}
	}
	w := words{book: s.book}
	var lots []string
	for _, l := range Lots(s.w.st, who) {
		text := fmt.Sprint(l.Remaining)
		if l.ExpiresOn != 0 {
			text += " to " + l.ExpiresOn.String()
		}
		lots = append(lots, text)
	}
	return map[string]string{
		"points": fmt.Sprint(points), "balance": fmt.Sprint(st.Balance), "tier": st.Tier,
		"scores": fmt.Sprintf("%d%d%d", st.Scores.R, st.Scores.F, st.Scores.M),
		"spend":  strings.TrimSuffix(w.money(st.NetSpendMinor), " "+s.book.Currency),
		"lots":   strings.Join(lots, ", "), "reason": strings.Join(why, ", "),
	}
}

// reasons writes what an entry says.
func reasons(e *event.Entry, b *Book) (out []string) {
	if e.Outcome != event.OutcomeApplied {
		s := string(e.Outcome)
		if e.Reason != "" {
			s += ": " + e.Reason
		}
		out = append(out, s)
	}
	if e.Enrolment != nil {
		out = append(out, "joined by "+e.Enrolment.RuleID)
	}
	for _, d := range e.Decisions {
		s := fmt.Sprintf("%s %d", d.RuleID, d.Points)
		if len(d.Multipliers) > 0 {
			s += fmt.Sprintf(" (%d%% %s)", d.Percent, strings.Join(d.Multipliers, " "))
		}
		if d.Reason != "" {
			s += " (" + d.Reason + ")"
		}
		out = append(out, s)
	}
	if f := e.Refund; f != nil && e.Outcome == event.OutcomeApplied {
		w := words{book: b}
		bare := func(minor int64) string { return strings.TrimSuffix(w.money(minor), " "+b.Currency) }
		for _, a := range f.Allocations {
			s := fmt.Sprintf("%s back of %s", bare(a.AmountMinor), a.OrderID)
			if a.PointsReversed > 0 {
				s += fmt.Sprintf(" (%d points)", a.PointsReversed)
			}
			out = append(out, s)
		}
		if rest := f.NetMinor - f.MatchedMinor; rest != 0 {
			where := " of no order"
			if f.OrderID != "" {
				where = " of shipping and tax"
			}
			out = append(out, bare(rest)+where)
		}
	}
	sums := map[string]int64{}
	for _, p := range e.Postings {
		if p.Account == event.AccountCustomer && slices.Contains([]string{event.PostSpend, event.PostExpire}, p.Reason) {
			sums[p.Reason] -= p.Points
		}
	}
	if n := sums[event.PostSpend]; n > 0 {
		out = append(out, fmt.Sprintf("spent %d", n))
	}
	if n := sums[event.PostExpire]; n > 0 {
		out = append(out, fmt.Sprintf("expired %d", n))
	}
	if e.Tier != nil {
		out = append(out, fmt.Sprintf("%s %s", e.Tier.To, e.Tier.Reason))
	}
	return out
}
