// Package event is Punchcard's vocabulary: what comes in (Event), what was
// decided (Entry), how a customer stands (Standing), what was refused (Reject),
// and the topics they travel on.
//
// Model. Everything that influences a decision is an Event in the account's own
// partition of the topic events: customer events, and also ticks (time), cut
// points, bundles (rules) and history brackets. Every Event yields at least one
// Entry in the same partition of the topic ledger. Nothing else is truth.
//
// Owns: the names of things, their JSON forms (version 1, "v":1), their limits,
// the encoders of entries and of state headers.
//
// Does not own: any rule (package program), any Kafka client (event/stream).
//
// Invariants:
//   - An Entry encodes to the same bytes for ever: one encoder, fixed field
//     order, pinned by golden files. JSON libraries only decode.
//   - Readers ignore fields they do not know; writers only add fields.
//   - Money is int64 minor units with a currency; points are int64; no floats.
//   - Times are UTC milliseconds.
package event
