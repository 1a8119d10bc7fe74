package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/processors"
	"github.com/punchcard/punchcard/processors/customer"
)

const (
	// seatsFor is how long the group's list of members is taken as true.
	seatsFor = time.Second
	// dialTimeout and registerTimeout bound reaching another process.
	dialTimeout     = time.Second
	registerTimeout = 3 * time.Second
	// maxReply bounds what another process may answer.
	maxReply = event.MaxRecordBytes
	// maxIdle is how many connections to one process are kept.
	maxIdle = 64
)

func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		ResponseHeaderTimeout: registerTimeout,
		MaxIdleConnsPerHost:   maxIdle,
		IdleConnTimeout:       time.Minute,
	}}
}

// seats remembers which process has which partition.
type seats struct {
	mu    sync.Mutex
	until time.Time
	addr  map[int32]string
}

// forget makes the next look ask the group again.
func (s *seats) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Time{}
}

// seat is the internal address of a partition's owner.
func (d *Desk) seat(ctx context.Context, p int32) (string, error) {
	s := &d.seats
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().After(s.until) {
		members, err := d.cfg.Cluster.Members(ctx, d.cfg.Group, event.TopicEvents)
		if err != nil {
			return "", err
		}
		s.addr = map[int32]string{}
		for _, m := range members {
			for _, q := range m.Partitions {
				s.addr[q] = string(m.Data)
			}
		}
		s.until = time.Now().Add(seatsFor)
	}
	addr := s.addr[p]
	if addr == "" {
		s.until = time.Time{}
		return "", fmt.Errorf("%w (partition %d: no process of group %s says that it has it, or it shows no internal address)", processors.ErrNotOwner, p, d.cfg.Group)
	}
	return addr, nil
}

// ask sends one question to the owner of a partition and returns the reply when
// its headers are there.
func (d *Desk) ask(ctx context.Context, p int32, path string, q url.Values) (*http.Response, error) {
	addr, err := d.seat(ctx, p)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+path+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set(keyHeader, d.cfg.Key)
	resp, err := d.client.Do(req)
	if err != nil {
		d.seats.forget()
		return nil, fmt.Errorf("desk: asking %s, which owns partition %d: %w", addr, p, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	switch resp.StatusCode {
	case http.StatusNotFound:
		return nil, ErrUnknown
	case http.StatusServiceUnavailable:
		return nil, ErrBusy
	case http.StatusMisdirectedRequest:
		d.seats.forget()
		return nil, fmt.Errorf("%w (partition %d is moving)", processors.ErrNotOwner, p)
	}
	return nil, fmt.Errorf("desk: %s answers %s: %s", addr, resp.Status, text)
}

func (d *Desk) askJSON(ctx context.Context, p int32, path string, q url.Values, v any) error {
	resp, err := d.ask(ctx, p, path, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxReply)).Decode(v); err != nil {
		return fmt.Errorf("desk: reply to %s: %w", path, err)
	}
	return nil
}

func (d *Desk) customerThere(ctx context.Context, p int32, accountID string) (r customer.Reading, err error) {
	err = d.askJSON(ctx, p, pathCustomer, url.Values{"account": {accountID}}, &r)
	return r, err
}

func (d *Desk) knownThere(ctx context.Context, p int32, accountID, messageID string) (bool, error) {
	var m messageReply
	err := d.askJSON(ctx, p, pathMessage, url.Values{"account": {accountID}, "message": {messageID}}, &m)
	return m.Known, err
}

// remoteTicket is a question that another process holds open.
type remoteTicket struct {
	cancel context.CancelFunc
	got    chan remoteAnswer
}

type remoteAnswer struct {
	entry *event.Entry
	err   error
}

// expectThere returns when the owner has the ticket: its headers say so.
func (d *Desk) expectThere(p int32, accountID, messageID string) (*Ticket, error) {
	ctx, cancel := context.WithCancel(context.Background())
	resp, err := d.ask(ctx, p, pathAnswer, url.Values{"account": {accountID}, "message": {messageID}})
	if err != nil {
		cancel()
		return nil, err
	}
	r := &remoteTicket{cancel: cancel, got: make(chan remoteAnswer, 1)}
	go func() {
		defer resp.Body.Close()
		r.got <- readAnswer(resp.Body)
	}()
	return &Ticket{d: d, accountID: accountID, messageID: messageID, remote: r}, nil
}

func readAnswer(body io.Reader) remoteAnswer {
	raw, err := io.ReadAll(io.LimitReader(body, maxReply))
	if err == nil && len(raw) == 0 {
		err = errors.New("the owner gave the question up")
	}
	var e event.Entry
	if err == nil {
		err = event.DecodeEntry(raw, &e)
	}
	if err != nil {
		return remoteAnswer{err: fmt.Errorf("desk: waiting for another process: %w", err)}
	}
	return remoteAnswer{entry: &e}
}

func (r *remoteTicket) wait(ctx context.Context) (*event.Entry, error) {
	select {
	case a := <-r.got:
		return a.entry, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
