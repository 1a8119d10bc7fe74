package embedded

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// DefaultListen is where the engine listens when Config names no address.
	DefaultListen = "127.0.0.1:8123"

	startTime      = 60 * time.Second // for the child to answer; opening a small directory takes well under a second
	stopTime       = 4 * time.Second  // for the child to end by itself
	pollTime       = 20 * time.Millisecond
	crashWindow    = 10 * time.Minute
	maxCrashes     = 10 // within crashWindow; then the engine stays down
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 10 * time.Second
	portTime       = time.Second
	orphanTime     = 5 * time.Second // for the child of a killed parent to be gone
	keyBytes       = 24
	maxLogLine     = 2000
)

// Config says where the engine lives. Zero values have defaults except Dir.
type Config struct {
	Dir              string // the engine's own folder, made if missing: data/, writer.key, lock
	Listen           string // host:port; port 0 picks a free one
	Library          string // path of libchdb; "" means FindLibrary
	Logger           *slog.Logger
	MemoryLimitBytes int64 // of the whole engine; 0 means 2 GiB
}

// Engine is the running child and what supervises it. Its methods may be called
// from any goroutine.
type Engine struct {
	config   Config
	key      string
	reader   string
	listener *net.TCPListener
	lock     *os.File
	restarts atomic.Int64
	ready    atomic.Bool // has answered once
	stop     chan struct{}
	stopOnce sync.Once
	done     chan struct{} // closed when the supervisor has ended
	mu       sync.Mutex
	err      error // why it gave up
	pid      int
}

// Start opens the port, starts the engine in a child process and waits until it
// answers. Errors: no library (ErrNoLibrary), port or data directory taken,
// or what the child said when it could not open its data.
func Start(ctx context.Context, c Config) (*Engine, error) {
	e, err := open(c)
	if err != nil {
		return nil, err
	}
	failed := make(chan error, 1)
	go e.supervise(failed)
	if err := e.waitReady(ctx, failed); err != nil {
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

func open(c Config) (*Engine, error) {
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Library == "" {
		path, err := FindLibrary()
		if err != nil {
			return nil, err
		}
		c.Library = path
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil || c.Dir == "" {
		return nil, fmt.Errorf("the engine needs a data directory, not %q", c.Dir)
	}
	c.Dir = dir
	if c.Library, err = filepath.Abs(c.Library); err != nil {
		return nil, fmt.Errorf("engine library: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(c.Dir, "data"), 0o700); err != nil {
		return nil, fmt.Errorf("make the engine's data directory: %w", err)
	}
	e := &Engine{config: c, stop: make(chan struct{}), done: make(chan struct{})}
	if e.lock, err = lockDir(c.Dir); err != nil {
		return nil, err
	}
	if err := e.openDoor(); err != nil {
		_ = e.lock.Close()
		return nil, err
	}
	return e, nil
}

// openDoor reads or makes the keys and opens the port. Beyond this machine,
// readers need a key too.
func (e *Engine) openDoor() (err error) {
	if e.key, err = makeKey(filepath.Join(e.config.Dir, writerKeyFile)); err != nil {
		return err
	}
	if e.listener, err = listen(e.config.Listen); err != nil {
		return err
	}
	if !e.listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		if e.reader, err = makeKey(filepath.Join(e.config.Dir, readerKeyFile)); err != nil {
			_ = e.listener.Close()
		}
	}
	return err
}

// listen opens the port, which the child of a killed parent may hold a moment
// longer than the lock.
func listen(addr string) (*net.TCPListener, error) {
	var l net.Listener
	err := retry(portTime, syscall.EADDRINUSE, func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the ClickHouse port %s is taken: choose another with --clickhouse-listen host:port, or use the server there with --clickhouse URL: %w", addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open the ClickHouse port %s (--clickhouse-listen): %w", addr, err)
	}
	return l.(*net.TCPListener), nil
}

// retry calls fn again for as long as it says busy, until the time is over.
func retry(atMost time.Duration, busy error, fn func() error) error {
	for deadline := time.Now().Add(atMost); ; time.Sleep(pollTime) {
		if err := fn(); !errors.Is(err, busy) || time.Now().After(deadline) {
			return err
		}
	}
}

// lockDir keeps a second process out of the data directory. The child holds the
// lock too: when its parent was killed, nobody opens the data before it is gone.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the engine's data directory: %w", err)
	}
	err = retry(orphanTime, syscall.EWOULDBLOCK, func() error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) })
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the engine's data directory %s is in use by another punchcard process: stop it, or choose another with --data: %w", dir, err)
	}
	return f, nil
}

// Addr is host:port of the HTTP protocol.
func (e *Engine) Addr() string { return e.listener.Addr().String() }

// URL is the same with its scheme.
func (e *Engine) URL() string { return "http://" + e.Addr() }

// WriterKey is the password of user "punchcard", who may write.
func (e *Engine) WriterKey() string { return e.key }

// ReaderKey is the password of readers, or "" when they need none: on localhost.
func (e *Engine) ReaderKey() string { return e.reader }

// Restarts counts how often the child was started again after a crash.
func (e *Engine) Restarts() int { return int(e.restarts.Load()) }

// Done is closed when the engine is down for good: closed, or given up; Err says which.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says why the engine was given up, or nil.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Pid is the child's, 0 while there is none.
func (e *Engine) Pid() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.pid
}

