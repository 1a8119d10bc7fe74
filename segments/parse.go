package segments

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/rulefile"
)

// versionBytes is how much of a file's hash is its version.
const versionBytes = 8

// Condition is a segment that only a campaign asks for. Its ID begins with
// event.SegmentTrigger; Who stands where a segment file has who.
type Condition struct {
	ID, Version string
	Who         rulefile.Place
}

// Parse reads the files segments/*.yaml of a bundle, and the conditions of its
// campaigns, and checks them against the program. It reports all problems at once;
// the Set is nil when there is one. The result depends on its arguments alone.
func Parse(files map[string]string, book *program.Book, conditions []Condition) (*Set, []rulefile.Problem) {
	r := newReader(book)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		id, ok := idOfFile(name)
		if !ok {
			continue
		}
		if !fileID.MatchString(id) {
			r.c.Add(rulefile.Problem{File: name, Line: 1, Column: 1, Message: fmt.Sprintf("%q is not an id", rulefile.Clip(id)), Hint: "small letters, digits, - and _, such as segments/big-spenders.yaml"})
			continue
		}
		r.draft(id, name, files[name])
	}
	if n := len(r.drafts); n > MaxSegments {
		r.c.Add(rulefile.Problem{File: r.drafts[MaxSegments].file, Message: fmt.Sprintf("there are %d segments, at most %d", n, MaxSegments), Hint: "remove some"})
		return nil, r.c.Sorted()
	}
	for _, c := range conditions {
		c.Who.Complaints = r.c
		r.add(&draft{Segment: Segment{ID: c.ID, Name: c.ID, Version: c.Version}, who: c.Who, has: true})
	}
	for _, d := range r.drafts {
		if d.has {
			r.current, r.leaves = d, 0
			d.Who = r.node(d.who, 0)
		}
	}
	order := r.order()
	if !r.c.None() {
		return nil, r.c.Sorted()
	}
	return r.finish(order), nil
}

// idOfFile returns what a segment file's name names.
func idOfFile(name string) (string, bool) {
	id, ok := strings.CutPrefix(name, program.SegmentsDir)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(id, ".yaml")
}

var fileID = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// draft is a segment being read.
type draft struct {
	Segment
	file  string
	who   rulefile.Place
	has   bool // who is there
	asks  []ask
	state visit
}

// ask is a segment that a draft asks for, and where.
type ask struct {
	to int
	at rulefile.Place
}

type visit uint8

const (
	unseen visit = iota
	onPath
	done
)

// reader collects what the files say.
type reader struct {
	c       *rulefile.Complaints
	book    *program.Book
	set     *Set
	drafts  []*draft
	byID    map[string]int
	current *draft
	leaves  int // of the current segment

	quantityAt, leafAt map[string]int
}

func newReader(book *program.Book) *reader {
	if book == nil {
		book = &program.Book{}
	}
	return &reader{
		c: &rulefile.Complaints{}, book: book, set: &Set{Book: book, byID: map[string]int{}}, byID: map[string]int{},
		quantityAt: map[string]int{}, leafAt: map[string]int{},
	}
}

func (r *reader) add(d *draft) {
	r.byID[d.ID] = len(r.drafts)
	r.drafts = append(r.drafts, d)
}

// draft reads the head of a segment file.
func (r *reader) draft(id, file, content string) {
	sum := sha256.Sum256([]byte(content))
	d := &draft{Segment: Segment{ID: id, Name: id, Version: hex.EncodeToString(sum[:versionBytes])}, file: file}
	r.add(d)
	top, ok := rulefile.Read(file, content, r.c)
	if !ok {
		return
	}
	f, ok := top.Fields("name", "description", "who")
	if !ok {
		return
	}
	if p, ok := f.Get("name"); ok {
		d.Name = p.Text()
	}
	if p, ok := f.Get("description"); ok {
		d.Description = p.Text()
	}
	d.who, d.has = f.Need("who", "who is in it, such as who: {orders: {at_least: 1}}")
}

