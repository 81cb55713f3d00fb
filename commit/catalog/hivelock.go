package catalog

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/internal/failure"
)

// How long somebody else may hold a table's lock, and how often we look.
const (
	lockPatience = 30 * time.Second
	lockWaitMin  = 20 * time.Millisecond
	lockWaitMax  = time.Second
)

// hiveLock is a lock of a table. One whose number was lost on the way is found by its agent.
type hiveLock struct {
	name  hiveName
	id    int64
	agent string
}

func (l *hiveLocks) keep(lock hiveLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.tables == nil {
		l.mu.tables = map[string]hiveLock{}
	}
	l.mu.tables[lock.name.database+"."+lock.name.table] = lock
}

func (l *hiveLocks) take(name hiveName) hiveLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := name.database + "." + name.table
	lock := l.mu.tables[key]
	delete(l.mu.tables, key)
	return lock
}

// lock takes a table's lock, or goes on with the one that was kept.
func (c *hiveCatalog) lock(ctx context.Context, conn *metastore.Conn, name hiveName) (hiveLock, error) {
	if kept := c.locks.take(name); kept.agent != "" {
		if ok, err := c.resume(ctx, conn, &kept); ok || err != nil {
			return kept, err
		}
	}
	l := hiveLock{name: name, agent: "ingestd-" + uuid.NewString()}
	owner := c.owner
	owner.Agent = l.agent
	id, state, err := conn.Lock(ctx, name.database, name.table, owner)
	if err != nil {
		c.locks.keep(l)
		return l, err
	}
	l.id = id
	if err := c.acquired(ctx, conn, l, state); err != nil {
		c.unlock(ctx, conn, l)
		return l, err
	}
	return l, nil
}

// resume goes on with a kept lock, if it is still there.
func (c *hiveCatalog) resume(ctx context.Context, conn *metastore.Conn, l *hiveLock) (bool, error) {
	if l.id == 0 {
		ids, err := conn.LocksOf(ctx, l.name.database, l.name.table, l.agent)
		if err != nil {
			c.locks.keep(*l)
			return false, err
		}
		if len(ids) == 0 {
			return false, nil
		}
		l.id = ids[0]
	}
	state, err := conn.CheckLock(ctx, l.id)
	var answer *metastore.Exception
	if errors.As(err, &answer) {
		return false, nil
	}
	if err == nil {
		err = c.acquired(ctx, conn, *l, state)
	}
	if err != nil {
		c.locks.keep(*l)
	}
	return err == nil, err
}

// acquired waits until a lock is ours.
func (c *hiveCatalog) acquired(ctx context.Context, conn *metastore.Conn, l hiveLock, state int32) error {
	bounded, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for pause := lockWaitMin; state == metastore.LockWaiting; pause = min(2*pause, lockWaitMax) {
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-bounded.Done():
			timer.Stop()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return failure.New(failure.Retry, CodeBusy, "see who holds the table's lock (SHOW LOCKS)", "the Metastore's lock of table %s.%s is held by somebody else", l.name.database, l.name.table)
		}
		var err error
		if state, err = conn.CheckLock(ctx, l.id); err != nil {
			return err
		}
	}
	if state != metastore.LockAcquired {
		return failure.New(failure.Retry, CodeBusy, "see the Metastore's log", "the Metastore refuses the lock of table %s.%s (state %d)", l.name.database, l.name.table, state)
	}
	return nil
}

// unlock gives a lock back. One that cannot be given back is used for the next commit, or runs out.
func (c *hiveCatalog) unlock(ctx context.Context, conn *metastore.Conn, l hiveLock) {
	ctx = context.WithoutCancel(ctx)
	err := conn.Unlock(ctx, l.id)
	var answer *metastore.Exception
	if err != nil && !errors.As(err, &answer) {
		err = c.client.Do(ctx, func(conn *metastore.Conn) error { return conn.Unlock(ctx, l.id) })
	}
	if err != nil && !errors.As(err, &answer) {
		c.locks.keep(l)
	}
}
