// Package campaign is the campaign processor: the function that turns one
// partition of the ledger into campaign-log.
//
// Model. A ledger entry goes to a campaigns.Machine; what it emits is numbered,
// encoded and appended, with the state that it wrote. Clock, rules and history marks
// reach it through the ledger's own entries. An entry that changes nothing of what
// the processor knows makes none (the runtime is Sparse).
//
// Owns: the frame of campaign entries: position, the ledger entry they are of.
//
// Does not own: what is decided, the state and its keys (package campaigns), the log
// and its sequence (package processors), topics campaigns.<channel> (package
// projector).
//
// Invariants:
//   - The same ledger on the same state gives the same bytes: entries and writes.
//   - A tick of the ledger makes a tick entry: the campaigns' clock.
package campaign