func (e *Engine) setPid(pid int) {
	e.mu.Lock()
	e.pid = pid
	e.mu.Unlock()
}

// Close stops the child, by force if it takes longer than 4 s. It may be called twice.
func (e *Engine) Close() error {
	e.stopOnce.Do(func() { close(e.stop) })
	<-e.done
	return e.Err()
}

// waitReady polls until the child answers.
func (e *Engine) waitReady(ctx context.Context, failed <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answered := make(chan error, 1)
	go func() {
		for {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, e.URL()+"/ping", nil)
			resp, err := client.Do(req)
			if err == nil {
				_ = resp.Body.Close()
				answered <- nil
				return
			}
			select {
			case <-ctx.Done():
				answered <- fmt.Errorf("the ClickHouse engine did not answer at %s: %w", e.Addr(), ctx.Err())
				return
			case <-time.After(pollTime):
			}
		}
	}()
	select {
	case err := <-answered:
		e.ready.Store(err == nil)
		return err
	case err := <-failed:
		return err
	}
}

// supervise runs the child again and again until Close or too many crashes. It
// keeps one OS thread: the kernel ends the child when the thread that started
// it ends.
func (e *Engine) supervise(failed chan<- error) {
	runtime.LockOSThread()
	defer close(e.done)
	defer func() {
		_ = e.listener.Close()
		_ = e.lock.Close()
	}()
	var crashes []time.Time
	backoff := firstBackoff
	for {
		began := time.Now()
		stopped, err := e.runOnce()
		if stopped {
			return
		}
		crashes = recent(append(crashes, time.Now()))
		if len(crashes) >= maxCrashes || !e.ready.Load() { // what never ran will not run the next time
			e.giveUp(err, failed, len(crashes))
			return
		}
		if time.Since(began) > crashWindow {
			backoff = firstBackoff
		}
		e.config.Logger.Error("the ClickHouse engine ended; starting it again", "error", err, "after", time.Since(began).Round(time.Millisecond), "wait", backoff)
		select {
		case <-e.stop:
			return
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, longestBackoff)
		e.restarts.Add(1)
	}
}

func (e *Engine) giveUp(err error, failed chan<- error, crashes int) {
	err = fmt.Errorf("the ClickHouse engine cannot run (%d ends within %s, the last: %w); its data is in %s", crashes, crashWindow, err, e.config.Dir)
	e.mu.Lock()
	e.err = err
	e.mu.Unlock()
	failed <- err
}

func recent(times []time.Time) []time.Time {
	for len(times) > 0 && time.Since(times[0]) > crashWindow {
		times = times[1:]
	}
	return times
}

// runOnce starts the child and waits for its end; stopped tells an end by Close.
func (e *Engine) runOnce() (stopped bool, err error) {
	cmd, stdin, said, err := e.spawn()
	if err != nil {
		return false, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	e.setPid(cmd.Process.Pid)
	defer e.setPid(0)
	select {
	case err := <-ended:
		_ = stdin.Close()
		if last := said.last(); last != "" {
			return false, fmt.Errorf("%s (%v)", last, err)
		}
		return false, fmt.Errorf("the child ended: %v", err)
	case <-e.stop:
	}
	_ = stdin.Close()
	select {
	case <-ended:
	case <-time.After(stopTime):
		_ = cmd.Process.Kill()
		<-ended
	}
	return true, nil
}

func (e *Engine) spawn() (*exec.Cmd, io.WriteCloser, *childLog, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("find this program to start the engine: %w", err)
	}
	port, err := e.listener.File()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("hand the port to the engine: %w", err)
	}
	defer func() { _ = port.Close() }()
	cmd := exec.Command(self, childArgument, filepath.Join(e.config.Dir, "data"), e.config.Library)
	cmd.Dir = filepath.Join(e.config.Dir, "data")
	cmd.Env = append(os.Environ(), "TZ=UTC", "TMPDIR="+filepath.Join(e.config.Dir, "data"))
	cmd.ExtraFiles = []*os.File{port, e.lock} // see listenerDescriptor, lockDir
	cmd.SysProcAttr = dieWithParent()
	said := &childLog{logger: e.config.Logger}
	cmd.Stdout, cmd.Stderr = said, said
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("start the engine: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, nil, fmt.Errorf("start the engine: %w", err)
	}
	settings := childConfig{Dir: e.config.Dir, Library: e.config.Library, Key: e.key, Reader: e.reader, Memory: e.config.MemoryLimitBytes}
	if err := json.NewEncoder(stdin).Encode(settings); err != nil {
		e.config.Logger.Warn("the ClickHouse engine did not take its settings", "error", err)
	}
	return cmd, stdin, said, nil
}

// childLog turns what the child prints into log records and keeps the last line.
type childLog struct {
	logger *slog.Logger
	mu     sync.Mutex
	line   string
}

func (l *childLog) Write(p []byte) (int, error) {
	scan := bufio.NewScanner(strings.NewReader(string(p)))
	scan.Buffer(nil, len(p)+1)
	for scan.Scan() {
		line := strings.TrimSpace(scan.Text())
		if line == "" {
			continue
		}
		line = line[:min(len(line), maxLogLine)]
		l.mu.Lock()
		l.line = line
		l.mu.Unlock()
		l.logger.Warn("clickhouse engine", "said", line)
	}
	return len(p), nil
}

func (l *childLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line
}
