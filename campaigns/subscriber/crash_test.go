package subscriber

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/punchcard/punchcard/event"
)

// The process that crashes is this test binary again.
const (
	crashBroker = "PUNCHCARD_TEST_CRASH_BROKER"
	crashPrefix = "PUNCHCARD_TEST_CRASH_PREFIX"
	crashAt     = "k-6"
	crashCode   = 7
)

func TestMain(m *testing.M) {
	if os.Getenv(crashBroker) != "" {
		crashing()
	}
	os.Exit(m.Run())
}

// crashing handles messages, prints each, and dies in the handler of one: after
// its effect, before its commit.
func crashing() {
	r := &rig{broker: os.Getenv(crashBroker), prefix: os.Getenv(crashPrefix)}
	s, err := New(r.config())
	if err == nil {
		err = s.Run(context.Background(), func(_ context.Context, m event.CampaignMessage) error {
			_, _ = os.Stdout.WriteString(m.MessageID + "\n")
			if m.MessageID == crashAt {
				os.Exit(crashCode)
			}
			return nil
		})
	}
	_, _ = os.Stderr.WriteString(err.Error())
	os.Exit(1)
}

// TestCrashBeforeCommit: of a partition only the message in hand is handed out
// again, and none is lost.
func TestCrashBeforeCommit(t *testing.T) {
	t.Parallel()
	r := newRig(t, 1)
	messages := many("k", 10)
	r.publish(messages...)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashBroker+"="+r.broker, crashPrefix+"="+r.prefix)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != crashCode {
		t.Fatalf("the process that was to crash: %v\n%s", err, out)
	}
	want := []string{"k-0", "k-1", "k-2", "k-3", "k-4", "k-5", "k-6"}
	if got := strings.Fields(string(out)); !slices.Equal(got, want) {
		t.Fatalf("before the crash: %v", got)
	}
	r.publish(messages[5]) // and the topic repeats one that was committed
	var in inbox
	w := r.run(r.config(), in.take)
	until(t, "the rest", func() bool { n := w.s.Counts(); return n.Handled+n.Repeated >= 5 })
	w.leave()
	if got := in.all(); !slices.Equal(got, []string{"k-6", "k-7", "k-8", "k-9"}) || w.s.Counts().Repeated != 1 {
		t.Errorf("after the crash: %v, %+v", got, w.s.Counts())
	}
}
