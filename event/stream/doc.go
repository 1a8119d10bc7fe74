// Package stream is Kafka for the rest of Punchcard: publish, read, commit
// one partition's transactions, take part in a group, create topics.
//
// # Model
//
// A [Cluster] is one broker address and one topic prefix. From it come
//
//   - [Publisher]: idempotent producer, acks=all; a record's partition is
//     Kafka's murmur2 of its key ([PartitionOf]) or the record's own.
//   - [Writer]: the one transactional writer of one partition of one topic.
//     Opening it fences every earlier writer with the same id and ends the
//     transaction that one left open. [Writer.Commit] says how it ended.
//   - [Reader]: partitions from explicit offsets. It never resets an offset.
//   - [Cluster.Scan] and [Cluster.Tail]: bounded reads that know when they
//     have reached the end, also when the end is only markers or aborted data.
//   - [Group]: membership alone, who owns which partition. It fetches nothing.
//
// # Owns, does not own
//
// It owns franz-go: only this package and event/stream/embedded import it. It
// does not own what records mean, when to commit, or what to do after an
// error: that is the processors' runtime.
//
// # Invariants
//
//   - A transaction touches one partition of one topic.
//   - Commit returns nil only when the broker confirmed each record and the
//     end of the transaction. After any error the Writer is dead.
//   - With Config.WriterEpoch set (the embedded broker), transactional ids
//     are never used again after a broker start, so a transaction that a
//     crash left open stays aborted.
//   - The prefix applies to topics, groups and transactional ids alike.
//   - Nothing here buffers without a limit.
package stream
