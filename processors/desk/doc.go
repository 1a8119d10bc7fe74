// Package desk answers questions about one account: how it stands, what became
// of a message. It asks the owner of the account's partition, in this process or
// in another one of the group.
//
// Model. A question that changes something is an event like any other. The asker
// takes a Ticket for the message id before it produces the event; the runtime
// hands each commit's entries to Committed, and the entry of that message that is
// marked Answer ends the wait. Reads look into the owner's committed state. Across
// processes both go over an internal HTTP port: its address stands in the member
// data of the consumer group, and every request carries a shared key.
//
// Owns: tickets, the internal port and its client. Does not own: state
// (processors/table), what is read from it (processors/customer), what the door
// says to the world (ingest).
//
// Invariants:
//   - A ticket is registered at the owner when Expect returns.
//   - Tickets are bounded; beyond that the answer is ErrBusy.
//   - Without a key the port does not open.
package desk
