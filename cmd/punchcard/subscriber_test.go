package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/punchcard/punchcard/event"
)

// TestTopicsAreAsTheAsyncAPIFileSays: what the file tells readers of a topic is
// how it is made, and only personal data and our own machines' state are left out.
func TestTopicsAreAsTheAsyncAPIFileSays(t *testing.T) {
	var file struct {
		Channels map[string]struct {
			Address    string
			Parameters map[string]struct{ Enum []string }
			Bindings   struct {
				Kafka struct {
					Settings map[string]any `yaml:"topicConfiguration"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(event.AsyncAPI, &file); err != nil {
		t.Fatal(err)
	}
	told := map[string]map[string]any{}
	for _, c := range file.Channels {
		addresses := []string{c.Address}
		for name, p := range c.Parameters {
			addresses = nil
			for _, v := range p.Enum {
				addresses = append(addresses, strings.ReplaceAll(c.Address, "{"+name+"}", v))
			}
		}
		for _, a := range addresses {
			told[a] = c.Bindings.Kafka.Settings
		}
	}
	for _, topic := range topics(&Settings{}) {
		settings, ok := told[topic.Name]
		delete(told, topic.Name)
		if closed := slices.Contains([]string{event.TopicProfiles, event.TopicState}, topic.Name); ok == closed {
			t.Errorf("topic %s is in the file: %v, want %v", topic.Name, ok, !closed)
		}
		for name, v := range settings {
			if want := strings.Trim(fmt.Sprint(v), "[]"); topic.Config[name] != want {
				t.Errorf("topic %s: %s is %q, the file says %q", topic.Name, name, topic.Config[name], want)
			}
		}
	}
	if len(told) > 0 {
		t.Errorf("nobody makes the topics %v", told)
	}
}
