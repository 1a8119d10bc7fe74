// Package embedded is a Kafka broker inside this process: kfake, kept on
// disk, on a real port, so that Punchcard runs with nothing installed and any
// Kafka client can look in. It is for one process on one machine.
//
// # Owns, does not own
//
// It owns the data directory (one process at a time, by lock), the port and
// the broker's start number ([Broker.Epoch]). It does not own topics or what
// they hold: event/stream creates them as on any Kafka.
//
// # What kfake does not do, and the rule for each
//
//   - A transaction open at a crash is aborted only in memory; the next commit
//     of the same producer would bring it back. Rule: transactional ids end in
//     Epoch, which no two starts share, so that producer never comes back.
//   - A crash between a batch and its index entry makes the batch one of no
//     transaction, so aborted records appear. Rule: before each start the
//     index is made to agree with the batches.
//   - A crash can tear a transaction that spans partitions. Rule: ours have
//     one partition (event/stream's Writer can do no other).
//   - Its compaction can drop live records, its retention takes compacted
//     topics too. Rule: every topic is kept for ever, whatever the request to
//     create or alter it says.
//   - It ignores a failed fsync, and confirms a commit whose marker found no
//     room on the disk. Rule: writes are synced; records are refused while
//     [Broker.FreeDisk] is below Config.Reserve, and the door, which sees it
//     too, stops earlier.
//   - Each stored batch and each transaction marker costs heap, which
//     opening again does not give back: [Broker.MemoryBytes] says how much.
//   - It asks for no password. Rule: it listens on loopback addresses only.
package embedded
