package main

import (
	"strings"
	"testing"
	"time"
)

// TestModel fits the sample: alone, then beside a running program. Time is the whole
// of it here, to the end of June 1998.
func TestModel(t *testing.T) {
	p := newPlace(t)
	p.mustRun("program", "activate", bundleDir(t, smallProgram))
	if out, err := p.run("model", "show"); err == nil || !strings.Contains(out, "there is no fit yet: run punchcard model fit") {
		t.Errorf("show before fit: %v\n%s", err, out)
	}
	if out, err := p.run("model", "fit"); err == nil || !strings.Contains(out, "no real orders of identified customers yet") {
		t.Errorf("a fit of nothing: %v\n%s", err, out)
	}
	p.mustRun("import", cdnowFile, "--mapping", "cdnow")
	out := p.mustRun("model", "fit")
	t.Log(out)
	for _, want := range []string{"as of 1998-06-30", "Pareto/NBD", "expected_purchases", "back-test: fitted up to 1998-02-14, 136 days predicted", "alive for ever", "next 12 months: 2357 customers", "2357 predictions are in view customer_value"} {
		if !strings.Contains(out, want) {
			t.Errorf("fit does not say %q", want)
		}
	}
	pr := p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	shown := p.mustRun("model", "show")
	if said, _, _ := strings.Cut(out, "2357 predictions are"); said != shown {
		t.Errorf("show says\n%s", shown)
	}
	p.mustRun("model", "fit", "--discount-rate", "0.2")
	p.row(t, "SELECT count() AS n FROM model_runs", "map[n:10]")
	p.row(t, "SELECT count() AS n, any(discount_rate) AS d FROM customer_value", "map[d:0.2 n:2357]")
	if out, err := p.run("model", "fit", "--discount-rate=-1"); err == nil || !strings.Contains(out, "it must be above 0") {
		t.Errorf("a negative rate: %v\n%s", err, out)
	}
	pr.interrupt()
}
