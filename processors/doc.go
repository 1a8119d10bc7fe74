// Package processors is the runtime of Punchcard's processors: it turns a pure
// function of a partition's records into an exactly-once ledger.
//
// Model. Partition p of the input topic feeds partition p of the output topic.
// For each partition that it owns, a Runtime opens the one transactional Writer
// (which fences every other), reads the ledger from where its Table stands to
// the end, takes the state writes from there, and goes on in the input after the
// source of the last entry: position = source of the last entry + 1. Then: poll
// records, let the Function decide each on staged state, commit the entries of
// many records in one transaction, and only then take the staged state into the
// Table and tell Committed.
//
// Owns: partitions' lives (open, work, fence, retry, halt), sequences, the
// position rule, limits of a batch.
//
// Does not own: what is decided (a Function such as processors/customer), what
// state looks like on disk (processors/table), Kafka (event/stream).
//
// Invariants:
//   - Every input record yields at least one entry (a Sparse one: every record
//     that changes anything), and all its entries lie in one transaction.
//   - Sequences are dense from 1: a hole or a double in the ledger halts.
//   - After any failed commit nothing that was staged is used again: the Function
//     is made anew and the partition is read from the ledger.
//   - Partitions do not wait for each other; the group only says who owns what.
//   - Three ends of an error: retried with growing pauses (Kafka), given up
//     (fenced), halted (a Function's error, a ledger that does not fit).
package processors
