// Package subscriber is for campaign tools: it hands them the messages of
// topics campaigns.<channel>, and brings what became of them back to the door.
//
// # Model
//
// A message is a decision that was committed, and it has one id for ever: what
// is not committed is never on the topic, whatever isolation a client uses. A
// crash of whoever writes the topic may repeat a message, with the same id. All
// messages of one customer are in one partition, in the order decided.
//
// [Subscriber.Run] reads as a member of a consumer group and calls the handler
// for each message: one at a time, in order, within a partition (so for a
// customer); at the same time for different partitions.
//
// # At least once
//
// The offset of a message is committed after its handler returned nil, and
// before the next message of the partition is handled. So a process that dies
// leaves at most one message per partition whose handler was called, maybe to
// its end, and which will be handed out again, to whoever takes the partition.
// A handler that must never do a thing twice asks its own records for the
// message id; all others rely on the following.
//
// # Repeats
//
// A message is dropped when one with the same id is among the last
// Horizon.Messages records of its partition before it, no more than Horizon.Age
// older (by the records' times). Beyond that horizon a repeat is handed out like
// any other message.
//
// This holds across rebalances and restarts: who takes a partition first reads
// back that many records before the committed offset, all of which were handled.
// What it cannot know is the one message above that was handled and not yet
// committed. In a rebalance without a crash that one does not exist: a partition
// is given up once its handler has returned and its offset is committed, if that
// takes no longer than Config.Session; a handler that needs longer loses the
// partition, and its message is handed out again elsewhere.
//
// # Expired
//
// A message whose ExpiresTime is behind the clock goes to Config.Expired and not
// to the handler. NotBefore is for the handler to heed: messages are decided when
// they may go, so it is behind the clock too unless clocks differ.
//
// # Owns, does not own
//
// It owns the group's position and the door's protocol. It does not own the
// sending, nor addresses and names: the tool holds those, and fills
// {{first_name}} and the like.
package subscriber
