package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
	"github.com/punchcard/punchcard/program/bundle"
	"github.com/punchcard/punchcard/segments"
)

const (
	// segmentChangesDays is how many days of entering and leaving are counted.
	segmentChangesDays = 7
	// segmentExamples is how many customers a preview shows.
	segmentExamples = 10
	// maxSegmentBytes bounds a file to be previewed.
	maxSegmentBytes = event.MaxBundleBytes
)

// segmentCommand is everything about who is in a segment.
type segmentCommand struct {
	List    segmentList    `cmd:"" help:"The active segments, and how many customers are in each."`
	Show    segmentShow    `cmd:"" help:"What a segment is, its size, who entered and left lately."`
	Preview segmentPreview `cmd:"" help:"Who would be in a segment that is not active yet."`
}

type segmentList struct{}

// Run prints a line for each segment.
func (segmentList) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needLog|needWarehouse, func(conn *connection) error {
		rules, err := conn.activeRules(ctx)
		if err != nil {
			return err
		}
		if rules.Segments.Len() == 0 {
			fmt.Println("the active program has no segments: put files into its folder segments, see punchcard program new")
			return nil
		}
		p, err := askPopulation(ctx, conn.warehouse, rules.Segments, "")
		if err != nil {
			return err
		}
		p.printList(os.Stdout, rules.Segments)
		return nil
	})
}

type segmentShow struct {
	ID  string `arg:"" help:"The segment's id: its file's name without .yaml."`
	SQL bool   `name:"sql" help:"Print the query that gives its members, as of the newest tick, too."`
}

// Run prints all about one segment.
func (c *segmentShow) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	return withConnection(ctx, s, log, needLog|needWarehouse, func(conn *connection) error {
		rules, err := conn.activeRules(ctx)
		if err != nil {
			return err
		}
		set := rules.Segments
		if _, ok := set.Find(c.ID); !ok {
			return fmt.Errorf("there is no segment %q: punchcard segment list", c.ID)
		}
		p, err := askPopulation(ctx, conn.warehouse, set, "", c.ID)
		if err != nil {
			return err
		}
		fmt.Print(set.DescribeSegment(c.ID))
		fmt.Printf("\nAs of %s: %s\n", p.asOf, p.share(p.size[c.ID]))
		if err := printChanges(ctx, os.Stdout, conn.warehouse, c.ID, p.asOf); err != nil || !c.SQL {
			return err
		}
		query, err := set.SQL(segments.Question{Segments: []string{c.ID}})
		if err != nil {
			return err
		}
		fmt.Printf("\n-- parameter %s: %s\n%s\n", segments.SQLAsOf, segments.SQLTime(p.asOf), query)
		return nil
	})
}

// printChanges says who entered and left in the last days, by cause.
func printChanges(ctx context.Context, w io.Writer, ask asker, id string, asOf event.Time) error {
	query := fmt.Sprintf(`SELECT cause, countIf(change = 'entered'), countIf(change = 'left')
		FROM segment_changes
		WHERE segment_id = {segment:String} AND entry_time <= {as_of:DateTime64(3, 'UTC')} AND entry_time > {as_of:DateTime64(3, 'UTC')} - INTERVAL %d DAY
		GROUP BY cause ORDER BY cause`, segmentChangesDays)
	_, rows, err := ask.Ask(ctx, query, map[string]string{"segment": id, segments.SQLAsOf: segments.SQLTime(asOf)})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		fmt.Fprintf(w, "Nobody entered or left in the last %d days.\n", segmentChangesDays)
		return nil
	}
	fmt.Fprintf(w, "\nLast %d days\n", segmentChangesDays)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "by\tentered\tleft")
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(texts(row), "\t"))
	}
	return t.Flush()
}

type segmentPreview struct {
	File string `arg:"" help:"The segment's file, such as segments/lapsing.yaml." type:"existingfile"`
	Dir  string `help:"Folder of the bundle to which it would belong; without it, the active one."`
}

// Run checks the file among the others, and asks the facts who would be in it.
func (c *segmentPreview) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	name, text, err := readSegment(c.File)
	if err != nil {
		return err
	}
	n := needWarehouse
	if c.Dir == "" {
		n |= needLog
	}
	return withConnection(ctx, s, log, n, func(conn *connection) error {
		files, err := c.files(ctx, conn)
		if err != nil {
			return err
		}
		files = maps.Clone(files)
		files[name] = text
		rules, err := parseBundle(files)
		if err != nil {
			return err
		}
		id := strings.TrimSuffix(strings.TrimPrefix(name, program.SegmentsDir), ".yaml")
		return preview(ctx, os.Stdout, conn.warehouse, rules.Segments, id)
	})
}

func (c *segmentPreview) files(ctx context.Context, conn *connection) (map[string]string, error) {
	if c.Dir != "" {
		return readBundle(os.DirFS(c.Dir))
	}
	b, err := conn.control.ActiveBundleFiles(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errNoProgram
	}
	return b.Files, nil
}

// readSegment reads a segment's file; its name within a bundle is of its own.
func readSegment(path string) (name, text string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", "", err
	}
	if !strings.HasSuffix(path, ".yaml") || info.Size() > maxSegmentBytes {
		return "", "", fmt.Errorf("%s: a segment is a file ID.yaml of at most %d bytes", path, maxSegmentBytes)
	}
	b, err := os.ReadFile(path)
	return program.SegmentsDir + filepath.Base(path), string(b), err
}

var errNoProgram = errors.New("no active program: punchcard program new DIR, then punchcard program activate DIR")

// activeRules are those of the newest bundle in force.
func (c *connection) activeRules(ctx context.Context) (*bundle.Bundle, error) {
	b, err := c.control.ActiveBundleFiles(ctx)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, errNoProgram
	}
	rules, problems := bundle.Parse(b.Files)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the active bundle %s has %d problems in this version of punchcard: %s", b.ID, len(problems), problems[0])
	}
	return rules, nil
}
