package program

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

var update = flag.Bool("update", false, "write the golden files anew (only for a new format)")

func goldenCore() *core {
	return &core{
		nextDue: noon(1), member: true, counted: true, enrolled: noon(0), currency: "GBP", balance: 1234, debt: 0,
		orders: 3, ordersEver: 4, net: 99_999, first: noon(-9), last: noon(0), lastDay: day0,
		windowOrders: 3, windowNet: 99_999, tierSpend: 88_888, tierLacking: 11_111, nextExpiry: day0 + 30, nextExpiryPoints: 77,
		tier: "silver", tierSince: noon(-5), ground: day0 - 5, review: day0 + 360, scores: event.Scores{R: 5, F: 2, M: 4},
		countedDay: int64(day0), countedOrders: 3, countedSpend: 99_840,
		panes:   []pane{{day0 - 9, 1, 50_000}, {day0 - 5, 0, -1}, {day0, 2, 50_000}},
		actions: []actionDay{{"review", day0, 2}},
	}
}

func goldenOrder() *order {
	return &order{
		hash: 0x0123456789abcdef, time: noon(0), day: day0, bundle: "sha256-abc", wholly: false, extra: 599,
		lines: []orderLine{
			{product: "85123A", eligible: true, quantity: 6, net: 1_530, leftQuantity: 6, left: 1_530},
			{product: "POST", quantity: 1, net: 1_800, leftQuantity: 0, left: 0},
		},
		grants: []grant{{formula: formula{perPoints: 1, perMinor: 100, minimum: 500, num: 3, den: 2, halfUp: true},
			rule: "spend", points: 23, expiresOn: day0 + 365, reversed: 5, expired: 4, void: 1}},
	}
}

// TestGoldenState pins the encodings: state that was written must be readable
// for ever.
func TestGoldenState(t *testing.T) {
	a := answer{hash: 7, accepted: true, points: 100, balance: 1_134, orderID: "o1"}
	lot := Lot{ID: "o1/spend", OrderID: "o1", RuleID: "spend", ExpiresOn: day0 + 365, Remaining: 23}
	var key keyBuffer
	var b strings.Builder
	put := func(name string, bytes []byte) { fmt.Fprintf(&b, "%-18s %s\n", name, hex.EncodeToString(bytes)) }
	put("core", goldenCore().append(nil))
	put("order", goldenOrder().append(nil))
	placed := goldenOrder()
	placed.channel, placed.country, placed.lines[0].category, placed.lines[0].brand = "web", "FR", "decor", "own"
	put("order placed", placed.append(nil))
	if back, err := decodeOrder(placed.append(nil)); err != nil || !reflect.DeepEqual(back, placed) {
		t.Errorf("order: %v\n got %+v\nwant %+v", err, back, placed)
	}
	put("redemption", a.append(nil))
	put("refund", appendRefund(nil, 0x0123456789abcdef))
	put("lot", appendLot(nil, &lot))
	put("key core", key.core("ann"))
	put("key order", key.named(kindOrder, "ann", "o1"))
	put("key refund", key.named(kindRefund, "ann", "r1"))
	put("key redemption", key.named(kindRedemption, "ann", "x1"))
	put("key lot", key.lot("ann", day0+365, "o1/spend"))
	put("key lot for ever", key.lot("ann", 0, "o1/spend"))
	put("key newest", key.newest("ann", noon(0), "o1"))
	put("key histogram", key.histogram(countOrders, 3))
	order, _ := hashOrder(nil, goldenEvent().Order)
	refund, _ := hashRefund(nil, &event.Refund{RefundID: "r1", OrderID: "o1", Currency: "GBP", Whole: true})
	redeem, _ := hashRedeem(nil, &event.Redeem{RedemptionID: "x1", Points: 5, OrderID: "o1"})
	fmt.Fprintf(&b, "%-18s %016x %016x %016x\n", "hashes", order, refund, redeem)

	const file = "testdata/golden/state.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Fatalf("state encodes as\n%s\nand the golden file says\n%s", b.String(), want)
	}
}

func goldenEvent() event.Event {
	ev := orderOf("ann", "o1", noon(0), line("85123A", 6, 1_530), line("POST", 1, 1_800))
	ev.Order.DiscountMinor = 10
	return ev
}

func TestStateIsReadAsItWasWritten(t *testing.T) {
	var c core
	if err := c.decode(goldenCore().append(nil), copyName); err != nil || !reflect.DeepEqual(&c, goldenCore()) {
		t.Fatalf("%v %+v", err, c)
	}
	o, err := decodeOrder(goldenOrder().append(nil))
	if err != nil || !reflect.DeepEqual(o, goldenOrder()) {
		t.Fatalf("%v %+v", err, o)
	}
	a := answer{hash: 7, points: 100, balance: -5, orderID: "o1", reason: "not_member"}
	if got, err := decodeAnswer(a.append(nil)); err != nil || got != a {
		t.Fatalf("%v %+v", err, got)
	}
	if hash, err := decodeRefund(appendRefund(nil, 42)); err != nil || hash != 42 {
		t.Fatalf("%v %d", err, hash)
	}
	var key keyBuffer
	for _, on := range []event.Day{0, day0, -3} {
		lot := Lot{ID: "o1/spend", OrderID: "o1", RuleID: "spend", ExpiresOn: on, Remaining: 23}
		got, err := decodeLot(key.lot("ann", on, lot.ID), appendLot(nil, &lot), len("ann"))
		if err != nil || got != lot {
			t.Fatalf("%v %+v", err, got)
		}
	}
	if at, id := splitNewest(key.newest("ann", noon(3), "o7"), len("ann")); at != noon(3) || id != "o7" {
		t.Fatalf("%s %s", at, id)
	}
}

// TestDamageIsFound: a value cut short anywhere, or with a byte too many, is an
// error and never a panic.
func TestDamageIsFound(t *testing.T) {
	var c core
	for name, whole := range map[string][]byte{"core": goldenCore().append(nil), "order": goldenOrder().append(nil)} {
		decode := func(b []byte) error {
			if name == "core" {
				return c.decode(b, copyName)
			}
			_, err := decodeOrder(b)
			return err
		}
		for n := range whole {
			if decode(whole[:n]) == nil {
				t.Errorf("%s cut at %d of %d is read", name, n, len(whole))
			}
		}
		if decode(append(whole[:len(whole):len(whole)], 0)) == nil {
			t.Errorf("%s with a byte too many is read", name)
		}
	}
	w := newWorld(t, testBook())
	w.st.Put((&keyBuffer{}).core("ann"), []byte{99}, 0)
	defer func() {
		if recover() == nil {
			t.Error("damaged state did not stop the partition")
		}
	}()
	w.l.NextDue(w.st, "ann")
}

func FuzzDecodeState(f *testing.F) {
	f.Add(goldenCore().append(nil))
	f.Add(goldenOrder().append(nil))
	f.Add(appendLot(nil, &Lot{Remaining: 3, OrderID: "o1", RuleID: "spend"}))
	f.Add((&answer{hash: 1, reason: "x"}).append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c core
		if c.decode(b, copyName) == nil {
			var again core
			if err := again.decode(c.append(nil), copyName); err != nil {
				t.Fatal(err)
			}
		}
		if o, err := decodeOrder(b); err == nil {
			if _, err := decodeOrder(o.append(nil)); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = decodeAnswer(b)
		_, _ = decodeRefund(b)
		_, _ = dueOfCore(b)
		_, _ = decodeLot(b, b, 3)
		_, _ = AccountOfCore(b)
	})
}
