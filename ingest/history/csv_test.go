package history

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

const headerMapping = `
source: till
format: csv
csv: {delimiter: ";"}
columns: {invoice: Nr, product: Art, name: Text, quantity: Menge, price: Preis, time: Zeit, customer: Kunde}
currency: EUR
time_zone: Europe/Berlin
time_format: DD.MM.YYYY hh:mm
group: {by: invoice}
customer_missing: {account: "guest:{invoice}"}
refund: {when: quantity < 0}
set_aside: [{when: 'product == "PFAND"', reason: deposit}]
`

const header = "Nr;Art;Text;Menge;Preis;Zeit;Kunde\n"

// brief writes a plan as a person would check it.
func brief(p *Plan) string {
	var b strings.Builder
	for i := range p.Events {
		e := &p.Events[i]
		lines, what := []event.OrderLine(nil), ""
		if e.Order != nil {
			lines, what = e.Order.Lines, "order "+e.Order.OrderID
		} else {
			lines, what = e.Refund.Lines, "refund "+e.Refund.RefundID+" of "+e.Refund.OrderID
		}
		fmt.Fprintf(&b, "%s %s %s:", e.EventTime, e.AccountID, what)
		for _, l := range lines {
			fmt.Fprintf(&b, " %d×%s[%s]=%d", l.Quantity, l.ProductID, l.Name, l.AmountMinor)
		}
		b.WriteByte('\n')
	}
	for reason, n := range p.SetAside {
		fmt.Fprintf(&b, "aside %d %s\n", n, reason)
	}
	for _, r := range p.Rejected {
		fmt.Fprintf(&b, "reject %s %s %s: %s <%.30s>\n", r.Source, r.Code, r.Field, r.Message, r.Original)
	}
	return b.String()
}

var csvTable = []struct{ name, mapping, text, want string }{
	{
		"lines of an invoice are an order; times are local", headerMapping, header +
			"7;A;Apfel;2;0.335;01.07.2025 10:00;k1\n7;B;Birne;1;3;01.07.2025 09:59;k1\n7;PFAND;;1;0.25;01.07.2025 10:00;k1\n",
		"2025-07-01T07:59:00.000Z k1 order 7: 2×A[Apfel]=67 1×B[Birne]=300\naside 1 deposit\n",
	},
	{
		"byte order mark, CRLF, quotes, an empty line", headerMapping, "\xef\xbb\xbf" + strings.ReplaceAll(header, "\n", "\r\n") +
			"\"7\";A;\"Apfel; \"\"rot\"\"\";1;1.10;01.01.2025 10:00;k1\r\n\r\n",
		"2025-01-01T09:00:00.000Z k1 order 7: 1×A[Apfel; \"rot\"]=110\n",
	},
	{
		"a name over two lines", headerMapping, header + "7;A;\"Apfel\nrot\";1;1;01.01.2025 10:00;k1\n8;A;x;1;1;01.01.2025 10:00;k1\n",
		"2025-01-01T09:00:00.000Z k1 order 7: 1×A[Apfel\nrot]=100\n2025-01-01T09:00:00.000Z k1 order 8: 1×A[x]=100\n",
	},
	{
		"no customer; a refund in the same invoice comes after", headerMapping, header +
			"7;A;;-1;1;01.01.2025 10:00;\n7;B;;1;2;01.01.2025 10:00;\n",
		"2025-01-01T09:00:00.000Z guest:7 order 7: 1×B[]=200\n2025-01-01T09:00:00.000Z guest:7 refund 7 of 7: 1×A[]=100\n",
	},
	{
		"a bad line takes its order with it, and no other", headerMapping, header +
			"7;A;;1;1;01.01.2025 10:00;k1\n7;B;;1;1,50;01.01.2025 10:00;k1\n8;A;;1;1;01.01.2025 10:00;k2\n7;C;;1;1;01.01.2025 10:00;k1\n",
		"2025-01-01T09:00:00.000Z k2 order 8: 1×A[]=100\n" +
			"reject t.csv:line 3 invalid_field price: \"1,50\" is not an amount <7;B;;1;1,50;01.01.2025 10:00;k>\n" +
			"reject t.csv:line 3 invalid_field price: 2 lines of invoice 7 go with line 3: \"1,50\" is not an amount <{\"v\":1,\"type\":\"track\",\"name\":\">\n",
	},
	{
		"each kind of bad row", headerMapping, header +
			"1;A;;1.5;1;01.01.2025 10:00;k\n2;A;;1;-1;01.01.2025 10:00;k\n3;A;;1;1;2025-01-01;k\n4;;;1;1;01.01.2025 10:00;k\n6;A\n;A;;1;1;01.01.2025 10:00;k\n8;A;;0;1;01.01.2025 10:00;k\n9;A;;1;1;01.01.2025 10:00;guest:x\n",
		`reject t.csv:line 2 invalid_field quantity: "1.5" is not a whole number <1;A;;1.5;1;01.01.2025 10:00;k>
reject t.csv:line 3 invalid_field price: -1.00 is below 0 <2;A;;1;-1;01.01.2025 10:00;k>
reject t.csv:line 4 invalid_field time: "2025-01-01" is not of the time's form <3;A;;1;1;2025-01-01;k>
reject t.csv:line 5 missing_field product: is missing <4;;;1;1;01.01.2025 10:00;k>
reject t.csv:line 6 missing_field name: the row has 2 columns, not 3 <6;A>
reject t.csv:line 7 missing_field invoice: is missing <;A;;1;1;01.01.2025 10:00;k>
reject t.csv:line 8 invalid_field quantity: 0 is not above 0 <8;A;;0;1;01.01.2025 10:00;k>
reject t.csv:line 9 invalid_field customer: "guest:x" is not a customer id <9;A;;1;1;01.01.2025 10:00;gues>
`,
	},
	{
		"an open quote takes one line", headerMapping, header + "7;A;\"Apfel;1;1;01.01.2025 10:00;k1\n8;A;x;1;1;01.01.2025 10:00;k1\n",
		"2025-01-01T09:00:00.000Z k1 order 8: 1×A[x]=100\nreject t.csv:line 2 invalid_field row: is not CSV: a quoted field does not end <7;A;\"Apfel;1;1;01.01.2025 10:0>\n",
	},
	{
		"not UTF-8", headerMapping, header + "7;A;\xff;1;1;01.01.2025 10:00;k1\n8;A;\xff;x;1;01.01.2025 10:00;k1\n",
		"2025-01-01T09:00:00.000Z k1 order 7: 1×A[\ufffd]=100\nreject t.csv:line 3 invalid_field quantity: \"x\" is not a whole number <ODtBO/87eDsxOzAxLjAxLjIwMjUgMT>\n",
	},
	{
		"rows without invoice, several a day", `
source: cd
format: csv
csv: {delimiter: spaces, header: false}
columns: {customer: 1, time: 2, quantity: 3, amount: 4}
constants: {product: cd}
currency: USD
time_format: YYYYMMDD
group: {by: row}
`, " 1  19970101  2   29.33\r\n 1  19970101  2   29.33\r\n 2  19970101  1   0.00\r\n",
		"1997-01-01T00:00:00.000Z 1 order 1-19970101-1: 2×cd[]=2933\n1997-01-01T00:00:00.000Z 1 order 1-19970101-2: 2×cd[]=2933\n1997-01-01T00:00:00.000Z 2 order 2-19970101-1: 1×cd[]=0\n",
	},
}

