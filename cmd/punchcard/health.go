package main

import (
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/ingest"
	"github.com/punchcard/punchcard/processors"
)

// readyLag is how many records a role may be behind and still count as caught up:
// live traffic always has some under way.
const readyLag = 5000

func pid() int { return os.Getpid() }

// handler is the door with what operators ask beside it.
func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", a.door.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.ready)
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &metrics{app: a})
	mux.Handle("/", a.page)
	mux.Handle("GET /metrics", a.keyed(promhttp.HandlerFor(reg, promhttp.HandlerOpts{})))
	return mux
}

// keyed asks for a read key where the door listens beyond this machine.
func (a *app) keyed(h http.Handler) http.Handler {
	host, _, err := net.SplitHostPort(a.listener.Addr().String())
	if err == nil && isLoopback(host) {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secret, _, _ := r.BasicAuth()
		for _, k := range a.keys {
			if k.Kind == ingest.KeyRead && subtle.ConstantTimeCompare([]byte(k.Secret), []byte(secret)) == 1 {
				h.ServeHTTP(w, r)
				return
			}
		}
		w.Header().Set("WWW-Authenticate", "Basic")
		http.Error(w, "a read key is needed: basic auth, the key as user", http.StatusUnauthorized)
	})
}

// ready answers 200 only when every role is caught up; else it names what is not.
func (a *app) ready(w http.ResponseWriter, _ *http.Request) {
	why := a.notReady()
	if len(why) == 0 {
		fmt.Fprintln(w, "ready")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprintln(w, strings.Join(why, "\n"))
}

func (a *app) notReady() []string {
	var why []string
	if a.watcher.ActiveBundle() == "" {
		why = append(why, "no active program")
	}
	if a.watcher.IsHistory() {
		why = append(why, "history is being imported")
	}
	for _, l := range a.lags() {
		if l.records > readyLag || l.records < 0 {
			why = append(why, fmt.Sprintf("%s: partition %d is %d records behind", l.role, l.partition, l.records))
		}
	}
	for _, r := range a.workers() {
		if r.owned() == 0 {
			why = append(why, r.role+": no partition is assigned yet")
		}
	}
	return why
}

// lag is how far a role is behind in a partition.
type lag struct {
	role      string
	partition int32
	records   int64
}

func (a *app) lags() []lag {
	var out []lag
	for _, r := range a.workers() {
		for _, p := range r.Status() {
			if p.Owned {
				out = append(out, lag{r.role, p.Partition, p.Lag})
			}
		}
	}
	sequences := a.sequences()
	for p, seq := range sequences {
		if a.leads(roleProjector) {
			out = append(out, lag{roleProjector, int32(p), seq - a.projector.Sequence(event.TopicCustomers, int32(p))})
		}
	}
	if a.leads(roleSink) {
		status := a.sink.Status()
		for p, seq := range sequences {
			out = append(out, lag{roleSink, int32(p), seq - status.Partitions[int32(p)].Sequence})
		}
		for _, p := range a.campaignSequences() {
			out = append(out, lag{roleSink + "-campaigns", p.Partition, p.Sequence - status.Campaigns[p.Partition].Sequence})
		}
	}
	return out
}

// campaignSequences are the newest campaign entries of the partitions that this
// process decides.
func (a *app) campaignSequences() (out []processors.PartitionStatus) {
	if !a.has(roleCampaigns) {
		return nil
	}
	for _, p := range a.campaigns.Status() {
		if p.Owned {
			out = append(out, p)
		}
	}
	return out
}

// sequences are the newest entries of all partitions, as the watcher knows them.
func (a *app) sequences() []int64 {
	out := make([]int64, a.watcher.Partitions())
	for p, q := range a.watcher.Snapshot() {
		out[p] = q.Sequence
	}
	return out
}

// worker is a processor that this process runs.
type worker struct {
	role string
	*processors.Runtime
}

func (a *app) workers() (out []worker) {
	if a.has(roleProcessor) {
		out = append(out, worker{roleProcessor, a.customers})
	}
	if a.has(roleCampaigns) {
		out = append(out, worker{roleCampaigns, a.campaigns})
	}
	return out
}

func (r worker) owned() int {
	n := 0
	for _, p := range r.Status() {
		if p.Owned {
			n++
		}
	}
	return n
}

// metrics asks the parts when Prometheus asks us.
type metrics struct{ app *app }

var (
	descClock     = prometheus.NewDesc("punchcard_clock_seconds", "The partition's clock: its newest tick, Unix seconds.", []string{"partition"}, nil)
	descSequence  = prometheus.NewDesc("punchcard_ledger_sequence", "Newest entry of the partition.", []string{"partition"}, nil)
	descLag       = prometheus.NewDesc("punchcard_lag_records", "Records that a role is behind.", []string{"role", "partition"}, nil)
	descCommits   = prometheus.NewDesc("punchcard_commits_total", "Transactions committed by a processor.", []string{"role", "partition"}, nil)
	descFailures  = prometheus.NewDesc("punchcard_partition_failures_total", "Failures after which a partition was opened again.", []string{"role", "partition"}, nil)
	descDoor      = prometheus.NewDesc("punchcard_door_events_total", "Events at the HTTP door: in = accepted + rejected + turned_away (told to try again).", []string{"outcome"}, nil)
	descEngine    = prometheus.NewDesc("punchcard_engine_restarts_total", "Restarts of the embedded ClickHouse engine.", nil, nil)
	descBrokerMem = prometheus.NewDesc("punchcard_broker_memory_bytes", "What the embedded broker holds on the heap, about.", nil, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descClock, descSequence, descLag, descCommits, descFailures, descDoor, descEngine, descBrokerMem} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	a := m.app
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	for p, q := range a.watcher.Snapshot() {
		gauge(descClock, float64(q.Clock)/1000, fmt.Sprint(p))
		gauge(descSequence, float64(q.Sequence), fmt.Sprint(p))
	}
	for _, l := range a.lags() {
		gauge(descLag, float64(l.records), l.role, fmt.Sprint(l.partition))
	}
	for _, r := range a.workers() {
		for _, p := range r.Status() {
			counter(descCommits, float64(p.Commits), r.role, fmt.Sprint(p.Partition))
			counter(descFailures, float64(p.Failures), r.role, fmt.Sprint(p.Partition))
		}
	}
	if a.door != nil {
		c := a.door.Counts()
		counter(descDoor, float64(c.In), "in")
		counter(descDoor, float64(c.Accepted), "accepted")
		counter(descDoor, float64(c.Rejected), "rejected")
		counter(descDoor, float64(c.TurnedAway), "turned_away")
	}
	if a.engine != nil {
		counter(descEngine, float64(a.engine.Restarts()))
	}
	if a.broker != nil {
		gauge(descBrokerMem, float64(a.broker.MemoryBytes()))
	}
}
