package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestReporterLogsTheFirstOfManyErrors(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	r := newReporter(slog.New(slog.NewTextHandler(&out, nil)), "door")
	r.now = func() time.Time { return now }
	for range 300 {
		r.report(errors.New("no owner"))
		now = now.Add(10 * time.Millisecond)
	}
	if n := strings.Count(out.String(), "no owner"); n != 1 {
		t.Errorf("%d lines in 3 s, want 1", n)
	}
	now = now.Add(reportEvery)
	r.report(errors.New("no owner"))
	if !strings.Contains(out.String(), "others_since_the_last=299") {
		t.Errorf("the others are not counted: %s", out.String())
	}
}
