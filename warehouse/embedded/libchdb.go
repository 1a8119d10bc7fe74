package embedded

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/ebitengine/purego"
)

// The engine's C interface (programs/local/chdb.h of chdb-core 26.7.3), bound
// once per process. Only the child process calls bindLibrary.
var (
	chdbVersion        func() string
	chdbConnect        func(argc int32, argv unsafe.Pointer) unsafe.Pointer
	chdbCloseConn      func(conn unsafe.Pointer)
	chdbQueryParams    func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	chdbStreamParams   func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	chdbStreamFetch    func(conn, stream unsafe.Pointer) unsafe.Pointer
	chdbStreamCancel   func(conn, stream unsafe.Pointer)
	chdbDestroyResult  func(result unsafe.Pointer)
	chdbBuffer         func(result unsafe.Pointer) unsafe.Pointer
	chdbLength         func(result unsafe.Pointer) uintptr
	chdbError          func(result unsafe.Pointer) string
	chdbRowsRead       func(result unsafe.Pointer) uint64
	chdbReadRows       func(result unsafe.Pointer) uint64
	chdbReadBytes      func(result unsafe.Pointer) uint64
	chdbWrittenRows    func(result unsafe.Pointer) uint64
	chdbWrittenBytes   func(result unsafe.Pointer) uint64
	chdbInsertParams   func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer
	chdbInsertAppend   func(stream, data unsafe.Pointer, n uintptr) int32
	chdbInsertDone     func(stream unsafe.Pointer) unsafe.Pointer
	chdbInsertCancel   func(stream unsafe.Pointer)
	chdbInsertError    func(stream unsafe.Pointer) string
	chdbInsertDestroy  func(stream unsafe.Pointer)
	chdbClassify       func(conn, query unsafe.Pointer, queryLen uintptr, db unsafe.Pointer, dbLen uintptr, out unsafe.Pointer) int32
	chdbSignalHandlers func(enabled int32)
)

// bindLibrary loads libchdb from path and binds what this package calls.
func bindLibrary(path string) (err error) {
	lib, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load the engine library %s: %w", path, err)
	}
	for name, fn := range map[string]any{
		"chdb_version": &chdbVersion, "chdb_connect": &chdbConnect, "chdb_close_conn": &chdbCloseConn,
		"chdb_query_with_params_n": &chdbQueryParams, "chdb_stream_query_with_params_n": &chdbStreamParams,
		"chdb_stream_fetch_result": &chdbStreamFetch, "chdb_stream_cancel_query": &chdbStreamCancel,
		"chdb_destroy_query_result": &chdbDestroyResult, "chdb_result_buffer": &chdbBuffer, "chdb_result_length": &chdbLength,
		"chdb_result_error": &chdbError, "chdb_result_rows_read": &chdbRowsRead, "chdb_result_storage_rows_read": &chdbReadRows,
		"chdb_result_storage_bytes_read": &chdbReadBytes, "chdb_result_rows_written": &chdbWrittenRows,
		"chdb_result_bytes_written": &chdbWrittenBytes, "chdb_stream_insert_with_params_n": &chdbInsertParams,
		"chdb_stream_append": &chdbInsertAppend, "chdb_stream_done": &chdbInsertDone, "chdb_stream_cancel_insert": &chdbInsertCancel,
		"chdb_stream_insert_error": &chdbInsertError, "chdb_destroy_insert_stream": &chdbInsertDestroy,
		"chdb_classify_query_n": &chdbClassify, "chdb_set_signal_handlers_enabled": &chdbSignalHandlers,
	} {
		addr, symErr := purego.Dlsym(lib, name)
		if symErr != nil {
			return fmt.Errorf("engine library %s has no %s (libchdb 26.7.3 or later is needed): %w", path, name, symErr)
		}
		purego.RegisterFunc(fn, addr)
	}
	return nil
}

// stats is what the engine says a statement did.
type stats struct {
	readRows, readBytes, writtenRows, writtenBytes, resultRows uint64
}

