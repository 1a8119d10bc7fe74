package packed

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/punchcard/punchcard/event"
)

func write(w *Encoder) {
	w.Byte(1)
	w.Uint(300)
	w.Int(math.MinInt64)
	w.Time(1323435000000)
	w.Day(-3)
	w.Fixed(1 << 63)
	w.String("é")
	w.Bytes(nil)
	w.Flags(true, false, true)
	w.Bits([]uint64{5, 0, 7, 0})
	w.Cause(event.Cause{Type: event.TypeTick, Name: "n", ID: "i"})
	w.Uint(2)
	w.Byte(8)
	w.Byte(9)
}

func read(t *testing.T, b []byte) error {
	r := Decoder{B: b}
	r.Format(1)
	bits := make([]uint64, 4)
	ok := r.Uint() == 300 && r.Int() == math.MinInt64 && r.Time() == 1323435000000 && r.Day() == -3 && r.Fixed() == 1<<63 &&
		r.Text() == "é" && len(r.Bytes()) == 0 && r.Byte() == 5
	r.Bits(bits)
	ok = ok && slices.Equal(bits, []uint64{5, 0, 7, 0}) && r.Cause() == event.Cause{Type: event.TypeTick, Name: "n", ID: "i"}
	ok = ok && r.Count() == 2 && r.Byte() == 8 && r.Byte() == 9
	err := r.End("value")
	if err == nil && !ok {
		t.Error("what was read is not what was written, and no error says so")
	}
	return err
}

func TestReadsWhatWasWritten(t *testing.T) {
	var w Encoder
	write(&w)
	if err := read(t, w.B); err != nil {
		t.Fatal(err)
	}
	for n := range w.B { // every cut is damage
		if err := read(t, w.B[:n]); !errors.Is(err, ErrState) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	if err := read(t, append(slices.Clone(w.B), 0)); !errors.Is(err, ErrState) {
		t.Errorf("a byte too many: %v", err)
	}
}

func TestHostileLengthsAllocateNothing(t *testing.T) {
	long := Encoder{}
	long.Uint(math.MaxUint64)
	for name, do := range map[string]func(r *Decoder){
		"text": func(r *Decoder) { r.Text() }, "bytes": func(r *Decoder) { r.Bytes() },
		"count": func(r *Decoder) { r.Count() }, "bits": func(r *Decoder) { r.Bits(make([]uint64, 1)) },
	} {
		r := Decoder{B: long.B}
		if do(&r); !r.Bad {
			t.Errorf("%s of %d bytes passed", name, uint64(math.MaxUint64))
		}
	}
}
