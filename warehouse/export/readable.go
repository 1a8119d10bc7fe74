package export

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// ClickHouse gives Arrow some of its types as bare numbers or bytes: a DateTime
// loses its zone, an enum its name. They are asked for as what keeps the meaning.
var replacements = []struct {
	from *regexp.Regexp
	to   string
}{
	// First: the names of an enum may look like types.
	{regexp.MustCompile(`\bEnum(8|16)\((?:'(?:[^'\\]|\\.)*' = -?\d+(?:, )?)*\)`), "String"},
	{regexp.MustCompile(`\bDateTime\('([^']*)'\)`), "DateTime64(0, '$1')"},
	{regexp.MustCompile(`\bDateTime\b`), "DateTime64(0, 'UTC')"},
	{regexp.MustCompile(`\b(UUID|IPv4|IPv6|U?Int128|U?Int256)\b`), "String"},
	{regexp.MustCompile(`\bNothing\b`), "String"},
}

// asType is the type in which a column of type t is asked for.
func asType(t string) string {
	for _, r := range replacements {
		t = r.from.ReplaceAllString(t, r.to)
	}
	return t
}

// readable wraps the statement where a column's type needs it.
func readable(ctx context.Context, from Source, statement string, parameters map[string]string) (string, error) {
	_, columns, err := from.Ask(ctx, "DESCRIBE (\n"+statement+"\n)", parameters)
	if err != nil {
		return "", err
	}
	var casts []string
	for _, c := range columns {
		is := fmt.Sprint(c[1])
		if want := asType(is); want != is {
			name := quoteName(fmt.Sprint(c[0]))
			casts = append(casts, fmt.Sprintf("CAST(%s, '%s') AS %s", name, strings.ReplaceAll(want, "'", `\'`), name))
		}
	}
	if len(casts) == 0 {
		return statement, nil
	}
	return fmt.Sprintf("SELECT * REPLACE(%s) FROM (\n%s\n)", strings.Join(casts, ", "), statement), nil
}

func quoteName(s string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(s) + "`"
}