// order sorts the drafts so that each comes after those that it asks for, by id
// otherwise, and names cycles.
func (r *reader) order() []int {
	var out, path []int
	var see func(i int)
	see = func(i int) {
		d := r.drafts[i]
		d.state = onPath
		path = append(path, i)
		for _, a := range d.asks {
			switch r.drafts[a.to].state {
			case unseen:
				see(a.to)
			case onPath:
				a.at.Problem("take one of these out of another", "a segment that asks for itself: %s", r.cycle(path, a.to))
			}
		}
		path = path[:len(path)-1]
		d.state = done
		out = append(out, i)
	}
	for i := range r.drafts {
		if r.drafts[i].state == unseen {
			see(i)
		}
	}
	return out
}

// cycle writes the way from a segment back to itself.
func (r *reader) cycle(path []int, to int) string {
	var names []string
	for _, i := range path[slices.Index(path, to):] {
		names = append(names, r.drafts[i].ID)
	}
	return strings.Join(append(names, r.drafts[to].ID), " → ")
}

// finish puts the segments in order and gives the set its ID.
func (r *reader) finish(order []int) *Set {
	s := r.set
	place := make([]int, len(order))
	for at, i := range order {
		place[i] = at
	}
	for at, i := range order {
		d := r.drafts[i]
		renumber(&d.Who, place)
		s.Segments = append(s.Segments, d.Segment)
		s.byID[d.ID] = at
	}
	s.ID, s.plan = s.hash(), newPlan(s)
	return s
}

func renumber(n *Node, place []int) {
	if n.Op == OpSegment {
		n.Index = place[n.Index]
	}
	for i := range n.Children {
		renumber(&n.Children[i], place)
	}
}

// hash covers all that membership depends on: what is compared with what, in the
// order that states number it, and of the program its zone and ladder.
func (s *Set) hash() uint64 {
	h := sha256.New()
	b := s.Book
	fmt.Fprintf(h, "segments 1\n%q %q %d %d %+v\n", b.TimeZone, b.Currency, b.Tiers.WindowDays, b.Tiers.ReviewDays, b.Tiers.Levels)
	for i := range s.Quantities {
		fmt.Fprintf(h, "%+v\n", s.Quantities[i])
	}
	for i := range s.Leaves {
		l := &s.Leaves[i]
		fmt.Fprintf(h, "%d %d %d %d %v %v %q %v\n", l.Quantity, l.Form, l.Min, l.Max, l.HasMin, l.HasMax, l.Words, l.Truth)
	}
	for i := range s.Segments {
		fmt.Fprintf(h, "%q %+v\n", s.Segments[i].ID, s.Segments[i].Who)
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// quantity returns the number of a quantity, the same for equal ones.
func (r *reader) quantity(q Quantity) int {
	key := fmt.Sprintf("%+v", q)
	at, ok := r.quantityAt[key]
	if !ok {
		at = len(r.set.Quantities)
		r.quantityAt[key] = at
		r.set.Quantities = append(r.set.Quantities, q)
	}
	return at
}

// leaf returns a node for a comparison, the same leaf for equal ones.
func (r *reader) leaf(p rulefile.Place, q Quantity, c comparison, text string) Node {
	if r.leaves++; r.leaves == MaxLeaves+1 {
		p.Problem("make two segments of it", "a segment has at most %d conditions", MaxLeaves)
	}
	l := Leaf{
		Quantity: r.quantity(q), Form: c.Form, Min: c.Min, Max: c.Max, HasMin: c.HasMin, HasMax: c.HasMax,
		Words: c.Words, Truth: c.Truth, Text: text,
	}
	key := fmt.Sprintf("%+v", l)
	at, ok := r.leafAt[key]
	if !ok {
		at = len(r.set.Leaves)
		r.leafAt[key] = at
		r.set.Leaves = append(r.set.Leaves, l)
	}
	return Node{Op: OpLeaf, Index: at}
}

// hidden reports whether only a campaign asks for the segment.
func (s *Segment) hidden() bool { return strings.HasPrefix(s.ID, triggerPrefix) }
