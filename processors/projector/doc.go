// Package projector turns the ledger and the campaigns' log into the topics that
// others read.
//
// Model. One follower per log: each entry is read once and decoded at most once,
// and a pure function gives the records of all topics made of it, in order, outside
// of transactions. Partition p of the source (ledger or campaign-log) feeds
// partition p of each topic. A record's source header says which entry made it, so
// what is done is found in the tails of the projector's own output. What one poll
// gave is acknowledged on every topic before the next is published.
//
// Where a topic goes on, by partition:
//
//   - A topic that is kept whole (customers, state: compacted) goes on at its own
//     newest record's entry, and without one, be it a new topic beside an old log,
//     begins at the log's first entry.
//   - A topic of news (segments, campaigns.<channel>: deleted after a time) goes on
//     at its own newest record's entry too, but never before the last poll: what can
//     be missing there is within the pollWindow entries up to the newest that any
//     topic of the source tells of. So a channel that is never used, one that is new,
//     and one whose records the broker deleted by age make no start read the log from
//     the beginning, and no message of long ago is sent as news. What a topic of news
//     that is added to an old log would have said before is in the log itself.
//   - While no topic of the source has any record, news begin with the entries that
//     are younger than the broker would keep them.
//
// Owns: topics customers, segments, campaigns.<channel> and state.
//
// Does not own: any decision. It reads its sources read_committed, so its topics
// never hold a decision that was not committed, whatever isolation a client uses.
//
// Invariants:
//   - After a crash no record is missing: the entry of a topic's newest record (it
//     may give several) and all that follow are projected again. Records repeat, at
//     most those of the last poll and, after the broker deleted all of a topic, of
//     pollWindow entries; they never differ.
//   - A topic's records are in the order of its source, but for those repeats.
//   - An entry that projects to nothing moves no position on the broker; it is
//     looked at again after a restart.
package projector
