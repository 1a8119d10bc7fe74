package campaigns

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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

// A timeline is a story that a marketer could read, testdata/timeline/*.txt. First
// come files, each behind "==> name"; program.yaml and the segments are those of
// testdata/timeline/bundle unless it has its own. "==> two/name" is a file of a
// second bundle, which has all files of the first but for those that "==> two/name
// gone" takes out. Behind "==> timeline" stand its lines. A time is a date and a time
// of day in the program's zone, or a time of day of the day that it is.
//
//	partition P of N                 the partition that is watched (0 of 1)
//	at TIME [LINE]                   the clock jumps there by one tick
//	until TIME                       the clock goes there, a tick a minute
//	order WHO AMOUNT [on TIME]       likewise refund WHO AMOUNT, redeem WHO POINTS, sign-up WHO
//	event WHO NAME [PROPERTY=VALUE …] [on TIME]
//	survey WHO KIND SCORE
//	fact WHO NAME VALUE              VALUE as JSON, or a word
//	enters WHO SEGMENT [by CAUSE]    stated, whatever its definition says; likewise leaves
//	history begins | ends            in between, everything is history
//	activate NAME [from TIME]        the bundle of that name, at once or from then
//	restart                          a new machine on the same state
//	simulated WHO                    the customer's events from now on are simulated
//
//	expect CHANNEL CAMPAIGN to WHO [at T | between T and T] [arm ARM] [locale L] [says TEXT] [simulated | real]
//	expect held CAMPAIGN WHO REASON [at T | between T and T] [arm ARM]
//	expect postponed CAMPAIGN WHO REASON until T
//	expect nothing [until T]
//	expect waiting N
//
// An expectation with times lets the clock go on, to its end at most. Every message
// and every one held back must be expected, in the order in which they come for one
// campaign and customer; postponed ones may.
type timeline struct {
	*world
	name      string
	line      int
	bundles   map[string]map[string]string
	zone      *time.Location
	orders    int
	simulated map[string]bool
	seen      map[int]bool // entries that were expected
}

func TestTimelines(t *testing.T) {
	names, err := filepath.Glob("testdata/timeline/*.txt")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d timelines, %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) { runTimeline(t, name) })
	}
}

func runTimeline(t *testing.T, name string) {
	files, lines, first := readTimeline(t, name)
	tl := &timeline{world: newWorld(t, 0, 1), name: name, bundles: files, simulated: map[string]bool{}, seen: map[int]bool{}}
	_, book, _, err := parseBundle(files[""])
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	tl.zone = book.Zone
	for i, line := range lines {
		tl.line = first + i
		if before, _, comment := strings.Cut(line, "#"); comment {
			line = before
		}
		words, err := wordsOf(line)
		if err == nil && len(words) > 0 {
			err = tl.do(words)
		}
		if err != nil {
			t.Fatalf("%s:%d: %s: %v", name, tl.line, strings.TrimSpace(line), err)
		}
	}
	if err := tl.nothing(); err != nil {
		t.Fatalf("%s: at the end: %v", name, err)
	}
	tl.waiting()
	tl.balanced()
	tl.again()
}

// readTimeline returns the files of its bundles by name ("" is the first), and its
// lines with the number of the first.
func readTimeline(t *testing.T, name string) (bundles map[string]map[string]string, lines []string, first int) {
	base := map[string]string{}
	err := filepath.WalkDir("testdata/timeline/bundle", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		base[strings.TrimPrefix(filepath.ToSlash(path), "testdata/timeline/bundle/")] = read(t, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	bundles = map[string]map[string]string{"": base}
	var into map[string]string
	file, at := "", 0
	for sc := bufio.NewScanner(strings.NewReader(read(t, name))); sc.Scan(); {
		at++
		head, ok := strings.CutPrefix(sc.Text(), "==> ")
		switch {
		case ok && head == "timeline":
			file, first = head, at+1
		case ok:
			bundle, rest := "", head
			if dir, more, nested := strings.Cut(head, "/"); nested && dir+"/" != program.SegmentsDir && dir+"/" != program.CampaignsDir {
				bundle, rest = dir, more
			}
			if bundles[bundle] == nil {
				bundles[bundle] = maps.Clone(bundles[""])
			}
			into, file = bundles[bundle], rest
			if out, gone := strings.CutSuffix(rest, " gone"); gone {
				delete(into, out)
				file = ""
				continue
			}
			into[file] = ""
		case file == "timeline":
			lines = append(lines, sc.Text())
		case file != "" && into != nil:
			into[file] += sc.Text() + "\n"
		}
	}
	return bundles, lines, first
}

// wordsOf cuts a line into words; one in quotes may hold blanks.
func wordsOf(line string) (words []string, err error) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] == '"' {
			end := strings.IndexByte(line[1:], '"')
			if end < 0 {
				return nil, errors.New("a quote is not closed")
			}
			words, line = append(words, line[1:1+end]), line[2+end:]
			continue
		}
		end := strings.IndexByte(line, ' ')
		if end < 0 {
			end = len(line)
		}
		words, line = append(words, line[:end]), line[end:]
	}
	return words, nil
}

// time reads a time from the front of the words.
func (tl *timeline) time(words []string) (event.Time, []string, error) {
	if len(words) == 0 {
		return 0, nil, errors.New("a time is missing")
	}
	text, rest := words[0], words[1:]
	if strings.Contains(text, "-") && len(rest) > 0 {
		text, rest = text+" "+rest[0], rest[1:]
	} else {
		text = tl.clock.Std().In(tl.zone).Format(time.DateOnly) + " " + text
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04Z"} {
		zone := tl.zone
		if strings.HasSuffix(layout, "Z") {
			zone = time.UTC
		}
		if v, err := time.ParseInLocation(layout, text, zone); err == nil {
			return event.At(v), rest, nil
		}
	}
	return 0, nil, fmt.Errorf("%q is no time", text)
}