func statsOf(result unsafe.Pointer) stats {
	return stats{chdbReadRows(result), chdbReadBytes(result), chdbWrittenRows(result), chdbWrittenBytes(result), chdbRowsRead(result)}
}

// session is one connection: one statement at a time, its own settings,
// current database and temporary tables. Not for concurrent use.
type session struct {
	handle unsafe.Pointer // chdb_connection*
}

// openSession opens a connection. args are engine options such as
// "--path=DIR" (first connection only) and "--max_threads=1".
func openSession(args ...string) (*session, error) {
	argv := append([]string{"clickhouse"}, args...)
	bufs := make([][]byte, len(argv))
	ptrs := make([]unsafe.Pointer, len(argv)+1)
	for i, arg := range argv {
		if strings.IndexByte(arg, 0) >= 0 {
			return nil, errors.New("an engine option holds a NUL byte")
		}
		bufs[i] = append([]byte(arg), 0)
		ptrs[i] = unsafe.Pointer(&bufs[i][0])
	}
	handle := chdbConnect(int32(len(argv)), unsafe.Pointer(&ptrs[0]))
	runtime.KeepAlive(bufs)
	runtime.KeepAlive(ptrs)
	if handle == nil {
		return nil, errors.New("the engine refused the connection (data directory or a setting's value)")
	}
	return &session{handle: handle}, nil
}

func (s *session) conn() unsafe.Pointer { return *(*unsafe.Pointer)(s.handle) }

func (s *session) close() {
	if s.handle != nil {
		chdbCloseConn(s.handle)
		s.handle = nil
	}
}

// params are a statement's {name:Type} values in C form.
type params struct {
	names, values       [][]byte
	namePtrs, valuePtrs []unsafe.Pointer
	nameLens, valueLens []uintptr
}

func newParams(values map[string]string) *params {
	p := &params{}
	for name, value := range values {
		n, v := append([]byte(name), 0), append([]byte(value), 0)
		p.names, p.values = append(p.names, n), append(p.values, v)
		p.namePtrs, p.valuePtrs = append(p.namePtrs, unsafe.Pointer(&n[0])), append(p.valuePtrs, unsafe.Pointer(&v[0]))
		p.nameLens, p.valueLens = append(p.nameLens, uintptr(len(name))), append(p.valueLens, uintptr(len(value)))
	}
	return p
}

type paramCall func(conn, query unsafe.Pointer, queryLen uintptr, format unsafe.Pointer, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, n uintptr) unsafe.Pointer

func (s *session) call(fn paramCall, query, format string, values map[string]string) unsafe.Pointer {
	q, f, p := append([]byte(query), 0), append([]byte(format), 0), newParams(values)
	var names, nameLens, vals, valLens unsafe.Pointer
	if n := len(p.names); n > 0 {
		names, nameLens = unsafe.Pointer(&p.namePtrs[0]), unsafe.Pointer(&p.nameLens[0])
		vals, valLens = unsafe.Pointer(&p.valuePtrs[0]), unsafe.Pointer(&p.valueLens[0])
	}
	result := fn(s.conn(), unsafe.Pointer(&q[0]), uintptr(len(query)), unsafe.Pointer(&f[0]), uintptr(len(format)), names, nameLens, vals, valLens, uintptr(len(p.names)))
	runtime.KeepAlive(q)
	runtime.KeepAlive(f)
	runtime.KeepAlive(p)
	return result
}

// query runs one statement and returns its whole answer; for the server's own
// small questions.
func (s *session) query(query, format string, values map[string]string) (string, error) {
	result := s.call(chdbQueryParams, query, format, values)
	if result == nil {
		return "", errNoResult
	}
	defer chdbDestroyResult(result)
	if msg := chdbError(result); msg != "" {
		return "", parseEngineError(msg)
	}
	return string(resultBytes(result)), nil
}

var errNoResult = errors.New("the engine gave no result")

// resultBytes is the result's own memory: valid until it is destroyed.
func resultBytes(result unsafe.Pointer) []byte {
	n := chdbLength(result)
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(chdbBuffer(result)), n)
}

