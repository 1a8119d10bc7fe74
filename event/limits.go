package event

import "time"

// Limits on what may enter and what an entry may become. They are checked by
// Event.Validate (called by every door) and by the processors.
const (
	// MaxEventBytes bounds one canonical event as JSON.
	MaxEventBytes = 512 << 10
	// MaxRecordBytes bounds one Kafka record of any of our topics (an entry with
	// its state header may be larger than the event that caused it).
	MaxRecordBytes = 8 << 20
	// MaxIDBytes bounds account, message, order, refund and redemption ids.
	MaxIDBytes = 200
	// MaxNameBytes bounds event names, product names, categories and brands.
	MaxNameBytes = 300
	// MaxLines bounds the lines of one order or refund.
	MaxLines = 2000
	// MaxQuantity bounds the quantity of a line.
	MaxQuantity = 1_000_000_000
	// MaxAmountMinor bounds one amount of money, in minor units.
	MaxAmountMinor = 1_000_000_000_000_000
	// MaxPoints bounds the points of one posting.
	MaxPoints = 1_000_000_000_000_000
	// MaxProperties bounds the declared properties and traits of one event.
	MaxProperties = 64
	// MaxPropertyBytes bounds one property's or trait's JSON value.
	MaxPropertyBytes = 2 << 10
	// MaxRejectBytes bounds the original bytes kept with a reject.
	MaxRejectBytes = 4 << 10
	// MaxBundleBytes bounds all files of one bundle.
	MaxBundleBytes = 256 << 10
	// MaxFuture is how far ahead of the receiver's clock an event may claim to be.
	MaxFuture = 10 * time.Minute
	// MaxAge is how old an event may be when it arrives, unless history is being
	// imported; programs may say less.
	MaxAge = 30 * 24 * time.Hour
	// MessageIDHorizon is how long a message id is remembered, by the partition's
	// clock. Orders, refunds and redemptions are known by their own id for ever.
	MessageIDHorizon = 30 * 24 * time.Hour
	// NewsKept is how long the topics of news (segments, campaigns.<channel>, rejects)
	// keep a record.
	NewsKept = 30 * 24 * time.Hour
	// MaxTimersPerTick bounds how many other accounts' timers one tick fires.
	MaxTimersPerTick = 256
	// MaxHops bounds how far a command may travel from its root cause.
	MaxHops = 8
)
