package ingest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

func lineOf(product string, quantity, minor int64) event.OrderLine {
	return event.OrderLine{ProductID: product, Quantity: quantity, AmountMinor: minor}
}

// TestOrders maps properties of Order Completed, or says which field is wrong.
func TestOrders(t *testing.T) {
	huge := "1" + strings.Repeat("0", 30)
	for _, c := range []struct {
		name, properties string
		want             *event.Order
		field            string // of the reject, when there is one
	}{
		{name: "quantity × price", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":2.55,"quantity":6}]}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", Lines: []event.OrderLine{lineOf("a", 6, 1530)}}},
		{name: "1.005 is not a binary fraction: half up", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":1.005,"quantity":1}]}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", Lines: []event.OrderLine{lineOf("a", 1, 101)}}},
		{name: "rounded once, after the product", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":0.335,"quantity":3}]}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", Lines: []event.OrderLine{lineOf("a", 3, 101)}}},
		{name: "numbers as strings, ids as numbers, exponents", properties: `{"order_id":1001,"currency":"gbp","discount":"1.50","products":[{"product_id":22423,"price":"12.75","quantity":"2"},{"sku":"s","price":1e1}]}`,
			want: &event.Order{OrderID: "1001", Currency: "GBP", DiscountMinor: 150, Lines: []event.OrderLine{lineOf("22423", 2, 2550), lineOf("s", 1, 1000)}}},
		{name: "yen have no minor unit", properties: `{"order_id":"o1","currency":"JPY","products":[{"product_id":"a","price":99.5,"quantity":3}]}`,
			want: &event.Order{OrderID: "o1", Currency: "JPY", Lines: []event.OrderLine{lineOf("a", 3, 299)}}},
		{name: "dinars have three digits", properties: `{"order_id":"o1","currency":"KWD","products":[{"product_id":"a","price":0.0015}]}`,
			want: &event.Order{OrderID: "o1", Currency: "KWD", Lines: []event.OrderLine{lineOf("a", 1, 2)}}},
		{name: "texts of a product", properties: `{"order_id":"o1","currency":"GBP","coupon":"MAY","products":[{"product_id":"a","sku":"s","name":"Tea","category":"Drinks","brand":"B","variant":"green","price":1}]}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", Coupon: "MAY", Lines: []event.OrderLine{{ProductID: "a", Name: "Tea", Category: "Drinks", Brand: "B", Quantity: 1, AmountMinor: 100}}}},
		{name: "revenue only", properties: `{"order_id":"o1","currency":"GBP","revenue":25,"shipping":3,"tax":2,"total":30}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", ShippingMinor: 300, TaxMinor: 200, Lines: []event.OrderLine{lineOf("order", 1, 2500)}}},
		{name: "total only, with discount: the line is before it", properties: `{"order_id":"o1","currency":"GBP","total":30,"shipping":3,"tax":2,"discount":5}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", ShippingMinor: 300, TaxMinor: 200, DiscountMinor: 500, Lines: []event.OrderLine{lineOf("order", 1, 3000)}}},
		{name: "empty products, total", properties: `{"order_id":"o1","currency":"GBP","total":"0.1","products":[]}`,
			want: &event.Order{OrderID: "o1", Currency: "GBP", Lines: []event.OrderLine{lineOf("order", 1, 10)}}},
		{name: "no order id", properties: `{"currency":"GBP","total":1}`, field: "properties.order_id"},
		{name: "no currency", properties: `{"order_id":"o1","total":1}`, field: "properties.currency"},
		{name: "no such currency", properties: `{"order_id":"o1","currency":"pounds","total":1}`, field: "properties.currency"},
		{name: "nothing bought", properties: `{"order_id":"o1","currency":"GBP"}`, field: "properties.products"},
		{name: "products of another form", properties: `{"order_id":"o1","currency":"GBP","products":{"a":1}}`, field: "properties.products"},
		{name: "a product of another form", properties: `{"order_id":"o1","currency":"GBP","products":["a"]}`, field: "properties.products[0]"},
		{name: "no price", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a"}]}`, field: "properties.products[].price"},
		{name: "no product id", properties: `{"order_id":"o1","currency":"GBP","products":[{"price":1}]}`, field: "properties.products[0].product_id"},
		{name: "half a piece", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":1,"quantity":0.5}]}`, field: "properties.products[0].quantity"},
		{name: "no piece", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":1,"quantity":0}]}`, field: "properties.products[0].quantity"},
		{name: "negative price", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":-1}]}`, field: "properties.products[0].price"},
		{name: "a price in words", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":"£1.00"}]}`, field: "properties.products[0].price"},
		{name: "a binary price", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":"0b11"}]}`, field: "properties.products[0].price"},
		{name: "a fraction", properties: `{"order_id":"o1","currency":"GBP","total":"1/3"}`, field: "properties.total"},
		{name: "too much money", properties: `{"order_id":"o1","currency":"GBP","total":` + huge + `}`, field: "properties.total"},
		{name: "an exponent to fill the memory", properties: `{"order_id":"o1","currency":"GBP","total":1e999999999}`, field: "properties.total"},
		{name: "discount beyond the lines", properties: `{"order_id":"o1","currency":"GBP","discount":2,"products":[{"product_id":"a","price":1}]}`, field: "discount"},
		{name: "shipping beyond the total", properties: `{"order_id":"o1","currency":"GBP","total":2,"shipping":3}`, field: "properties.total"},
		{name: "too many lines", properties: `{"order_id":"o1","currency":"GBP","products":[` + strings.Repeat(`{"sku":1,"price":1},`, event.MaxLines) + `{"sku":1,"price":1}]}`, field: "properties.products"},
		{name: "properties of another form", properties: `"x"`, field: "properties"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil)
			got := r.post("/v1/track", `{"userId":"u1","messageId":"m1","event":"Order Completed","properties":`+c.properties+`}`).taken(t)
			r.balanced()
			if c.field != "" {
				if got.Rejected != 1 || got.Errors[0].Field != c.field || got.Errors[0].Hint == "" && got.Errors[0].Message == "" {
					t.Fatalf("answer %+v, want a reject of %s", got, c.field)
				}
				return
			}
			if got.Accepted != 1 {
				t.Fatalf("answer %+v", got)
			}
			e := r.log.events(t)[0]
			if len(e.Properties) != 0 {
				t.Errorf("said twice: %s", e.Properties)
			}
			if !reflect.DeepEqual(e.Order, c.want) {
				t.Errorf("order %+v\nwant  %+v", e.Order, c.want)
			}
		})
	}
}

func TestRefunds(t *testing.T) {
	for _, c := range []struct {
		name, event, properties string
		want                    *event.Refund
		field                   string
	}{
		{name: "by lines", properties: `{"order_id":"o1","refund_id":"r1","currency":"GBP","total":9,"products":[{"product_id":"a","price":2.5,"quantity":2}]}`,
			want: &event.Refund{RefundID: "r1", OrderID: "o1", Currency: "GBP", Lines: []event.OrderLine{lineOf("a", 2, 500)}}},
		{name: "by amount", properties: `{"order_id":"o1","currency":"GBP","amount":"9.99"}`,
			want: &event.Refund{RefundID: "m1", OrderID: "o1", Currency: "GBP", AmountMinor: 999}},
		{name: "products without price, amount", properties: `{"order_id":"o1","currency":"GBP","revenue":4,"products":[{"product_id":"a","quantity":2}]}`,
			want: &event.Refund{RefundID: "m1", OrderID: "o1", Currency: "GBP", AmountMinor: 400}},
		{name: "total less shipping and tax", properties: `{"order_id":"o1","currency":"GBP","total":10,"shipping":1.5,"tax":0.5}`,
			want: &event.Refund{RefundID: "m1", OrderID: "o1", Currency: "GBP", AmountMinor: 800}},
		{name: "without an order", properties: `{"currency":"GBP","products":[{"product_id":"a","price":1}]}`,
			want: &event.Refund{RefundID: "m1", Currency: "GBP", Lines: []event.OrderLine{lineOf("a", 1, 100)}}},
		{name: "whole", properties: `{"order_id":"o1","currency":"GBP"}`,
			want: &event.Refund{RefundID: "m1", OrderID: "o1", Currency: "GBP", Whole: true}},
		{name: "cancelled", event: "Order Cancelled", properties: `{"order_id":"o1","currency":"GBP","total":5,"products":[{"product_id":"a","price":1}]}`,
			want: &event.Refund{RefundID: "cancel:o1", OrderID: "o1", Currency: "GBP", Whole: true}},
		{name: "whole of no order", properties: `{"currency":"GBP"}`, field: "order_id"},
		{name: "cancelled nothing", event: "Order Cancelled", properties: `{"currency":"GBP"}`, field: "properties.order_id"},
		{name: "of nothing", properties: `{"order_id":"o1","currency":"GBP","amount":0}`, field: "properties.amount"},
		{name: "negative", properties: `{"order_id":"o1","currency":"GBP","amount":-5}`, field: "properties.amount"},
		{name: "negative quantity", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a","price":1,"quantity":-2}]}`, field: "properties.products[0].quantity"},
		{name: "no price, no amount", properties: `{"order_id":"o1","currency":"GBP","products":[{"product_id":"a"}]}`, field: "properties.products[].price"},
		{name: "no currency", properties: `{"order_id":"o1"}`, field: "properties.currency"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil)
			if c.event == "" {
				c.event = event.NameOrderRefunded
			}
			got := r.post("/v1/track", `{"userId":"u1","messageId":"m1","event":"`+c.event+`","properties":`+c.properties+`}`).taken(t)
			r.balanced()
			if c.field != "" {
				if got.Rejected != 1 || got.Errors[0].Field != c.field {
					t.Fatalf("answer %+v, want a reject of %s", got, c.field)
				}
				return
			}
			if got.Accepted != 1 {
				t.Fatalf("answer %+v", got)
			}
			if e := r.log.events(t)[0]; !reflect.DeepEqual(e.Refund, c.want) {
				t.Errorf("refund %+v\nwant   %+v", e.Refund, c.want)
			}
		})
	}
}

func TestSurveys(t *testing.T) {
	for properties, want := range map[string]string{
		`{"kind":"nps","score":10,"survey_id":"s1","order_id":7}`: "nps 10 s1 7",
		`{"type":"CSAT","score":"5"}`:                             "csat 5  ",
		`{"kind":"nps","score":11}`:                               "score",
		`{"kind":"nps","score":9.5}`:                              "properties.score",
		`{"kind":"nps"}`:                                          "properties.score",
		`{"score":1}`:                                             "properties.kind",
		`{"kind":"stars","score":1}`:                              "kind",
	} {
		r := newRig(t, nil)
		got := r.post("/v1/track", `{"userId":"u1","event":"Survey Answered","properties":`+properties+`}`).taken(t)
		r.balanced()
		var said string
		if got.Rejected == 1 {
			said = got.Errors[0].Field
		} else if s := r.log.events(t)[0].Survey; s != nil {
			said = fmt.Sprintf("%s %d %s %s", s.Kind, s.Score, s.SurveyID, s.OrderID)
		}
		if said != want {
			t.Errorf("%s: %q, want %q", properties, said, want)
		}
	}
}

// TestAccounts: who an event is of.
func TestAccounts(t *testing.T) {
	const order = `"event":"Order Completed","properties":{"order_id":"o9","currency":"GBP","total":1}`
	for body, want := range map[string]string{
		`{"userId":"u1","anonymousId":"a1","event":"X"}`:             "u1",
		`{"userId":17850,"event":"X"}`:                               "17850",
		`{"userId":null,"anonymousId":"a1","event":"X"}`:             "anon:a1",
		`{"userId":"  ","anonymousId":"a1","event":"X"}`:             "anon:a1",
		`{"anonymousId":"a1",` + order + `}`:                         "anon:a1",
		`{` + order + `}`:                                            "guest:o9",
		`{"event":"X"}`:                                              "reject userId",
		`{"userId":"anon:a1","event":"X"}`:                           "reject userId",
		`{"userId":"guest:o9","event":"X"}`:                          "reject userId",
		`{"userId":"a\u0000b","event":"X"}`:                          "reject userId",
		`{"userId":true,"event":"X"}`:                                "reject userId",
		`{"userId":1.5,"event":"X"}`:                                 "reject userId",
		`{"userId":"` + strings.Repeat("x", 201) + `","event":"X"}`:  "reject userId",
		`{"userId":"u1","messageId":"redeem:k","event":"X"}`:         "reject messageId",
		`{"userId":"u1","messageId":{},"event":"X"}`:                 "reject messageId",
		`{"userId":"u1"}`:                                            "reject event",
		`{"userId":"u1","event":"` + strings.Repeat("x", 301) + `"}`: "reject event",
	} {
		r := newRig(t, nil)
		got := r.post("/v1/track", body).taken(t)
		r.balanced()
		var said string
		if got.Rejected == 1 {
			said = "reject " + got.Errors[0].Field
		} else {
			said = r.log.events(t)[0].AccountID
		}
		if said != want {
			t.Errorf("%s: %q, want %q", body, said, want)
		}
	}
}

// TestTimes: the sender's clock is corrected as Segment corrects it.
func TestTimes(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{``, "2026-03-10T12:00:00.000Z"},
		{`"timestamp":"2026-03-10T11:00:00Z"`, "2026-03-10T11:00:00.000Z"},
		{`"timestamp":"2026-03-10T12:00:00.123456+02:00"`, "2026-03-10T10:00:00.123Z"},
		{`"originalTimestamp":"2026-03-10T10:30:00Z"`, "2026-03-10T10:30:00.000Z"},
		// The sender's clock is a day ahead; it happened 5 s before it was sent.
		{`"timestamp":"2026-03-11T12:00:00Z","sentAt":"2026-03-11T12:00:05Z"`, "2026-03-10T11:59:55.000Z"},
		{`"originalTimestamp":"1999-12-31T23:59:00Z","sentAt":"2000-01-01T00:00:00Z"`, "2026-03-10T11:59:00.000Z"},
		{`"sentAt":"2000-01-01T00:00:00Z"`, "2026-03-10T12:00:00.000Z"},
		{`"timestamp":"2026-03-10T12:10:00Z"`, "2026-03-10T12:10:00.000Z"},
		{`"timestamp":"2026-03-10T12:10:01Z"`, "in_future"},
		{`"timestamp":"2026-02-08T12:00:00Z"`, "2026-02-08T12:00:00.000Z"},
		{`"timestamp":"2026-02-08T11:59:59Z"`, "too_old"},
		{`"timestamp":"9999-01-01T00:00:00Z","sentAt":"0001-01-01T00:00:00Z"`, "in_future"},
		{`"timestamp":"0001-01-01T00:00:00Z","sentAt":"9999-01-01T00:00:00Z"`, "too_old"},
		{`"timestamp":"yesterday"`, "invalid_field"},
		{`"timestamp":1773144000`, "invalid_field"},
		{`"timestamp":"2026-03-10T11:00:00Z","sentAt":"now"`, "invalid_field"},
	} {
		r := newRig(t, nil)
		comma := ""
		if c.fields != "" {
			comma = ","
		}
		got := r.post("/v1/page", `{"userId":"u1"`+comma+c.fields+`}`).taken(t)
		r.balanced()
		var said string
		if got.Rejected == 1 {
			said = got.Errors[0].Code
		} else {
			e := r.log.events(t)[0]
			said = e.EventTime.String()
			if e.ReceivedTime != event.At(r.door.config.Wall()) {
				t.Errorf("received %v", e.ReceivedTime)
			}
		}
		if said != c.want {
			t.Errorf("%s: %s, want %s", c.fields, said, c.want)
		}
	}
}

