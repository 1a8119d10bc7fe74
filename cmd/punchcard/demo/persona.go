package demo

import (
	"math/rand/v2"
	"strings"

	"github.com/punchcard/punchcard/event"
)

// nameUnsubscribed withdraws consent to a channel.
const nameUnsubscribed = "Unsubscribed"

// persona is who a simulated shopper is beyond what they buy: for ever the same
// for a seed and an id.
type persona struct {
	identified bool
	email, sms bool
	zone       string
	language   string
	country    string // ISO 3166
	birthMonth int    // 0: not told
	birthDay   int
	mood       mood
}

// mood is how content someone is, whatever they are asked.
type mood uint8

const (
	content mood = iota
	lukewarm
	annoyed
)

// Shares of moods; the rest is content.
const (
	annoyedShare  = 0.20
	lukewarmShare = 0.25
)

// place is what a country of the data set means for a shopper.
type place struct{ iso, zone, language string }

// home is where those are whose country is not known.
var home = place{"GB", "Europe/London", "en"}

// places are the countries of Online Retail, as it writes them.
var places = map[string]place{
	"United Kingdom": home, "Germany": {"DE", "Europe/Berlin", "de"}, "France": {"FR", "Europe/Paris", "fr"},
	"EIRE": {"IE", "Europe/Dublin", "en"}, "Spain": {"ES", "Europe/Madrid", "es"}, "Netherlands": {"NL", "Europe/Amsterdam", "nl"},
	"Belgium": {"BE", "Europe/Brussels", "fr"}, "Switzerland": {"CH", "Europe/Zurich", "de"}, "Portugal": {"PT", "Europe/Lisbon", "pt"},
	"Australia": {"AU", "Australia/Sydney", "en"}, "Norway": {"NO", "Europe/Oslo", "no"}, "Italy": {"IT", "Europe/Rome", "it"},
	"Channel Islands": {"JE", "Europe/Jersey", "en"}, "Finland": {"FI", "Europe/Helsinki", "fi"}, "Cyprus": {"CY", "Asia/Nicosia", "el"},
	"Sweden": {"SE", "Europe/Stockholm", "sv"}, "Austria": {"AT", "Europe/Vienna", "de"}, "Denmark": {"DK", "Europe/Copenhagen", "da"},
	"Japan": {"JP", "Asia/Tokyo", "ja"}, "Poland": {"PL", "Europe/Warsaw", "pl"}, "Israel": {"IL", "Asia/Jerusalem", "he"},
	"USA": {"US", "America/New_York", "en"}, "Hong Kong": {"HK", "Asia/Hong_Kong", "en"}, "Singapore": {"SG", "Asia/Singapore", "en"},
	"Iceland": {"IS", "Atlantic/Reykjavik", "is"}, "Canada": {"CA", "America/Toronto", "en"}, "Greece": {"GR", "Europe/Athens", "el"},
	"Malta": {"MT", "Europe/Malta", "en"}, "United Arab Emirates": {"AE", "Asia/Dubai", "en"}, "RSA": {"ZA", "Africa/Johannesburg", "en"},
	"Lebanon": {"LB", "Asia/Beirut", "ar"}, "Lithuania": {"LT", "Europe/Vilnius", "lt"}, "Brazil": {"BR", "America/Sao_Paulo", "pt"},
	"Czech Republic": {"CZ", "Europe/Prague", "cs"}, "Bahrain": {"BH", "Asia/Bahrain", "ar"}, "Saudi Arabia": {"SA", "Asia/Riyadh", "ar"},
}

// personaOf draws who an account is; country is as the data set writes it.
func personaOf(seed uint64, accountID, country string) persona {
	r := draws(seed, "persona:"+accountID)
	where, known := places[country]
	if !known {
		where = home
	}
	p := persona{
		identified: r.Float64() < identifiedShare, zone: where.zone, language: where.language, country: where.iso,
		mood: moodOf(r.Float64()),
	}
	// Shares are of all, so they are scaled to those who are identified.
	p.email = r.Float64() < emailShare/identifiedShare
	p.sms = r.Float64() < smsShare/identifiedShare
	if r.Float64() < birthdayShare {
		p.birthMonth, p.birthDay = 1+r.IntN(12), 1+r.IntN(28)
	}
	return p
}

func moodOf(x float64) mood {
	switch {
	case x < annoyedShare:
		return annoyed
	case x < annoyedShare+lukewarmShare:
		return lukewarm
	}
	return content
}

// traits are what an identify says; nothing in them names anybody.
func (p *persona) traits() map[string]any {
	t := map[string]any{
		"consent":   map[string]bool{event.ChannelEmail: p.email, event.ChannelSMS: p.sms},
		"time_zone": p.zone, "language": p.language, "country": p.country,
	}
	if p.birthMonth > 0 {
		t["birth_month"], t["birth_day"] = p.birthMonth, p.birthDay
	}
	return t
}

// answer is an answer to a survey: mostly NPS, some CES and CSAT.
func (p *persona) answer(r *rand.Rand) event.Survey {
	kind := "nps"
	switch x := r.Float64(); {
	case x >= 0.90:
		kind = "csat"
	case x >= 0.70:
		kind = "ces"
	}
	return event.Survey{SurveyID: kind + "-after-order", Kind: kind, Score: p.score(kind, r)}
}

// score is around what the mood says: lowest and how many steps above it.
func (p *persona) score(kind string, r *rand.Rand) int64 {
	from, steps := int64(0), int64(0)
	switch kind {
	case "nps": // detractors 0–6, passives 7–8, promoters 9–10; some cross over
		from, steps = [...]int64{8, 6, 1}[p.mood], [...]int64{3, 3, 6}[p.mood]
	case "ces":
		from, steps = [...]int64{5, 4, 1}[p.mood], [...]int64{3, 3, 4}[p.mood]
	default: // csat, and the stars of a review
		from, steps = [...]int64{4, 3, 1}[p.mood], [...]int64{2, 2, 3}[p.mood]
	}
	return from + r.Int64N(steps)
}

// rating is the stars of a review.
func (p *persona) rating(r *rand.Rand) int64 { return p.score("csat", r) }

// countryOf is the name under which places has a customer's country, by the
// order's context.
func countryOf(c *event.Context) string {
	if c == nil {
		return ""
	}
	return strings.TrimSpace(c.Country)
}
