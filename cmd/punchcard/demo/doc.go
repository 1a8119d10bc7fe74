// Package demo is the demo's seeded shopper simulator.
//
// Model. Learn reads the shop's real history: who bought what, how often, at
// which hours of the week. Hour is a pure function of the seed and an hour: the
// orders, sign-ups, refunds, reviews, survey answers and redemptions that happen
// in it, with ids made from the hour. So a restarted demo posts the same again
// and nothing doubles; nothing needs to be remembered. Live posts what the
// demo's clock has passed to the HTTP door.
//
// Owns: simulated shoppers. Everything they send says is_simulated.
//
// Does not own: the clock's effect, points, or anything real.
package demo
