package embedded

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keyFile holds the writer key, readable by the owner alone.
const keyFile = "writer.key"

// ReadWriterKey gives the writer key of an engine's directory, so that another
// process of the same user can write. Errors: fs.ErrNotExist before the first start.
func ReadWriterKey(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		return "", fmt.Errorf("read the engine's writer key: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if len(key) < 2*keyBytes {
		return "", fmt.Errorf("the engine's writer key in %s is too short: remove the file and start again", filepath.Join(dir, keyFile))
	}
	return key, nil
}

// writerKey reads the key, or makes it at the first start.
func writerKey(dir string) (string, error) {
	key, err := ReadWriterKey(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	var b [keyBytes]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make the engine's writer key: %w", err)
	}
	key = hex.EncodeToString(b[:])
	path := filepath.Join(dir, keyFile)
	if err := os.WriteFile(path+".new", []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the engine's writer key: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("keep the engine's writer key: %w", err)
	}
	return key, nil
}
