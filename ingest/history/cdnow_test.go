package history

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/punchcard/punchcard/event"
)

// TestCDNOWFigures holds the plan against the file, read plainly.
func TestCDNOWFigures(t *testing.T) {
	text, err := Data.ReadFile(CDNOWSample)
	if err != nil {
		t.Fatal(err)
	}
	type day struct{ customer, date string }
	var cents, units, zero int64
	perDay, customers := map[day]int{}, map[string]bool{}
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, row := range rows {
		f := strings.Fields(row)
		v, _ := new(big.Rat).SetString(f[4])
		v.Mul(v, big.NewRat(100, 1))
		n, _ := new(big.Rat).SetString(f[3])
		if !v.IsInt() || !n.IsInt() {
			t.Fatalf("%q", row)
		}
		if v.Sign() == 0 {
			zero++
		}
		cents, units = cents+v.Num().Int64(), units+n.Num().Int64()
		perDay[day{f[0], f[2]}]++
		customers[f[0]] = true
	}
	plan := readData(t, "cdnow", CDNOWSample)
	equal(t, "rows", len(rows), 6_919)
	equal(t, "read", plan.LinesRead, 6_919)
	equal(t, "used", plan.LinesUsed, 6_919)
	equal(t, "orders", plan.Orders, 6_919)
	equal(t, "set aside", len(plan.SetAside), 0)
	equal(t, "rejected", plan.LinesRejected, 0)
	equal(t, "customers", plan.Customers, 2_357)
	equal(t, "customers in the file", len(customers), 2_357)
	equal(t, "cents", plan.OrdersMinor, cents)
	ids, gotUnits, gotZero := map[string]bool{}, int64(0), int64(0)
	for i := range plan.Events {
		e := &plan.Events[i]
		ids[e.Order.OrderID] = true
		gotUnits += e.Order.Lines[0].Quantity
		if e.Order.NetMinor() == 0 {
			gotZero++
		}
		perDay[day{e.AccountID, e.EventTime.Std().Format("20060102")}]--
		equal(t, "currency", e.Order.Currency, "USD")
	}
	for d, n := range perDay {
		equal(t, d.customer+" on "+d.date, n, 0)
	}
	equal(t, "order ids", len(ids), 6_919)
	equal(t, "units", gotUnits, units)
	equal(t, "orders of nothing", gotZero, zero)
	t.Logf("%s dollars, %d units, %d orders of nothing", plan.money(cents), units, zero)
	cohorts(t, plan)
}

// cohorts holds the month cohorts: size, back in month 1, in or after month 1.
func cohorts(t *testing.T, plan *Plan) {
	first := map[string]int{}
	in, after := map[string]bool{}, map[string]bool{}
	month := func(at event.Time) int { s := at.Std(); return s.Year()*12 + int(s.Month()) }
	for i := range plan.Events { // sorted by time
		e := &plan.Events[i]
		m := month(e.EventTime)
		if _, ok := first[e.AccountID]; !ok {
			first[e.AccountID] = m
		}
		in[e.AccountID] = in[e.AccountID] || m == first[e.AccountID]+1
		after[e.AccountID] = after[e.AccountID] || m > first[e.AccountID]
	}
	want := map[time.Month][3]int{time.January: {781, 124, 355}, time.February: {857, 134, 378}, time.March: {719, 87, 333}}
	for m, w := range want {
		var got [3]int
		for c, f := range first {
			if f == 1997*12+int(m) {
				got[0]++
				if in[c] {
					got[1]++
				}
				if after[c] {
					got[2]++
				}
			}
		}
		equal(t, "cohort 1997-"+m.String(), got, w)
	}
}
