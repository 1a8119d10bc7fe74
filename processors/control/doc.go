// Package control writes the records that are not anybody's event: time, rules
// and cut points.
//
// Model. A Watcher follows the ledger and keeps, for each partition, what its
// own entries say: clock, rules, cut points, whether timers are still due. The
// Clock publishes ticks to all partitions of events; while a partition says that
// more timers are due at this time, it gets another slice at once; so it does while
// its campaigns have more due, which follow the ledger's ticks. CutPoints
// publishes the quintiles of a day when all partitions have counted it. Activate
// publishes a bundle and returns when all partitions have it. Import is what an
// import of history needs: ticks by hand, and to wait until all is decided.
//
// Owns: ticks, bundles, cut points and history brackets on topic events.
//
// Does not own: what they do to a customer (processors/customer, program).
//
// Invariants:
//   - Everything here can be repeated: a tick behind the clock, a second bundle
//     of one id, second cut points of one day change nothing in any partition. So
//     two controls at once, or one that died half-way, are harmless.
//   - Time never goes back and never skips a UTC midnight; a jump of more than
//     MaxJump needs to be allowed by name.
package control
