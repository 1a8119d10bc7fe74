package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
)

// serveCommand runs the engine until it is stopped.
type serveCommand struct {
	Roles []string `help:"Roles of this process: door, processor, projector, sink, control; all by default."`
}

// Validate names unknown roles.
func (c *serveCommand) Validate() error {
	for _, r := range c.Roles {
		if !slices.Contains(allRoles, r) {
			return fmt.Errorf("--roles %s: no such role; choose from %s", r, strings.Join(allRoles, ", "))
		}
	}
	return nil
}

// Run starts the roles and waits for Ctrl-C.
func (c *serveCommand) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	a := &app{settings: s, log: log, roles: c.Roles, now: wallClock}
	if len(a.roles) == 0 {
		a.roles = allRoles
	}
	if err := start(ctx, a); err != nil {
		return err
	}
	defer a.stop()
	fmt.Println(a.where())
	return a.untilDone(ctx)
}

func wallClock() event.Time { return event.At(time.Now()) }

// untilDone returns when ctx ends (nil) or a role fails.
func (a *app) untilDone(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- a.wait() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// where says where this process listens, in lines to paste.
func (a *app) where() string {
	var b strings.Builder
	if a.listener != nil {
		fmt.Fprintf(&b, "page        http://%s (asks for the read key)\n", a.listener.Addr())
		fmt.Fprintf(&b, "door        http://%s (keys: %s)\n", a.listener.Addr(), a.settings.path(keysFile))
	}
	fmt.Fprintf(&b, "Kafka       %s\n", strings.Join(a.brokers(), ","))
	if a.engine != nil {
		fmt.Fprintf(&b, "ClickHouse  %s\n", a.engine.URL())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
