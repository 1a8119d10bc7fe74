package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// bytesPerBatch is about what kfake keeps on the heap for each stored batch
// and transaction marker (measured: 149 bytes for a transaction of one batch).
const bytesPerBatch = 75

// kept are the settings of every topic: nothing is compacted or expires.
var kept = map[string]string{
	"cleanup.policy":  "delete",
	"retention.ms":    "-1",
	"retention.bytes": "-1",
}

// guard holds the broker to the rules in doc.go, whatever client asks, and
// counts what costs memory. Requests are changed in place, then served.
func (b *Broker) guard(kf *kfake.Cluster) {
	pass := func(edit func(kmsg.Request)) func(kmsg.Request) (kmsg.Response, error, bool) {
		return func(r kmsg.Request) (kmsg.Response, error, bool) {
			edit(r)
			return nil, nil, false
		}
	}
	kf.ControlKey(int16(kmsg.CreateTopics), pass(func(r kmsg.Request) { keepCreated(r.(*kmsg.CreateTopicsRequest)) }))
	kf.ControlKey(int16(kmsg.AlterConfigs), pass(func(r kmsg.Request) { keepAltered(r.(*kmsg.AlterConfigsRequest)) }))
	kf.ControlKey(int16(kmsg.IncrementalAlterConfigs), pass(func(r kmsg.Request) { keepPatched(r.(*kmsg.IncrementalAlterConfigsRequest)) }))
	kf.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.ProduceRequest)
		if free, err := b.FreeDisk(); err == nil && free < b.cfg.Reserve {
			kf.KeepControl()
			return refused(req), nil, true
		}
		b.batches.Add(batchesIn(req))
		return nil, nil, false
	})
	kf.ControlKey(int16(kmsg.EndTxn), pass(func(kmsg.Request) { b.batches.Add(1) }))
}

// MemoryBytes is about what the broker holds on the heap to find its batches.
// It grows with every produced batch and every transaction, and opening again
// loads it again: bigger transactions are the only remedy.
func (b *Broker) MemoryBytes() int64 { return b.batches.Load() * bytesPerBatch }

// storedBatches counts the batches and markers on disk by their index.
func storedBatches(logs string) (int64, error) {
	paths, err := filepath.Glob(filepath.Join(logs, "partitions", "*", "*.idx"))
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return 0, fmt.Errorf("embedded: %w", err)
		}
		n += info.Size() / indexEntrySize
	}
	return n, nil
}

func keepCreated(r *kmsg.CreateTopicsRequest) {
	for i := range r.Topics {
		t := &r.Topics[i]
		t.Configs = slices.DeleteFunc(t.Configs, func(c kmsg.CreateTopicsRequestTopicConfig) bool { return kept[c.Name] != "" })
		for name, value := range kept {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = name, kmsg.StringPtr(value)
			t.Configs = append(t.Configs, c)
		}
	}
}

func keepAltered(r *kmsg.AlterConfigsRequest) {
	for i := range r.Resources {
		res := &r.Resources[i]
		if res.ResourceType != kmsg.ConfigResourceTypeTopic {
			continue
		}
		res.Configs = slices.DeleteFunc(res.Configs, func(c kmsg.AlterConfigsRequestResourceConfig) bool { return kept[c.Name] != "" })
		for name, value := range kept {
			c := kmsg.NewAlterConfigsRequestResourceConfig()
			c.Name, c.Value = name, kmsg.StringPtr(value)
			res.Configs = append(res.Configs, c)
		}
	}
}

func keepPatched(r *kmsg.IncrementalAlterConfigsRequest) {
	for i := range r.Resources {
		res := &r.Resources[i]
		if res.ResourceType == kmsg.ConfigResourceTypeTopic {
			res.Configs = slices.DeleteFunc(res.Configs, func(c kmsg.IncrementalAlterConfigsRequestResourceConfig) bool { return kept[c.Name] != "" })
		}
	}
}

func batchesIn(r *kmsg.ProduceRequest) int64 {
	n := int64(0)
	for _, t := range r.Topics {
		n += int64(len(t.Partitions))
	}
	return n
}

// refused is the answer to a produce for which there is no room. Clients try
// again until they give up.
func refused(r *kmsg.ProduceRequest) *kmsg.ProduceResponse {
	resp := r.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range r.Topics {
		rt := kmsg.NewProduceResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			rp := kmsg.NewProduceResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, kerr.KafkaStorageError.Code
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
	return resp
}
