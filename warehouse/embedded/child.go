package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// childArgument makes this binary the engine; it is no command of a user's.
const childArgument = "__punchcard-engine"

// confinedArgument marks the second start, behind Landlock.
const confinedArgument = "confined"

var errLandlock = errors.New("this kernel has no Landlock")

// listenerDescriptor is the inherited port: the first after stdin, stdout, stderr.
const listenerDescriptor = 3

// childConfig reaches the child as one line on its standard input, so the key
// is in no argument list and no environment. The end of the input is the order to stop.
type childConfig struct {
	Dir     string
	Library string
	Key     string // the writer's
	Reader  string // the readers', or "" when they need none
	Memory  int64
}

// IsChild says whether this process was started to be the engine.
func IsChild() bool { return len(os.Args) > 1 && os.Args[1] == childArgument }

// RunChild serves the engine until the parent closes standard input or dies; it
// never returns.
func RunChild() {
	if err := runChild(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// The child's arguments: the data directory and the library, which Landlock has
// to know before the rest is read.
func runChild() error {
	if len(os.Args) == 4 {
		if err := runConfined(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "engine: readers are held by the engine and the parsed query alone:", err)
		}
	}
	var c childConfig
	decoder := json.NewDecoder(os.Stdin)
	if err := decoder.Decode(&c); err != nil {
		return fmt.Errorf("engine: this is an inner command of punchcard; its settings did not arrive: %w", err)
	}
	listener, err := net.FileListener(os.NewFile(listenerDescriptor, "listener"))
	if err != nil {
		return fmt.Errorf("engine: no port was handed over: %w", err)
	}
	e, err := openEngine(c)
	if err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxURLBytes + 1<<16,
		ErrorLog: slog.NewLogLogger(slog.NewTextHandler(os.Stderr, nil), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("engine: serve: %w", err)
	case <-stop:
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close()
		return nil // statements still run: exit without them, as kill would; what was acknowledged is on disk
	}
	e.keeper.close()
	return nil
}

// engine is the loaded library with its open data directory.
type engine struct {
	dir            string
	key, readerKey string
	memory         int64
	version        string
	keeper         *session // keeps the engine up; used for nothing after opening
	tableFunctions map[string]bool
	slots, readers chan struct{}
}

func openEngine(c childConfig) (*engine, error) {
	if err := bindLibrary(c.Library); err != nil {
		return nil, err
	}
	chdbSignalHandlers(0) // the Go runtime has its own
	e := &engine{dir: filepath.Join(c.Dir, "data"), key: c.Key, readerKey: c.Reader, memory: c.Memory,
		slots: make(chan struct{}, maxConcurrent), readers: make(chan struct{}, maxReaders)}
	if e.memory <= 0 {
		e.memory = defaultMemory
	}
	err := forgetDefault(e.dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if e.keeper, err = openSession(bootOptions(e.dir, e.memory)...); err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", e.dir, err)
	}
	return e, e.prepare()
}

// bootOptions are the engine's own, read once when the first session opens it.
func bootOptions(dir string, memory int64) []string {
	return []string{"--path=" + dir,
		fmt.Sprintf("--max_server_memory_usage=%d", memory),
		fmt.Sprintf("--mark_cache_size=%d", memory/8),
		fmt.Sprintf("--primary_index_cache_size=%d", memory/8),
	}
}

// defaultUUID names the folder of database "default"; fixed for ever, for its
// tables lie there.
const defaultUUID = "b9ab5b6e-64d5-4c1b-9d0f-70756e636861"

// forgetDefault removes the engine's note of database "default" before it
// starts; with it, libchdb would refuse to attach the plain one. The tables are
// in their own folder, by defaultUUID.
func forgetDefault(dir string) error {
	err := os.Remove(filepath.Join(dir, "metadata", "default.sql"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// prepare replaces the database "default", which in libchdb is laid over the
// file system (SELECT * FROM `/etc/passwd` reads it), by a plain one over the
// same tables, and learns what the engine has.
func (e *engine) prepare() error {
	for _, q := range []string{"DETACH DATABASE default", "ATTACH DATABASE default UUID '" + defaultUUID + "' ENGINE = Atomic"} {
		if _, err := e.keeper.query(q, "Null", nil); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	kind, err := e.keeper.query("SELECT engine FROM system.databases WHERE name = 'default'", "TSVRaw", nil)
	if err != nil || strings.TrimSpace(kind) != "Atomic" {
		return fmt.Errorf("database default is %q, not Atomic: it would open the file system to readers (%w)", strings.TrimSpace(kind), err)
	}
	if e.version, err = e.keeper.query("SELECT version()", "TSVRaw", nil); err != nil {
		return err
	}
	e.version = strings.TrimSpace(e.version)
	names, err := e.keeper.query("SELECT lower(name) FROM system.table_functions", "TSVRaw", nil)
	if err != nil {
		return err
	}
	e.tableFunctions = set(strings.Fields(names)...)
	if !e.tableFunctions["file"] || !e.tableFunctions["url"] {
		return errors.New("the engine's list of table functions does not name file and url: the guard for readers would be blind")
	}
	return nil
}

// acquire waits for a place to run.
func (e *engine) acquire(ctx context.Context, reader bool) (release func(), err error) {
	timer := time.NewTimer(queueTime)
	defer timer.Stop()
	busy := refuse(codeTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many statements at once (%d, by readers %d); waited %s", maxConcurrent, maxReaders, queueTime)
	if reader {
		select {
		case e.readers <- struct{}{}:
		case <-timer.C:
			return nil, busy
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case e.slots <- struct{}{}:
		return func() {
			<-e.slots
			if reader {
				<-e.readers
			}
		}, nil
	case <-timer.C:
		err = busy
	case <-ctx.Done():
		err = ctx.Err()
	}
	if reader {
		<-e.readers
	}
	return nil, err
}

// open makes the connection of one request, with its settings in force.
func (e *engine) open(req request, reader bool, tag string) (*session, error) {
	if reader {
		for name, value := range req.settings {
			if err := checkReaderSetting(name, value, e.memory); err != nil {
				return nil, err
			}
		}
	}
	s, err := openSession("--path=" + e.dir)
	if err != nil {
		return nil, err
	}
	if err := s.configure(e.sessionSettings(req, reader, tag), req.database); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (e *engine) sessionSettings(req request, reader bool, tag string) map[string]string {
	settings := allLimits(e.memory)
	if reader {
		for name, value := range readerLimits(e.memory) {
			settings[name] = value
		}
	}
	settings["log_comment"] = tag
	for name, value := range req.settings {
		settings[name] = value
	}
	switch {
	case reader:
		settings["readonly"] = "1"
	case req.readOnly && settings["readonly"] == "":
		settings["readonly"] = "2"
	}
	return settings
}

// configure sets the session up in one statement, and the current database.
func (s *session) configure(settings map[string]string, database string) error {
	if database != "" {
		if _, err := s.query("USE "+quoteName(database), "Null", nil); err != nil {
			return err
		}
	}
	parts := make([]string, 0, len(settings))
	for name, value := range settings {
		parts = append(parts, name+" = "+quoteString(value))
	}
	_, err := s.query("SET "+strings.Join(parts, ", "), "Null", nil)
	return err
}
