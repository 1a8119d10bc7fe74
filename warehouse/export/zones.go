package export

import (
	"slices"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// inUTC is the type with every time in UTC. Parquet knows instants (in UTC) and
// times of no zone only, and the writer makes the latter of any other zone.
func inUTC(t arrow.DataType) arrow.DataType {
	field := func(f arrow.Field) arrow.Field {
		f.Type = inUTC(f.Type)
		return f
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return t
		}
		return &arrow.TimestampType{Unit: t.Unit, TimeZone: "UTC"}
	case *arrow.ListType:
		return arrow.ListOfField(field(t.ElemField()))
	case *arrow.MapType:
		out := arrow.MapOf(inUTC(t.KeyType()), inUTC(t.ItemType()))
		out.KeysSorted = t.KeysSorted
		out.SetItemNullable(t.ItemField().Nullable)
		return out
	case *arrow.StructType:
		var fields []arrow.Field
		for _, f := range t.Fields() {
			fields = append(fields, field(f))
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// schemaInUTC is the schema with every time in UTC; same says that it is the same.
func schemaInUTC(s *arrow.Schema) (out *arrow.Schema, same bool) {
	fields := slices.Clone(s.Fields())
	for i := range fields {
		fields[i].Type = inUTC(fields[i].Type)
	}
	out = arrow.NewSchema(fields, nil)
	return out, out.Equal(s)
}

// recordInUTC is the record under the schema of schemaInUTC: the same numbers,
// which count from 1970 in UTC whatever the zone.
func recordInUTC(r arrow.Record, schema *arrow.Schema) arrow.Record {
	columns := make([]arrow.Array, r.NumCols())
	for i, c := range r.Columns() {
		data := retyped(c.Data(), schema.Field(i).Type)
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	out := array.NewRecord(schema, columns, r.NumRows())
	for _, c := range columns {
		c.Release()
	}
	return out
}

func retyped(d arrow.ArrayData, t arrow.DataType) arrow.ArrayData {
	var children []arrow.ArrayData
	for i, child := range d.Children() {
		inner := child.DataType()
		switch t := t.(type) {
		case *arrow.ListType:
			inner = t.Elem()
		case *arrow.MapType:
			inner = t.Elem()
		case *arrow.StructType:
			inner = t.Field(i).Type
		}
		children = append(children, retyped(child, inner))
	}
	out := array.NewData(t, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
	for _, c := range children {
		c.Release()
	}
	return out
}
