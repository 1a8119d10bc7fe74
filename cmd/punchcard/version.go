package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program"
)

// version is set by the release build.
var version = "dev"

type versionCommand struct{}

// Run prints versions of the binary, of its records and of its semantics.
func (versionCommand) Run() error {
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				revision = " " + s.Value[:12]
			}
		}
	}
	fmt.Printf("punchcard %s%s, records v%d, semantics %d, %s %s/%s\n", version, revision, event.Version, program.Semantics, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
