package embedded

import (
	"bytes"
	"io"
	"regexp"
	"strings"
)

// plan is how one checked statement is to be run.
type plan struct {
	kind      planKind
	format    string // of the answer, or of the data of an insert
	statement string // an insert's, without FORMAT
	data      io.Reader
}

type planKind int

const (
	planWhole  planKind = iota // the answer is made whole
	planStream                 // the answer comes in pieces
	planInsert                 // data goes in, in pieces
)

// plan asks the engine's parser what the statement is, refuses what the user
// may not do, and chooses the way to run it. It completes req.query.
func (e *engine) plan(s *session, req *request, reader bool, body io.Reader) (plan, error) {
	head, body, err := splitBody(s, req.query, body)
	if err != nil {
		return plan{}, err
	}
	req.query = head
	kind, err := s.classify(req.query)
	if err != nil {
		return plan{}, err
	}
	if kind.statements > 1 {
		return plan{}, refuse(codeSyntaxError, "SYNTAX_ERROR", "Multi-statements are not allowed")
	}
	if kind.class != classReadOnly {
		if reader && kind.class != classUnknown {
			return plan{}, readerRefused("only statements that read are open to readers; the writer is user %s with its key", WriterUser)
		}
		if body != nil {
			return planData(s, req.query, body, req.params)
		}
		if reader { // did not parse: ask for the engine's own message, which runs nothing
			_, err := s.query("EXPLAIN AST "+req.query, "TSVRaw", req.params)
			if err == nil {
				err = readerRefused("the engine does not know what this statement does")
			}
			return plan{}, err
		}
		return plan{kind: planWhole, format: req.format}, nil
	}
	text, err := s.query("EXPLAIN AST "+req.query, "TSVRaw", req.params)
	if err != nil {
		return plan{}, err
	}
	parsed := parseTree(text)
	if reader {
		if err := parsed.checkReader(e.tableFunctions); err != nil {
			return plan{}, err
		}
		if err := confirmViews(s, parsed.checkTableFunctions()); err != nil {
			return plan{}, err
		}
	}
	p := plan{kind: planWhole, format: req.format}
	if f := parsed.format(); f != "" {
		p.format = f
	}
	if strings.HasPrefix(parsed.root(), "Select") && streamable[strings.ToLower(p.format)] {
		p.kind = planStream
	}
	return p, nil
}

// splitBody decides what a body beside a query in the URL is: the data of an
// INSERT, or the rest of the query's text, as ClickHouse has it.
func splitBody(s *session, query string, body io.Reader) (string, io.Reader, error) {
	if body == nil {
		return query, nil, nil
	}
	first := make([]byte, 1)
	if n, err := io.ReadFull(body, first); n == 0 {
		if err == io.EOF {
			return query, nil, nil
		}
		return "", nil, bodyError(err)
	}
	body = io.MultiReader(bytes.NewReader(first), body)
	if kind, err := s.classify(query); err == nil && kind.statements == 1 && kind.class != classReadOnly {
		return query, body, nil
	}
	rest, err := readAtMost(body, maxQueryBytes, "The query")
	if err != nil {
		return "", nil, err
	}
	return query + "\n" + string(rest), nil, nil
}

var insertFormat = regexp.MustCompile(`^(INSERT INTO .*) FORMAT ([A-Za-z][A-Za-z0-9_]*)$`)

// planData prepares an INSERT whose rows are the body. The engine's own
// formatter puts FORMAT last, so cutting it off there is exact.
func planData(s *session, query string, body io.Reader, params map[string]string) (plan, error) {
	text, err := s.query("EXPLAIN AST "+query, "TSVRaw", params)
	if err != nil {
		return plan{}, err
	}
	parsed := parseTree(text)
	if parsed.root() != "InsertQuery" {
		return plan{}, refuse(codeBadArguments, "BAD_ARGUMENTS", "The query in the URL takes no data, but the request has a body")
	}
	if parsed.hasSelect() {
		return plan{}, refuse(codeNotImplemented, "NOT_IMPLEMENTED", "INSERT ... SELECT with data in the body (input()) is not supported by the embedded engine")
	}
	canonical, err := s.query("SELECT formatQuerySingleLine({statement:String})", "TSVRaw", map[string]string{"statement": escapeParam(query)})
	if err != nil {
		return plan{}, err
	}
	m := insertFormat.FindStringSubmatch(strings.TrimRight(canonical, "\n"))
	if m == nil {
		return plan{}, refuse(codeSyntaxError, "SYNTAX_ERROR", "The INSERT in the URL has inline data as well as a body")
	}
	return plan{kind: planInsert, statement: m[1], format: m[2], data: body}, nil
}

// escapeParam writes a value as HTTP parameters are read: like a TSV field.
func escapeParam(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`).Replace(s)
}

func (p plan) execute(s *session, req request, out *answer) error {
	if p.kind == planInsert {
		st, err := insertAll(s, p, req.params)
		if err == nil {
			out.setStats(st)
		}
		return err
	}
	out.setFormat(p.format)
	var st stats
	var err error
	switch {
	case p.kind == planStream && p.isArrow():
		st, err = p.streamArrow(s, req, out)
	case p.kind == planStream:
		st, err = s.stream(req.query, p.format, req.params, func(data []byte) error {
			_, err := out.Write(data)
			return err
		})
	default:
		st, err = s.whole(req.query, p.format, req.params, func(data []byte) error {
			if len(data) > maxAnswerBytes {
				return refuse(codeTooLarge, "TOO_MANY_BYTES", "The answer in format %s has %d bytes, more than %d; use a format that streams, such as Native or CSV, or LIMIT", p.format, len(data), maxAnswerBytes)
			}
			_, err := out.Write(data)
			return err
		})
	}
	out.setStats(st)
	return err
}

// insertAll feeds the data to the engine and commits it.
func insertAll(s *session, p plan, params map[string]string) (stats, error) {
	in, err := s.insert(p.statement, p.format, params)
	if err != nil {
		return stats{}, err
	}
	defer in.close()
	buf := make([]byte, appendBytes)
	var total int64
	for {
		n, err := fill(p.data, buf)
		if err != nil && err != io.EOF { // a body cut short commits nothing more
			in.cancel()
			return stats{}, bodyError(err)
		}
		if total += int64(n); total > maxInsertBytes {
			in.cancel()
			return stats{}, refuse(codeTooLarge, "TOO_MANY_BYTES", "The INSERT's data has more than %d bytes", int64(maxInsertBytes))
		}
		if appendErr := in.append(buf[:n]); appendErr != nil {
			return stats{}, appendErr
		}
		if err == io.EOF {
			return in.done()
		}
	}
}

// fill reads until buf is full or the body ends. Unlike io.ReadFull it keeps
// io.EOF, the body's true end, apart from io.ErrUnexpectedEOF, a body cut short.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}
