package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// LibraryVariable names the environment variable that overrides the search for the library.
const LibraryVariable = "PUNCHCARD_ENGINE_LIBRARY"

// ErrNoLibrary is in the error of FindLibrary when nothing was found.
var ErrNoLibrary = errors.New("the embedded ClickHouse engine (libchdb) is not here: fetch it with `make engine`, or use a ClickHouse server with --clickhouse URL")

// platforms are those the pinned npm package carries the engine for; on others
// LibraryVariable may point to a libchdb of the user's own.
var platforms = map[string]string{"linux/amd64": "lib-linux-x64-gnu"}

// FindLibrary gives the path of libchdb: what PUNCHCARD_ENGINE_LIBRARY says,
// else .engine/ in the working directory or a parent of it up to the one with
// go.mod, beside the executable or one folder up, or in the user's cache.
func FindLibrary() (string, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if path := os.Getenv(LibraryVariable); path != "" {
		if !isFile(path) {
			return "", fmt.Errorf("%s=%s: no such file; %w", LibraryVariable, path, ErrNoLibrary)
		}
		return path, nil
	}
	folder, ok := platforms[platform]
	if !ok {
		return "", fmt.Errorf("there is no embedded ClickHouse engine for %s: use a ClickHouse server with --clickhouse URL", platform)
	}
	below := filepath.Join("node_modules", "@chdb", folder, "libchdb.so")
	for _, dir := range libraryFolders() {
		if path := filepath.Join(dir, below); isFile(path) {
			return path, nil
		}
	}
	return "", ErrNoLibrary
}

func libraryFolders() []string {
	var dirs []string
	if cwd, err := os.Getwd(); err == nil {
		for dir := cwd; ; dir = filepath.Dir(dir) {
			dirs = append(dirs, filepath.Join(dir, ".engine"))
			if isFile(filepath.Join(dir, "go.mod")) || dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dir := filepath.Dir(exe)
		dirs = append(dirs, filepath.Join(dir, ".engine"), filepath.Join(dir, "..", ".engine"))
	}
	if cache, err := os.UserCacheDir(); err == nil {
		dirs = append(dirs, filepath.Join(cache, "punchcard", "engine"))
	}
	return dirs
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
