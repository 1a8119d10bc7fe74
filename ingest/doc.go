// Package ingest is the door: it takes what shops send over HTTP, makes
// canonical events of it, and answers when the broker has them.
//
// Model. A request is split into messages, each of which stands alone: it is
// accepted (one record on topic events, and one on profiles when it carries
// personal traits) or rejected (one record on topic rejects, with a code, the
// field, a hint and the original bytes). A call is answered 200 only when the
// broker has all of its records. Only what cannot be split — not JSON, a wrong
// key, too large — is answered 4xx; when the log cannot take more, the answer
// is 429 or 503 with Retry-After, and the sender tries again with the same
// message ids.
//
// The API is Segment's HTTP tracking API, so Segment's client libraries work by
// changing their endpoint; beside it are the customer's standing and entries,
// and redemptions: a command in the log that is answered from its entry.
// openapi.yaml describes all of it and is tested against the handlers.
//
// Owns: the keys and what each kind may do, the mapping from Segment's
// vocabulary to event.Event, sender clock correction, which properties and
// traits may enter the log, the limits of a request.
//
// Does not own: any rule (the programs decide what points an event gives), the
// Kafka client, state and warehouse: see Log, Desk, Entries and Gate, which cmd
// wires. Files of the past are imported by ingest/history.
//
// Invariants:
//   - In = Accepted + Rejected + TurnedAway (see Counts): no message is dropped.
//   - Money is read from decimal text; no binary floating point is involved.
//   - Only declared traits and properties reach topic events, and a personal name
//     (address, e-mail, phone ...) cannot be declared. The caller's IP address is
//     not read. Topic rejects holds what was sent, for as long as it is kept.
//   - Keys are compared in constant time and never logged, written or echoed.
package ingest
