package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ingestd/ingestd/ingest/kafka"
)

const (
	// DefaultSessionTimeout is how long a silent member keeps its partitions.
	DefaultSessionTimeout = 45 * time.Second
	// revokeShare is the part of the session timeout a revoked member may spend on its last commit. Beyond it the
	// comparison of positions decides whose batch lands; nothing is lost either way.
	revokeShare = 4
)

// groupOptions make the client a member of the consumer group. The group only says who reads what: every assigned
// partition is held back until its start offset has been read from the tables.
func (f *feed) groupOptions() []kgo.Opt {
	g := f.opts.Group
	session := g.SessionTimeout
	if session <= 0 {
		session = DefaultSessionTimeout
	}
	opts := []kgo.Opt{
		kgo.ConsumerGroup(f.opts.GroupID),
		kgo.ConsumeTopics(f.groupTopics()...),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(min(3*time.Second, session/3)),
		kgo.RebalanceTimeout(max(session, 10*time.Second)),
		kgo.DisableAutoCommit(),
		kgo.AdjustFetchOffsetsFn(holdBack),
		kgo.OnPartitionsAssigned(f.assigned),
		kgo.OnPartitionsRevoked(func(ctx context.Context, _ *kgo.Client, lost map[string][]int32) {
			ctx, cancel := context.WithTimeout(ctx, session/revokeShare)
			defer cancel()
			f.giveUp(ctx, lost)
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
			// Somebody else reads them already: do not wait for a commit that will most likely be fenced.
			ctx, cancel := context.WithCancel(f.pipeline.group.Context())
			cancel()
			f.giveUp(ctx, lost)
		}),
	}
	if g.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(g.InstanceID))
	}
	return opts
}

// groupTopics are the named topics of all tables; what patterns match is subscribed to when it is found.
func (f *feed) groupTopics() []string {
	for _, t := range f.pipeline.opts.Tables {
		if t.Source == f.opts.Name {
			for _, name := range t.Topics {
				f.subscribed[name] = 0
			}
		}
	}
	return slices.Sorted(maps.Keys(f.subscribed))
}

// subscribe asks the group for topics that were found since the member joined, and lets the client look at topics that
// have grown: by itself it would notice within minutes.
func (f *feed) subscribe(list []found) {
	var fresh []string
	grown := false
	for _, x := range list {
		for _, t := range x.topics {
			known, ok := f.subscribed[t.Name]
			f.subscribed[t.Name] = t.Partitions
			if !ok {
				fresh = append(fresh, t.Name)
			}
			grown = grown || t.Partitions > known
		}
	}
	f.client.Kgo.AddConsumeTopics(fresh...)
	if grown {
		f.client.Kgo.ForceMetadataRefresh()
	}
}

// holdBack gives every assigned partition an exact offset, so that the client neither resets nor fails for want of a
// group offset. Nothing is fetched from it: the partition is paused until a table has said where to read.
func holdBack(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	for _, parts := range offsets {
		for p := range parts {
			parts[p] = kgo.NewOffset().At(0)
		}
	}
	return offsets, nil
}

// assigned is called by the client when the group has decided, with what it gives to this process in addition. It must
// not block: watch takes the partitions over.
func (f *feed) assigned(_ context.Context, cl *kgo.Client, got map[string][]int32) {
	cl.PauseFetchPartitions(got)
	f.mu.Lock()
	f.mu.joined = true
	for topic, parts := range got {
		for _, p := range parts {
			f.mu.granted[kafka.Partition{Topic: topic, Partition: p}] = true
		}
	}
	f.mu.Unlock()
	select {
	case f.granted <- struct{}{}:
	default:
	}
}

// giveUp ends the reading of partitions this process lost. It waits for the tables to commit what they took of them, as
// long as ctx allows.
func (f *feed) giveUp(ctx context.Context, lost map[string][]int32) {
	gone := f.forget(lost)
	readers := map[*owner]bool{}
	for _, p := range gone {
		p.lane.ask(func() {
			for _, b := range p.bindings {
				readers[b.sink.owner] = true
			}
			if len(p.bindings) == 0 {
				p.lane.forget(p)
			}
		})
	}
	if len(gone) == 0 {
		return
	}
	done := make(chan struct{}, len(f.owners))
	for _, o := range f.owners {
		o.do(func(ctx context.Context) {
			o.revoke(ctx, gone)
			if readers[o] {
				done <- struct{}{}
			}
		})
	}
	for range readers {
		select {
		case <-done:
		case <-ctx.Done():
			return
		case <-f.pipeline.group.Context().Done():
			return // the owners have ended: everything was flushed before, or is abandoned
		}
	}
}

// forget takes lost partitions off the books.
func (f *feed) forget(lost map[string][]int32) (gone []*partition) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for topic, parts := range lost {
		for _, i := range parts {
			id := kafka.Partition{Topic: topic, Partition: i}
			delete(f.mu.granted, id)
			if p := f.mu.partitions[id]; p != nil {
				p.lost.Store(true)
				gone = append(gone, p)
				delete(f.mu.partitions, id)
			}
		}
	}
	return gone
}
