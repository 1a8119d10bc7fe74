package customer

import (
	"encoding/binary"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
	"github.com/punchcard/punchcard/processors/table"
	"github.com/punchcard/punchcard/program"
)

// Message ids: m, account, 0, message id → format, clock at arrival, sequence of
// the entry that decided it, body hash. Ids hold no control characters.
const kindMessage = 'm'

// Fresh are the kinds of keys that are usually new when they are asked for.
const Fresh = string(kindMessage) + program.FreshKinds

func appendMessageKey(b []byte, accountID, messageID string) []byte {
	b = append(append(b, kindMessage), accountID...)
	return append(append(b, 0), messageID...)
}

// message is what is kept of a message.
type message struct {
	clock    event.Time
	sequence int64
	bodyHash []byte
}

func (m *message) append(b []byte, bodyHash string) []byte {
	b = binary.AppendVarint(append(b, stateFormat), int64(m.clock))
	b = binary.AppendUvarint(b, uint64(m.sequence))
	return append(b, bodyHash...)
}

func decodeMessage(b []byte) (m message, ok bool) {
	r := packed.Decoder{B: b}
	if r.Byte() != stateFormat {
		return m, false
	}
	m.clock, m.sequence = event.Time(r.Int()), int64(r.Uint())
	m.bodyHash = r.B
	return m, !r.Bad
}

// expired says that a message id is not known any more: by the clock alone.
func (m *message) expired(clock event.Time) bool {
	return m.clock.Add(event.MessageIDHorizon) < clock
}

// findMessage reads a message id that is not expired.
func findMessage(st program.State, key []byte, clock event.Time) (message, bool) {
	raw, ok := st.Get(key)
	if !ok {
		return message{}, false
	}
	m, ok := decodeMessage(raw)
	return m, ok && !m.expired(clock)
}

// Expire lets a table drop message ids that are expired: nobody sees them.
func Expire() *table.Expire {
	return &table.Expire{
		From: []byte{kindMessage}, To: []byte{kindMessage + 1},
		Expired: func(_, value []byte, clock event.Time) bool {
			m, ok := decodeMessage(value)
			return ok && m.expired(clock)
		},
	}
}
