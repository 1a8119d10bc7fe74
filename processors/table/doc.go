// Package table is the state of one partition: a key-value table in Pebble,
// with the newest changes in memory.
//
// Model. Three layers, newest first: a Tx (staged writes of inputs whose entries
// are not committed yet), the dirty layer (committed to the ledger, not yet in
// Pebble) and Pebble. A Tx becomes dirty by Commit, when the ledger has its
// entries; every few seconds the dirty layer is written to Pebble in one batch
// together with the Position it is of. After a crash Pebble is as of an older
// Position, and the ledger's entries after it carry what is missing.
//
// Most keys of some kinds are asked for once, before they exist (Options.Fresh):
// a filter in memory says of nearly all of them that no layer has them. It learns
// each key when it is staged; after a start it waits until what Pebble holds has
// been read beside the work.
//
// A key may carry a due instant: it then wants to be visited by time alone.
// Tx.Due gives the earliest in (due, key) order.
//
// Owns: the layers, the due index, the position, old message ids leaving Pebble
// (Options.Expire). Does not own: what keys and values mean, the ledger, when
// to commit.
//
// Invariants:
//   - Pebble is always the state as of exactly one Position: batches are atomic
//     and in order, also without Pebble's own log, which is off.
//   - One goroutine works on a Table and its Tx; Read and Snapshot may be
//     called by others at any time and see committed state only.
//   - The bytes of a value are never changed; a committed cell only under the lock
//     that readers hold.
//   - The filter calls no key absent that was ever written.
//   - Expire removes only what readers take for absent anyway.
package table
