package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/ingest/history"
	"github.com/punchcard/punchcard/processors/control"
	"github.com/punchcard/punchcard/program/bundle"
)

const (
	// maxMappingBytes bounds a mapping file.
	maxMappingBytes = 64 << 10
	// rejectBatch is how many rejects are published at once.
	rejectBatch = 1000
)

// importCommand brings history in from a file.
type importCommand struct {
	File    string `arg:"" help:"Parquet or CSV file."`
	Mapping string `required:"" help:"Mapping file, or the name of a built-in one: online-retail, cdnow." placeholder:"FILE"`
	DryRun  bool   `name:"dry-run" help:"Read and count only; nothing is published."`
	Shift   string `help:"Days to add to every time: a number, or 'recent' for whole weeks so that history ends 8 to 9 weeks before today. Fixed at the first run." default:"0"`
}

// Run reads the file, prints what is in it, and imports it.
func (c *importCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	m, err := readMapping(c.Mapping)
	if err != nil {
		return err
	}
	bar := newBar("reading")
	plan, err := history.Read(ctx, c.File, m, bar.set)
	bar.done()
	if err != nil {
		return err
	}
	if err := shift(plan, c.Shift); err != nil {
		return err
	}
	if err := plan.Table(os.Stdout); err != nil {
		return err
	}
	if c.DryRun {
		fmt.Println("dry run: nothing was published")
		return nil
	}
	return withConnection(ctx, s, log, needLog|needRoles, func(conn *connection) error {
		r, err := importPlan(ctx, s, conn.cluster, conn.control, plan)
		if err != nil {
			return err
		}
		printImported(r)
		return nil
	})
}

func printImported(r history.Result) {
	switch {
	case r.AlreadyImported:
		fmt.Println("already imported: nothing was published")
	case r.Resumed:
		fmt.Printf("resumed and finished: %d events and %d ticks; shifted by %d days\n", r.Events, r.Ticks, r.ShiftDays)
	default:
		fmt.Printf("imported: %d events and %d ticks; shifted by %d days\n", r.Events, r.Ticks, r.ShiftDays)
	}
}

func shift(plan *history.Plan, by string) error {
	if by == "recent" {
		plan.Shift(history.ShiftToEnd(plan.Last, wallClock()))
		return nil
	}
	var days int64
	if _, err := fmt.Sscanf(by, "%d", &days); err != nil {
		return fmt.Errorf("--shift %q: write a number of days, or recent", by)
	}
	plan.Shift(days)
	return nil
}

// readMapping reads a mapping file or a built-in one and prints every problem.
func readMapping(name string) (*history.Mapping, error) {
	text, ok := history.BuiltinMapping(name)
	if !ok {
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("mapping: %w; built-in ones are %s", err, strings.Join(history.BuiltinMappings(), ", "))
		}
		if info.Size() > maxMappingBytes {
			return nil, fmt.Errorf("mapping %s: larger than %d bytes", name, maxMappingBytes)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("mapping: %w", err)
		}
		text = string(b)
	}
	m, problems := history.ParseMapping(name, text)
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(problems) > 0 {
		return nil, errFindings
	}
	return m, nil
}

// importPlan publishes a plan, with a progress bar.
func importPlan(ctx context.Context, s *Settings, cluster *stream.Cluster, ctl *control.Control, plan *history.Plan) (history.Result, error) {
	if err := ctl.CaughtUp(ctx); err != nil {
		return history.Result{}, err
	}
	t := &importTarget{settings: s, cluster: cluster, control: ctl}
	pub, err := cluster.Publisher(stream.PublisherOptions{ManualPartition: true})
	if err != nil {
		return history.Result{}, err
	}
	defer pub.Close()
	t.rejects = pub
	o := history.Options{NotAfter: wallClock()}
	if o.SettleAt, err = settleAt(ctx, ctl); err != nil {
		return history.Result{}, err
	}
	bar := newBar("importing")
	defer bar.done()
	o.Progress = bar.set
	return history.Run(ctx, plan, t, o)
}

