package main

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/punchcard/punchcard/dashboards"
	"github.com/punchcard/punchcard/dashboards/page"
	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/processors/desk"
	"github.com/punchcard/punchcard/warehouse"
)

const (
	// storyEntries bounds the entries of either log that a customer's story is made
	// of: the newest.
	storyEntries = 1000
	// feedPoll bounds the records of one look at a log.
	feedPoll = 500
)

// openPage makes the page that draws the dashboards. It asks ClickHouse as one
// who can only read.
func (a *app) openPage(ctx context.Context) error {
	if !a.has(roleDoor) {
		return nil
	}
	cfg := warehouse.Config{URL: a.settings.Clickhouse, Database: a.settings.database(), Logger: a.log, ReadOnly: true}
	if a.engine != nil {
		cfg.URL = a.engine.URL()
	}
	w, err := warehouse.Open(ctx, cfg)
	if err != nil {
		return err
	}
	a.onClose(func() { w.Close() })
	a.page = &pages{app: a, reader: w}
	_, err = a.page.handler("") // a broken dashboard ends the start
	return err
}

// pages makes the page's handler anew when the program's currency changes.
type pages struct {
	app    *app
	reader *warehouse.Warehouse

	mu       sync.Mutex
	currency string
	now      http.Handler
}

// ServeHTTP implements http.Handler.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	currency := ""
	if rules := p.app.rules.Load(); rules != nil {
		currency = rules.Book.Currency
	}
	h, err := p.handler(currency)
	if err != nil {
		p.app.log.Error("page", "err", err)
		http.Error(w, "the page cannot be drawn; see the log", http.StatusInternalServerError)
		return
	}
	h.ServeHTTP(w, r)
}

func (p *pages) handler(currency string) (http.Handler, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != nil && p.currency == currency {
		return p.now, nil
	}
	var boards []page.Dashboard
	for _, d := range dashboards.List() {
		boards = append(boards, page.Dashboard{UID: d.UID, Title: d.Title, Description: d.Description, JSON: dashboards.InCurrency(d.JSON, currency)})
	}
	h, err := page.Handler(page.Config{
		Dashboards: boards, Query: p.query, Expand: expand, Now: p.app.watcher.Clock, TimeZone: p.zone,
		Subscribe: p.subscribe, Story: p.story, Program: p.program, Allowed: p.allowed,
		Report: newReporter(p.app.log, "page").report,
	})
	if err == nil {
		p.now, p.currency = h, currency
	}
	return h, err
}

func expand(sql string, r page.Range, vars map[string][]string) (string, error) {
	return dashboards.Expand(sql, dashboards.Range(r), vars)
}

func (p *pages) query(ctx context.Context, sql string, l page.Limits) (page.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	names, types, rows, err := p.reader.Query(ctx, sql)
	if err != nil && !errors.Is(err, warehouse.ErrTooManyRows) {
		return page.Result{}, err
	}
	r := page.Result{Rows: rows, Truncated: len(rows) > l.Rows || err != nil}
	r.Rows = r.Rows[:min(len(r.Rows), l.Rows)]
	for i, name := range names {
		r.Columns = append(r.Columns, page.Column{Name: name, Type: types[i]})
	}
	return r, nil
}

func (p *pages) zone() string {
	if rules := p.app.rules.Load(); rules != nil {
		return rules.Book.TimeZone
	}
	return ""
}

// allowed: the read key, as bearer or as user of basic auth.
func (p *pages) allowed(r *http.Request) bool {
	secret, _, _ := r.BasicAuth()
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		secret = token
	}
	for _, k := range p.app.keys {
		if k.Kind == ingest.KeyRead && subtle.ConstantTimeCompare([]byte(k.Secret), []byte(secret)) == 1 {
			return true
		}
	}
	return false
}

