//go:build unix

package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lockDir takes the lock file; the system gives it back when the process
// ends, however it ends.
func lockDir(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("embedded: opening the lock: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w: another punchcard runs on %s: stop it, talk to it through its ports, or choose another directory with --data",
			ErrInUse, filepath.Dir(path))
	}
	return nil, fmt.Errorf("embedded: locking %s: %w", path, err)
}

// FreeDisk is the number of bytes that can still be written where the data is.
func (b *Broker) FreeDisk() (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(b.cfg.Dir, &s); err != nil {
		return 0, fmt.Errorf("embedded: asking for free disk at %s: %w", b.cfg.Dir, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
