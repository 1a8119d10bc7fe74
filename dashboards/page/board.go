package page

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// board is a dashboard with the SQL that is in it.
type board struct {
	Dashboard
	etag        string
	panels      map[int]panel
	variables   map[string]string // name → SQL, empty for those without a query
	annotations map[string]string
}

type panel struct {
	sql string
	// interval is the least width of a point, 0: none.
	interval time.Duration
}

// target is a query of the ClickHouse data source.
type target struct {
	RawSQL string `json:"rawSql"`
}

type boardJSON struct {
	Panels     []panelJSON `json:"panels"`
	Templating struct {
		List []struct {
			Name  string          `json:"name"`
			Type  string          `json:"type"`
			Query json.RawMessage `json:"query"`
		} `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Name   string          `json:"name"`
			Target json.RawMessage `json:"target"`
		} `json:"list"`
	} `json:"annotations"`
}

type panelJSON struct {
	ID       int         `json:"id"`
	Targets  []target    `json:"targets"`
	Interval string      `json:"interval"`
	Panels   []panelJSON `json:"panels"` // of a folded row
}

func readBoard(d Dashboard) (*board, error) {
	var j boardJSON
	if err := json.Unmarshal(d.JSON, &j); err != nil {
		return nil, fmt.Errorf("page: dashboard %s: %w", d.UID, err)
	}
	b := &board{Dashboard: d, etag: etagOf(d.JSON), panels: map[int]panel{}, variables: map[string]string{}, annotations: map[string]string{}}
	if err := b.addPanels(j.Panels); err != nil {
		return nil, err
	}
	for _, v := range j.Templating.List {
		b.variables[v.Name] = ""
		if v.Type == "query" {
			b.variables[v.Name] = querySQL(v.Query)
		}
	}
	for _, a := range j.Annotations.List {
		if sql := querySQL(a.Target); sql != "" {
			b.annotations[a.Name] = sql
		}
	}
	return b, nil
}

func (b *board) addPanels(list []panelJSON) error {
	for _, p := range list {
		if err := b.addPanels(p.Panels); err != nil {
			return err
		}
		if len(p.Targets) == 0 || p.Targets[0].RawSQL == "" {
			continue // text and rows ask nothing
		}
		if _, twice := b.panels[p.ID]; twice {
			return fmt.Errorf("page: dashboard %s: panel id %d occurs twice", b.UID, p.ID)
		}
		interval, err := step(strings.TrimLeft(p.Interval, "<>="))
		if err != nil {
			return fmt.Errorf("page: dashboard %s: panel %d: interval: %w", b.UID, p.ID, err)
		}
		b.panels[p.ID] = panel{sql: p.Targets[0].RawSQL, interval: interval}
	}
	return nil
}

// querySQL reads a query that is a string or a target.
func querySQL(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var t target
	_ = json.Unmarshal(raw, &t) // neither: it asks nothing
	return t.RawSQL
}
