package history

import (
	"embed"
	"io/fs"
	"path"
	"sort"
	"strings"
)

// Data holds the data sets that come with Punchcard, with their terms:
// data/online_retail/online_retail.parquet and data/cdnow/CDNOW_sample.txt.
//
//go:embed data
var Data embed.FS

// Paths of the data sets in Data.
const (
	OnlineRetail = "data/online_retail/online_retail.parquet"
	CDNOWSample  = "data/cdnow/CDNOW_sample.txt"
)

//go:embed mappings/*.yaml
var mappings embed.FS

// BuiltinMapping returns the text of a mapping that comes with Punchcard, by its
// name without .yaml; see BuiltinMappings.
func BuiltinMapping(name string) (text string, ok bool) {
	b, err := mappings.ReadFile(path.Join("mappings", name+".yaml"))
	return string(b), err == nil
}

// BuiltinMappings lists the mappings that come with Punchcard.
func BuiltinMappings() []string {
	names, err := fs.Glob(mappings, "mappings/*.yaml")
	if err != nil {
		return nil // the pattern is constant and well-formed
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(path.Base(n), ".yaml")
	}
	sort.Strings(names)
	return names
}
