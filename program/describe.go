package program

import (
	"fmt"
	"strings"
	"time"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/program/rulefile"
)

// Describe says what the rules mean, in words that a marketer reads.
func (b *Book) Describe() string {
	w := &words{book: b}
	w.line("%s (version %s)", b.Name, b.ID)
	w.line("Money in %s, days and midnights of %s, in force from %s.", b.Currency, b.TimeZone, w.instant(b.EffectiveFrom, "the beginning"))
	if b.MaxAgeDays > 0 {
		w.line("Events that arrive more than %d days late are refused.", b.MaxAgeDays)
	}
	w.enrolment()
	w.earning()
	w.multipliers()
	w.points()
	w.tiers()
	w.scores()
	return w.String()
}

// words collects the text.
type words struct {
	strings.Builder
	book *Book
}

func (w *words) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *words) title(s string) { w.line("\n%s", s) }

// rule writes the id in a column of its own.
func (w *words) rule(id, format string, args ...any) {
	w.line("  %-20s %s", id, fmt.Sprintf(format, args...))
}

func (w *words) money(minor int64) string {
	digits := event.MinorDigits(w.book.Currency)
	if digits == 0 {
		return fmt.Sprintf("%d %s", minor, w.book.Currency)
	}
	s := fmt.Sprintf("%0*d", digits+1, minor)
	return s[:len(s)-digits] + "." + s[len(s)-digits:] + " " + w.book.Currency
}

func (w *words) count(points int64) string {
	if points == 1 {
		return "1 " + strings.TrimSuffix(w.book.Wallet, "s")
	}
	return fmt.Sprintf("%d %s", points, w.book.Wallet)
}

func (w *words) instant(t event.Time, open string) string {
	if t == 0 {
		return open
	}
	return t.Std().In(w.book.Zone).Format("2006-01-02 15:04 MST")
}

func (w *words) enrolment() {
	w.title("Becoming a member")
	for _, r := range w.book.Enrolment {
		if r.SignUp {
			w.rule(r.ID, "on signing up")
		} else {
			w.rule(r.ID, "at order number %d, which then earns", r.Order)
		}
	}
}

func (w *words) earning() {
	w.title("Earning")
	for i := range w.book.Rules {
		r := &w.book.Rules[i]
		s := ""
		switch r.Kind {
		case RuleSpend:
			s = fmt.Sprintf("%s for each %s of an order", w.count(r.Points), w.money(r.PerMinor))
			if r.MinimumMinor > 0 {
				s += ", from " + w.money(r.MinimumMinor) + " on"
			}
			if s += ", fractions are cut off"; r.Rounding == RoundHalfUp {
				s = strings.TrimSuffix(s, "cut off") + "rounded half up"
			}
		case RuleAction:
			if s = fmt.Sprintf("%s for each event %q", w.count(r.Points), r.Event); r.MaxPerDay > 0 {
				s += fmt.Sprintf(", at most %d a day", r.MaxPerDay)
			}
		case RuleSignUp:
			s = w.count(r.Points) + " on becoming a member, usable at once"
		}
		w.rule(r.ID, "%s%s", s, only(r.Tiers))
	}
	for _, e := range [...]struct {
		what string
		list []string
	}{{"products", w.book.Exclude.Products}, {"categories", w.book.Exclude.Categories}} {
		if len(e.list) > 0 {
			w.line("  Nothing for the %s %s; they count as spend.", e.what, strings.Join(e.list, ", "))
		}
	}
}

func only(tiers []string) string {
	if len(tiers) == 0 {
		return ""
	}
	return ", for tier " + rulefile.List(tiers) + " only"
}

func (w *words) multipliers() {
	if len(w.book.Multipliers) == 0 {
		return
	}
	w.title("Multipliers of the points of orders")
	for _, m := range w.book.Multipliers {
		s := fmt.Sprintf("times %d.%02d", m.Percent/100, m.Percent%100)
		if len(m.Weekdays) > 0 {
			s += " on " + days(m.Weekdays)
		}
		if m.From != 0 {
			s += " from " + w.instant(m.From, "")
		}
		if m.Until != 0 {
			s += " until " + w.instant(m.Until, "")
		}
		if len(m.Rules) > 0 {
			s += ", of " + strings.Join(m.Rules, ", ")
		}
		w.rule(m.ID, "%s%s", s, only(m.Tiers))
	}
	switch w.book.Stacking {
	case StackMultiply:
		w.line("  Several at once multiply each other: 2 and 1.5 give 3.")
	case StackAdd:
		w.line("  Several at once add what they give on top: 2 and 1.5 give 2.5.")
	case StackHighest:
		w.line("  Of several at once the highest counts: 2 and 1.5 give 2.")
	}
}

func days(list []time.Weekday) string {
	var out []string
	for _, d := range list {
		out = append(out, d.String())
	}
	return strings.Join(out, ", ")
}

func (w *words) points() {
	b := w.book
	w.title("Keeping, spending, giving back")
	switch {
	case b.ExpiryMonths > 0:
		w.line("  %d months after they were earned, at the end of the day, unused %s expire.", b.ExpiryMonths, b.Wallet)
	case b.ExpiryDays > 0:
		w.line("  %d days after they were earned, at the end of the day, unused %s expire.", b.ExpiryDays, b.Wallet)
	default:
		w.line("  Unused %s never expire.", b.Wallet)
	}
	w.line("  The ones that expire first are spent first; at least %d at once.", max(b.Redemption.MinimumPoints, 1))
	w.line("  A refund takes back the %s of its order; spent ones leave a debt that later ones fill.", b.Wallet)
	if b.Refunds.Allocate {
		w.line("  A refund without an order is looked for in the customer's own orders, same product, newest first.")
	} else {
		w.line("  A refund without an order changes spend and leaves %s alone.", b.Wallet)
	}
}

func (w *words) tiers() {
	if len(w.book.Tiers.Levels) == 0 {
		return
	}
	w.title(fmt.Sprintf("Tiers, by spend less refunds in the last %d days", w.book.Tiers.WindowDays))
	for _, l := range w.book.Tiers.Levels {
		w.rule(l.ID, "%s, from %s on", l.Name, w.money(l.SpendMinor))
	}
	w.line("  Up at once; down at the review %d days after a tier was reached or confirmed, or when a refund takes its ground away.", w.book.Tiers.ReviewDays)
}

func (w *words) scores() {
	r := w.book.RFM
	w.title(fmt.Sprintf("Scores 1 to 5, by orders of the last %d days", r.WindowDays))
	if r.Method == ScorePopulation {
		w.line("  Cut into fifths of all customers every %d days; with fewer than %d customers by the numbers below.", r.EveryDays, r.MinimumCustomers)
	}
	w.rule("recency", "5 up to %d days since the last order, then 4 up to %d, 3 up to %d, 2 up to %d, 1 beyond", r.RecencyDays[0], r.RecencyDays[1], r.RecencyDays[2], r.RecencyDays[3])
	w.rule("frequency", "1 up to %d orders, then 2 up to %d, 3 up to %d, 4 up to %d, 5 beyond", r.OrdersCount[0], r.OrdersCount[1], r.OrdersCount[2], r.OrdersCount[3])
	w.rule("monetary value", "1 up to %s, then 2 up to %s, 3 up to %s, 4 up to %s, 5 beyond", w.money(r.SpendMinor[0]), w.money(r.SpendMinor[1]), w.money(r.SpendMinor[2]), w.money(r.SpendMinor[3]))
}
