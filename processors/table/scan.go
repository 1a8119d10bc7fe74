package table

import (
	"github.com/cockroachdb/pebble/v2"
)

// scan visits from ≤ key < to of the layers (newest first) over Pebble, in
// ascending order, until fn returns false.
func scan(db pebble.Reader, layers []*layer, from, to []byte, fn func(key, value []byte) bool) error {
	cursors := make([]*layerCursor, 0, len(layers))
	for _, l := range layers {
		if l != nil && len(l.cells) > 0 {
			cursors = append(cursors, l.cursor(from, to))
		}
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: dataKey(from), UpperBound: dataKey(to)})
	if err != nil {
		return err
	}
	onDisk := it.First()
	for {
		key, found := "", false
		for _, c := range cursors {
			if c.valid() && (!found || c.key() < key) {
				key, found = c.key(), true
			}
		}
		if onDisk {
			if k := it.Key()[1:]; !found || string(k) < key {
				v, err := it.ValueAndErr()
				if err != nil {
					_ = it.Close()
					return err
				}
				if _, value := cutDue(v); !fn(k, value) {
					return it.Close()
				}
				onDisk = it.Next()
				continue
			} else if string(k) == key {
				onDisk = it.Next()
			}
		}
		if !found {
			break
		}
		if c := newest(cursors, key); !c.dead() && !fn([]byte(key), c.value) {
			return it.Close()
		}
	}
	if err := it.Error(); err != nil {
		_ = it.Close()
		return err
	}
	return it.Close()
}

// newest returns the newest layer's cell of the key and moves every cursor that
// stands at it.
func newest(cursors []*layerCursor, key string) (out *cell) {
	for _, c := range cursors {
		if c.valid() && c.key() == key {
			if out == nil {
				out = c.cell()
			}
			c.next()
		}
	}
	return out
}
