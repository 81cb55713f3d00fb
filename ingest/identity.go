package ingest

import (
	"context"
	"slices"
	"strconv"

	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// An offset means something only in the log it was read from. Which log that is is told by the cluster's id and the
// topic's; that the log still holds what was read from it, by the last record's leader epoch, timestamp and checksum.

// The codes of logs that are not the one a table was filled from.
const (
	codeExpired   = "E_OFFSET_EXPIRED"
	codeTruncated = "E_LOG_TRUNCATED"
	codeRecreated = "E_TOPIC_RECREATED"
	codeCluster   = "E_CLUSTER_CHANGED"
)

// alike compares two ids of which either may be unknown.
func alike[T comparable](a, b T) bool {
	var unknown T
	return a == b || a == unknown || b == unknown
}

// streamOf is the identity of a topic's positions in a table. A broker that gives no ids, as old ones do, goes on under
// the identity that the table knows; and so does one that has learnt to give them.
func streamOf(s *source, t kafka.Topic, st *state.State) state.Stream {
	return knownAs(state.Stream{Source: s.name, Cluster: s.client.Cluster(), Topic: t.Name, ID: t.ID}, st)
}

// knownAs is the identity under which a table knows a stream, the stream's own if it does not.
func knownAs(now state.Stream, st *state.State) state.Stream {
	if st == nil {
		return now
	}
	stored, found := now, false
	for _, e := range st.Entries {
		k := e.Stream
		if k == now {
			return now
		}
		if !found && k.Source == now.Source && k.Topic == now.Topic && alike(k.Cluster, now.Cluster) && alike(k.ID, now.ID) {
			stored, found = k, true
		}
	}
	return stored
}

// keyOf is the identity under which the position of a partition is stored in a table.
func keyOf(s state.Stream, partition int32) state.Key {
	return state.Key{Stream: s, Partition: strconv.Itoa(int(partition))}
}

// key is keyOf in this table.
func (o *owner) key(p *partition) state.Key {
	s, ok := o.streams[p.topic]
	if !ok {
		s = streamOf(o.source, p.topic, o.table.State())
		o.streams[p.topic] = s
	}
	return keyOf(s, p.id.Partition)
}

// checkIdentity refuses to go on in a topic or cluster that only has the name of the one the table knows.
func (o *owner) checkIdentity(ctx context.Context) error {
	clear(o.streams)
	for _, e := range o.table.State().Entries {
		s := e.Stream
		t, ok := o.topics[s.Topic]
		if s.Source != o.source.name || !ok {
			continue
		}
		if !alike(s.Cluster, o.source.client.Cluster()) {
			return failure.New(failure.Halt, codeCluster,
				"point the source at the old cluster, give the new one a source name of its own, or, if it holds the same offsets: "+Remedy(codeCluster, o.name),
				"topic %s of table %s was read from cluster %s, the source now leads to cluster %s", s.Topic, o.name, s.Cluster, o.source.client.Cluster())
		}
		if !alike(s.ID, t.ID) {
			now, err := o.renewed(ctx, s.Topic, s.ID)
			if err != nil {
				return err
			}
			if now == nil {
				return errOutdated
			}
			return o.recreated(*now, s.ID)
		}
	}
	return nil
}

func (o *owner) recreated(t kafka.Topic, filled [16]byte) error {
	return failure.New(failure.Halt, codeRecreated,
		"to go on with the new topic in this table: "+Remedy(codeRecreated, o.name)+"; or write it to another table",
		"topic %s was deleted and created again: it now has id %x, table %s was filled from id %x", t.Name, t.ID, o.name, filled)
}

// checkReachable halts the table when the broker no longer has what comes next, or never had what was read.
func (o *owner) checkReachable(p *partition, at int64, e kafka.Ends) error {
	switch {
	case at < e.Start:
		return failure.New(failure.Halt, codeExpired,
			"restore the records; or go on without them: ingestd tables accept-loss "+o.name,
			"table %s wants %s/%d from offset %d, the broker begins at %d: %d offsets were deleted before they were read",
			o.name, p.id.Topic, p.id.Partition, at, e.Start, e.Start-at)
	case at > e.High:
		return failure.New(failure.Halt, codeTruncated,
			truncatedHint(o.name, p.topic),
			"table %s has read %s/%d up to offset %d, the broker ends at %d", o.name, p.id.Topic, p.id.Partition, at, e.High)
	}
	return nil
}

// cursor is where reading starts, and the newest record before that.
type cursor struct {
	offset int64
	last   kafka.Fingerprint
}

// remembered lists the last records that the table has noted beside its positions.
func (o *owner) remembered() map[kafka.Partition]kafka.Fingerprint {
	out := map[kafka.Partition]kafka.Fingerprint{}
	streams := map[state.Stream]bool{}
	for _, t := range o.topics {
		streams[streamOf(o.source, t, o.table.State())] = true
	}
	for key, note := range o.table.Notes() {
		i, err := strconv.ParseInt(key.Partition, 10, 32)
		if f, ok := kafka.DecodeFingerprint(note); ok && err == nil && streams[key.Stream] {
			out[kafka.Partition{Topic: key.Stream.Topic, Partition: int32(i)}] = f
		}
	}
	return out
}

// recognize halts the table when a log that reaches far enough is not the one it was filled from: cut off and grown
// again, or that of a new topic whose broker gives no ids.
func (o *owner) recognize(ctx context.Context, parts []*partition, starts []int64, last map[kafka.Partition]kafka.Fingerprint) error {
	var list []kafka.Memory
	for i, p := range parts {
		// One without a checksum was written for a range that held no record.
		if f := last[p.id]; f != (kafka.Fingerprint{}) && f.Offset < starts[i] {
			list = append(list, kafka.Memory{Topic: p.topic, Partition: p.id.Partition, Last: f})
		}
	}
	d, err := o.source.client.Recognize(ctx, list)
	if d == nil || err != nil {
		return err
	}
	at := starts[slices.IndexFunc(parts, func(p *partition) bool { return p.id.Topic == d.Topic.Name && p.id.Partition == d.Partition })]
	if d.Topic.ID == [16]byte{} {
		return failure.New(failure.Halt, codeRecreated,
			"the topic was created again or its log was replaced; after checking, go on with what it holds now: "+Remedy(codeRecreated, o.name),
			"%s/%d is not what table %s has read up to offset %d: %s", d.Topic.Name, d.Partition, o.name, at, d)
	}
	return failure.New(failure.Halt, codeTruncated,
		"the log was cut off and grew again; after checking the broker, go on with what it holds now: ingestd tables accept-loss "+o.name,
		"%s/%d is not what table %s has read up to offset %d: %s", d.Topic.Name, d.Partition, o.name, at, d)
}
