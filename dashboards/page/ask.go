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

// question is the body of POST /page/api/query: one of Panel, Variable and
// Annotation.
type question struct {
	UID        string              `json:"uid"`
	Panel      int                 `json:"panel"`
	Variable   string              `json:"variable"`
	Annotation string              `json:"annotation"`
	From       string              `json:"from"`
	To         string              `json:"to"`
	Vars       map[string][]string `json:"vars"`
}

// answered is the answer to it.
type answered struct {
	Columns   []columnJSON `json:"columns"`
	Rows      [][]any      `json:"rows"`
	Truncated bool         `json:"truncated,omitempty"`
	From      int64        `json:"from"` // milliseconds since 1970
	To        int64        `json:"to"`
	Interval  int          `json:"interval_s"`
	TookMs    int64        `json:"took_ms"`
}

func (p *page) query(w http.ResponseWriter, r *http.Request) {
	var q question
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		status, code := http.StatusBadRequest, "invalid_json"
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			status, code = http.StatusRequestEntityTooLarge, "too_large"
		}
		fail(w, status, code, "the body is no question of this page: "+clip(err.Error()), "")
		return
	}
	sql, rng, bad := p.resolve(&q)
	if bad != nil {
		fail(w, bad.status, bad.Code, bad.Message, bad.Hint)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), MaxQueryTime)
	defer cancel()
	began := time.Now()
	res, bad := p.run(ctx, sql, rng, &q)
	if bad != nil {
		if r.Context().Err() != nil {
			return // the caller is gone
		}
		fail(w, bad.status, bad.Code, bad.Message, bad.Hint)
		return
	}
	out := answered{From: int64(rng.From), To: int64(rng.To), Interval: rng.IntervalSeconds, Truncated: res.Truncated}
	out.Columns, out.Rows = plain(res)
	out.TookMs = time.Since(began).Milliseconds()
	answer(w, r, out)
}

// resolve finds the SQL and the range of a question.
func (p *page) resolve(q *question) (string, Range, *problem) {
	var rng Range
	b, ok := p.boards[q.UID]
	if !ok {
		return "", rng, &problem{status: http.StatusNotFound, Code: "unknown_dashboard", Message: fmt.Sprintf("there is no dashboard %.60q", q.UID)}
	}
	var sql string
	var least time.Duration
	switch {
	case q.Variable != "":
		sql = b.variables[q.Variable]
	case q.Annotation != "":
		sql = b.annotations[q.Annotation]
	default:
		sql, least = b.panels[q.Panel].sql, b.panels[q.Panel].interval
	}
	if sql == "" {
		return "", rng, &problem{status: http.StatusNotFound, Code: "unknown_panel", Message: "the dashboard has no such panel, variable or annotation that asks anything"}
	}
	if err := b.checkVars(q.Vars); err != nil {
		return "", rng, &problem{status: http.StatusBadRequest, Code: "invalid_variables", Message: err.Error()}
	}
	rng, err := p.between(q.From, q.To, least)
	if err != nil {
		return "", rng, &problem{status: http.StatusBadRequest, Code: "invalid_range", Message: err.Error()}
	}
	return sql, rng, nil
}

func (b *board) checkVars(vars map[string][]string) error {
	if len(vars) > MaxVariables {
		return fmt.Errorf("%d variables, at most %d", len(vars), MaxVariables)
	}
	for name, values := range vars {
		if _, ok := b.variables[name]; !ok {
			return fmt.Errorf("the dashboard has no variable %.40q", name)
		}
		if len(values) > MaxValues {
			return fmt.Errorf("variable %s has %d values, at most %d", name, len(values), MaxValues)
		}
		for _, v := range values {
			if len(v) > event.MaxNameBytes {
				return fmt.Errorf("a value of variable %s has %d bytes, at most %d", name, len(v), event.MaxNameBytes)
			}
		}
	}
	return nil
}

func (p *page) between(from, to string, least time.Duration) (Range, error) {
	if from == "" {
		from = "now-30d"
	}
	if to == "" {
		to = "now"
	}
	now, zone := p.Now(), p.zone()
	f, err := when(from, now, zone, false)
	if err != nil {
		return Range{}, fmt.Errorf("from: %w", err)
	}
	t, err := when(to, now, zone, true)
	if err != nil {
		return Range{}, fmt.Errorf("to: %w", err)
	}
	if t <= f || t-f > event.Time(MaxRange.Milliseconds()) {
		return Range{}, errors.New("from must be before to, and at most 100 years")
	}
	return Range{From: f, To: t, IntervalSeconds: int(width(f, t, least) / time.Second)}, nil
}

func (p *page) zone() *time.Location {
	zone, err := time.LoadLocation(p.TimeZone())
	if err != nil {
		return time.UTC
	}
	return zone
}

// run waits for a turn and runs the query.
func (p *page) run(ctx context.Context, sql string, rng Range, q *question) (Result, *problem) {
	expanded, err := p.Expand(sql, rng, q.Vars)
	if err != nil {
		return Result{}, &problem{status: http.StatusBadRequest, Code: "not_expanded", Message: clip(err.Error())}
	}
	select {
	case p.waiting <- struct{}{}:
		defer func() { <-p.waiting }()
	default:
		return Result{}, &problem{status: http.StatusTooManyRequests, Code: "busy", Message: "too many questions at one time", Hint: "try again in a moment"}
	}
	late := &problem{status: http.StatusGatewayTimeout, Code: "too_slow", Message: fmt.Sprintf("no answer within %s", MaxQueryTime),
		Hint: "choose a shorter range, or try again when less is going on"}
	select {
	case p.running <- struct{}{}:
		defer func() { <-p.running }()
	case <-ctx.Done():
		return Result{}, late
	}
	deadline, _ := ctx.Deadline()
	res, err := p.Query(ctx, expanded, Limits{Rows: MaxRows, Time: time.Until(deadline)})
	switch {
	case err != nil && ctx.Err() != nil:
		return Result{}, late
	case err != nil:
		p.Report(fmt.Errorf("page: %s, panel %d %s%s: %w", q.UID, q.Panel, q.Variable, q.Annotation, err))
		return Result{}, &problem{status: http.StatusBadGateway, Code: "query_failed", Message: clip(err.Error()), Hint: "the log of the program has the whole error"}
	}
	if len(res.Rows) > MaxRows {
		res.Rows, res.Truncated = res.Rows[:MaxRows], true
	}
	return res, nil
}
