package warehouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Ask is Query with named parameters: {name:Type} in the statement stands for the
// value of that name, which ClickHouse reads by its type. Values must not hold
// backslashes, tabs or line ends: protocols differ in how they write those.
func (w *Warehouse) Ask(ctx context.Context, statement string, parameters map[string]string) (columns []string, rows [][]any, err error) {
	columns, _, rows, err = w.Query(clickhouse.Context(ctx, clickhouse.WithParameters(parameters)), statement)
	return columns, rows, err
}
