package store

import "sync"

// maxClients bounds the caches: vended credentials make a new set of settings every hour or so per table, and a table
// may have several.
const maxClients = 256

// cache keeps one client per distinct set of settings; the oldest goes when it is full.
type cache[K comparable, V any] struct {
	mu    sync.Mutex
	byKey map[K]V
	order []K // oldest first
}

// get gives the client of settings, made if there is none yet.
func (c *cache[K, V]) get(key K, make func(K) (V, error)) (V, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.byKey[key]; ok {
		return v, nil
	}
	v, err := make(key)
	if err != nil {
		return v, err
	}
	if len(c.order) >= maxClients {
		delete(c.byKey, c.order[0])
		c.order = c.order[1:]
	}
	if c.byKey == nil {
		c.byKey = map[K]V{}
	}
	c.byKey[key] = v
	c.order = append(c.order, key)
	return v, nil
}
