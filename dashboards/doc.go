// Package dashboards defines what people see: eight dashboards in Grafana's JSON
// (v1, schema 42), the alert rules, and what their macros and variables mean.
//
// Model. A dashboard is rows of panels; a panel is one question: a title, a
// sentence with the formula and the base, one statement of SQL, a unit. The
// definitions (define_*.go) are turned into JSON by Grafana's foundation SDK; the
// files json/*.json are that JSON, kept equal by a test (go test -update), and are
// what List gives. Grafana and the built-in page draw the same files.
//
// Owns: the SQL of panels, variables, annotations and alert rules; Expand, which
// fills in macros and variables where Grafana's ClickHouse data source does not.
//
// Does not own: the views that the SQL asks (package sql), who runs it, how it is
// drawn (package page), how it gets into a Grafana (package grafana).
//
// Invariants:
//   - Every value of a variable is quoted by Expand; SQL never comes from a caller.
//   - A panel has exactly one statement, which reads only.
//   - Money is shown in the program's currency: InCurrency writes its unit.
package dashboards
