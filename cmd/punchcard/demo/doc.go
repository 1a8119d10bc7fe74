// Package demo is the demo's seeded shopper simulator.
//
// Model. Learn reads the shop's real history: who bought what, how often, at
// which hours of the week. Hour is a pure function of the seed and an hour: the
// orders, sign-ups, refunds, reviews, survey answers and redemptions that happen
// in it, with ids made from the hour. So a restarted demo posts the same again
// and nothing doubles; nothing needs to be remembered. Live posts what the
// demo's clock has passed to the HTTP door.
//
// Layer gives the history what the data set does not have: profiles with consent,
// surveys, reviews, redemptions. React is a pure function of the seed and a
// campaign's message: whether it is opened, clicked, answered, and whether it
// makes an order that would not have been. PlantedEffects says how often; Audience
// posts the acts at their time. Who is held out gets no message, thus no act: what
// the figures find is compared with what was planted.
//
// Owns: simulated shoppers. Everything they send says is_simulated. The demo's
// bundle of rules, segments and campaigns.
//
// Does not own: the clock's effect, points, or anything real.
package demo
