package ingest

import (
	"context"

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
				o.halt(ctx, o.recreated(t, known.ID))
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
