package embedded

import (
	"bytes"
	"strings"
)

// helloQuery is what clickhouse-go asks before it knows the server's revision.
// It decodes the answer at its own newest protocol revision; the answer says
// revision 0, and then decodes every later block as plain Native, which is
// what libchdb writes.
const helloQuery = "SELECT displayName(), version(), revision(), timezone()"

// From this client revision on, a block begins with block info and each column
// has a byte for custom serialisation.
const helloProtocol = 54454

func isHello(req request, query string) bool {
	return req.protocol >= helloProtocol && req.format == "Native" && strings.TrimSpace(query) == helloQuery
}

// hello is the answer as one Native block of one row.
func hello(version string) []byte {
	var b bytes.Buffer
	text := func(s string) {
		b.WriteByte(byte(len(s)))
		b.WriteString(s)
	}
	column := func(name, kind string) {
		text(name)
		text(kind)
		b.WriteByte(0) // no custom serialisation
	}
	b.Write([]byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}) // block info: no overflows, bucket -1
	b.Write([]byte{4, 1})                               // columns, rows
	column("displayName()", "String")
	text("punchcard")
	column("version()", "String")
	text(version)
	column("revision()", "UInt32")
	b.Write([]byte{0, 0, 0, 0})
	column("timezone()", "String")
	text("UTC")
	return b.Bytes()
}