// settleAt is true at ticks that begin a day of cut points; a month when the
// program asks for none.
func settleAt(ctx context.Context, ctl *control.Control) (func(prev, now event.Time) bool, error) {
	b, err := ctl.ActiveBundleFiles(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errors.New("no active program: history would be kept without effect; punchcard program activate DIR first")
	}
	rules, problems := bundle.Parse(b.Files)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the active bundle does not pass this version's checks: %s", problems[0])
	}
	book := rules.Book
	if book.CountsDay(wallClock()) == 0 { // no cut points: only to go on from after a kill
		return func(prev, now event.Time) bool { return prev.Std().UTC().Month() != now.Std().UTC().Month() }, nil
	}
	return func(prev, now event.Time) bool {
		return book.CountsDay(now) != book.CountsDay(prev)
	}, nil
}

// importTarget is where an import goes: the log, through control.
type importTarget struct {
	settings *Settings
	cluster  *stream.Cluster
	control  *control.Control
	rejects  *stream.Publisher
}

// Partitions implements history.Target.
func (t *importTarget) Partitions() int32 { return t.control.Partitions() }

// Publish implements history.Target.
func (t *importTarget) Publish(ctx context.Context, recs []history.Record) error {
	events := make([]*event.Event, len(recs))
	partitions := make([]int32, len(recs))
	for i := range recs {
		events[i], partitions[i] = recs[i].Event, recs[i].Partition
	}
	return t.control.Publish(ctx, events, event.ClassOuter, partitions)
}

// Reject implements history.Target.
func (t *importTarget) Reject(ctx context.Context, rejects []event.Reject) error {
	for len(rejects) > 0 {
		n := min(len(rejects), rejectBatch)
		recs := make([]*stream.Record, 0, n)
		for i := range rejects[:n] {
			r := rejects[i]
			r.V, r.ReceivedTime, r.IsHistory = event.Version, wallClock(), true
			value, err := json.Marshal(r)
			if err != nil {
				return err
			}
			recs = append(recs, &stream.Record{Topic: t.cluster.Topic(event.TopicRejects), Value: value})
		}
		if err := t.rejects.Publish(ctx, recs...); err != nil {
			return err
		}
		rejects = rejects[n:]
	}
	return nil
}

// Settle implements history.Target: control asks for further slices itself.
func (t *importTarget) Settle(ctx context.Context, _ event.Time, _ int64) (bool, error) {
	return false, t.control.Settle(ctx)
}

var sourceName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

func (t *importTarget) progressFile(source string) string {
	return t.settings.path("imports", sourceName.ReplaceAllString(source, "_")+".json")
}

// Progress implements history.Target.
func (t *importTarget) Progress(_ context.Context, source string) (c history.Cursor, ok bool, err error) {
	text, err := os.ReadFile(t.progressFile(source))
	if errors.Is(err, os.ErrNotExist) {
		return c, false, nil
	}
	if err != nil {
		return c, false, err
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, false, fmt.Errorf("%s: %w", t.progressFile(source), err)
	}
	return c, true, nil
}

// SaveProgress implements history.Target.
func (t *importTarget) SaveProgress(_ context.Context, c history.Cursor) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	path := t.progressFile(c.Source)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}

// bar is a progress bar on a terminal, and silent elsewhere.
type bar struct {
	name string
	bar  *progressbar.ProgressBar
}

func newBar(name string) *bar { return &bar{name: name} }

func (b *bar) set(done, total int64) {
	if b.bar == nil {
		out := io.Writer(os.Stderr)
		if !isTerminal(os.Stderr) {
			out = io.Discard
		}
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetDescription(b.name), progressbar.OptionSetWriter(out),
			progressbar.OptionShowCount(), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	_ = b.bar.Set64(done)
}

func (b *bar) done() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
