package rulefile

import (
	"fmt"
	"strings"
	"testing"
)

// TestPassage: every X of a text is found where the file has it.
func TestPassage(t *testing.T) {
	for _, c := range []struct{ name, source string }{
		{"plain", "a: x1 X and X\nb: 1\n"},
		{"plain over lines", "a: first X\n  second X\nb: 1\n"},
		{"double", `a: "say \"X\" to X"`},
		{"double over lines", "a: \"one X\n  two X\n\n  three X\"\n"},
		{"single", "a: 'it''s X'\n"},
		{"block", "a: |\n  Hello X,\n\n    and X\n  end\n"},
		{"block with a remark", "a: | # note\n  Hello X,\n  X\n"},
		{"block after an empty line", "a: |\n\n  late X\n"},
		{"folded", "a: >-\n  folded X\n  more X\n"},
		{"deeper, windows", "b:\r\n  c: {d: 1}\r\na: |\r\n    hi X\r\n    ho X\r\n"},
		{"in a flow", "z: 1\na: \"ä X\" # remark\n"},
	} {
		problems := &Complaints{}
		top, ok := Read("f", c.source, problems)
		if !ok {
			t.Fatalf("%s: %v", c.name, problems.list)
		}
		text, ok := top.Children()["a"].Passage(1000)
		if !ok {
			t.Fatalf("%s: %v", c.name, problems.list)
		}
		for offset := range text.Text {
			if text.Text[offset] == 'X' {
				text.ProblemAt(offset, "", "here")
			}
		}
		var want, got []string
		for i, line := range strings.Split(c.source, "\n") {
			for column, r := range []rune(line) {
				if r == 'X' {
					want = append(want, fmt.Sprintf("f:%d:%d: $.a: here", i+1, column+1))
				}
			}
		}
		for _, p := range problems.Sorted() {
			got = append(got, p.String())
		}
		if len(want) == 0 || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestPassageProblems(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"a: [b]", "f:1:4: $.a: is a list, not text  hint: put it in quotes, or in lines below |"},
		{"a: ''", "f:1:4: $.a: is empty"},
		{"a: |\nb: 1", "f:1:4: $.a: is empty"},
		{"a: \"more than ten\"", "f:1:4: $.a: has 13 bytes, at most 10"},
		{"a: \"\\u0007\"", "f:1:4: $.a: bell"},
	} {
		problems := &Complaints{}
		top, _ := Read("f", c.source, problems)
		if text, ok := top.Children()["a"].Passage(10); ok {
			text.ProblemAt(0, "", "bell")
		}
		if len(problems.list) != 1 || problems.list[0].String() != c.want {
			t.Errorf("%s: %v, want %s", c.source, problems.list, c.want)
		}
	}
}
