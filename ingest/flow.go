package ingest

const (
	// laneLow is the backlog below which a lane wants more: about 20 ms of decoding.
	laneLow = 4 << 20
	// recordOverhead is what the client keeps per record besides its bytes.
	recordOverhead = 192
	// leastFetch is how far fetches shrink when what they hold turns out large.
	leastFetch = 256 << 10
)

// wantsMore says whether some lane could use records. Without it a poll would only move memory from the broker to us.
func (s *source) wantsMore() bool {
	if s.stopped {
		return false
	}
	backlog := map[*lane]int64{}
	for _, c := range s.partitions {
		if c.reading && !c.parked.Load() {
			backlog[c.lane] += c.queued.Load()
		}
	}
	for _, n := range backlog {
		if n < laneLow {
			return true
		}
	}
	return false
}

// balance pauses and resumes partitions.
//
// It comes right before a poll, because the client throws away what it has fetched for a partition that is paused
// then, and fetches it again: in the steady state of a catch-up nothing may be paused.
func (s *source) balance() {
	pause, resume := s.choose()
	if len(pause) > 0 {
		s.client.Kgo.PauseFetchPartitions(pause)
	}
	if len(resume) > 0 {
		s.client.Kgo.ResumeFetchPartitions(resume)
	}
}

// choose picks the partitions to pause: those that hold more than their part of full queues, so that a hot one does not
// take the room of others that starve, and those that wait for something. They are resumed when they are down to half.
func (s *source) choose() (pause, resume map[string][]int32) {
	var total, waiting, paused int64
	for _, c := range s.partitions {
		if n := c.queued.Load(); c.reading && n > 0 {
			total += n
			waiting++
		}
	}
	most := s.fetch.Queue()
	part := most / max(1, waiting)
	pause, resume = map[string][]int32{}, map[string][]int32{}
	for id, c := range s.partitions {
		if !c.reading {
			continue
		}
		n, parked := c.queued.Load(), c.parked.Load()
		switch {
		case !c.paused && n > 0 && (parked || total > most && n >= part):
			c.paused = true
			pause[id.Topic] = append(pause[id.Topic], id.Partition)
		case c.paused && !parked && (total < most/2 || n < part/2):
			c.paused = false
			resume[id.Topic] = append(resume[id.Topic], id.Partition)
		}
		if c.paused {
			paused++
		}
	}
	s.paused.Store(paused)
	return pause, resume
}

// adapt keeps what one fetch holds, decompressed and as records, within half of what the queues may hold: how many
// times its size that is depends on the data.
func (s *source) adapt(held int64) {
	size := s.fetchBytes
	switch most := s.fetch.Queue(); {
	case held > most/2:
		size = max(leastFetch, size/2)
	case held > 0 && held < most/8:
		size = min(s.fetch.MaxBytes, size*2)
	}
	if size != s.fetchBytes {
		s.fetchBytes = size
		s.client.Resize(size)
	}
}
