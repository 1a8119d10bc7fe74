//go:build unix && !linux

package embedded

import "syscall"

// dieWithParent: elsewhere the end of standard input alone tells the child that
// its parent is gone.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// runConfined: only Linux has Landlock.
func runConfined(string, string) error { return errLandlock }
