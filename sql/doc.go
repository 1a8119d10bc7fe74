// Package sql holds what ClickHouse is told: the tables (schema/, migrations in
// order) and the analysts' views (views/), as files, embedded in the binary.
//
// Model. A migration is run once, in order of its number, and never edited
// after a release; a change is a new file. Views are made anew whenever any of
// them changed. Every file opens with a comment that says meaning, base, unit
// and source; tables, views and columns carry it as COMMENT too.
//
// Owns: the names and types of tables, columns and views.
//
// Does not own: the connection, the version table (package warehouse), what is
// written (processors/sink).
//
// Invariants:
//   - Every fact row carries partition, sequence and index, and a table of facts
//     is sorted by them; no PARTITION BY, so one insert is one part: atomic.
//   - An insert is on disk (fsync) before it is answered: facts are durable
//     before the entries that vouch for them.
//   - A last belt, ReplacingMergeTree would fold a double; nothing relies on it
//     (views read facts without FINAL, pipeline_health counts doubles).
//   - Money is Int64 minor units with its currency; views give Decimal in major
//     units. Times are UTC; days and months of views go by the newest program's
//     time zone.
//   - No view calls now(): "as of" is the newest tick (view as_of).
package sql
