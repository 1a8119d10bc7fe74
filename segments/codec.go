package segments

// Kinds of keys: the first byte; package program has others. Ids are printable, so
// 0x00 separates them.
//
//	e account 00 name 00 time(8) sequence(8)   a counted event, for ever
//	g account                                  membership and measures, hot
//	s account                                  the segments it is in, by name
//	t account                                  facts (traits)
const (
	kindEvent   = 'e'
	kindHot     = 'g'
	kindMembers = 's'
	kindFacts   = 't'
)

func (k *Keeper) keyOf(kind byte, accountID string) []byte {
	k.key = append(append(k.key[:0], kind), accountID...)
	return k.key
}

func keyOf(kind byte, accountID string) []byte {
	return append(append(make([]byte, 0, 1+len(accountID)), kind), accountID...)
}

// KeyRange returns the range of the keys that each identified account with a
// counted event has one of, for sweeps.
func KeyRange() (from, to []byte) { return []byte{kindHot}, []byte{kindHot + 1} }

// AccountOfKey returns the account of a key in KeyRange; false for other keys.
func AccountOfKey(key []byte) (string, bool) {
	if len(key) < 2 || key[0] != kindHot {
		return "", false
	}
	return string(key[1:]), true
}
