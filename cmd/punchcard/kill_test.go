package main

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	kills       = 20
	killAfterMs = 50 // the earliest moment, and
	killSpanMs  = 1450
	loadClients = 8
)

// TestKilledAtSeededMoments kills the real program with -9 under load, some of
// the times while it starts, and starts it again on the same data; the last time it
// is Ctrl-C. Afterwards nothing is lost, nothing doubled, and each customer has what a simple model
// says.
func TestKilledAtSeededMoments(t *testing.T) {
	began := time.Now()
	seed := seedOf(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	p := newPlace(t)
	p.mustRun("program", "activate", writeBundle(t, loadProgram))
	l := startLoad(t, seed, loadClients, 60, p)
	starting := 0
	for i := range kills {
		while := "under load"
		pr := p.spawn("serve")
		if rng.IntN(3) == 0 {
			while = "while starting"
			starting++
		} else {
			p.awaitDoor(pr, time.Minute)
		}
		wait := time.Duration(killAfterMs+rng.IntN(killSpanMs)) * time.Millisecond
		before := l.acked.Load()
		select {
		case <-pr.done:
			t.Fatalf("the program ended by itself: %v\n%s", pr.err, pr.out)
		case <-time.After(wait): // the seeded moment
		}
		pr.kill()
		t.Logf("kill %2d %s after %4d ms, %d messages confirmed meanwhile", i+1, while, wait.Milliseconds(), l.acked.Load()-before)
	}
	if l.acked.Load() == 0 {
		t.Error("nothing was confirmed between the kills: this was no load")
	}
	pr := p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	awaitConfirmed(t, l, loadClients)
	if d := pr.interrupt(); d > 5*time.Second {
		t.Errorf("Ctrl-C under load took %s, at most 5 s", d)
	}
	pr = p.spawn("serve")
	p.awaitReady(pr, time.Minute)
	awaitConfirmed(t, l, loadClients)
	l.stop()
	entries := p.entries(time.Minute)
	l.check(entries)
	verified(t, p)
	l.checkWarehouse(p)
	p.campaignsWereAtWork(t)
	pr.interrupt()
	verified(t, p) // alone
	t.Logf("%d kills (%d while starting), %d confirmations, %.1f s", kills, starting, l.acked.Load(), time.Since(began).Seconds())
}

const (
	firstStarts    = 2 // data folders
	firstKills     = 5 // in each
	firstKillAfter = 10
	firstKillSpan  = 700
)

// TestKilledAtFirstStart kills the program while it makes its data folder: keys,
// topics, tables. The folder must be good afterwards.
func TestKilledAtFirstStart(t *testing.T) {
	rng := rand.New(rand.NewPCG(seedOf(t), 0))
	for range firstStarts {
		p := newPlace(t)
		for range firstKills {
			pr := p.spawn("serve")
			wait := time.Duration(firstKillAfter+rng.IntN(firstKillSpan)) * time.Millisecond
			select {
			case <-pr.done:
				t.Fatalf("the program ended by itself: %v\n%s", pr.err, pr.out)
			case <-time.After(wait): // the seeded moment
			}
			pr.kill()
			t.Logf("killed after %d ms", wait.Milliseconds())
		}
		p.mustRun("program", "activate", writeBundle(t, loadProgram))
		pr := p.spawn("serve")
		p.awaitReady(pr, time.Minute)
		if got := buyPoints(t, p, "first", 100); got != 100+loadWelcome {
			t.Errorf("balance %d", got)
		}
		verified(t, p)
		pr.interrupt()
	}
}

// verified runs punchcard verify, which must find nothing.
func verified(t *testing.T, p *place) {
	t.Helper()
	out, err := p.run("verify")
	if err != nil {
		t.Fatalf("punchcard verify: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	t.Logf("verify: %s", strings.Join(lines[max(0, len(lines)-3):], "; "))
}

// awaitDoor waits until the door answers at all.
func (p *place) awaitDoor(pr *process, within time.Duration) {
	p.t.Helper()
	until(p.t, "the door answers", within, func() bool {
		select {
		case <-pr.done:
			p.t.Fatalf("the program ended: %v\n%s", pr.err, pr.out)
		default:
		}
		resp, err := http.Get("http://" + p.http + "/healthz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}
