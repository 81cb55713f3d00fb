package schemareg

import (
	"sync"
	"time"
)

// cache keeps schemas for ever and deliberate refusals for a while.
type cache struct {
	now func() time.Time
	ttl time.Duration

	mu struct {
		sync.RWMutex
		found   map[Ref]*Schema
		missing map[Ref]miss
	}
}

type miss struct {
	err   error
	until time.Time
}

// maxMisses bounds what a stream of made-up ids can make us remember.
const maxMisses = 1024

func (c *cache) init(now func() time.Time, ttl time.Duration) {
	c.now, c.ttl = now, ttl
	c.mu.found = map[Ref]*Schema{}
	c.mu.missing = map[Ref]miss{}
}

// get knows the answer, or reports false: the registry has to be asked.
func (c *cache) get(ref Ref) (s *Schema, known bool, err error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if s := c.mu.found[ref]; s != nil {
		return s, true, nil
	}
	if m, ok := c.mu.missing[ref]; ok && c.now().Before(m.until) {
		return nil, true, m.err
	}
	return nil, false, nil
}

func (c *cache) put(ref Ref, s *Schema, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.mu.found[ref] = s
		delete(c.mu.missing, ref)
	case remembered(err):
		if len(c.mu.missing) >= maxMisses {
			clear(c.mu.missing)
		}
		c.mu.missing[ref] = miss{err: err, until: c.now().Add(c.ttl)}
	}
}