// TestPersonalData: what no rule needs does not enter the log.
func TestPersonalData(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Declared = []string{"plan", "shoe_size"} })
	got := r.post("/v1/identify", `{"userId":"u1","messageId":"m1","traits":{"email":"a@b.example","firstName":"Ann","plan":"gold","shoe_size":41.5,
		"consent":{"email":true},"time_zone":"Europe/London","address":{"street":"1 High St"}},
		"context":{"ip":"203.0.113.9","userAgent":"UA","traits":{"email":"a@b.example"},"library":{"name":"lib","version":"2"},"location":{"country":"GB"}}}`).taken(t)
	if got.Accepted != 1 {
		t.Fatalf("%+v", got)
	}
	got = r.post("/v1/track", `{"userId":"u1","event":"Signed Up","properties":{"email":"a@b.example","coupon":"MAY","channel":"store"}}`).taken(t)
	if got.Accepted != 1 {
		t.Fatalf("%+v", got)
	}
	for _, rec := range r.log.of(event.TopicEvents) {
		for _, secret := range []string{"a@b", "Ann", "High St", "203.0", "UA"} {
			if strings.Contains(string(rec.Value), secret) {
				t.Errorf("%q entered the log: %s", secret, rec.Value)
			}
		}
	}
	es := r.log.events(t)
	wantTraits := map[string]json.RawMessage{"plan": []byte(`"gold"`), "shoe_size": []byte(`41.5`), "consent": []byte(`{"email":true}`), "time_zone": []byte(`"Europe/London"`)}
	if !reflect.DeepEqual(es[0].Traits, wantTraits) {
		t.Errorf("traits %s", es[0].Traits)
	}
	if want := (event.Context{Source: "shop", Library: "lib/2", Country: "GB"}); *es[0].Context != want {
		t.Errorf("context %+v", es[0].Context)
	}
	if es[1].Context.Channel != "store" || string(es[1].Properties["coupon"]) != `"MAY"` {
		t.Errorf("%+v", es[1])
	}
	profiles := r.log.of(event.TopicProfiles)
	const want = `{"v":1,"customer_id":"u1","traits":{"address":{"street":"1 High St"},"email":"a@b.example","firstName":"Ann"},"time":"2026-03-10T12:00:00.000Z"}`
	if len(profiles) != 1 || profiles[0].Key != "u1" || string(profiles[0].Value) != want {
		t.Errorf("profiles %s", profiles)
	}
	r.balanced()
}

