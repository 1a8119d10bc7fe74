package main

import (
	"strconv"

	"github.com/punchcard/punchcard/event"
	"github.com/punchcard/punchcard/event/stream"
)

// topics are the topics that must exist. The embedded broker keeps everything,
// whatever is asked (see event/stream/embedded).
func topics(s *Settings) []stream.TopicSpec {
	n := s.partitions()
	size := strconv.Itoa(event.MaxRecordBytes)
	forEver := map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": size}
	compacted := map[string]string{"cleanup.policy": "compact", "max.message.bytes": size}
	days := map[string]string{"cleanup.policy": "delete", "retention.ms": strconv.FormatInt(event.NewsKept.Milliseconds(), 10), "max.message.bytes": size}
	specs := []stream.TopicSpec{
		{Name: event.TopicEvents, Partitions: n, Config: forEver},
		{Name: event.TopicLedger, Partitions: n, Config: forEver},
		{Name: event.TopicCampaignLog, Partitions: n, Config: forEver},
		{Name: event.TopicSegments, Partitions: n, Config: days},
		{Name: event.TopicCustomers, Partitions: n, Config: compacted},
		{Name: event.TopicProfiles, Partitions: n, Config: compacted},
		{Name: event.TopicRejects, Partitions: 1, Config: days},
	}
	for _, channel := range event.Channels {
		specs = append(specs, stream.TopicSpec{Name: event.TopicCampaigns(channel), Partitions: n, Config: days})
	}
	if !s.embeddedBroker() {
		specs = append(specs, stream.TopicSpec{Name: event.TopicState, Partitions: n, Config: compacted})
	}
	return specs
}
