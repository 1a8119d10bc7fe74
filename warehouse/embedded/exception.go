package embedded

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Exception codes of ClickHouse that this server answers itself or maps to an
// HTTP status. Source: src/Common/ErrorCodes.cpp of ClickHouse.
const (
	codeBadArguments     = 36
	codeNotImplemented   = 48
	codeUnknownFunction  = 46
	codeUnknownTable     = 60
	codeSyntaxError      = 62
	codeUnknownDatabase  = 81
	codeUnknownSetting   = 115
	codeTimeoutExceeded  = 159
	codeReadonly         = 164
	codeTooManyQueries   = 202
	codeMemoryLimit      = 241
	codeTooLarge         = 307 // TOO_MANY_BYTES
	codeAuthFailed       = 516
	codeUnknownException = 1002
)

// exception is an error in ClickHouse's own terms; text begins "Code: N. DB::Exception: ".
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return e.text }

// refuse builds an exception of this server's own; name is ClickHouse's symbolic one.
func refuse(code int, name, format string, args ...any) *exception {
	return &exception{code: code, text: fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, fmt.Sprintf(format, args...), name)}
}

var codePrefix = regexp.MustCompile(`^Code: (\d+)\.`)

// parseEngineError reads the code out of the engine's own message.
func parseEngineError(msg string) error {
	msg = strings.TrimSpace(msg)
	if m := codePrefix.FindStringSubmatch(msg); m != nil {
		if code, err := strconv.Atoi(m[1]); err == nil {
			return &exception{code: code, text: msg}
		}
	}
	return &exception{code: codeUnknownException, text: "Code: 1002. DB::Exception: " + msg}
}

// asException gives any error ClickHouse's form.
func asException(err error) *exception {
	var ex *exception
	if errors.As(err, &ex) {
		return ex
	}
	return &exception{code: codeUnknownException, text: "Code: 1002. DB::Exception: " + err.Error()}
}

// status is the HTTP status ClickHouse itself uses for such a code.
func (e *exception) status() int {
	switch e.code {
	case codeBadArguments, codeSyntaxError, codeUnknownSetting:
		return http.StatusBadRequest
	case codeUnknownTable, codeUnknownDatabase, codeUnknownFunction:
		return http.StatusNotFound
	case codeReadonly, codeAuthFailed:
		return http.StatusForbidden
	case codeTimeoutExceeded:
		return http.StatusRequestTimeout
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeNotImplemented:
		return http.StatusNotImplemented
	case codeTooManyQueries:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}
