package page

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Limits of the page.
const (
	// MaxRows bounds the rows of one answer.
	MaxRows = 10_000
	// MaxQueryTime bounds one query, with its wait for a turn.
	MaxQueryTime = 10 * time.Second
	// MaxBodyBytes bounds the body of a call.
	MaxBodyBytes = 64 << 10
	// MaxQueries run at one time; MaxWaiting more wait for their turn.
	MaxQueries = 4
	MaxWaiting = 64
	// MaxFeedClients read the feed at one time.
	MaxFeedClients = 32
	// MaxVariables and MaxValues bound the variables of a call and the values of one.
	MaxVariables = 32
	MaxValues    = 500
	// MaxRange is the longest range of time that may be asked for.
	MaxRange = 100 * 366 * 24 * time.Hour
)

// ErrUnknownCustomer says that nothing is known of a customer.
var ErrUnknownCustomer = errors.New("page: unknown customer")

// Dashboard is one dashboard in Grafana's JSON (v1).
type Dashboard struct {
	UID, Title, Description string
	JSON                    []byte
}

// Range is the range of time that is asked for; IntervalSeconds is the width of
// one point of a time series.
type Range struct {
	From, To        event.Time
	IntervalSeconds int
}

// Limits are what a query must keep to.
type Limits struct {
	Rows int
	Time time.Duration
}

// Column is a column of a result, with its ClickHouse type.
type Column struct {
	Name, Type string
}

// Result is what a query gave. Values are Go values; nil is NULL. Truncated says
// that rows beyond the limit were left out.
type Result struct {
	Columns   []Column
	Rows      [][]any
	Truncated bool
}

// Program is the program in words.
type Program struct {
	Name     string     `json:"name"`
	Version  string     `json:"version"`
	Since    event.Time `json:"since,omitempty"`
	Currency string     `json:"currency,omitempty"`
	TimeZone string     `json:"time_zone,omitempty"`
	// Rules is what program.Book.Describe writes; Segments and Campaigns have one
	// text each.
	Rules     string `json:"rules"`
	Segments  []Text `json:"segments"`
	Campaigns []Text `json:"campaigns"`
}

// Text says in words what a segment or a campaign is.
type Text struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Text string `json:"text"`
}

// Config says where the page gets things from. Dashboards, Query, Expand, Now and
// Allowed are needed.
type Config struct {
	// Dashboards in the order of the menu.
	Dashboards []Dashboard
	// Query runs one statement as a user that can only read. Rows beyond the limit
	// may be left out by it; the page does so in any case.
	Query func(ctx context.Context, sql string, l Limits) (Result, error)
	// Expand fills macros and variables into the SQL of a panel, every value quoted.
	Expand func(sql string, r Range, vars map[string][]string) (string, error)
	// Now is the log's time: what "now" means in a range.
	Now func() event.Time
	// TimeZone is the program's zone (IANA name); nil or empty: UTC.
	TimeZone func() string
	// Subscribe gives new lines until ctx ends; it is called once for all clients,
	// when the first comes. A closed channel ends the feed. nil: there is no feed.
	Subscribe func(ctx context.Context) <-chan Item
	// Story tells all about a customer, or ErrUnknownCustomer. nil: no stories.
	Story func(ctx context.Context, customerID string) (*Story, error)
	// Program gives the active program; nil result: none is active. nil: no view.
	Program func(ctx context.Context) (*Program, error)
	// Allowed reports whether the caller may read.
	Allowed func(*http.Request) bool
	// Report is told of errors that the caller is not to blame for. nil: nobody.
	Report func(error)
}

func (c *Config) check() error {
	var errs []error
	need := func(ok bool, name string) {
		if !ok {
			errs = append(errs, fmt.Errorf("page: Config.%s is missing", name))
		}
	}
	need(c.Query != nil, "Query")
	need(c.Expand != nil, "Expand")
	need(c.Now != nil, "Now")
	need(c.Allowed != nil, "Allowed")
	if c.Report == nil {
		c.Report = func(error) {}
	}
	if c.TimeZone == nil {
		c.TimeZone = func() string { return "UTC" }
	}
	seen := map[string]bool{}
	for _, d := range c.Dashboards {
		switch {
		case d.UID == "" || seen[d.UID]:
			errs = append(errs, fmt.Errorf("page: dashboard uid %q is empty or occurs twice", d.UID))
		case !json.Valid(d.JSON):
			errs = append(errs, fmt.Errorf("page: dashboard %s is not JSON", d.UID))
		}
		seen[d.UID] = true
	}
	return errors.Join(errs...)
}