// TestBodyHash: a repeat is the same body whatever its order, times and context.
func TestBodyHash(t *testing.T) {
	hash := func(path, body string) string {
		r := newRig(t, nil)
		if got := r.post(path, body).taken(t); got.Accepted != 1 {
			t.Fatalf("%+v", got)
		}
		return r.log.events(t)[0].BodyHash
	}
	base := hash("/v1/track", `{"userId":"u","messageId":"m","event":"X","properties":{"a":1,"b":{"c":2,"d":3}}}`)
	if again := hash("/v1/batch", `{"sentAt":"2026-03-10T12:00:00Z","batch":[{"context":{"x":1},"type":"track","event":"X","messageId":"n","timestamp":"2026-03-10T11:00:00Z",
		"properties":{"b":{"d":3,"c":2},"a":1},"userId":"u"}]}`); again != base || len(base) != 16 {
		t.Errorf("hash %s, again %s", base, again)
	}
	for _, other := range []string{
		`{"userId":"u","event":"X","properties":{"a":1,"b":{"c":2,"d":4}}}`,
		`{"userId":"u","event":"Y","properties":{"a":1,"b":{"c":2,"d":3}}}`,
		`{"userId":"v","event":"X","properties":{"a":1,"b":{"c":2,"d":3}}}`,
	} {
		if hash("/v1/track", other) == base {
			t.Errorf("the same hash for %s", other)
		}
	}
}

