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

// The keys' files, readable by the owner alone.
const (
	writerKeyFile = "writer.key"
	readerKeyFile = "reader.key"
)

// ReadWriterKey gives the writer key of an engine's directory, so that another
// process of the same user can write. Errors: fs.ErrNotExist before the first start.
func ReadWriterKey(dir string) (string, error) { return readKey(filepath.Join(dir, writerKeyFile)) }

// ReadReaderKey gives the reader key, which readers need only where the engine
// listens beyond this machine. Errors: fs.ErrNotExist where there is none.
func ReadReaderKey(dir string) (string, error) { return readKey(filepath.Join(dir, readerKeyFile)) }

func readKey(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the engine's key: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if len(key) < 2*keyBytes {
		return "", fmt.Errorf("the engine's key in %s is too short: remove the file and start again", path)
	}
	return key, nil
}

// makeKey reads a key, or makes it at the first start.
func makeKey(path string) (string, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	var b [keyBytes]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("make the engine's key: %w", err)
	}
	key = hex.EncodeToString(b[:])
	if err := os.WriteFile(path+".new", []byte(key+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the engine's key: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("keep the engine's key: %w", err)
	}
	return key, nil
}
