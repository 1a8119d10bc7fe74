package embedded

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// request is what a client asked for, before its body is read.
type request struct {
	user, key  string
	readOnly   bool // GET and HEAD never write
	query      string
	database   string
	format     string // used when the query names none
	queryID    string
	settings   map[string]string
	params     map[string]string
	compress   bool // answer in ClickHouse's native blocks
	decompress bool // body is in ClickHouse's native blocks
	method     string
	protocol   int
}

const (
	maxURLBytes   = 1 << 20 // 1 MiB of URL; ClickHouse's http_max_uri_size is of that order
	maxSettings   = 200
	maxParams     = 1000
	maxNameBytes  = 256
	defaultFormat = "TabSeparated"
)

// notSettings are URL parameters that are about HTTP, not the query. Those with
// no case in readParameter are accepted without effect.
var notSettings = map[string]bool{
	"query": true, "database": true, "default_format": true, "user": true, "password": true, "query_id": true,
	"quota_key": true, "session_id": true, "session_timeout": true, "session_check": true, "close_session": true,
	"compress": true, "decompress": true, "client_protocol_version": true, "role": true, "stacktrace": true,
	"buffer_size": true, "wait_end_of_query": true, "enable_http_compression": true, "send_progress_in_http_headers": true,
	"http_headers_progress_interval_ms": true, "add_http_cors_header": true, "network_compression_method": true,
	"network_zstd_compression_level": true, "http_zlib_compression_level": true, "cancel_http_readonly_queries_on_client_close": true,
	"http_write_exception_in_output_format": true, "http_response_headers": true,
}

var (
	settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	formatName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
)

// parseRequest reads URL and headers; it is pure.
func parseRequest(method string, target *url.URL, header http.Header) (request, error) {
	req := request{settings: map[string]string{}, params: map[string]string{}, format: defaultFormat, method: "LZ4"}
	if len(target.RawQuery) > maxURLBytes {
		return req, refuse(codeTooLarge, "TOO_MANY_BYTES", "The URL has %d bytes, more than %d; send the query in the body", len(target.RawQuery), maxURLBytes)
	}
	req.readOnly = method == http.MethodGet || method == http.MethodHead
	values, err := url.ParseQuery(target.RawQuery)
	if err != nil {
		return req, refuse(codeBadArguments, "BAD_ARGUMENTS", "The URL's parameters cannot be read: %s", err)
	}
	req.database = header.Get("X-ClickHouse-Database")
	if f := header.Get("X-ClickHouse-Format"); f != "" {
		req.format = f
	}
	for name, list := range values {
		if err := req.readParameter(name, list[len(list)-1]); err != nil {
			return req, err
		}
	}
	if !formatName.MatchString(req.format) {
		return req, refuse(codeBadArguments, "BAD_ARGUMENTS", "Bad format name %q", req.format)
	}
	if strings.IndexByte(req.database, 0) >= 0 || len(req.database) > maxNameBytes {
		return req, refuse(codeBadArguments, "BAD_ARGUMENTS", "Bad database name")
	}
	return req, req.readUser(values, header)
}

func (req *request) readParameter(name, value string) error {
	if param, ok := strings.CutPrefix(name, "param_"); ok {
		if param == "" || len(param) > maxNameBytes || len(req.params) >= maxParams {
			return refuse(codeBadArguments, "BAD_ARGUMENTS", "Bad query parameter %q, or more than %d of them", name, maxParams)
		}
		req.params[param] = value
		return nil
	}
	switch name {
	case "query":
		req.query = value
	case "database":
		req.database = value
	case "default_format":
		req.format = value
	case "query_id":
		req.queryID = value
	case "compress":
		req.compress = value == "1" || value == "true"
	case "decompress":
		req.decompress = value == "1" || value == "true"
	case "network_compression_method":
		req.method = strings.ToUpper(value)
	case "client_protocol_version":
		req.protocol, _ = strconv.Atoi(value)
	}
	if notSettings[name] {
		return nil
	}
	if !settingName.MatchString(name) || len(name) > maxNameBytes {
		return refuse(codeUnknownSetting, "UNKNOWN_SETTING", "Setting %q is neither a builtin setting nor a parameter of this server", name)
	}
	if len(req.settings) >= maxSettings {
		return refuse(codeBadArguments, "BAD_ARGUMENTS", "More than %d settings in one request", maxSettings)
	}
	req.settings[name] = value
	return nil
}

// readUser takes the user from headers, basic auth or the URL, in ClickHouse's order.
func (req *request) readUser(values url.Values, header http.Header) error {
	if u, k := header.Get("X-ClickHouse-User"), header.Get("X-ClickHouse-Key"); u != "" || k != "" {
		req.user, req.key = u, k
		return nil
	}
	if auth := header.Get("Authorization"); auth != "" {
		u, k, ok := (&http.Request{Header: header}).BasicAuth()
		if !ok {
			return refuse(codeAuthFailed, "AUTHENTICATION_FAILED", "Only basic authorization is understood")
		}
		req.user, req.key = u, k
		return nil
	}
	req.user, req.key = values.Get("user"), values.Get("password")
	return nil
}

// quoteString makes a SQL string literal, quoteName a SQL name.
func quoteString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\x00", `\0`).Replace(s) + "'"
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
