package verify

import (
	"context"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/outcome"
)

// fetchBytes is the size of one read of the topic.
const fetchBytes = 8 << 20

// checkSource compares every partition with its topic.
func checkSource(ctx context.Context, r *Report, parts []*partition, sources map[string]*kafka.Client) error {
	for _, p := range parts {
		client := sources[p.key.Stream.Source]
		if client == nil {
			return failure.New(failure.Config, "E_SOURCE_UNKNOWN", "configure the source under the name the table knows",
				"table %s was filled from source %q, which is not configured", r.Table, p.key.Stream.Source)
		}
		if err := p.compare(ctx, r, client); err != nil {
			return err
		}
	}
	return nil
}

// topicView is what the topic shows of a partition's range.
type topicView struct {
	from, to int64
	// records are the committed records; absent those that are not in the table, and of them, null those without a
	// value.
	records, absent, null *roaring64.Bitmap
	markers               int64
}

// compare reads a partition's retained range and holds it against the table.
func (p *partition) compare(ctx context.Context, r *Report, client *kafka.Client) error {
	topics, err := client.Topics(ctx, p.Topic)
	if err != nil {
		return err
	}
	if s := p.key.Stream; topics[0].ID != s.ID || client.Cluster() != s.Cluster {
		return failure.New(failure.Halt, "E_TOPIC_RECREATED", "verify at level rows: the topic the table was filled from is gone",
			"topic %s is not the one table %s was filled from", p.Topic, r.Table)
	}
	compacted, err := client.Compacted(ctx, p.Topic)
	if err != nil {
		return err
	}
	v, err := p.read(ctx, client, topics[0])
	if err != nil {
		return err
	}
	p.CheckedFrom = v.from
	if v.from > p.Start {
		r.note("%s/%s: offsets %d to %d are no longer retained and could not be compared", p.Topic, p.Partition.Partition, p.Start, min(v.from, p.Position))
	}
	p.judgeAbsent(r, v)
	p.judgeExtra(r, v, compacted)
	p.judgeUnseen(r, v, compacted)
	return nil
}

// read walks the topic from the first retained offset of the range to its end.
func (p *partition) read(ctx context.Context, client *kafka.Client, t kafka.Topic) (*topicView, error) {
	number, err := strconv.ParseInt(p.Partition.Partition, 10, 32)
	if err != nil {
		return nil, err
	}
	ends, err := client.Offsets(ctx, p.Topic)
	if err != nil {
		return nil, err
	}
	e := ends[kafka.Partition{Topic: p.Topic, Partition: int32(number)}]
	v := &topicView{from: max(p.Start, e.Start), to: p.Position, records: roaring64.New(), absent: roaring64.New(), null: roaring64.New()}
	for at := v.from; at < v.to; {
		probe, err := client.Fetch(ctx, t, int32(number), at, fetchBytes)
		if err != nil {
			return nil, err
		}
		for _, rec := range probe.Records {
			at = rec.Offset + 1
			if rec.Offset >= v.to {
				break
			}
			if rec.Attrs.IsControl() {
				if !p.givenUp(rec.Offset) {
					v.markers++
				}
				continue
			}
			if !p.givenUp(rec.Offset) {
				v.add(uint64(rec.Offset), rec.Value == nil, p.seen)
			}
		}
		if probe.Next <= at && len(probe.Records) == 0 {
			return nil, failure.New(failure.Retry, "E_VERIFY_STALLED", "the broker shows nothing at an offset before its end; try again",
				"reading %s/%s at offset %d", p.Topic, p.Partition.Partition, at)
		}
		at = max(at, probe.Next)
	}
	return v, nil
}

func (v *topicView) add(offset uint64, null bool, seen *roaring64.Bitmap) {
	v.records.Add(offset)
	if seen.Contains(offset) {
		return
	}
	v.absent.Add(offset)
	if null {
		v.null.Add(offset)
	}
}

// excused is how many records of the whole range the books say were consumed without becoming a row.
func (p *partition) excused() uint64 { return uint64(p.counts.Records() - p.counts[outcome.Written]) }

// judgeAbsent: the records that are not in the table must be as many as the books say were left out.
func (p *partition) judgeAbsent(r *Report, v *topicView) {
	absent, excused := v.absent.GetCardinality(), p.excused()
	whole := v.from == p.Start && !p.decided()
	if absent == excused || !whole && absent < excused {
		return
	}
	if absent < excused {
		r.find(Unaccounted, p, 0, 0, "%s/%s: the books left %d records out, the topic shows %d that are not in the table",
			p.Topic, p.Partition.Partition, excused, absent)
		return
	}
	// Records with a value are named first: without one they are most likely the ones that were ignored.
	named := v.absent
	if excused > 0 {
		named = roaring64.AndNot(v.absent, v.null)
	}
	left := eachRange(named, func(from, to uint64) {
		r.find(Missing, p, from, to, "%s/%s: records %d to %d are in the topic and not in the table", p.Topic, p.Partition.Partition, from, to-1)
	})
	if left > 0 || named.IsEmpty() {
		r.find(Missing, p, 0, 0, "%s/%s: %d records are not in the table, %d are accounted for", p.Topic, p.Partition.Partition, absent, excused)
	}
}

// judgeExtra: a row's record must be in the topic, unless compaction took it since.
func (p *partition) judgeExtra(r *Report, v *topicView, compacted bool) {
	extra := p.seen.Clone()
	extra.RemoveRange(0, uint64(v.from))
	extra.AndNot(v.records)
	if extra.IsEmpty() || p.decided() && len(p.before) > 0 || p.loose {
		return
	}
	if compacted {
		r.note("%s/%s: %d rows are of records that the topic's compaction has removed since", p.Topic, p.Partition.Partition, extra.GetCardinality())
		return
	}
	eachRange(extra, func(from, to uint64) {
		r.find(Unaccounted, p, from, to, "%s/%s: rows of offsets %d to %d, where the topic has no committed record", p.Topic, p.Partition.Partition, from, to-1)
	})
}

// judgeUnseen: the offsets the books call unseen must be absent from the topic.
func (p *partition) judgeUnseen(r *Report, v *topicView, compacted bool) {
	if v.from != p.Start || p.decided() {
		return
	}
	absent := v.to - v.from - int64(v.records.GetCardinality()) - v.markers
	unseen := p.counts[outcome.Unseen]
	if absent == unseen || compacted && absent > unseen {
		return
	}
	r.find(Unaccounted, p, uint64(v.from), uint64(v.to), "%s/%s: the books call %d offsets unseen, the topic lacks %d", p.Topic, p.Partition.Partition, unseen, absent)
}
