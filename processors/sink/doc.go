// Package sink carries facts to ClickHouse: the entries of two logs (the ledger
// and campaign-log), taken apart into the tables of package sql, and the rejects.
//
// Model. Each log is carried by itself, in the same way. Entries of all its
// partitions are collected into rounds (so many entries, bytes or a second's
// worth). A round is one insert for each table: first the facts, last the entries
// themselves (tables entries and campaign_entries). ClickHouse itself says how far
// it is: at the start and after every failure the newest sequence of each table in
// each partition is the table's position; rows up to it are not inserted again.
// Reading goes on after the newest row of entries, whose facts are all there.
//
// Owns: which rows an entry makes; rounds; retries.
//
// Does not own: the columns (package sql), the connection (package warehouse),
// what an entry means (packages event, program).
//
// Invariants:
//   - Blocks in order: a round's inserts are done before the next round's begin.
//   - Nothing is skipped: an insert is tried again, the same rows under the same
//     token, until ClickHouse has them; a log with a hole halts the sink.
//   - If ClickHouse knows more than the log, or another log, the sink halts and
//     says so.
//   - The logs do not wait for each other: a message may be there before the
//     ledger entry that caused it.
//   - One sink for each partition: who runs it sees to that.
package sink
