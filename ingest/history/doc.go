// Package history brings the past in from files: `punchcard import FILE
// --mapping M` reads Parquet or CSV lines, groups them into orders and refunds,
// and publishes them, sorted by time, between history_begin and history_end.
//
// Model. A Mapping (YAML) says which column is what, how lines become orders,
// which are refunds and which are set aside, and why. Read makes a Plan of a
// file: all its events, sorted; what was set aside by reason; what was rejected.
// Run publishes a Plan through a Target: ticks (hourly) and events in the order
// of time, waiting (Settle) where cut points are due. A cursor kept by the
// Target says which import it is, by how many days it was shifted and how far
// it has come.
//
// Owns: the mapping files, the data sets of the demo with their terms, the
// readers, the order of an import.
//
// Does not own: any Kafka client, the clock of live running, what an order is
// worth (package program).
//
// Invariants:
//   - Lines read = lines used + lines set aside + lines rejected; Read fails
//     otherwise.
//   - Ids come from the file (source and invoice), never from a run: importing
//     again, whole or in part, changes nothing.
//   - Money is exact: a line is quantity × price as decimals, rounded once.
//   - An order with one bad line is rejected whole. Order ids are known for ever,
//     so half an order could never be completed by a mended file.
//   - The date shift is stored before the first record is published.
package history