func (tl *timeline) do(words []string) error {
	verb, args := words[0], words[1:]
	switch verb {
	case "at":
		at, rest, err := tl.time(args)
		if err != nil {
			return err
		}
		tl.begin()
		if at < tl.clock {
			return fmt.Errorf("it is %s already", tl.clock)
		}
		if at > tl.clock {
			tl.tick(at)
		}
		if len(rest) > 0 {
			return tl.do(rest)
		}
		return nil
	case "until":
		at, _, err := tl.time(args)
		if err == nil {
			tl.to(at, func() bool { return false })
		}
		return err
	case "partition":
		p, err := strconv.Atoi(args[0])
		n, err2 := strconv.Atoi(args[2])
		tl.world = newWorld(tl.t, int32(p), int32(n))
		return errors.Join(err, err2)
	case "history":
		tl.begin()
		tl.history(args[0] == "begins")
	case "activate":
		return tl.activateNamed(args)
	case "restart":
		tl.machine = tl.newMachine()
	case "simulated":
		tl.simulated[args[0]] = true
	case "enters", "leaves":
		change := map[string]string{"enters": event.SegmentEntered, "leaves": event.SegmentLeft}[verb]
		cause := event.SegmentByEvent
		if len(args) == 4 {
			cause = args[3]
		}
		tl.states(args[0], args[1], change, cause)
	case "expect":
		return tl.expect(args)
	default:
		return tl.happens(verb, args)
	}
	return nil
}

// begin puts the first bundle in force.
func (tl *timeline) begin() {
	if len(tl.world.bundles) == 0 {
		if err := tl.activate(tl.bundles[""], 0); err != nil {
			tl.t.Fatalf("%s: %v", tl.name, err)
		}
	}
}

func (tl *timeline) activateNamed(args []string) error {
	from := tl.clock
	if len(args) > 1 {
		var err error
		if from, _, err = tl.time(args[2:]); err != nil {
			return err
		}
	}
	files, ok := tl.bundles[args[0]]
	if !ok {
		return fmt.Errorf("there is no bundle %q", args[0])
	}
	return tl.activate(files, from)
}

// happens is an event of a customer.
func (tl *timeline) happens(verb string, args []string) error {
	if len(args) < 1 {
		return fmt.Errorf("%q is no line of a timeline", verb)
	}
	tl.orders++
	ev := &event.Event{
		Type: event.TypeTrack, MessageID: fmt.Sprintf("m%d", tl.orders), AccountID: args[0], EventTime: tl.clock, BodyHash: "0", IsSimulated: tl.simulated[args[0]],
	}
	if n := len(args); n > 2 && slices.Contains(args, "on") {
		i := slices.Index(args, "on")
		at, _, err := tl.time(args[i+1:])
		if err != nil {
			return err
		}
		ev.EventTime, args = at, args[:i]
	}
	id := fmt.Sprintf("o%d", tl.orders)
	switch verb {
	case "order", "refund":
		amount, err := event.ParseDecimal(args[1])
		if err != nil {
			return err
		}
		minor, err := event.Minor(amount, "GBP")
		if err != nil {
			return err
		}
		ev.Name = event.NameOrderCompleted
		ev.Order = &event.Order{OrderID: id, Currency: "GBP", Lines: []event.OrderLine{{ProductID: "mug", Category: "kitchen", Quantity: 1, AmountMinor: minor}}}
		if verb == "refund" {
			ev.Name, ev.Order = event.NameOrderRefunded, nil
			ev.Refund = &event.Refund{RefundID: id, Currency: "GBP", Lines: []event.OrderLine{{ProductID: "mug", Quantity: 1, AmountMinor: minor}}}
		}
	case "redeem":
		n, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return err
		}
		ev.Type, ev.Redeem = event.TypeRedeem, &event.Redeem{RedemptionID: id, Points: n}
	case "sign-up":
		ev.Name = event.NameSignedUp
	case "survey":
		n, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil {
			return err
		}
		ev.Name, ev.Survey = event.NameSurveyAnswered, &event.Survey{Kind: args[1], Score: n}
	case "fact":
		ev.Type, ev.Traits = event.TypeIdentify, map[string]json.RawMessage{args[1]: jsonOf(args[2])}
	case "event":
		ev.Name, ev.Properties = args[1], map[string]json.RawMessage{}
		for _, pair := range args[2:] {
			name, value, _ := strings.Cut(pair, "=")
			ev.Properties[name] = jsonOf(value)
		}
	default:
		return fmt.Errorf("%q is no line of a timeline", verb)
	}
	tl.apply(ev)
	return nil
}

func jsonOf(text string) json.RawMessage {
	if json.Valid([]byte(text)) {
		return json.RawMessage(text)
	}
	quoted, _ := json.Marshal(text)
	return quoted
}

// to lets the clock go on, a tick a minute, until ok or the time.
func (tl *timeline) to(t event.Time, ok func() bool) {
	step := time.Minute
	if span := time.Duration(t-tl.clock) * time.Millisecond; span > 4*day {
		step = 30 * time.Minute // still less than a quarter of any wait
	}
	for !ok() && tl.clock < t {
		tl.tick(min(tl.clock.Add(step), t))
	}
}
