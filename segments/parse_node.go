package segments

import (
	"fmt"
	"slices"
	"strings"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// unit says what a quantity can be compared with.
type unit uint8

const (
	unitAny    unit = iota // a number, a word or a truth: facts and properties
	unitNumber             // whole
	unitDays
	unitScore
	unitMoney
	unitRank // of a tier
	unitWord
)

// measures are the quantities that a customer simply has.
var measures = map[string]struct {
	kind Kind
	unit unit
}{
	"recency":               {Recency, unitScore},
	"frequency":             {Frequency, unitScore},
	"monetary":              {Monetary, unitScore},
	"balance":               {Balance, unitNumber},
	"orders":                {Orders, unitNumber},
	"expiring_points":       {ExpiringPoints, unitNumber},
	"spend":                 {Spend, unitMoney},
	"spend_to_next_tier":    {SpendToNextTier, unitMoney},
	"spend_to_keep_tier":    {SpendToKeepTier, unitMoney},
	"days_since_last_order": {DaysSinceLast, unitDays},

	"days_since_first_order": {DaysSinceFirst, unitDays},
	"days_since_enrolled":    {DaysSinceEnrolled, unitDays},
	"days_since_tier":        {DaysSinceTier, unitDays},
	"days_to_tier_review":    {DaysToReview, unitDays},
	"days_to_expiry":         {DaysToExpiry, unitDays},
	"days_to_birthday":       {DaysToBirthday, unitDays},
}

// forms are the leaves with a shape of their own.
var forms = map[string]func(*reader, rulefile.Place) Node{
	"member": (*reader).member, "tier": (*reader).tier, "overdue": (*reader).overdue,
	"count": (*reader).count, "sum": (*reader).sum, "never": (*reader).never,
	"days_since_last": (*reader).sinceLast, "days_since_first": (*reader).sinceFirst, "latest": (*reader).latest,
	"fact": (*reader).fact, "segment": (*reader).segment,
}

func init() {
	for name := range forms {
		words = append(words, name)
	}
	for name := range measures {
		words = append(words, name)
	}
	slices.Sort(words)
}

// words are all that a condition can begin with.
var words = []string{"all", "any", "not"}

// node reads a condition: a mapping with exactly one key.
func (r *reader) node(p rulefile.Place, depth int) Node {
	if depth > MaxDepth {
		p.Problem("make a segment of the inner part and ask for it", "all, any and not stand in each other more than %d deep", MaxDepth)
		return Node{}
	}
	pairs, ok := p.Pairs()
	if !ok {
		return Node{}
	}
	if len(pairs) != 1 {
		p.Problem("several conditions go under all: or any:, each with its own -", "a condition has one key, not %d", len(pairs))
		return Node{}
	}
	key, value := pairs[0].Key, pairs[0].Value
	switch key {
	case "all":
		return r.list(OpAll, value, depth)
	case "any":
		return r.list(OpAny, value, depth)
	case "not":
		return Node{Op: OpNot, Children: []Node{r.node(value, depth+1)}}
	}
	if read, ok := forms[key]; ok {
		return read(r, value)
	}
	if m, ok := measures[key]; ok {
		r.possible(pairs[0].At, key, m.kind)
		return r.measure(key, value, Quantity{Kind: m.kind}, m.unit)
	}
	pairs[0].At.Problem(rulefile.Suggest(key, words), "%q is no condition", rulefile.Clip(key))
	return Node{}
}

func (r *reader) list(op Op, p rulefile.Place, depth int) Node {
	n := Node{Op: op}
	items := p.Items(MaxLeaves)
	if items != nil && len(items) == 0 {
		p.Problem("write a condition, such as - member: true", "is an empty list")
	}
	for _, item := range items {
		n.Children = append(n.Children, r.node(item, depth+1))
	}
	return n
}

// possible reports what the program has no use for.
func (r *reader) possible(p rulefile.Place, key string, k Kind) {
	b := r.book
	switch k {
	case SpendToNextTier, SpendToKeepTier, DaysSinceTier, DaysToReview:
		if len(b.Tiers.Levels) == 0 {
			p.Problem("add tiers to program.yaml", "the program has no tiers, so %s is never known", key)
		} else if b.Tiers.ReviewDays == 0 && (k == SpendToKeepTier || k == DaysToReview) {
			p.Problem("set tiers: review in program.yaml", "the program reviews no tiers, so %s is never known", key)
		}
	case ExpiringPoints, DaysToExpiry:
		if b.ExpiryMonths == 0 && b.ExpiryDays == 0 {
			p.Problem("set points: expire_after in program.yaml", "points of this program never expire, so %s is never known", key)
		}
	}
}

// measure reads a comparison of a plain quantity.
func (r *reader) measure(key string, p rulefile.Place, q Quantity, u unit) Node {
	c, text := r.compare(key, p, nil, u)
	return r.leaf(p, q, c, key+": "+text)
}

// member reads member: true.
func (r *reader) member(p rulefile.Place) Node {
	c := comparison{Form: FormTruth, Truth: p.Bool()}
	return r.leaf(p, Quantity{Kind: Member}, c, fmt.Sprintf("member: %v", c.Truth))
}

// tier reads tier: gold, or with a comparison.
func (r *reader) tier(p rulefile.Place) Node {
	if len(r.book.Tiers.Levels) == 0 {
		p.Problem("add tiers to program.yaml", "the program has no tiers")
		return Node{}
	}
	kind, u := Tier, unitWord
	if p.IsMap() {
		for _, key := range rangeKeys {
			if _, ok := p.Children()[key]; ok && key != keyIs {
				kind, u = TierRank, unitRank
			}
		}
	}
	return r.measureTier(p, Quantity{Kind: kind}, u)
}

func (r *reader) measureTier(p rulefile.Place, q Quantity, u unit) Node {
	c, text := r.compare("tier", p, nil, u)
	if u == unitWord && c.Form == FormWords {
		r.knownTiers(p, c.Words)
	}
	return r.leaf(p, q, c, "tier: "+text)
}

func (r *reader) tiers() (ids []string) {
	for _, l := range r.book.Tiers.Levels {
		ids = append(ids, l.ID)
	}
	return ids
}

func (r *reader) knownTiers(p rulefile.Place, ids []string) {
	for _, id := range ids {
		if !slices.Contains(r.tiers(), id) {
			p.Problem(rulefile.Suggest(id, r.tiers()), "the program has no tier %q", rulefile.Clip(id))
		}
	}
}

// overdue reads how many mean gaps the last order is ago.
func (r *reader) overdue(p rulefile.Place) Node {
	f, ok := p.Fields("times", "orders")
	if !ok {
		return Node{}
	}
	c, q := comparison{Form: FormRange, HasMin: true}, Quantity{Kind: GapPercent, MinOrders: minGapOrders}
	times := ""
	if at, ok := f.Need("times", "how many times the customer's mean gap between orders, such as 2"); ok {
		times, _ = at.Scalar()
		c.Min = r.hundredths(at) + 1
	}
	if at, ok := f.Get("orders"); ok {
		q.MinOrders = at.Integer(minGapOrders, maxNumber)
	}
	return r.leaf(p, q, c, fmt.Sprintf("overdue: times %s, orders %d", times, q.MinOrders))
}

// minGapOrders is how many orders have a gap between them.
const minGapOrders = 2

// hundredths reads a number of up to two decimals.
func (r *reader) hundredths(p rulefile.Place) int64 {
	s, _ := p.Scalar()
	v, err := event.ParseDecimal(s)
	if err == nil {
		v.Mul(v, hundred)
	}
	if err != nil || !v.IsInt() || v.Sign() <= 0 || v.Cmp(maxHundredths) > 0 {
		p.Problem("at most two decimals, such as 2 or 1.5", "is not a number of times between 0.01 and 1000")
		return 0
	}
	return v.Num().Int64()
}

// fact reads a condition on one of the customer's traits.
func (r *reader) fact(p rulefile.Place) Node {
	f, ok := p.Fields(append([]string{"name"}, comparisonKeys...)...)
	if !ok {
		return Node{}
	}
	at, ok := f.Need("name", "such as country or consent.email")
	if !ok {
		return Node{}
	}
	name := at.Text()
	c, text := r.compare("fact", p, &f, unitAny)
	return r.leaf(p, Quantity{Kind: Fact, Fact: name}, c, fmt.Sprintf("fact: name %s, %s", name, text))
}

// segment reads segment: a, or segment: {in: [a, b]}.
func (r *reader) segment(p rulefile.Place) Node {
	if !p.IsMap() {
		return r.askFor(p)
	}
	f, ok := p.Fields("in")
	if !ok {
		return Node{}
	}
	at, ok := f.Need("in", "a list of segments, such as {in: [loyal, champions]}")
	if !ok {
		return Node{}
	}
	n := Node{Op: OpAny}
	for _, item := range at.Items(MaxLeaves) {
		n.Children = append(n.Children, r.askFor(item))
	}
	if len(n.Children) == 0 {
		at.Problem("name at least one", "is an empty list")
	}
	return n
}

func (r *reader) askFor(p rulefile.Place) Node {
	if r.leaves++; r.leaves == MaxLeaves+1 {
		p.Problem("make two segments of it", "a segment has at most %d conditions", MaxLeaves)
	}
	id := p.Text()
	if id == "" {
		return Node{}
	}
	to, ok := r.byID[id]
	if !ok || strings.HasPrefix(id, triggerPrefix) {
		p.Problem(rulefile.Suggest(id, r.ids()), "there is no segment %q", rulefile.Clip(id))
		return Node{}
	}
	r.current.asks = append(r.current.asks, ask{to: to, at: p})
	return Node{Op: OpSegment, Index: to}
}

func (r *reader) ids() (out []string) {
	for _, d := range r.drafts {
		if !d.hidden() {
			out = append(out, d.ID)
		}
	}
	return out
}
