package program

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits on the form of a YAML file.
const (
	maxFlowDepth   = 8 // [ and { within each other
	maxDashes      = 4 // "- - -" on one line
	maxColumn      = 400
	maxFileTokens  = 50_000
	maxMessageRune = 200
)

// readYAML returns the top of a file's only document. Anchors, aliases, tags and
// merges are refused before anything is built: a rule file is plain.
func readYAML(file, content string, c *complaints) (top place, ok bool) {
	line := 1
	fail := func(tk *token.Token, hint, message string) (place, bool) {
		p := Problem{File: file, Line: line, Column: 1, Message: message, Hint: hint}
		if tk != nil && tk.Position != nil {
			p.Line, p.Column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
		}
		c.add(p)
		return place{}, false
	}
	// The YAML library must never take the program down: whatever it makes of
	// hostile bytes is a problem of the file.
	defer func() {
		if r := recover(); r != nil {
			top, ok = fail(nil, "rewrite the file from `punchcard program new`", "is not readable as YAML")
		}
	}()
	if strings.ContainsRune(content, 0) {
		return fail(nil, "save it as UTF-8 text", "holds a zero byte")
	}
	tokens := lexer.Tokenize(content)
	if tk, message, hint := refuse(tokens); message != "" {
		return fail(tk, hint, message)
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		var at yaml.Error
		if errors.As(err, &at) {
			return fail(at.GetToken(), "look at indentation, colons and quotes here", "YAML: "+clip(at.GetMessage()))
		}
		return fail(nil, "", "YAML: "+clip(err.Error()))
	}
	if len(tree.Docs) > 1 {
		return fail(tree.Docs[1].GetToken(), "remove the line ---", "holds more than one document")
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return fail(nil, "`punchcard program new` writes an example", "is empty")
	}
	return place{complaints: c, file: file, node: tree.Docs[0].Body, path: "$"}, true
}

// refuse finds the first token that a plain rule file has no use for, or that
// nests deeper than one would write.
func refuse(tokens token.Tokens) (*token.Token, string, string) {
	if len(tokens) > maxFileTokens {
		return tokens[maxFileTokens], fmt.Sprintf("has more than %d words and signs", maxFileTokens), "shorten it"
	}
	depth, dashes, line := 0, 0, 0
	for _, tk := range tokens {
		if tk.Position.Line != line {
			line, dashes = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return tk, "anchors, aliases and merges (& * <<) are not allowed", "write the value out, or put it in quotes"
		case token.TagType, token.DirectiveType, token.MappingKeyType:
			return tk, "tags, directives and ? keys are not allowed", "write plain keys and values, or use quotes"
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			dashes++
		}
		if depth > maxFlowDepth || dashes > maxDashes || (tk.Type == token.MappingValueType && tk.Position.Column > maxColumn) {
			return tk, "nests too deeply", "a rule file is at most a few levels deep"
		}
	}
	return nil, "", ""
}

func clip(s string) string {
	if r := []rune(s); len(r) > maxMessageRune {
		return string(r[:maxMessageRune]) + "…"
	}
	return s
}

// place is a value with where it stands.
type place struct {
	*complaints
	file string
	node ast.Node
	path string
}

// problem reports what is wrong here.
func (p place) problem(hint, format string, args ...any) {
	line, column := position(p.node)
	p.add(Problem{File: p.file, Line: line, Column: column, Path: p.path, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// position finds where a node begins; of a mapping, its first key.
func position(n ast.Node) (line, column int) {
	for {
		switch v := n.(type) {
		case *ast.MappingNode:
			if len(v.Values) > 0 && !v.IsFlowStyle {
				n = v.Values[0].Key
				continue
			}
		case *ast.MappingValueNode:
			n = v.Key
			continue
		}
		break
	}
	if n != nil {
		if tk := n.GetToken(); tk != nil && tk.Position != nil {
			return max(tk.Position.Line, 1), max(tk.Position.Column, 1)
		}
	}
	return 1, 1
}

// fields are the values of a mapping by key.
type fields struct {
	place
	byKey map[string]place
}

// fields reads a mapping that may hold the keys and no others.
func (p place) fields(keys ...string) (fields, bool) {
	f := fields{place: p, byKey: map[string]place{}}
	pairs, ok := pairsOf(p.node)
	if !ok {
		p.problem("write it as key: value, with "+list(keys), "is %s, not a set of keys", kindOf(p.node))
		return f, false
	}
	for _, pair := range pairs {
		raw, _ := scalar(pair.Key)
		key := place{complaints: p.complaints, file: p.file, node: pair.Key, path: p.path + "." + clip(raw)}
		if !contains(keys, raw) {
			key.problem(suggest(raw, keys), "unknown key %q", clip(raw))
			continue
		}
		if _, twice := f.byKey[raw]; twice {
			key.problem("keep one", "key %q is given twice", raw)
			continue
		}
		f.byKey[raw] = place{complaints: p.complaints, file: p.file, node: valueOr(pair.Value, pair.Key), path: key.path}
	}
	return f, true
}

func pairsOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// silently reads again what was read before: problems are not reported twice.
func (p place) silently() place {
	p.complaints = &complaints{}
	return p
}

// children returns the first value of each key of a mapping, unchecked.
func (p place) children() map[string]place {
	out := make(map[string]place)
	pairs, _ := pairsOf(p.node)
	for _, pair := range pairs {
		key, _ := scalar(pair.Key)
		if _, twice := out[key]; !twice {
			out[key] = place{complaints: p.complaints, file: p.file, node: valueOr(pair.Value, pair.Key), path: p.path + "." + clip(key)}
		}
	}
	return out
}

// valueOr avoids a nil node: a key without value points to itself as null.
func valueOr(v ast.Node, key ast.Node) ast.Node {
	if v == nil {
		return ast.Null(key.GetToken())
	}
	return v
}

// get returns an optional value.
func (f fields) get(key string) (place, bool) {
	p, ok := f.byKey[key]
	return p, ok
}

// need returns a value that must be there.
func (f fields) need(key, hint string) (place, bool) {
	p, ok := f.byKey[key]
	if !ok {
		f.problem(hint, "%s is missing", key)
	}
	return p, ok
}

// items reads a list of at most most values; nil after a problem.
func (p place) items(most int) []place {
	n, ok := p.node.(*ast.SequenceNode)
	if !ok {
		p.problem("write it as [a, b] or as lines that begin with -", "is %s, not a list", kindOf(p.node))
		return nil
	}
	if len(n.Values) > most {
		p.problem("", "has %d entries, at most %d", len(n.Values), most)
		return nil
	}
	out := make([]place, len(n.Values))
	for i, v := range n.Values {
		out[i] = place{complaints: p.complaints, file: p.file, node: v, path: fmt.Sprintf("%s[%d]", p.path, i)}
		if v == nil {
			out[i].node = n
		}
	}
	return out
}

// scalar returns the text of a plain or quoted value as it was written: numbers
// never pass through binary floating point.
func scalar(n ast.Node) (text string, quotedOrText bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode:
		return v.Token.Value, true
	case *ast.FloatNode:
		return v.Token.Value, true
	}
	return "", false
}

func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a set of keys"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "empty"
	case *ast.BoolNode:
		return "true or false"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.StringNode:
		return "text"
	}
	return "not a plain value"
}
