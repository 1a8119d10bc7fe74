package grafana

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	gapi "github.com/grafana/grafana-api-golang-client"
)

const (
	ownTag   = "punchcard"
	idPrefix = "punchcard-id:"
)

// seconds is a number of seconds where the library has a duration and the API a
// number.
func seconds(n int) time.Duration { return time.Duration(n) }

// annotations makes what is not there yet. Each carries its id as a tag, so that a
// second run finds it.
func (a *apply) annotations(w *Wanted) error {
	if len(w.Annotations) == 0 {
		return nil
	}
	list, err := a.api.Annotations(url.Values{"tags": {ownTag}, "type": {"annotation"}, "from": {"0"}, "to": {strconv.FormatInt(1<<52, 10)}, "limit": {strconv.Itoa(maxAnnotations)}})
	if err != nil {
		return a.failed("reading the annotations", err)
	}
	have := map[string]gapi.Annotation{}
	for _, one := range list {
		for _, tag := range one.Tags {
			if len(tag) > len(idPrefix) && tag[:len(idPrefix)] == idPrefix {
				have[tag] = one
			}
		}
	}
	for _, want := range w.Annotations {
		if err := a.annotation(want, have); err != nil {
			return err
		}
	}
	return nil
}

func (a *apply) annotation(want Annotation, have map[string]gapi.Annotation) error {
	tag := idPrefix + want.Kind + ":" + want.ID
	own := gapi.Annotation{Time: want.TimeMs, Text: want.Text, Tags: []string{ownTag, want.Kind, tag}}
	theirs, known := have[tag]
	change := Change{"annotation", want.Text, Make, ""}
	switch {
	case !known:
	case theirs.Time != own.Time || theirs.Text != own.Text || !slices.Contains(theirs.Tags, want.Kind):
		change.Action, change.Detail = Edit, "time or text"
	default:
		change.Action = Keep
	}
	return a.do(change, func() error {
		if known {
			_, err := a.api.UpdateAnnotation(theirs.ID, &own)
			return err
		}
		_, err := a.api.NewAnnotation(&own)
		return err
	})
}
