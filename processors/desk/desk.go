package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
	"github.com/punchcard/punchcard/processors/table"
)

// MaxTickets bounds the answers that one process waits for at a time.
const MaxTickets = 16 << 10

// Errors of a desk.
var (
	// ErrUnknown says that the account has no state.
	ErrUnknown = errors.New("desk: nothing is known of this customer")
	// ErrBusy says that too many answers are being waited for.
	ErrBusy = errors.New("desk: too many answers are being waited for, try again")
)

// Config says whom the desk asks.
type Config struct {
	Cluster *stream.Cluster
	// Partitions is how many topic events has.
	Partitions int32
	// Group is the processor's consumer group; empty: there is one process.
	Group string
	// Listen is the internal port's host:port; empty: other processes cannot ask
	// this one.
	Listen string
	// Key is shared by all processes; needed by Listen and to ask others.
	Key    string
	Logger *slog.Logger
}

// Owner is the runtime, as the desk reads from it.
type Owner interface {
	Owns(partition int32) bool
	Read(ctx context.Context, partition int32, fn func(v *table.View) error) error
}

var _ Owner = (*processors.Runtime)(nil)

// Desk answers. Safe for concurrent use.
type Desk struct {
	cfg    Config
	client *http.Client
	port   *port
	seats  seats

	mu      sync.Mutex
	owner   Owner
	open    int
	tickets map[string][]*Ticket // by account
}

// New opens the internal port, if there is to be one. Serve says what to answer
// from.
func New(cfg Config) (*Desk, error) {
	if cfg.Partitions < 1 {
		return nil, fmt.Errorf("desk: %d partitions", cfg.Partitions)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	d := &Desk{cfg: cfg, client: newClient(), tickets: map[string][]*Ticket{}}
	if cfg.Listen != "" {
		p, err := d.listen()
		if err != nil {
			return nil, err
		}
		d.port = p
	}
	return d, nil
}

// Serve names this process's own runtime.
func (d *Desk) Serve(o *processors.Runtime) { d.ServeOwner(o) }

// ServeOwner is Serve for any owner.
func (d *Desk) ServeOwner(o Owner) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.owner = o
}

// Addr is the internal port's address for the group's member data; "" when none.
func (d *Desk) Addr() string {
	if d.port == nil {
		return ""
	}
	return d.port.addr
}

// Close closes the port.
func (d *Desk) Close() {
	if d.port != nil {
		d.port.close()
	}
	d.client.CloseIdleConnections()
}

// Committed hands over a commit's entries: the runtime's Config.Committed.
func (d *Desk) Committed(_ int32, recs []*stream.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open == 0 {
		return
	}
	for _, rec := range recs {
		waiting := d.tickets[string(rec.Key)]
		if len(waiting) == 0 {
			continue
		}
		var e event.Entry
		if err := event.DecodeEntry(rec.Value, &e); err != nil || !e.Answer {
			continue
		}
		for _, t := range waiting {
			if t.messageID == e.Cause.ID {
				t.answer(&e, slices.Clone(rec.Value)) // the record's memory is used again
			}
		}
	}
}

// Ticket waits for one answer.
type Ticket struct {
	d                    *Desk
	accountID, messageID string
	got                  chan answer
	remote               *remoteTicket // instead, when another process owns it
	once                 sync.Once
}

type answer struct {
	entry *event.Entry
	raw   []byte
}

// Expect registers for the answer to a message, at the owner, before the message
// is produced. Several tickets for one message may be open.
func (d *Desk) Expect(accountID, messageID string) (*Ticket, error) {
	p := d.partition(accountID)
	if d.local(p) == nil && d.cfg.Group != "" {
		return d.expectThere(p, accountID, messageID)
	}
	return d.expectHere(accountID, messageID)
}

