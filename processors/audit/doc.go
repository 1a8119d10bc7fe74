// Package audit checks the ledger against itself: the stream's half of
// "punchcard verify".
//
// Model. An Auditor reads the ledger of one partition from the first entry to a
// stated sequence, as a stranger would: it rebuilds the state from the entries'
// headers, adds up their postings, and compares. What it learns on the way (how
// each customer stands) is what ClickHouse is then compared with.
//
// Owns: findings about the ledger.
//
// Does not own: repair. Nothing here writes.
//
// Invariants checked, tolerance 0:
//   - sequences are dense from 1, source offsets dense from the first event,
//     source indexes dense from 0: each accepted event has its entries, once;
//   - the postings of each entry sum to zero;
//   - balance = Σ lots = Σ postings, for every account.
package audit
