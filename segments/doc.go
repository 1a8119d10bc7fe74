// Package segments says who is in a segment, since which clause, and when time
// alone will change it.
//
// Model. A Set is all segments of one bundle: files segments/*.yaml, parsed and
// checked against the program. A segment is a tree (all, any, not) over leaves
// and other segments; a leaf compares one quantity of a customer (orders in 30
// days, tier, a fact, days since the last order) with constants. Keeper.Step,
// called once per ledger entry after the program has decided, stages what the
// entry means for the customer's facts and measures, works out which leaves
// flipped, which segments were entered or left and by which clause, and when the
// next membership will flip by time alone. The same tree is written as SQL over the
// facts, for any instant.
//
// Owns: the form of segment files; facts (traits) of a customer; measures of events
// in day panes; membership; their state and its encoding; the SQL of a segment.
//
// Does not own: points, tiers, scores, orders (package program); where SQL runs.
//
// Invariants:
//   - Pure: no clock, randomness, I/O, goroutine or logger (a test says so).
//   - Membership is a function of the customer's facts and the day (program's zone)
//     alone: stream and SQL agree on every customer, at any instant.
//   - Time flips membership only at the first instant of a day.
//   - Anonymous accounts and guests are in no segment.
package segments
