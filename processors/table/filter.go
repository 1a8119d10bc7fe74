package table

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
)

const (
	// firstSieve is how many keys the first sieve of a filter takes; each further
	// one takes twice as many as the one before.
	firstSieve = 64 << 10
	// maxSieves bounds a filter: 8 take 16.7 million keys in 25 MB. A table with
	// more fresh keys does without and asks Pebble.
	maxSieves = 8
	// 12 bits and 6 probes per key let about one absent key in 100 pass.
	bitsPerKey   = 12
	probesPerKey = 6
)

// filter knows of some kinds of keys which are certainly absent from all layers:
// most order and message ids are asked for once, before they exist. It belongs to
// the working goroutine. It only ever learns; deleted keys are asked for as before.
type filter struct {
	fresh [256]bool // first bytes of the keys it knows
	// written has the keys written since Open, stored those that Pebble had then.
	written, stored sieves
	reading         chan sieves // gives stored, once; nil when it was taken
	stop            chan struct{}
	ready           bool
}

// newFilter starts to read what Pebble holds; nil when there is nothing to filter.
func newFilter(db *pebble.DB, fresh string, empty bool) *filter {
	if fresh == "" {
		return nil
	}
	f := &filter{ready: empty}
	for i := range len(fresh) {
		f.fresh[fresh[i]] = true
	}
	if empty {
		return f
	}
	f.reading, f.stop = make(chan sieves, 1), make(chan struct{})
	go func(stored chan<- sieves, stop <-chan struct{}) { stored <- readSieves(db, fresh, stop) }(f.reading, f.stop)
	return f
}

// readSieves takes in the keys that Pebble holds. A failure is a full filter:
// whoever asks Pebble next meets the error.
func readSieves(db *pebble.DB, fresh string, stop <-chan struct{}) (s sieves) {
	for i := range len(fresh) {
		kind := fresh[i]
		it, err := db.NewIter(&pebble.IterOptions{LowerBound: dataKey([]byte{kind}), UpperBound: dataKey([]byte{kind + 1})})
		if err != nil {
			return sieves{full: true}
		}
		n := 0
		for ok := it.First(); ok && !s.full; ok = it.Next() {
			s.add(xxhash.Sum64(it.Key()[1:]))
			if n++; n%firstSieve == 0 {
				select {
				case <-stop:
					s.full = true
				default:
				}
			}
		}
		if it.Close() != nil || s.full {
			return sieves{full: true}
		}
	}
	return s
}

// settle takes what was read, if it is there.
func (f *filter) settle() {
	if f == nil || f.reading == nil {
		return
	}
	select {
	case f.stored = <-f.reading:
		f.reading, f.ready = nil, !f.stored.full
	default:
	}
}

// close ends the reading, so that Pebble can be closed.
func (f *filter) close() {
	if f == nil || f.reading == nil {
		return
	}
	close(f.stop)
	<-f.reading
	f.reading = nil
}

// add learns of a key that is written, whatever becomes of it.
func (f *filter) add(key []byte) {
	if f == nil || len(key) == 0 || !f.fresh[key[0]] || f.written.full {
		return
	}
	f.written.add(xxhash.Sum64(key))
	f.ready = f.ready && !f.written.full
}

// absent says that no layer has the key; false: look.
func (f *filter) absent(key []byte) bool {
	if f == nil || !f.ready || len(key) == 0 || !f.fresh[key[0]] {
		return false
	}
	h := xxhash.Sum64(key)
	return !f.written.has(h) && !f.stored.has(h)
}

// sieves are bit sets of growing size; the last one takes new keys.
type sieves struct {
	all  []sieve
	left int // keys that the last one still takes
	full bool
}

// sieve is a Bloom filter in blocks of one cache line each.
type sieve [][8]uint64

func (s *sieves) add(h uint64) {
	if s.left == 0 {
		if len(s.all) == maxSieves {
			*s = sieves{full: true}
			return
		}
		s.left = firstSieve << len(s.all)
		s.all = append(s.all, make(sieve, s.left*bitsPerKey/512))
	}
	s.left--
	block := s.all[len(s.all)-1].block(h)
	for i, probe := 0, uint32(h); i < probesPerKey; i, probe = i+1, probe+step(h) {
		block[probe>>6&7] |= 1 << (probe & 63)
	}
}

func (s *sieves) has(h uint64) bool {
	for i := range s.all {
		if s.all[i].has(h) {
			return true
		}
	}
	return false
}

func (s sieve) has(h uint64) bool {
	block := s.block(h)
	for i, probe := 0, uint32(h); i < probesPerKey; i, probe = i+1, probe+step(h) {
		if block[probe>>6&7]&(1<<(probe&63)) == 0 {
			return false
		}
	}
	return true
}

// block goes by the hash's upper half, the bits in it by the lower.
func (s sieve) block(h uint64) *[8]uint64 { return &s[h>>32*uint64(len(s))>>32] }

// step is the distance of the probes within a block.
func step(h uint64) uint32 { return bits.RotateLeft32(uint32(h), 15) | 1 }