func TestCSVTable(t *testing.T) {
	for _, c := range csvTable {
		t.Run(c.name, func(t *testing.T) {
			if got := brief(readText(t, c.mapping, c.text)); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			var zipped bytes.Buffer
			z := gzip.NewWriter(&zipped)
			if _, err := z.Write([]byte(c.text)); err != nil {
				t.Fatal(err)
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			if got := brief(readText(t, c.mapping, zipped.String())); got != c.want {
				t.Errorf("zipped: got\n%s", got)
			}
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	m, _ := ParseMapping("m.yaml", headerMapping)
	retail := mustMapping(t, "online-retail")
	parquet, err := Data.ReadFile(OnlineRetail)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		m    *Mapping
		text []byte
		want string
	}{
		{"empty", m, nil, "no header line"},
		{"other columns", m, []byte("a;b;c\n"), "no column Nr (invoice), Art (product)"},
		{"half a gzip", m, []byte("\x1f\x8b\x08\x00\x00"), "gzip"},
		{"all rows bad", m, []byte(header + strings.Repeat("7\n", MaxRejected+1)), "does the mapping fit"},
		{"not Parquet", retail, []byte(header), "is not a Parquet file"},
		{"half a Parquet file", retail, parquet[:len(parquet)/2], "Parquet file"},
	} {
		_, err := ReadInput(context.Background(), "f", bytes.NewReader(c.text), c.m, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestLongRows: a row that is too long is rejected with its first bytes, and
// reading goes on after it.
func TestLongRows(t *testing.T) {
	long := "7;A;" + strings.Repeat("x", MaxRowBytes) + ";1;1;01.01.2025 10:00;k1\n"
	name := "8;A;" + strings.Repeat("ü", event.MaxNameBytes) + ";1;1;01.01.2025 10:00;k1\n"
	p := readText(t, headerMapping, header+long+name)
	if len(p.Rejected) != 1 || len(p.Events) != 1 {
		t.Fatal(brief(p))
	}
	equal(t, "code", p.Rejected[0].Code, event.RejectTooLarge)
	equal(t, "original", len(p.Rejected[0].Original), event.MaxRejectBytes)
	equal(t, "name", p.Events[0].Order.Lines[0].Name, strings.Repeat("ü", event.MaxNameBytes/2))

	p = readText(t, headerMapping, header+strings.Repeat("9;A;;1;1;01.01.2025 10:00;k1\n", event.MaxLines+1))
	equal(t, "lines rejected", p.LinesRejected, event.MaxLines+1)
	equal(t, "rejects", len(p.Rejected), 1)
}

func FuzzReadCSV(f *testing.F) {
	m, problems := ParseMapping("m.yaml", headerMapping)
	if m == nil {
		f.Fatal(problems)
	}
	f.Add([]byte("7;A;Apfel;2;0.335;01.07.2025 10:00;k1\n7;B;\"x\ny\";-1;3;01.07.2025 09:59;\n"))
	f.Add([]byte("7;A;\"Apfel;2;1e9;01.07.2025 10:00;k1\n\xff\xfe;;;;;;\n"))
	f.Add([]byte("9999999999;A;;1000000001;0.0000001;01.07.2025 10:00;k1"))
	f.Fuzz(func(t *testing.T, rows []byte) {
		p, err := ReadInput(context.Background(), "f.csv", bytes.NewReader(append([]byte(header), rows...)), m, nil)
		if err != nil {
			return // too many bad rows, or not gzip
		}
		for i := range p.Events {
			if bad := p.Events[i].Validate(); bad != nil {
				t.Fatalf("%v", bad)
			}
		}
		for i := range p.Rejected {
			if r := &p.Rejected[i]; r.Code == "" || r.Message == "" || r.Source == "" || len(r.Original) > 2*event.MaxRejectBytes {
				t.Fatalf("%+v", r)
			}
		}
	})
}
