package campaigns

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/packed"
)

var (
	keyPartition = []byte("xp")
	keyJobs      = []byte("xj")
	bundlesFrom  = []byte("xb")
	bundlesTo    = []byte("xc")
)

func bundleKey(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte("xb"), n) }

// partition is what one partition knows beside its customers.
type partition struct {
	clock event.Time // of the newest tick
	// scheduled: the moments of schedules up to it have begun.
	scheduled event.Time
	// bundles counts those taken; inForce is the number of the one in force plus 1.
	bundles, inForce uint32
	// fresh are the campaigns with existing: true that came with the plan in force:
	// who enters their segment by its activation was in it already.
	fresh []string
}

func (p *partition) append(b []byte) []byte {
	w := packed.Encoder{B: append(b, stateFormat)}
	w.Time(p.clock)
	w.Time(p.scheduled)
	w.Uint(uint64(p.bundles))
	w.Uint(uint64(p.inForce))
	w.Uint(uint64(len(p.fresh)))
	for _, id := range p.fresh {
		w.String(id)
	}
	return w.B
}

func (p *partition) decode(b []byte) error {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	p.clock, p.scheduled = r.Time(), r.Time()
	p.bundles, p.inForce = uint32(r.Uint()), uint32(r.Uint())
	p.fresh = nil
	for range r.Count() {
		p.fresh = append(p.fresh, r.Text())
	}
	return r.End("partition")
}

// shelved is a bundle that was taken: in force, or to come.
type shelved struct {
	n     uint32
	from  event.Time
	id    string
	files map[string]string
	plan  *Plan
}

func (s *shelved) append(b []byte) []byte {
	w := packed.Encoder{B: append(b, stateFormat)}
	w.Time(s.from)
	w.String(s.id)
	w.Uint(uint64(len(s.files)))
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		w.String(name)
		w.String(s.files[name])
	}
	return w.B
}

func (s *shelved) decode(key, b []byte) error {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	s.from, s.id, s.files = r.Time(), r.Text(), map[string]string{}
	for range r.Count() {
		name := r.Text()
		s.files[name] = r.Text()
	}
	if len(key) == len(bundlesFrom)+4 {
		s.n = binary.BigEndian.Uint32(key[len(bundlesFrom):])
	} else {
		r.Fail()
	}
	return r.End("bundle")
}

// Kinds of jobs: visits to many customers that take several slices.
type jobKind byte

const (
	jobSchedule jobKind = iota + 1 // all customers in the schedule's segment
	jobExisting                    // all customers in the segment of a campaign that came with existing: true
	jobWithdraw                    // all runs of campaigns that the plan does not have any more
)

// job is a sweep under way.
type job struct {
	kind     jobKind
	campaign string
	time     event.Time // the schedule's moment; existing: when the plan came into force
	name     string     // the moment as the program's zone writes it; existing: the bundle
	// next is the customer (withdraw: the key) to go on with.
	next string
}

func appendJobs(b []byte, jobs []job) []byte {
	w := packed.Encoder{B: append(b, stateFormat)}
	w.Uint(uint64(len(jobs)))
	for i := range jobs {
		w.Byte(byte(jobs[i].kind))
		w.String(jobs[i].campaign)
		w.Time(jobs[i].time)
		w.String(jobs[i].name)
		w.String(jobs[i].next)
	}
	return w.B
}

func decodeJobs(b []byte) (jobs []job, err error) {
	r := packed.Decoder{B: b}
	r.Format(stateFormat)
	for range r.Count() {
		jobs = append(jobs, job{kind: jobKind(r.Byte()), campaign: r.Text(), time: r.Time(), name: r.Text(), next: r.Text()})
	}
	return jobs, r.End("jobs")
}
