package history

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
	"github.com/punchcard/punchcard/event"
)

// sourceLine is a line of the Parquet file, read without any of our code.
type sourceLine struct {
	invoice, product string
	quantity         int64
	price            *big.Rat
	customer         string
	at               time.Time
}

var sourceLines = sync.OnceValues(func() ([]sourceLine, error) {
	b, err := Data.ReadFile(OnlineRetail)
	if err != nil {
		return nil, err
	}
	table, err := pqarrow.ReadTable(context.Background(), bytes.NewReader(b), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	defer table.Release()
	var lines []sourceLine
	prices := map[float64]*big.Rat{}
	r := array.NewTableReader(table, 50_000)
	defer r.Release()
	for r.Next() {
		rec := r.Record()
		invoice, product := rec.Column(0).(*array.String), rec.Column(1).(*array.String)
		quantity, at := rec.Column(3).(*array.Int32), rec.Column(4).(*array.Timestamp)
		price, customer := rec.Column(5).(*array.Float64), rec.Column(6).(*array.Uint32)
		for i := range int(rec.NumRows()) {
			p := price.Value(i)
			if prices[p] == nil {
				prices[p], _ = new(big.Rat).SetString(strconv.FormatFloat(p, 'f', -1, 64))
			}
			l := sourceLine{
				invoice: strings.Clone(invoice.Value(i)), product: strings.Clone(product.Value(i)),
				quantity: int64(quantity.Value(i)), price: prices[p], at: time.UnixMilli(int64(at.Value(i))).UTC(),
			}
			if !customer.IsNull(i) {
				l.customer = fmt.Sprint(customer.Value(i))
			}
			lines = append(lines, l)
		}
	}
	return lines, nil
})

// pennies is quantity × price, rounded half up: floor(100·q·p + 1/2).
func (l *sourceLine) pennies() int64 {
	v := new(big.Rat).Mul(l.price, new(big.Rat).SetInt64(100*max(l.quantity, -l.quantity)))
	v.Add(v, big.NewRat(1, 2))
	return new(big.Int).Quo(v.Num(), v.Denom()).Int64()
}

func mustMapping(t testing.TB, name string) *Mapping {
	t.Helper()
	text, ok := BuiltinMapping(name)
	if !ok {
		t.Fatalf("no mapping %s among %v", name, BuiltinMappings())
	}
	m, problems := ParseMapping(name+".yaml", text)
	for _, p := range problems {
		t.Error(p)
	}
	if m == nil {
		t.FailNow()
	}
	return m
}

func readData(t testing.TB, mapping, file string) *Plan {
	t.Helper()
	p, err := ReadFS(context.Background(), Data, file, mustMapping(t, mapping), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// totals are the figures of a shop.
type totals struct {
	lines, customers, invoices, repeat, minor int64
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestOnlineRetailFigures holds the published figures against the source, read
// plainly, and the plan against both.
func TestOnlineRetailFigures(t *testing.T) {
	lines, err := sourceLines()
	if err != nil {
		t.Fatal(err)
	}
	var plain totals
	orders := map[string]map[string]bool{}
	for i := range lines {
		l := &lines[i]
		if l.customer != "" && l.quantity > 0 && l.price.Sign() > 0 {
			plain.lines++
			plain.minor += l.pennies()
			if orders[l.customer] == nil {
				orders[l.customer] = map[string]bool{}
			}
			orders[l.customer][l.invoice] = true
		}
	}
	for _, invoices := range orders {
		plain.customers++
		plain.invoices += int64(len(invoices))
		if len(invoices) > 1 {
			plain.repeat++
		}
	}
	equal(t, "source", plain, totals{lines: 397_884, customers: 4_338, invoices: 18_532, repeat: 2_845, minor: 891_140_790})

	plan := readData(t, "online-retail", OnlineRetail)
	var ours totals
	perCustomer := map[string]int{}
	for i := range plan.Events {
		if e := &plan.Events[i]; e.Order != nil && event.Identified(e.AccountID) {
			ours.lines += int64(len(e.Order.Lines))
			ours.minor += e.Order.NetMinor()
			ours.invoices++
			perCustomer[e.AccountID]++
		}
	}
	for _, n := range perCustomer {
		ours.customers++
		if n > 1 {
			ours.repeat++
		}
	}
	equal(t, "plan", ours, plain)
	equal(t, "AOV", fmt.Sprintf("%.3f", float64(ours.minor)/100/float64(ours.invoices)), "480.866")
	equal(t, "invoices per customer", fmt.Sprintf("%.6f", float64(ours.invoices)/float64(ours.customers)), "4.272015")
	equal(t, "repeat rate", fmt.Sprintf("%.6f", float64(ours.repeat)/float64(ours.customers)), "0.655832")
	t.Logf("%+v", ours)
}

// TestOnlineRetailLines accounts for each of the lines, by plain rules.
func TestOnlineRetailLines(t *testing.T) {
	lines, err := sourceLines()
	if err != nil {
		t.Fatal(err)
	}
	aside := map[string]int64{}
	var used, cancelled, cancelledGuest, cancelMinor int64
	orders, refunds, guests := map[string]bool{}, map[string]bool{}, map[string]bool{}
	first, firstOf := lines[0].at, map[string]time.Time{}
	for i := range lines {
		l := &lines[i]
		switch {
		case l.invoice[0] == 'A':
			aside["bad-debt adjustment"]++
			continue
		case l.price.Sign() == 0 && l.quantity < 0 && l.customer == "":
			aside["stock correction without customer"]++
			continue
		case l.price.Sign() == 0:
			aside["zero price"]++
			continue
		case l.invoice[0] == 'C':
			refunds[l.invoice] = true
			cancelMinor += l.pennies()
			if l.customer == "" {
				cancelledGuest++
			} else {
				cancelled++
			}
		default:
			orders[l.invoice] = true
		}
		used++
		if l.customer == "" {
			guests[l.invoice] = true
		}
		if at, ok := firstOf[l.invoice]; !ok || l.at.Before(at) {
			firstOf[l.invoice] = l.at
		}
	}
	plan := readData(t, "online-retail", OnlineRetail)
	equal(t, "lines", len(lines), 541_909)
	equal(t, "cancel lines with customer", cancelled, 8_905)
	equal(t, "lines read", plan.LinesRead, int64(len(lines)))
	equal(t, "lines used", plan.LinesUsed, used)
	equal(t, "lines rejected", plan.LinesRejected, 0)
	equal(t, "set aside", fmt.Sprint(plan.SetAside), fmt.Sprint(aside))
	equal(t, "in = out", used+aside["bad-debt adjustment"]+aside["stock correction without customer"]+aside["zero price"], int64(len(lines)))
	equal(t, "orders", plan.Orders, int64(len(orders)))
	equal(t, "refunds", plan.Refunds, int64(len(refunds)))
	equal(t, "refunded", plan.RefundsMinor, cancelMinor)
	equal(t, "guests", plan.Guests, int64(len(guests)))
	equal(t, "first", plan.First, event.At(first))
	t.Logf("used %d, of them cancel lines with customer %d, without %d", used, cancelled, cancelledGuest)
	for i := range plan.Events {
		e := &plan.Events[i]
		id := strings.TrimPrefix(e.MessageID, "import:online-retail:")
		if e.EventTime != event.At(firstOf[id]) {
			t.Fatalf("%s at %s, its first line at %s", id, e.EventTime, firstOf[id])
		}
		if bad := e.Validate(); bad != nil {
			t.Fatalf("%s: %v", id, bad)
		}
		if i > 0 && !before(&plan.Events[i-1], e) {
			t.Fatalf("%s is not after %s", e.MessageID, plan.Events[i-1].MessageID)
		}
	}
	var table bytes.Buffer
	if err := plan.Table(&table); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", table.String())
}

// TestWholesaleCancelled: the two largest orders come before their cancellation.
func TestWholesaleCancelled(t *testing.T) {
	plan := readData(t, "online-retail", OnlineRetail)
	for customer, want := range map[string]string{"16446": "168469.60", "12346": "77183.60"} {
		var largest, refund *event.Event
		for i := range plan.Events {
			e := &plan.Events[i]
			switch {
			case e.AccountID != customer:
			case e.Order != nil && (largest == nil || e.Order.NetMinor() > largest.Order.NetMinor()):
				largest = e
			case e.Refund != nil:
				refund = e
			}
		}
		if largest == nil || refund == nil {
			t.Fatalf("%s: no order or no refund", customer)
		}
		equal(t, customer+" bought", plan.money(largest.Order.NetMinor()), want)
		equal(t, customer+" cancelled", plan.money(refund.Refund.Lines[0].AmountMinor), want)
		if refund.EventTime <= largest.EventTime || refund.Refund.OrderID != "" {
			t.Errorf("%s: cancelled at %s, bought at %s", customer, refund.EventTime, largest.EventTime)
		}
	}
}

func BenchmarkReadOnlineRetail(b *testing.B) {
	m := mustMapping(b, "online-retail")
	data, err := Data.ReadFile(OnlineRetail)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "online_retail.parquet")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	lines := int64(0)
	for b.Loop() {
		p, err := Read(context.Background(), file, m, nil)
		if err != nil {
			b.Fatal(err)
		}
		lines += p.LinesRead
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.ReportMetric(float64(mem.Sys)/(1<<20), "MB-sys")
		runtime.KeepAlive(p)
	}
	b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "lines/s")
}
