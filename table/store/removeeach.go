package store

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"golang.org/x/sync/errgroup"
)

// removalsAtOnce bounds the requests of one batch of removals that are under way.
const removalsAtOnce = 16

// removeEach removes objects with a request each, several at a time, where a batch request saves nothing or is not to
// be had. One that is not there is no error.
func removeEach(ctx context.Context, batch []objectPath, remove func(context.Context, objectPath) error) (refused map[string]error, err error) {
	refused = map[string]error{}
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(removalsAtOnce)
	for _, o := range batch {
		g.Go(func() error {
			err := remove(ctx, o)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			refused[o.key] = err
			return nil
		})
	}
	return refused, g.Wait()
}
