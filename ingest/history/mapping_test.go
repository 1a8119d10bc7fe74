package history

import (
	"fmt"
	"strings"
	"testing"
)

// TestMappingProblems: every problem at once, with its place and what to do.
func TestMappingProblems(t *testing.T) {
	text := `source: Online Retail
format: excel
colour: blue
columns:
  invoice: InvoiceNo
  produkt: StockCode
  quantity: Quantity
  price: UnitPrice
  amount: UnitPrice
  time: InvoiceDate
  customer: CustomerID
currency: pounds
time_zone: Mars/Olympus
group: {by: basket, time: middle}
customer_missing: {account: nobody}
refund:
  when: 'invoice startWith "C"'
set_aside:
  - when: quantity + 1
    reason: not a condition
  - when: 'country == "UK"'
    reason: no such column
  - when: 'price == 0'
  - when: 'weight == 0'
    reason: unknown
`
	m, problems := ParseMapping("m.yaml", text)
	if m != nil {
		t.Fatal("is taken")
	}
	var got strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&got, p)
	}
	want := `m.yaml:1:9: source must be a name of small letters, digits and dashes (such as source: online-retail)
m.yaml:2:9: format "excel" is not known (format: parquet or format: csv)
m.yaml:3:1: "colour" is not a key here (one of source, format, csv, columns, constants, currency, time_zone, time_format, group, customer_missing, refund, set_aside)
m.yaml:5:3: product is missing
m.yaml:5:3: name price or amount, one of them (price: of one unit, or amount: of the whole line)
m.yaml:6:3: "produkt" is not a key here (one of invoice, product, name, category, brand, quantity, price, amount, time, customer, country, channel)
m.yaml:8:10: amount and price are the same column "UnitPrice"
m.yaml:12:11: currency "pounds" is not an ISO 4217 code (such as currency: GBP)
m.yaml:13:12: time_zone "Mars/Olympus" is not known (such as UTC or Europe/London)
m.yaml:14:13: group by "basket" is not known (by: invoice (its lines are one order) or by: row)
m.yaml:14:27: time "middle" is not known (time: first or time: last)
m.yaml:15:29: every order without customer needs a key of its own (account: "guest:{invoice}", with a column invoice)
m.yaml:17:18: unexpected token Identifier("startWith") (such as price == 0 or invoice startsWith "C")
m.yaml:19:11: expected bool, but got int
m.yaml:21:11: the expression uses country, which is no column of this mapping (add it to columns)
m.yaml:23:5: reason is missing or longer than 100 bytes (lines are counted by reason)
m.yaml:24:12: unknown name weight (such as price == 0 or invoice startsWith "C")
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestMappingNotYAML(t *testing.T) {
	for _, text := range []string{"", "- a\n- b\n", "source: [1", "a: b: c", "source: &x y\ncurrency: *x\n", "columns: 7\n", "source: a\nsource: b\n", strings.Repeat("# x\n", MaxMappingBytes)} {
		m, problems := ParseMapping("m.yaml", text)
		if m != nil || len(problems) == 0 {
			t.Errorf("%.40q is taken", text)
		}
	}
}

func TestBuiltinMappings(t *testing.T) {
	equal(t, "names", fmt.Sprint(BuiltinMappings()), "[cdnow online-retail]")
	for _, name := range BuiltinMappings() {
		mustMapping(t, name)
	}
	if _, ok := BuiltinMapping("../data/cdnow/README"); ok {
		t.Error("a name reaches outside of the mappings")
	}
}

func FuzzParseMapping(f *testing.F) {
	for _, name := range BuiltinMappings() {
		text, _ := BuiltinMapping(name)
		f.Add(text)
	}
	f.Add(plainMapping)
	f.Add("source: &a [*a]")
	f.Add("set_aside: [{when: 'len(name) > 3', reason: x}]")
	f.Fuzz(func(t *testing.T, text string) {
		m, problems := ParseMapping("m.yaml", text)
		if (m == nil) == (len(problems) == 0) {
			t.Fatalf("mapping %v, problems %v", m != nil, problems)
		}
		for _, p := range problems {
			if p.Message == "" || p.Line < 0 || p.Line > strings.Count(text, "\n")+strings.Count(text, "\r")+2 {
				t.Fatalf("%+v", p)
			}
		}
	})
}
