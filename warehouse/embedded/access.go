package embedded

import (
	"regexp"
	"strings"
)

// Readers may use these table functions: they touch no file, no network and no
// other server, and make rows from their arguments alone.
var readerTableFunctions = set("numbers", "numbers_mt", "zeros", "zeros_mt", "values", "null", "generateseries", "generate_series",
	"primes", "format", "view", "generaterandom")

// Scalar functions readers may not call, for they open files or connections,
// or stop the process. Their names may not stand as identifiers either: a
// higher-order function takes a function by name, arrayMap(file, ['/etc/passwd']).
var refusedFunctions = set("file", "catboostevaluate", "hascolumnintable", "reversednsquery", "aigenerate", "aiclassify", "aiextract",
	"aitranslate", "aiembed", "filesystemavailable", "filesystemcapacity", "filesystemunreserved", "filesystemfree", "trap",
	"fuzzquery", "evalmlmethod", "modelevaluate", "addresstoline", "addresstolinewithinlines", "addresstosymbol", "demangle", "buildid",
	"showcertificate", "getserverport", "getmacro", "sleepeachrow")

// System tables readers may not read: reading stack_trace signals every thread.
var refusedTables = set("stack_trace", "symbols")

// The kinds of syntax node readers' queries may consist of, as EXPLAIN AST
// names them. What is not here is refused: a node this package has not looked
// at may reach further than its name says. Left out on purpose:
// ColumnsApplyTransformer (APPLY(file) hides the function's name from the tree)
// and Set (SETTINGS in the query; readers give settings as URL parameters).
var readerNodes = set("SelectWithUnionQuery", "SelectIntersectExceptQuery", "SelectQuery", "ExpressionList", "Literal", "Function",
	"Identifier", "TableIdentifier", "Asterisk", "QualifiedAsterisk", "ColumnsRegexpMatcher", "ColumnsListMatcher",
	"QualifiedColumnsRegexpMatcher", "QualifiedColumnsListMatcher", "ColumnsTransformerList", "ColumnsExceptTransformer",
	"ColumnsReplaceTransformer", "ColumnsReplaceTransformer::Replacement", "TablesInSelectQuery", "TablesInSelectQueryElement",
	"TableExpression", "TableJoin", "ArrayJoin", "Subquery", "WithElement", "WindowDefinition", "WindowListElement", "OrderByElement",
	"InterpolateElement", "SampleRatio", "DataType", "NameTypePair", "Explain", "DescribeQuery", "ShowTables", "ShowColumns",
	"ShowIndexes", "ShowFunctions", "ShowProcesslistQuery", "ShowSetting", "ShowCreateTableQuery", "ShowCreateViewQuery",
	"ShowCreateDatabaseQuery", "ShowCreateDictionaryQuery", "ExistsTableQuery", "ExistsViewQuery", "ExistsDatabaseQuery",
	"ExistsDictionaryQuery")

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// tree is the engine's own parse of one statement (EXPLAIN AST). A name in the
// query that holds a line break can add lines to the text, never take one
// away, and every line is checked whatever its place: so a forged line can only
// refuse its own query.
type tree struct {
	lines []string
}

func parseTree(text string) tree {
	return tree{lines: strings.Split(strings.TrimRight(text, "\n"), "\n")}
}

var nodeLine = regexp.MustCompile(`^ *([A-Za-z:]+)(?: +([^ ]+))?`)

// root is the kind of the statement itself.
func (t tree) root() string {
	kind, _ := splitNode(t.lines[0])
	return kind
}

func splitNode(line string) (kind, name string) {
	m := nodeLine.FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	return m[1], m[2]
}

// format is the FORMAT of a SELECT, or "" when it names none. Other statements
// have names in the same place; the engine alone looks at theirs.
func (t tree) format() string {
	if !strings.HasPrefix(t.root(), "Select") {
		return ""
	}
	for _, line := range t.lines[1:] {
		if kind, name := splitNode(line); kind == "Identifier" && strings.HasPrefix(line, " Identifier") {
			return name
		}
	}
	return ""
}

// hasSelect tells INSERT ... SELECT from an INSERT that takes data.
func (t tree) hasSelect() bool {
	for _, line := range t.lines[1:] {
		if strings.HasPrefix(line, " Select") {
			return true
		}
	}
	return false
}

// checkReader refuses what a reader may not do. tableFunctions are all that the
// engine knows, in lower case.
func (t tree) checkReader(tableFunctions map[string]bool) error {
	for _, line := range t.lines {
		kind, name := splitNode(line)
		if !readerNodes[kind] {
			return refuseNode(kind)
		}
		if err := checkName(kind, strings.ToLower(name), tableFunctions); err != nil {
			return err
		}
	}
	return nil
}

func refuseNode(kind string) error {
	switch kind {
	case "ColumnsApplyTransformer":
		return readerRefused("APPLY is not open to readers; name the columns and functions")
	case "Set":
		return readerRefused("SETTINGS in the query is not open to readers; give settings as URL parameters")
	case "":
		return readerRefused("a name or text with a line break is not open to readers; write it as char(10) or a {name:Type} parameter")
	}
	return readerRefused("statements with %s are not open to readers", kind)
}

func checkName(kind, name string, tableFunctions map[string]bool) error {
	switch kind {
	case "Function":
		if refusedFunctions[name] || tableFunctions[name] && !readerTableFunctions[name] {
			return readerRefused("function %s is not open to readers, it could reach files, the network or the process", name)
		}
	case "Identifier":
		if refusedFunctions[name] {
			return readerRefused("the name %s is not open to readers, as it is also a function that reaches out; write t.%s for a column", name, name)
		}
	case "TableIdentifier":
		if last := name[strings.LastIndexByte(name, '.')+1:]; refusedTables[last] {
			return readerRefused("table %s is not open to readers", name)
		}
	}
	return nil
}

// checkTableFunctions looks at functions in the place of a table: a view with
// parameters looks the same, so what is on no list is returned to be looked up.
func (t tree) checkTableFunctions() (views []string) {
	for i, line := range t.lines[1:] {
		if kind, _ := splitNode(t.lines[i]); kind != "TableExpression" {
			continue
		}
		if kind, name := splitNode(line); kind == "Function" && !readerTableFunctions[strings.ToLower(name)] {
			views = append(views, name)
		}
	}
	return views
}

// confirmViews refuses names that are not views of the database.
func confirmViews(s *session, names []string) error {
	for _, name := range names {
		found, err := s.query("SELECT count() FROM system.tables WHERE engine = 'View' AND {name:String} = if(position({name:String}, '.') > 0, database || '.', if(database = currentDatabase(), '', '/')) || name",
			"TSVRaw", map[string]string{"name": escapeParam(name)})
		if err != nil {
			return err
		}
		if strings.TrimSpace(found) == "0" {
			return readerRefused("table function %s is not open to readers, and there is no view of that name", name)
		}
	}
	return nil
}

func readerRefused(format string, args ...any) error {
	return refuse(codeReadonly, "READONLY", "Read-only user: "+format, args...)
}
