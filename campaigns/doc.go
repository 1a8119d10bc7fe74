// Package campaigns decides which message goes to whom, when, and why not.
//
// Model. A Plan is all campaigns of one bundle: files campaigns/*.yaml and
// campaigns.yaml, parsed and checked. A Machine is one partition's decision maker:
// Take is called with each ledger entry and makes campaign entries. A trigger
// starts a run; a run passes the stages audience, consent, holdouts, arm, quiet
// hours, caps, limits, age and rendering, and ends with exactly one decision: sent,
// or held with a reason of a closed list. Waiting is a timer in the state.
//
// Owns: the form of campaign files; what the campaign processor knows of a
// customer; runs, send times, shares of budgets; their state and its encoding.
//
// Does not own: standing, segments, facts (it learns them from the ledger);
// topics campaigns.<channel> (package projector); outcomes (ClickHouse).
//
// Invariants:
//   - Pure: no clock, randomness, I/O, goroutine or logger (a test says so).
//   - A run's id is a hash of campaign, customer and ledger entry; assignment to
//     holdouts and arms a hash of campaign and customer: the same for ever.
//   - triggers = sent + held + waiting, for every campaign.
//   - History teaches and sends nothing.
//   - No personal trait is in state or message.
package campaigns
