package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestLeaderTerms: a role runs from when the leading partition is given until it is
// taken, again after that, and its failure is told.
func TestLeaderTerms(t *testing.T) {
	a := &app{}
	began, running := make(chan struct{}, 1), 0
	fail := make(chan error, 1)
	l := &leader{app: a, name: roleSink, failed: make(chan error, 1), run: func(ctx context.Context) error {
		running++
		defer func() { running-- }()
		began <- struct{}{}
		select {
		case <-ctx.Done():
			return nil
		case err := <-fail:
			return err
		}
	}}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	expect := func(want bool) {
		t.Helper()
		if got, _ := a.leading.Load(roleSink); (got == true) != want {
			t.Errorf("leading: %v, want %v", got, want)
		}
	}
	l.assigned(ctx, []int32{3, 4})
	l.revoked([]int32{3})
	expect(false)
	for range 2 {
		l.assigned(ctx, []int32{leadingPartition, 1})
		<-began
		l.assigned(ctx, []int32{2})
		l.revoked([]int32{1})
		expect(true)
		l.revoked([]int32{leadingPartition, 2}) // returns when the role has ended
		if running != 0 {
			t.Fatal("the role still runs after it was taken away")
		}
		expect(false)
	}
	l.assigned(ctx, []int32{leadingPartition})
	<-began
	broken := errors.New("broken")
	fail <- broken
	if err := <-l.failed; !errors.Is(err, broken) {
		t.Errorf("failed with %v", err)
	}
	l.revoked([]int32{leadingPartition})
	l.revoked([]int32{leadingPartition})
	expect(false)
}

// TestLeaderEndsWhileTaken: the partition is taken away, or given, while the
// process stops; neither may wait for ever.
func TestLeaderEndsWhileTaken(t *testing.T) {
	l := &leader{app: &app{}, name: roleSink, failed: make(chan error, 1), run: func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	l.assigned(ctx, []int32{leadingPartition})
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.revoked([]int32{leadingPartition})
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("giving the lead back while the process stops hangs")
	}
	if len(l.failed) != 0 {
		t.Errorf("a stop is no failure: %v", <-l.failed)
	}
}
