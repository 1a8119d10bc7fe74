// Package sink carries facts to ClickHouse: the ledger's entries, taken apart
// into the tables of package sql, and the rejects.
//
// Model. Entries of all partitions are collected into rounds (so many entries,
// bytes or a second's worth). A round is one insert for each table: first the
// facts, last the entries themselves. ClickHouse itself says how far it is: at
// the start and after every failure the newest sequence of each table in each
// partition is the table's position; rows up to it are not inserted again.
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
//     token, until ClickHouse has them; a ledger with a hole halts the sink.
//   - If ClickHouse knows more than the ledger, or another ledger, the sink
//     halts and says so.
//   - One sink for each partition: who runs it sees to that.
package sink
