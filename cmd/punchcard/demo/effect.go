package demo

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/punchcard/punchcard/event"
)

// Effect is what the message of a campaign truly does to those who get it: the
// truth that the measured lift is compared with. Shares are of all messages sent.
type Effect struct {
	Campaign, Arm, Channel string
	// Delivered, Opened (0 where nobody can tell), Clicked.
	Delivered, Opened, Clicked float64
	// Extra is the probability of one order more than without the message, and
	// Within the time in which it comes. All of them come of a click.
	Extra  float64
	Within time.Duration
	// Answered is the probability of an answer to a survey, Unsubscribed that of
	// having enough of it.
	Answered, Unsubscribed float64
}

// Shares that are the same for every campaign.
const (
	delivered  = 0.98 // the rest bounces
	complained = 0.0005
	// days in which an extra order comes: shorter than the campaign's window of
	// conversion (a test says so).
	quickly, slowly = 5 * 24 * time.Hour, 10 * 24 * time.Hour
)

// PlantedEffects are the effects of the demo's campaigns, by campaign and arm.
// They are made up; that second-purchase's points do twice as much as its plain
// reminder, and that a survey sells nothing, is for the figures to find out.
func PlantedEffects() []Effect {
	email := func(campaign, arm string, opened, clicked, extra float64, within time.Duration) Effect {
		return Effect{
			Campaign: campaign, Arm: arm, Channel: event.ChannelEmail, Delivered: delivered, Opened: opened, Clicked: clicked,
			Extra: extra, Within: within, Unsubscribed: 0.004,
		}
	}
	survey := email("survey-after-an-order", onlyArm, 0.46, 0.30, 0, quickly)
	survey.Answered, survey.Unsubscribed = 0.26, 0.001
	expire := Effect{
		Campaign: "points-expire-soon", Arm: onlyArm, Channel: event.ChannelSMS, Delivered: delivered, Clicked: 0.24,
		Extra: 0.10, Within: slowly, Unsubscribed: 0.003,
	}
	return []Effect{
		email("birthday", onlyArm, 0.52, 0.12, 0.03, quickly),
		email("early-access", onlyArm, 0.55, 0.28, 0.08, quickly),
		email("enough-for-a-reward", onlyArm, 0.42, 0.18, 0.05, quickly),
		email("next-tier", onlyArm, 0.44, 0.20, 0.07, slowly),
		expire,
		email("second-purchase", "points", 0.45, 0.22, 0.10, slowly),
		email("second-purchase", "reminder", 0.36, 0.14, 0.05, slowly),
		survey,
		email("tier-at-risk", onlyArm, 0.48, 0.25, 0.09, slowly),
		email("tier-reached", onlyArm, 0.60, 0.15, 0.02, quickly),
		email("welcome", onlyArm, 0.58, 0.21, 0.06, slowly),
		email("win-back", onlyArm, 0.28, 0.10, 0.05, slowly),
	}
}

// onlyArm is the id of a campaign's message that has no variants.
const onlyArm = "message"

// unknown is the effect of a campaign of which nothing was planted, such as one
// that somebody adds to the demo: it is read and sells nothing.
func unknown(campaign, arm, channel string) Effect {
	return Effect{Campaign: campaign, Arm: arm, Channel: channel, Delivered: delivered, Opened: 0.35, Clicked: 0.10, Within: quickly, Unsubscribed: 0.004}
}

var planted = PlantedEffects()

// effectOf finds the effect of a message.
func effectOf(m *event.Message) Effect {
	for _, e := range planted {
		if e.Campaign == m.CampaignID && e.Arm == m.Arm {
			return e
		}
	}
	return unknown(m.CampaignID, m.Arm, m.Channel)
}

// Lift is what the effect adds to the share that converts, when base of those who
// get no message do: who would have bought anyway converts once.
func (e Effect) Lift(base float64) float64 { return e.Extra * (1 - base) }

// PrintEffects writes the planted effects as a table.
func PrintEffects(w io.Writer, effects []Effect) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "campaign\tarm\tchannel\topened\tclicked\textra orders of 100\twithin days\t")
	for _, e := range effects {
		opened := "-"
		if e.Opened > 0 {
			opened = fmt.Sprintf("%.0f %%", 100*e.Opened)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.0f %%\t%.1f\t%.0f\t\n", e.Campaign, e.Arm, e.Channel, opened, 100*e.Clicked, 100*e.Extra, e.Within.Hours()/24)
	}
	return t.Flush()
}