func (d *Desk) expectHere(accountID, messageID string) (*Ticket, error) {
	t := &Ticket{d: d, accountID: accountID, messageID: messageID, got: make(chan answer, 1)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open >= MaxTickets {
		return nil, ErrBusy
	}
	d.open++
	d.tickets[accountID] = append(d.tickets[accountID], t)
	return t, nil
}

// answer gives the ticket its first answer; later ones say the same.
func (t *Ticket) answer(e *event.Entry, raw []byte) {
	select {
	case t.got <- answer{e, raw}:
	default:
	}
}

// Wait returns the entry that answers, or ctx's error.
func (t *Ticket) Wait(ctx context.Context) (*event.Entry, error) {
	if t.remote != nil {
		return t.remote.wait(ctx)
	}
	a, err := t.wait(ctx)
	return a.entry, err
}

func (t *Ticket) wait(ctx context.Context) (answer, error) {
	select {
	case a := <-t.got:
		return a, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

// Cancel gives the ticket back, also after Wait.
func (t *Ticket) Cancel() {
	t.once.Do(func() {
		if t.remote != nil {
			t.remote.cancel()
			return
		}
		d := t.d
		d.mu.Lock()
		defer d.mu.Unlock()
		d.open--
		left := slices.DeleteFunc(d.tickets[t.accountID], func(o *Ticket) bool { return o == t })
		if len(left) == 0 {
			delete(d.tickets, t.accountID)
			return
		}
		d.tickets[t.accountID] = left
	})
}

// Customer reads how an account stands; ErrUnknown when it has no state.
func (d *Desk) Customer(ctx context.Context, accountID string) (customer.Reading, error) {
	p := d.partition(accountID)
	if o := d.local(p); o != nil || d.cfg.Group == "" {
		return d.customerHere(ctx, p, accountID)
	}
	return d.customerThere(ctx, p, accountID)
}

func (d *Desk) customerHere(ctx context.Context, p int32, accountID string) (r customer.Reading, err error) {
	known := false
	err = d.read(ctx, p, func(v *table.View) error {
		r, known = customer.ReadCustomer(v, accountID)
		return nil
	})
	r.Partition = p
	if err == nil && !known {
		err = ErrUnknown
	}
	return r, err
}

// After returns when the entry of a message is in: at once if it was in before.
func (d *Desk) After(ctx context.Context, accountID, messageID string) error {
	t, err := d.Expect(accountID, messageID)
	if err != nil {
		return err
	}
	defer t.Cancel()
	known, err := d.known(ctx, accountID, messageID)
	if err != nil || known {
		return err
	}
	_, err = t.Wait(ctx)
	return err
}

func (d *Desk) known(ctx context.Context, accountID, messageID string) (bool, error) {
	p := d.partition(accountID)
	if o := d.local(p); o != nil || d.cfg.Group == "" {
		return d.knownHere(ctx, p, accountID, messageID)
	}
	return d.knownThere(ctx, p, accountID, messageID)
}

func (d *Desk) knownHere(ctx context.Context, p int32, accountID, messageID string) (known bool, err error) {
	err = d.read(ctx, p, func(v *table.View) error {
		_, known = customer.ReadMessage(v, accountID, messageID)
		return nil
	})
	return known, err
}

func (d *Desk) read(ctx context.Context, p int32, fn func(v *table.View) error) error {
	d.mu.Lock()
	o := d.owner
	d.mu.Unlock()
	if o == nil {
		return fmt.Errorf("%w (partition %d: this process runs no processor)", processors.ErrNotOwner, p)
	}
	return o.Read(ctx, p, fn)
}

func (d *Desk) partition(accountID string) int32 {
	return stream.PartitionOf([]byte(accountID), d.cfg.Partitions)
}

// local is this process's runtime if it owns the partition.
func (d *Desk) local(p int32) Owner {
	d.mu.Lock()
	o := d.owner
	d.mu.Unlock()
	if o == nil || !o.Owns(p) {
		return nil
	}
	return o
}
