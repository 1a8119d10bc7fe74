package event

import "embed"

// Schemas holds a JSON Schema (2020-12) for the value of each topic: event.json
// (events), entry.json (ledger), customer.json (customers), reject.json
// (rejects), segment.json (segments), campaign_entry.json (campaign-log),
// campaign_message.json (campaigns.<channel>). They are made from the Go types and their comments; a test keeps
// them equal, and the integration suite holds real topic output against them.
//
//go:embed schema/*.json
var Schemas embed.FS

// AsyncAPI describes the topics (AsyncAPI 3.0, YAML), for whoever reads them with
// any Kafka client. It is made from Schemas; a test keeps it so.
//
//go:embed asyncapi.yaml
var AsyncAPI []byte

// Customer is the value of topic customers: a Standing and the position that it
// is of.
type Customer struct {
	V         int   `json:"v"`
	Partition int32 `json:"partition"`
	Sequence  int64 `json:"sequence"`
	EntryTime Time  `json:"entry_time"`
	Standing
}

// DecodeCustomer reads the value of a record on topic customers.
func DecodeCustomer(value []byte, c *Customer) error { return decoder.Unmarshal(value, c) }