// whole runs one statement and hands its answer to sink in one piece.
func (s *session) whole(query, format string, values map[string]string, sink func([]byte) error) (stats, error) {
	result := s.call(chdbQueryParams, query, format, values)
	if result == nil {
		return stats{}, errNoResult
	}
	defer chdbDestroyResult(result)
	if msg := chdbError(result); msg != "" {
		return stats{}, parseEngineError(msg)
	}
	return statsOf(result), sink(resultBytes(result))
}

// stream runs one statement and hands its answer to sink piece by piece. sink
// must not keep the slice; its error cancels the statement.
func (s *session) stream(query, format string, values map[string]string, sink func([]byte) error) (stats, error) {
	handle := s.call(chdbStreamParams, query, format, values)
	if handle == nil {
		return stats{}, errNoResult
	}
	defer chdbDestroyResult(handle)
	if msg := chdbError(handle); msg != "" {
		return stats{}, parseEngineError(msg)
	}
	var total stats
	for {
		chunk := chdbStreamFetch(s.conn(), handle)
		if chunk == nil {
			return total, errNoResult
		}
		done, err := func() (bool, error) {
			defer chdbDestroyResult(chunk)
			if msg := chdbError(chunk); msg != "" {
				return true, parseEngineError(msg)
			}
			data := resultBytes(chunk)
			st := statsOf(chunk)
			total.readRows, total.readBytes = total.readRows+st.readRows, total.readBytes+st.readBytes
			total.resultRows += st.resultRows
			if len(data) == 0 {
				return true, nil
			}
			if err := sink(data); err != nil {
				chdbStreamCancel(s.conn(), handle)
				return true, err
			}
			return false, nil
		}()
		if done {
			return total, err
		}
	}
}

// classes of statements, as the engine's parser tells them.
const (
	classReadOnly = iota
	classMutating
	classGlobal
	classControl
	classUnknown
)

// analysis mirrors chdb_query_analysis_v1.
type analysis struct {
	size, statements, flags, class uint32
}

// classify asks the engine's parser what text is, running nothing.
func (s *session) classify(text string) (analysis, error) {
	q := append([]byte(text), 0)
	out := analysis{size: uint32(unsafe.Sizeof(analysis{}))}
	rc := chdbClassify(s.conn(), unsafe.Pointer(&q[0]), uintptr(len(text)), nil, 0, unsafe.Pointer(&out))
	runtime.KeepAlive(q)
	if rc != 0 {
		return out, errors.New("the engine could not classify the query")
	}
	return out, nil
}

// insertStream is an INSERT whose rows arrive in pieces.
type insertStream struct {
	handle unsafe.Pointer
}

// insert begins an INSERT; statement has neither FORMAT nor data.
func (s *session) insert(statement, format string, values map[string]string) (*insertStream, error) {
	handle := s.call(chdbInsertParams, statement, format, values)
	if handle == nil {
		return nil, errNoResult
	}
	in := &insertStream{handle: handle}
	if msg := chdbInsertError(handle); msg != "" {
		in.close()
		return nil, parseEngineError(msg)
	}
	return in, nil
}

func (in *insertStream) append(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	rc := chdbInsertAppend(in.handle, unsafe.Pointer(&data[0]), uintptr(len(data)))
	runtime.KeepAlive(data)
	if rc == 0 {
		return nil
	}
	if msg := chdbInsertError(in.handle); msg != "" {
		return parseEngineError(msg)
	}
	return errors.New("the engine refused the data of the INSERT")
}

// done commits what was appended.
func (in *insertStream) done() (stats, error) {
	result := chdbInsertDone(in.handle)
	if result == nil {
		return stats{}, errNoResult
	}
	defer chdbDestroyResult(result)
	if msg := chdbError(result); msg != "" {
		return stats{}, parseEngineError(msg)
	}
	return statsOf(result), nil
}

// cancel drops what was appended and not yet committed.
func (in *insertStream) cancel() { chdbInsertCancel(in.handle) }

func (in *insertStream) close() { chdbInsertDestroy(in.handle) }