// subscribe follows both logs from their present ends.
func (p *pages) subscribe(ctx context.Context) <-chan page.Item {
	out := make(chan page.Item, feedPoll)
	var both sync.WaitGroup
	both.Go(func() {
		p.follow(ctx, event.TopicLedger, out, func(value []byte) (page.Item, bool) {
			var e event.Entry
			if event.DecodeEntry(value, &e) != nil {
				return page.Item{}, false
			}
			return page.EntryItem(&e)
		})
	})
	both.Go(func() {
		p.follow(ctx, event.TopicCampaignLog, out, func(value []byte) (page.Item, bool) {
			var e event.CampaignEntry
			if event.DecodeCampaignEntry(value, &e) != nil {
				return page.Item{}, false
			}
			return page.CampaignItem(&e)
		})
	})
	go func() {
		both.Wait()
		close(out)
	}()
	return out
}

func (p *pages) follow(ctx context.Context, topic string, out chan<- page.Item, item func(value []byte) (page.Item, bool)) {
	if err := p.followFrom(ctx, topic, out, item); err != nil && ctx.Err() == nil {
		p.app.log.Warn("page: the live feed ended", "topic", topic, "err", err)
	}
}

func (p *pages) followFrom(ctx context.Context, topic string, out chan<- page.Item, item func(value []byte) (page.Item, bool)) error {
	ends, err := p.app.cluster.Ends(ctx, topic, stream.ReadCommitted)
	if err != nil {
		return err
	}
	from := map[int32]int64{}
	for partition, r := range ends {
		from[partition] = r.End
	}
	r, err := p.app.cluster.Reader(ctx, stream.ReaderOptions{Topic: topic, Partitions: from, Isolation: stream.ReadCommitted})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		recs, err := r.Poll(ctx, feedPoll)
		if err != nil {
			return err
		}
		for _, rec := range recs {
			if len(rec.Key) == 0 {
				continue
			}
			if it, ok := item(rec.Value); ok {
				select {
				case out <- it:
				case <-ctx.Done():
					return nil
				}
			}
		}
	}
}

// story is how a customer stands and how that came to be.
func (p *pages) story(ctx context.Context, customerID string) (*page.Story, error) {
	reading, err := p.app.desk.Customer(ctx, customerID)
	if errors.Is(err, desk.ErrUnknown) {
		return nil, fmt.Errorf("%w: %s", page.ErrUnknownCustomer, customerID)
	}
	if err != nil {
		return nil, err
	}
	raw, err := p.reader.Entries(ctx, customerID, 0, storyEntries)
	if err != nil {
		return nil, err
	}
	entries := make([]event.Entry, len(raw))
	for i, value := range raw {
		if err := event.DecodeEntry(value, &entries[i]); err != nil {
			return nil, err
		}
	}
	decided, err := p.decided(ctx, customerID)
	if err != nil {
		return nil, err
	}
	return page.NewStory(reading.Standing, reading.Clock, entries, decided, len(entries) == storyEntries), nil
}

// decided are the newest campaign decisions on a customer.
func (p *pages) decided(ctx context.Context, customerID string) ([]event.CampaignEntry, error) {
	_, rows, err := p.reader.Ask(ctx, fmt.Sprintf(`SELECT value FROM campaign_entries WHERE account_id = {customer:String} AND kind = 'decision'
		ORDER BY sequence DESC LIMIT 1 BY partition, sequence LIMIT %d`, storyEntries), map[string]string{"customer": customerID})
	if err != nil {
		return nil, err
	}
	out := make([]event.CampaignEntry, len(rows))
	for i, row := range rows {
		text, _ := row[0].(string)
		if err := event.DecodeCampaignEntry(json.RawMessage(text), &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// program is the active program in words.
func (p *pages) program(context.Context) (*page.Program, error) {
	rules := p.app.rules.Load()
	if rules == nil {
		return nil, nil
	}
	b := rules.Book
	out := &page.Program{Name: b.Name, Version: b.ID, Since: b.EffectiveFrom, Currency: b.Currency, TimeZone: b.TimeZone, Rules: b.Describe()}
	for _, s := range rules.Segments.Visible() {
		out.Segments = append(out.Segments, page.Text{ID: s.ID, Name: s.Name, Text: rules.Segments.DescribeSegment(s.ID)})
	}
	for i := range rules.Campaigns.Campaigns {
		c := &rules.Campaigns.Campaigns[i]
		out.Campaigns = append(out.Campaigns, page.Text{ID: c.ID, Name: c.Name, Text: rules.Campaigns.Describe(c.ID)})
	}
	return out, nil
}
