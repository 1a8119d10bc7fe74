package campaigns

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/punchcard/punchcard/event"
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
	w := encoder{b: append(b, stateFormat)}
	w.time(p.clock)
	w.time(p.scheduled)
	w.uint(uint64(p.bundles))
	w.uint(uint64(p.inForce))
	w.uint(uint64(len(p.fresh)))
	for _, id := range p.fresh {
		w.string(id)
	}
	return w.b
}

func (p *partition) decode(b []byte) error {
	r := decoder{b: b}
	r.open()
	p.clock, p.scheduled = r.time(), r.time()
	p.bundles, p.inForce = uint32(r.uint()), uint32(r.uint())
	p.fresh = nil
	for range r.count() {
		p.fresh = append(p.fresh, r.string())
	}
	return r.end("partition")
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
	w := encoder{b: append(b, stateFormat)}
	w.time(s.from)
	w.string(s.id)
	w.uint(uint64(len(s.files)))
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		w.string(name)
		w.string(s.files[name])
	}
	return w.b
}

func (s *shelved) decode(key, b []byte) error {
	r := decoder{b: b}
	r.open()
	s.from, s.id, s.files = r.time(), r.string(), map[string]string{}
	for range r.count() {
		name := r.string()
		s.files[name] = r.string()
	}
	if len(key) == len(bundlesFrom)+4 {
		s.n = binary.BigEndian.Uint32(key[len(bundlesFrom):])
	} else {
		r.fail()
	}
	return r.end("bundle")
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
	w := encoder{b: append(b, stateFormat)}
	w.uint(uint64(len(jobs)))
	for i := range jobs {
		w.byte(byte(jobs[i].kind))
		w.string(jobs[i].campaign)
		w.time(jobs[i].time)
		w.string(jobs[i].name)
		w.string(jobs[i].next)
	}
	return w.b
}

func decodeJobs(b []byte) (jobs []job, err error) {
	r := decoder{b: b}
	r.open()
	for range r.count() {
		jobs = append(jobs, job{kind: jobKind(r.byte()), campaign: r.string(), time: r.time(), name: r.string(), next: r.string()})
	}
	return jobs, r.end("jobs")
}
