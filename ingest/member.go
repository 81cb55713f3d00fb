package ingest

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// pollPause is how soon a poll ends that nothing comes to, while something waits that no order tells of: a seek that
// the group was not ready for, a paused partition whose queue runs dry.
const pollPause = 20 * time.Millisecond

// memberSeeks carries out the seeks of a group member. The client forgets an offset that is set before it has loaded
// the group's, and then reads from wherever that was; so a partition stays paused until the client shows ours.
func (s *source) memberSeeks() {
	if len(s.seeking) == 0 {
		return
	}
	want := map[string]map[int32]kgo.EpochOffset{}
	resume := map[string][]int32{}
	for c, at := range s.seeking {
		if s.partitions[c.id] != c || c.lost.Load() {
			delete(s.seeking, c)
			continue
		}
		if want[c.id.Topic] == nil {
			want[c.id.Topic] = map[int32]kgo.EpochOffset{}
		}
		want[c.id.Topic][c.id.Partition] = kgo.EpochOffset{Epoch: -1, Offset: at}
	}
	s.client.Kgo.SetOffsets(want)
	shown := s.client.Kgo.CommittedOffsets()
	for c, at := range s.seeking {
		if got, ok := shown[c.id.Topic][c.id.Partition]; ok && got.Offset == at {
			c.reading = true
			resume[c.id.Topic] = append(resume[c.id.Topic], c.id.Partition)
			delete(s.seeking, c)
		}
	}
	s.client.Kgo.ResumeFetchPartitions(resume)
}

// unheard says that this member reads nothing. It polls then all the same: why the group gives it nothing is told there.
func (s *source) unheard() bool {
	if !s.group || s.stopped {
		return false
	}
	for _, c := range s.partitions {
		if c.reading {
			return false
		}
	}
	return true
}
