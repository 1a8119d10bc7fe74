// Package customer is the customer processor: the pure function that turns one
// partition of events into entries.
//
// Model. Every record yields at least one entry. A customer's event is looked up
// by its message id, then the account's own timers due by the partition's clock
// fire, then package program decides it. A tick moves the clock, fires at most
// event.MaxTimersPerTick timers in (due, key) order, takes the counts of a day
// that has begun, carries on a sweep, and says whether more is due. A bundle puts
// rules in force, cut points put scores in force; both start a sweep over all
// accounts, which the following ticks carry on.
//
// Owns: message ids (30 days of the clock), clock, slices, sweeps, bundles known,
// cut points in force, the history bracket, and the entry's frame (position,
// kind, cause, times). State keys: x… of the partition, m… of message ids.
//
// Does not own: what an event does to an account (package program), the ledger
// and its sequence (package processors).
//
// Invariants:
//   - The same records on the same state give the same bytes: entries and writes.
//   - Time moves by ticks alone and never back.
//   - Counts of a day are taken when all timers due by its first instant have
//     fired and, but for accounts whose own events came first, none later.
//   - Exactly one entry of an event is marked Answer.
//   - A message id older than its horizon is absent, whether or not it is still
//     stored; so it may leave the table without a trace.
package customer
