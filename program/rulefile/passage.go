package rulefile

import (
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Passage is a longer text: quoted, plain, or a block that | or > begins. It knows
// where each of its letters stands in the file.
type Passage struct {
	Place
	Text string
}

// Passage reads a text of at most most bytes; ok is false after a problem. Line
// breaks at its end are not part of it.
func (p Place) Passage(most int) (text Passage, ok bool) {
	s, ok := scalar(p.node)
	if block, is := p.node.(*ast.LiteralNode); is && block.Value != nil {
		s, ok = block.Value.Value, true
	}
	s = strings.TrimRight(s, "\n")
	text = Passage{Place: p, Text: s}
	switch {
	case !ok:
		p.Problem("put it in quotes, or in lines below |", "is %s, not text", kindOf(p.node))
	case strings.TrimSpace(s) == "":
		p.Problem("", "is empty")
	case len(s) > most:
		p.Problem("", "has %d bytes, at most %d", len(s), most)
	case !utf8.ValidString(s) || strings.ContainsRune(s, utf8.RuneError):
		p.Problem("save the file as UTF-8", "holds bytes that are not UTF-8")
	default:
		return text, true
	}
	return text, false
}

// ProblemAt reports what is wrong with the letter at an offset in bytes of the
// text; where the file writes it in another way (\u0007), at the text's beginning.
func (t Passage) ProblemAt(offset int, hint, format string, args ...any) {
	p := t.problem(hint, format, args...)
	if line, column, ok := t.locate(offset); ok {
		p.Line, p.Column = line, column
	}
	t.Add(p)
}

// locate finds the letter in the file: it is the n-th of its kind in the text,
// hence in what the file has there.
func (t Passage) locate(offset int) (line, column int, ok bool) {
	if offset < 0 || offset >= len(t.Text) {
		return 0, 0, false
	}
	letter, _ := utf8.DecodeRuneInString(t.Text[offset:])
	before := strings.Count(t.Text[:offset], string(letter))
	source, line, column := t.source()
	for _, r := range source {
		if r == letter {
			if before == 0 {
				return line, column, true
			}
			before--
		}
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return 0, 0, false
}

// source is what the file has, and where that begins. The lexer gives a block's
// text the line of its end, so that is counted from the sign | that begins it.
func (t Passage) source() (source string, line, column int) {
	var tk *token.Token
	if block, is := t.node.(*ast.LiteralNode); is {
		if block.Start == nil || block.Start.Position == nil || block.Value == nil || block.Value.Token == nil {
			return "", 1, 1
		}
		return block.Value.Token.Origin, block.Start.Position.Line + 1, 1
	}
	if tk = t.node.GetToken(); tk == nil || tk.Position == nil {
		return "", 1, 1
	}
	return strings.TrimLeft(tk.Origin, " \t\r\n"), tk.Position.Line, tk.Position.Column
}
