package rulefile

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

// Read returns the top of a file's only document. Anchors, aliases, tags and
// merges are refused before anything is built: a rule file is plain.
func Read(file, content string, c *Complaints) (top Place, ok bool) {
	line := 1
	fail := func(tk *token.Token, hint, message string) (Place, bool) {
		p := Problem{File: file, Line: line, Column: 1, Message: message, Hint: hint}
		if tk != nil && tk.Position != nil {
			p.Line, p.Column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
		}
		c.Add(p)
		return Place{}, false
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
			return fail(at.GetToken(), "look at indentation, colons and quotes here", "YAML: "+Clip(at.GetMessage()))
		}
		return fail(nil, "", "YAML: "+Clip(err.Error()))
	}
	if len(tree.Docs) > 1 {
		return fail(tree.Docs[1].GetToken(), "remove the line ---", "holds more than one document")
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return fail(nil, "`punchcard program new` writes an example", "is empty")
	}
	return Place{Complaints: c, file: file, node: tree.Docs[0].Body, path: "$"}, true
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

// Clip shortens a text that a message quotes.
func Clip(s string) string {
	if r := []rune(s); len(r) > maxMessageRune {
		return string(r[:maxMessageRune]) + "…"
	}
	return s
}

// Place is a value with where it stands.
type Place struct {
	*Complaints
	file string
	node ast.Node
	path string
}

// Problem reports what is wrong here.
func (p Place) Problem(hint, format string, args ...any) { p.Add(p.problem(hint, format, args...)) }

func (p Place) problem(hint, format string, args ...any) Problem {
	line, column := position(p.node)
	return Problem{File: p.file, Line: line, Column: column, Path: p.path, Message: fmt.Sprintf(format, args...), Hint: hint}
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

// Fields are the values of a mapping by key.
type Fields struct {
	Place
	byKey map[string]Place
}

// Fields reads a mapping that may hold the keys and no others.
func (p Place) Fields(keys ...string) (Fields, bool) {
	f := Fields{Place: p, byKey: map[string]Place{}}
	pairs, ok := pairsOf(p.node)
	if !ok {
		p.Problem("write it as key: value, with "+List(keys), "is %s, not a set of keys", kindOf(p.node))
		return f, false
	}
	for _, pair := range pairs {
		raw, _ := scalar(pair.Key)
		key := Place{Complaints: p.Complaints, file: p.file, node: pair.Key, path: p.path + "." + Clip(raw)}
		if !contains(keys, raw) {
			key.Problem(Suggest(raw, keys), "unknown key %q", Clip(raw))
			continue
		}
		if _, twice := f.byKey[raw]; twice {
			key.Problem("keep one", "key %q is given twice", raw)
			continue
		}
		f.byKey[raw] = Place{Complaints: p.Complaints, file: p.file, node: valueOr(pair.Value, pair.Key), path: key.path}
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

// Silently reads again what was read before: problems are not reported twice.
func (p Place) Silently() Place {
	p.Complaints = &Complaints{}
	return p
}

// Children returns the first value of each key of a mapping, unchecked.
func (p Place) Children() map[string]Place {
	out := make(map[string]Place)
	pairs, _ := pairsOf(p.node)
	for _, pair := range pairs {
		key, _ := scalar(pair.Key)
		if _, twice := out[key]; !twice {
			out[key] = Place{Complaints: p.Complaints, file: p.file, node: valueOr(pair.Value, pair.Key), path: p.path + "." + Clip(key)}
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

// Only hides all other keys.
func (f Fields) Only(keys ...string) Fields {
	out := Fields{Place: f.Place, byKey: make(map[string]Place, len(keys))}
	for _, key := range keys {
		if p, ok := f.byKey[key]; ok {
			out.byKey[key] = p
		}
	}
	return out
}

// Get returns an optional value.
func (f Fields) Get(key string) (Place, bool) {
	p, ok := f.byKey[key]
	return p, ok
}

// Need returns a value that must be there.
func (f Fields) Need(key, hint string) (Place, bool) {
	p, ok := f.byKey[key]
	if !ok {
		f.Problem(hint, "%s is missing", key)
	}
	return p, ok
}

// Items reads a list of at most most values; nil after a problem.
func (p Place) Items(most int) []Place {
	n, ok := p.node.(*ast.SequenceNode)
	if !ok {
		p.Problem("write it as [a, b] or as lines that begin with -", "is %s, not a list", kindOf(p.node))
		return nil
	}
	if len(n.Values) > most {
		p.Problem("", "has %d entries, at most %d", len(n.Values), most)
		return nil
	}
	out := make([]Place, len(n.Values))
	for i, v := range n.Values {
		out[i] = Place{Complaints: p.Complaints, file: p.file, node: v, path: fmt.Sprintf("%s[%d]", p.path, i)}
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
	case *ast.LiteralNode:
		return "a text of several lines"
	}
	return "not a plain value"
}

// Scalar is the text of a plain or quoted value as it was written, and whether it
// is text rather than a number.
func (p Place) Scalar() (text string, quotedOrText bool) { return scalar(p.node) }

// Kind says in words what stands here.
func (p Place) Kind() string { return kindOf(p.node) }

// IsMap and IsList say what form the value has.
func (p Place) IsMap() bool {
	_, ok := pairsOf(p.node)
	return ok
}

// IsList reports whether the value is a list.
func (p Place) IsList() bool {
	_, ok := p.node.(*ast.SequenceNode)
	return ok
}

// Pair is one key of a mapping with its value; At is the key's own place.
type Pair struct {
	Key       string
	At, Value Place
}

// Pairs reads a mapping of any keys, in the order of the file.
func (p Place) Pairs() ([]Pair, bool) {
	pairs, ok := pairsOf(p.node)
	if !ok {
		p.Problem("write it as key: value", "is %s, not a set of keys", kindOf(p.node))
		return nil, false
	}
	out := make([]Pair, 0, len(pairs))
	for _, pair := range pairs {
		key, _ := scalar(pair.Key)
		at := Place{Complaints: p.Complaints, file: p.file, node: pair.Key, path: p.path + "." + Clip(key)}
		value := at
		value.node = valueOr(pair.Value, pair.Key)
		out = append(out, Pair{Key: key, At: at, Value: value})
	}
	return out, true
}

// Each returns the entries of the list at a path of keys, at most most,
// silently: their form was checked before.
func (f Fields) Each(most int, path ...string) []Fields {
	at, ok := f.Get(path[0])
	if !ok {
		return nil
	}
	for _, key := range path[1:] {
		if at, ok = at.Children()[key]; !ok {
			return nil
		}
	}
	var out []Fields
	for _, item := range at.Silently().Items(most) {
		inner := Fields{Place: item, byKey: item.Children()}
		inner.Complaints = f.Complaints
		out = append(out, inner)
	}
	return out
}
