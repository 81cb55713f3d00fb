package demo

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func startTestServices(t *testing.T, dir string) *services {
	t.Helper()
	s, err := startServices(t.Context(), dir)
	require.NoError(t, err)
	return s
}

// shape is what tells one broker's topics from another's.
type topicShape struct {
	id         kadm.TopicID
	partitions int
	records    int64
}

func topicsOf(t *testing.T, s *services) map[string]topicShape {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...))
	require.NoError(t, err)
	defer cl.Close()
	adm := kadm.NewClient(cl)
	topics, err := adm.ListTopics(t.Context())
	require.NoError(t, err)
	ends, err := adm.ListEndOffsets(t.Context())
	require.NoError(t, err)
	out := map[string]topicShape{}
	for name, d := range topics {
		shape := topicShape{id: d.ID, partitions: len(d.Partitions)}
		ends.Each(func(o kadm.ListedOffset) {
			if o.Topic == name {
				shape.records += o.Offset
			}
		})
		out[name] = shape
	}
	return out
}

func burst(t *testing.T, s *services, first, n int64) {
	t.Helper()
	p, err := newProducer(s, 1, first, time.Now)
	require.NoError(t, err)
	defer p.close()
	require.NoError(t, p.burst(t.Context(), n))
	require.Equal(t, n, p.acknowledged.Load())
}

func TestBurstFillsBothTopics(t *testing.T) {
	s := startTestServices(t, t.TempDir())
	burst(t, s, 0, 10_001)
	got := topicsOf(t, s)
	require.Len(t, got, 2)
	require.Equal(t, clicksPartitions, got[clicksTopic].partitions)
	require.Equal(t, logsPartitions, got[logsTopic].partitions)
	require.EqualValues(t, 8001, got[clicksTopic].records)
	require.EqualValues(t, 2000, got[logsTopic].records)
	require.NoError(t, s.close())
}

// A demo that is started again in its folder finds its topics: same identity, same records, more can be added.
func TestServicesComeBack(t *testing.T) {
	dir := t.TempDir()
	s := startTestServices(t, dir)
	burst(t, s, 0, 1000)
	before, schema := topicsOf(t, s), s.clicks
	require.NoError(t, s.close())

	again := startTestServices(t, dir)
	require.Equal(t, before, topicsOf(t, again))
	require.Equal(t, schema, again.clicks)
	burst(t, again, 1000, 500)
	require.EqualValues(t, 1200, topicsOf(t, again)[clicksTopic].records)
	require.NoError(t, again.close())
}

// A copy of the folder of a running broker is what a killed one leaves behind.
func TestServicesComeBackAfterAKill(t *testing.T) {
	dir, left := t.TempDir(), t.TempDir()
	s := startTestServices(t, dir)
	burst(t, s, 0, 1000)
	before := topicsOf(t, s)
	require.NoError(t, os.CopyFS(left, os.DirFS(dir)))
	require.NoError(t, s.close())

	again := startTestServices(t, left)
	require.Equal(t, before, topicsOf(t, again))
	burst(t, again, 1000, 500)
	require.NoError(t, again.close())
}

func TestLiveStreamKeepsItsRate(t *testing.T) {
	s := startTestServices(t, t.TempDir())
	var made int64
	clock := time.UnixMilli(0)
	p, err := newProducer(s, 1, 0, func() time.Time { clock = clock.Add(tick); return clock })
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.stream(ctx, 1000) }()
	require.Eventually(t, func() bool { made = p.acknowledged.Load(); return made >= 200 }, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
	// The clock moved by one tick per round; so many records were due and no more.
	require.InDelta(t, clock.UnixMilli(), p.count, 60)
	p.close()
	require.NoError(t, s.close())
}

func TestStoppable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan struct{})
		ctx, cancel := stoppable(t.Context(), stop)
		defer cancel()
		require.NoError(t, ctx.Err())
		close(stop)
		synctest.Wait()
		require.Error(t, ctx.Err())
		require.True(t, stopped(stop))
	})
}
