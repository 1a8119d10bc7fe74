// Package program is the rule book of a loyalty program: what a purchase, a
// refund, a review or the passing of time does to a customer.
//
// Model. A Book is one version of the rules, read from a bundle's YAML files. A
// Library holds every version a partition has been told of and knows which one
// is in force when: an event goes by the version of its own time, a timer by
// that of its due time, a refund by that of the order it undoes. Apply, Fire and
// Rescore take the partition's staged State and one input and fill one
// event.Entry: facts, decisions, postings, tier and score changes, standing.
//
// Owns: the rule file's form and checks; the state of an account (core, orders,
// lots, refunds, redemptions) and its binary encoding, pinned by golden files.
//
// Does not own: message ids, ticks, control records, sequences (package
// processors/customer); segments; campaigns.
//
// Invariants:
//   - Pure: no clock, randomness, I/O, goroutine or logger (a test says so).
//   - Points are int64 and move by double entry: the postings of an entry sum to
//     zero; balance = Σ lots (a debt is a lot of its own).
//   - Nothing is edited, only reversed. An order earns once, for ever.
//   - The same input on the same state gives the same entry and writes.
package program
