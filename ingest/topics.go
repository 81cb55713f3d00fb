package ingest

import (
	"context"
	"errors"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/internal/failure"
)

// missingLooks is how many looks in a row must miss a topic before it counts as deleted: metadata spreads slowly.
const missingLooks = 3

// checkTopics has the owner hold what the cluster says against the topics it reads. The client itself says nothing of a
// topic that is gone; it would wait for it for ever.
func (f *feed) checkTopics(x found) {
	unknown := failure.CodeOf(x.err) == "E_TOPIC_UNKNOWN"
	if x.err != nil && !unknown {
		return
	}
	o := x.owner
	o.do(func(ctx context.Context) {
		now := map[string]kafka.Topic{}
		for _, t := range x.topics {
			now[t.Name] = t
		}
		var gone []string
		for name, known := range o.topics {
			t, there := now[name]
			if !there {
				gone = append(gone, name)
			} else if !alike(t.ID, known.ID) {
				if now, err := o.renewed(ctx, name, known.ID); err == nil && now != nil {
					o.halt(ctx, o.recreated(*now, known.ID))
				}
			}
		}
		if len(gone) == 0 {
			o.missed = 0
		} else if o.missed++; o.missed == missingLooks {
			// A named topic that is gone hides the others of the table: then all of them are listed.
			o.halt(ctx, failure.New(failure.Halt, "E_TOPIC_MISSING", "remove the table from the configuration or restore the topic",
				"of the topics %v, which table %s reads, some were deleted", gone, o.name))
		}
	})
}

// errOutdated ends an assignment that was made of an old answer: the table knows of the topic's successor already.
var errOutdated = errors.New("the topic was looked up before it was created again")

// renewed asks again for a topic that seems to be another one than a table knows, nil when it is the same. An answer of
// before an operator's decision must not be held against the table after it.
func (o *owner) renewed(ctx context.Context, name string, known [16]byte) (*kafka.Topic, error) {
	now, err := o.source.client.TopicNow(ctx, name)
	if err != nil || alike(now.ID, known) {
		return nil, err
	}
	return &now, nil
}
