package stream

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// dataBalancer is the cooperative sticky balancer, except that the member's
// user data on the wire is ours: sticky puts its former assignment there, for
// versions of the protocol that had no better place. Since version 3 the
// assignment and its generation have their own fields, and user data counts
// only for a member without generation, which owns nothing.
type dataBalancer struct {
	kgo.GroupBalancer
	data []byte
}

// ProtocolName differs from Kafka's, so that a group never mixes the two
// readings of user data.
func (dataBalancer) ProtocolName() string { return "punchcard-cooperative-sticky" }

func (b dataBalancer) JoinGroupMetadata(topics []string, current map[string][]int32, generation int32) []byte {
	raw := b.GroupBalancer.JoinGroupMetadata(topics, current, generation)
	out, err := withUserData(raw, b.data)
	if err != nil {
		// Bytes that the library has just written: cannot happen.
		panic(err)
	}
	return out
}

func (b dataBalancer) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	for i := range members {
		raw, err := withUserData(members[i].ProtocolMetadata, nil)
		if err != nil {
			return nil, nil, fmt.Errorf("member %s: %w", members[i].MemberID, err)
		}
		members[i].ProtocolMetadata = raw
	}
	return b.GroupBalancer.MemberBalancer(members)
}

func withUserData(raw, data []byte) ([]byte, error) {
	var meta kmsg.ConsumerMemberMetadata
	meta.Default()
	if err := meta.ReadFrom(raw); err != nil {
		return nil, fmt.Errorf("stream: group member metadata: %w", err)
	}
	meta.UserData = data
	return meta.AppendTo(nil), nil
}
