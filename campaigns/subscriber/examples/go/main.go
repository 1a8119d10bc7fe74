// Program go prints the messages of a channel, and reports each as delivered when
// it is told where the door is:
//
//	go run ./campaigns/subscriber/examples/go -brokers 127.0.0.1:9092 -channel email
//	PUNCHCARD_KEY=... go run ./campaigns/subscriber/examples/go -door http://127.0.0.1:8080
//
// It ends with Ctrl-C, and goes on where it was when it is started again.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/punchcard/punchcard/campaigns/subscriber"
	"github.com/punchcard/punchcard/event"
)

func main() {
	brokers := flag.String("brokers", "127.0.0.1:9092", "Kafka, as host:port,host:port")
	group := flag.String("group", "printer", "consumer group")
	channel := flag.String("channel", event.ChannelEmail, "one of "+strings.Join(event.Channels, ", "))
	prefix := flag.String("prefix", "", "the tenant's, with its dot")
	door := flag.String("door", "", "where to report (empty: nowhere), such as http://127.0.0.1:8080; its server key is in PUNCHCARD_KEY")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, subscriber.Config{
		Brokers: strings.Split(*brokers, ","), Group: *group, Prefix: *prefix, Channels: []string{*channel},
		Report: func(err error) { log.Print(err) },
	}, *door); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, c subscriber.Config, door string) error {
	var outcomes *subscriber.Outcomes
	if door != "" {
		var err error
		if outcomes, err = subscriber.NewOutcomes(subscriber.DoorConfig{URL: door, Key: os.Getenv("PUNCHCARD_KEY")}); err != nil {
			return err
		}
	}
	c.Expired = func(_ context.Context, m event.CampaignMessage) error {
		fmt.Fprintln(os.Stderr, "too late:", m.MessageID)
		return nil
	}
	s, err := subscriber.New(c)
	if err != nil {
		return err
	}
	return s.Run(ctx, func(ctx context.Context, m event.CampaignMessage) error {
		if _, err := fmt.Printf("%s to %s: %s\n", m.MessageID, m.CustomerID, m.Subject); err != nil || outcomes == nil {
			return err
		}
		return outcomes.Delivered(ctx, m, time.Time{})
	})
}
