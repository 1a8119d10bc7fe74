//go:build !unix

package embedded

import (
	"errors"
	"os"
)

var errPlatform = errors.New("embedded: the embedded broker runs on Linux and macOS; elsewhere give --kafka host:port")

func lockDir(string) (*os.File, error) { return nil, errPlatform }

// FreeDisk is not known on this platform.
func (b *Broker) FreeDisk() (uint64, error) { return 0, errPlatform }
