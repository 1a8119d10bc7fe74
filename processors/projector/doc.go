// Package projector turns the ledger and the campaigns' log into the topics that
// others read.
//
// Model. One runtime, a pure function per topic: an entry in, records out, in
// order, outside of transactions. Partition p of the source (ledger or
// campaign-log) feeds partition p of the topic. Each record's source header says
// which entry made it, so the position is found in the tail of the projector's own
// output.
//
// Owns: topics customers, segments, campaigns.<channel> and state.
//
// Does not own: any decision. It reads its sources read_committed, so its topics
// never hold a decision that was not committed, whatever isolation a client uses.
//
// Invariants:
//   - After a crash the entries after the last one projected are projected again
//     from the start: records repeat, never differ, never are missing.
//   - An entry that projects to nothing moves no position on the broker; it is
//     looked at again after a restart.
package projector