// TestOtherCalls: group and alias keep the id they are about.
func TestOtherCalls(t *testing.T) {
	r := newRig(t, nil)
	r.post("/v1/group", `{"userId":"u1","groupId":"g1","traits":{"name":"ACME"}}`)
	r.post("/v1/alias", `{"userId":"u1","previousId":"a1"}`)
	r.post("/v1/screen", `{"userId":"u1","name":"Home"}`)
	r.post("/v1/p", `{"userId":"u1","name":"Start","properties":{"url":"https://shop.example/?mail=a@b.example"}}`)
	es := r.log.events(t)
	if len(es) != 4 || string(es[0].Properties["group_id"]) != `"g1"` || string(es[1].Properties["previous_id"]) != `"a1"` ||
		es[2].Type != event.TypeScreen || es[2].Name != "Home" || es[3].Type != event.TypePage || es[3].Properties != nil {
		t.Errorf("%+v", es)
	}
	if got := r.post("/v1/group", `{"userId":"u1"}`).taken(t); got.Rejected != 1 || got.Errors[0].Field != "groupId" {
		t.Errorf("%+v", got)
	}
	r.balanced()
}

// TestOutcomesOfMessages: what a campaign tool reports of a message enters the
// log; who read it where, and the page a browser shows, does not.
func TestOutcomesOfMessages(t *testing.T) {
	r := newRig(t, nil)
	got := r.post("/v1/batch", `{"batch":[
		{"type":"track","userId":"u1","messageId":"m1","event":"Email Link Clicked","properties":{"message_id":"r1","campaign_id":"welcome","arm":"a","channel":"email",
			"link_url":"https://shop.example/sale","email":"a@b.example","ip":"203.0.113.9","url":"https://shop.example/?email=a@b.example"}},
		{"type":"page","userId":"u1","messageId":"m2","name":"Sale","properties":{"url":"https://shop.example/?email=a@b.example","title":"Sale"}}]}`).taken(t)
	if got.Accepted != 2 {
		t.Fatalf("%+v", got)
	}
	es := r.log.events(t)
	want := map[string]json.RawMessage{"message_id": []byte(`"r1"`), "campaign_id": []byte(`"welcome"`), "arm": []byte(`"a"`),
		"channel": []byte(`"email"`), "link_url": []byte(`"https://shop.example/sale"`)}
	if !reflect.DeepEqual(es[0].Properties, want) {
		t.Errorf("of a click: %s", es[0].Properties)
	}
	if len(es[1].Properties) != 0 {
		t.Errorf("of a page: %s", es[1].Properties)
	}
}
