package ingest

import "time"

// Defaults of Trigger.
const (
	DefaultInterval         = 10 * time.Second
	DefaultMaxBytes         = 128 << 20
	DefaultProgressInterval = 10 * time.Minute
	// latencyFactor keeps a slow catalog from being asked all the time: at most a quarter of it is spent committing.
	latencyFactor = 4
	// latencyWeight is the weight of the newest sample in the moving average.
	latencyWeight = 0.3
	// slowestCommit is the most that one commit may count for, so that rows never wait longer than a minute (or the
	// interval) for a slow catalog. A commit that sat out an outage, or met a clock that was set, says nothing about
	// how long the next one takes.
	slowestCommit = 15 * time.Second
)

// WithDefaults fills what is zero.
func (t Trigger) WithDefaults() Trigger {
	if t.Interval <= 0 {
		t.Interval = DefaultInterval
	}
	if t.MaxBytes <= 0 {
		t.MaxBytes = DefaultMaxBytes
	}
	if t.ProgressInterval <= 0 {
		t.ProgressInterval = DefaultProgressInterval
	}
	return t
}

// age is the effective greatest age of a buffered row.
func (t Trigger) age(latency time.Duration) time.Duration {
	return max(t.Interval, latencyFactor*latency)
}

func averaged(old, sample time.Duration) time.Duration {
	sample = min(max(0, sample), slowestCommit)
	if old == 0 {
		return sample
	}
	return time.Duration((1-latencyWeight)*float64(old) + latencyWeight*float64(sample))
}

// never is how long the owner sleeps when nothing is due; orders wake it.
const never = time.Hour

// untilDue is how long until the table must be flushed; zero or less means now.
func (o *owner) untilDue() time.Duration {
	if o.table == nil || len(o.sinks) == 0 {
		return never
	}
	rows, moved := o.buffered()
	now := o.now()
	// A clock that was set back must not make the table wait until it has caught up with itself.
	o.progressed = earlier(o.progressed, now)
	o.filling = earlier(o.filling, now)
	if rows == 0 {
		o.filling = time.Time{}
		if moved {
			return o.progressed.Add(o.trigger().ProgressInterval).Sub(now)
		}
		return never
	}
	if o.filling.IsZero() {
		o.filling = now
	}
	if o.full() {
		return 0
	}
	return o.filling.Add(o.trigger().age(o.latency)).Sub(now)
}

func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

// full says whether the size triggers are reached. It reads atomics only: lanes ask it too.
func (o *owner) full() bool {
	var rows, bytes int64
	for _, s := range o.sinks {
		rows += s.rows.Load()
		bytes += s.estimate.Load()
	}
	t := o.trigger()
	return bytes >= t.MaxBytes || t.MaxRows > 0 && rows >= t.MaxRows
}

func (o *owner) buffered() (rows int64, moved bool) {
	for _, s := range o.sinks {
		rows += s.rows.Load()
		moved = moved || s.moved.Load()
	}
	return rows, moved
}

func (o *owner) trigger() Trigger { return *o.pipeline.trigger.Load() }
