package event

// Tick is time in the log: the partition's clock becomes EventTime. Slice counts
// ticks of one time from 0: while any partition says that more timers are due,
// the clock sends the next slice.
type Tick struct {
	Slice int64 `json:"slice,omitempty"`
}

// Bundle is one version of all rule files. ID is the hash of the content.
type Bundle struct {
	ID string `json:"id"`
	// EffectiveFrom is ahead of every clock, but for the first bundle.
	EffectiveFrom Time `json:"effective_from"`
	// Semantics is the number of the rules of evaluation that the bundle needs; a
	// binary refuses a log that names a higher one than it knows.
	Semantics int `json:"semantics"`
	// Files holds every file of the bundle by its relative path.
	Files map[string]string `json:"files"`
}

// CutPoints are population quintiles of one day: four cuts each, times five, so
// that R type-7 quantiles stay integers (interpolation is in fifths).
type CutPoints struct {
	// Day is the day (program's zone) at whose first instant the counts were
	// taken; it is the id: the first record of a day wins.
	Day Day `json:"day"`
	// Customers is how many were counted.
	Customers int64 `json:"customers"`
	// Fixed says that there were too few customers: use the fixed thresholds.
	Fixed bool `json:"fixed,omitempty"`
	// RecencyDays5 cuts days since the last order, OrdersCount5 the number of
	// orders, SpendMinor5 net spend (lower bound of its log bucket).
	RecencyDays5 [4]int64 `json:"recency_days_x5"`
	OrdersCount5 [4]int64 `json:"orders_count_x5"`
	SpendMinor5  [4]int64 `json:"spend_minor_x5"`
}

// History brackets an import of the past, in every partition.
type History struct {
	Source string `json:"source"`
	// ShiftDays was added to every time of the source; fixed at the first run.
	ShiftDays int64 `json:"shift_days,omitempty"`
}

// Command goes from one account to another through events. N is dense for each
// (From, To) pair of partitions: the receiver takes N = last+1, drops N ≤ last
// and halts on a gap.
type Command struct {
	From      int32  `json:"from"`
	To        int32  `json:"to"`
	N         int64  `json:"n"`
	AccountID string `json:"account_id"`
	Name      string `json:"name"`
	RootID    string `json:"root_id"`
	Hops      int    `json:"hops"`
	Points    int64  `json:"points,omitempty"`
}

// Counts is what one partition counted for the cut points of a day: values and
// how many customers have each, ascending by value.
type Counts struct {
	Day Day `json:"day"`
	// MinimumCustomers: with fewer in all partitions the fixed thresholds stay.
	MinimumCustomers int64   `json:"minimum_customers"`
	LastOrder        []Count `json:"last_order_days"`  // value: Day of the last order
	Orders           []Count `json:"orders_counts"`    // value: number of orders
	SpendBucket      []Count `json:"spend_log_minors"` // value: lower bound of the log bucket, minor units
}

// Count is a value and how many customers have it.
type Count struct {
	Value     int64 `json:"value"`
	Customers int64 `json:"customers"`
}
