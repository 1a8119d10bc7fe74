package segments

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// The tables of testdata/tables say who is in a segment and when, in words that a
// marketer can check. A section begins with "== what it shows"; lines that begin
// with "segment" define one: its id, then who is in it; "zone" names another time
// zone, "points" another life of points. Then a header, and each row is one thing
// that happens to the customer:
//
//	day        day and time in the program's zone; earlier than the row before: it
//	           arrives late; with "clock TIME" the clock stands there, and the
//	           event is ahead of it
//	event      see play
//	entered    segments entered, and left: up to and with this row
//	left
//	clause     of these, each once
//	next flip  when time alone changes something next
var fill = flag.Bool("fill", false, "replace ? in tables by what comes out (then read it)")

func TestTables(t *testing.T) {
	base, err := os.ReadFile("testdata/tables/program.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob("testdata/tables/*.txt")
	if len(names) < 4 {
		t.Fatalf("only %d tables", len(names))
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(content), "\n")
		var s *section
		for i, line := range lines {
			at := fmt.Sprintf("%s:%d", name, i+1)
			switch {
			case strings.HasPrefix(line, "== "):
				s = &section{t: t, program: string(base), files: map[string]string{}}
			case strings.HasPrefix(line, "#"), strings.TrimSpace(line) == "":
			case s == nil:
				t.Fatalf("%s: before the first section", at)
			case !strings.Contains(line, "|"):
				s.head(at, line)
			case strings.HasPrefix(line, "day"):
				s.begin(at)
			default:
				lines[i] = s.row(at, line)
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
	t       *testing.T
	program string
	files   map[string]string
	book    *program.Book
	w       *world
	orders  int
}

// head reads what stands before the rows.
func (s *section) head(at, line string) {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "zone":
		s.program = strings.Replace(s.program, "Europe/London", rest, 1)
	case "points":
		s.program = strings.Replace(s.program, "90 days}", rest+"}", 1)
	case "segment":
		s.segment(rest)
	default:
		s.t.Fatalf("%s: %q", at, line)
	}
}

func (s *section) segment(text string) {
	id, who, _ := strings.Cut(text, " ")
	s.files["segments/"+id+".yaml"] = "who:\n  " + who
}

func (s *section) begin(at string) {
	b, problems := program.Parse(map[string]string{program.ProgramFile: s.program})
	for _, p := range problems {
		s.t.Fatalf("%s: %s", at, p)
	}
	s.book = b
	s.w = newWorld(s.t, b, s.set(at))
}

func (s *section) set(at string) *Set {
	set, problems := Parse(s.files, s.book, nil)
	for _, p := range problems {
		s.t.Fatalf("%s: %s", at, p)
	}
	return set
}

func (s *section) time(at, text string) event.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, s.book.Zone)
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	return event.At(t)
}

// row plays one row and returns it with ? replaced.
func (s *section) row(at, line string) string {
	cells := strings.Split(line, "|")
	if len(cells) != 6 {
		s.t.Fatalf("%s: %d cells", at, len(cells))
	}
	what, clock, ahead := strings.Cut(strings.TrimSpace(cells[1]), "; clock ")
	when := s.time(at, strings.TrimSpace(cells[0]))
	until := when
	if ahead {
		until = s.time(at, clock)
	}
	entries := s.w.to(until, "ann")
	entries = append(entries, s.play(at, what, when)...)
	var entered, left, clauses []string
	for i := range entries {
		e := &entries[i]
		for _, c := range e.Segments {
			text := c.SegmentID
			if e.EventTime != until && e.Kind == "" && what == "time passes" {
				text += " at " + s.clock(e.EventTime)
			}
			if c.Change == event.SegmentEntered {
				entered = append(entered, text)
			} else {
				left = append(left, text)
			}
			clause := c.Clause
			if c.Cause != event.SegmentByEvent && c.Cause != event.SegmentByTime {
				clause += " (" + c.Cause + ")"
			}
			if !slices.Contains(clauses, clause) {
				clauses = append(clauses, clause)
			}
		}
	}
	next := ""
	if due := s.w.keeper.NextDue(s.w.st, "ann"); due != 0 {
		next = s.clock(due)
	}
	for i, got := range []string{strings.Join(entered, ", "), strings.Join(left, ", "), strings.Join(clauses, "; "), next} {
		switch want := strings.TrimSpace(cells[2+i]); {
		case want == "?" && *fill:
			cells[2+i] = " " + got + " "
		case want != got:
			s.t.Errorf("%s: %s: %q came out, the table says %q", at, what, got, want)
		}
	}
	return strings.TrimRight(strings.Join(cells, "|"), " ")
}

// clock writes an instant; midnight as its day.
func (s *section) clock(t event.Time) string {
	return strings.TrimSuffix(t.Std().In(s.book.Zone).Format("2006-01-02 15:04"), " 00:00")
}

// play makes what a row says happen:
//
//	time passes
//	sign up
//	order 50.00 [of PRODUCT@CATEGORY] [on CHANNEL]   orders are numbered from 1
//	refund 1                                         of that order, whole
//	refund of no order 5.00
//	event NAME [key=value ...]                       _ in a name is a space
//	survey 9                                         nps
//	identify key=value ...                           null forgets
//	segment ID WHO                                   activates the set with this one added or changed
//	without ID                                       activates the set without it
func (s *section) play(at, what string, when event.Time) []event.Entry {
	verb, rest, _ := strings.Cut(what, " ")
	ev := event.Event{AccountID: "ann", EventTime: when}
	words := strings.Fields(rest)
	switch verb {
	case "time":
		return nil
	case "segment", "without":
		if verb == "segment" {
			s.segment(rest)
		} else {
			delete(s.files, "segments/"+rest+".yaml")
		}
		return []event.Entry{s.w.sweep(s.set(at), "ann")}
	case "sign":
		ev.Name = event.NameSignedUp
	case "order":
		s.orders++
		ev = s.order(at, words, when)
	case "refund":
		ev.Name = event.NameOrderRefunded
		ev.Refund = &event.Refund{RefundID: fmt.Sprintf("r%d", s.w.sequence), OrderID: rest, Currency: "GBP", Whole: true}
		if amount, none := strings.CutPrefix(rest, "of no order "); none {
			ev.Refund.OrderID, ev.Refund.Whole = "", false
			ev.Refund.Lines = []event.OrderLine{{ProductID: "Z", Quantity: 1, AmountMinor: s.minor(at, amount)}}
		}
	case "survey":
		n, _ := strconv.ParseInt(rest, 10, 64)
		ev.Name, ev.Survey = event.NameSurveyAnswered, &event.Survey{Kind: "nps", Score: n}
	case "event":
		ev.Name = strings.ReplaceAll(words[0], "_", " ")
		ev.Properties = pairs(words[1:])
	case "identify":
		ev.Type, ev.Traits = event.TypeIdentify, pairs(words)
	default:
		s.t.Fatalf("%s: %q", at, what)
	}
	e := s.w.apply(ev)
	if e.Outcome != event.OutcomeApplied && e.Outcome != event.OutcomeKept {
		s.t.Fatalf("%s: %s %s", at, e.Outcome, e.Reason)
	}
	return []event.Entry{e}
}

func (s *section) minor(at, text string) int64 {
	r, err := event.ParseDecimal(text)
	if err != nil {
		s.t.Fatalf("%s: %v", at, err)
	}
	n, _ := event.Minor(r, "GBP")
	return n
}

func (s *section) order(at string, words []string, when event.Time) event.Event {
	ev := orderOf("ann", fmt.Sprint(s.orders), when, s.minor(at, words[0]))
	for i := 1; i+1 < len(words); i += 2 {
		switch words[i] {
		case "of":
			l := &ev.Order.Lines[0]
			l.ProductID, l.Category, _ = strings.Cut(words[i+1], "@")
		case "on":
			ev.Context = &event.Context{Channel: words[i+1]}
		}
	}
	return ev
}

func pairs(words []string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for _, w := range words {
		k, v, _ := strings.Cut(w, "=")
		if !json.Valid([]byte(v)) {
			v = strconv.Quote(v)
		}
		out[k] = json.RawMessage(v)
	}
	return out
}
