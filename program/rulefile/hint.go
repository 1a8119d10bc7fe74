package rulefile

import (
	"slices"
	"strings"
)

func contains(words []string, w string) bool { return slices.Contains(words, w) }

// List writes words for a hint: a, b or c.
func List(words []string) string {
	switch n := len(words); n {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
}

// maxSuggestBytes: longer words are not compared.
const maxSuggestBytes = 40

// Suggest names the known word nearest to what was written, or all of them.
func Suggest(w string, known []string) string {
	best, nearest := "", 1+len(w)/3
	if len(w) <= maxSuggestBytes {
		for _, k := range known {
			if d := distance(strings.ToLower(w), k); d <= nearest && (best == "" || d < nearest) {
				best, nearest = k, d
			}
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	if len(known) > 20 {
		known = known[:20]
	}
	return "known are " + List(known)
}

// distance counts the letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			above := row[j]
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(row[j]+1, row[j-1]+1, diagonal+cost)
			diagonal = above
		}
	}
	return row[len(b)]
}
