package ingest

import (
	"sync"
)

// budget is the one byte budget of the process: what tables buffer on their lanes and hold while a commit is in flight,
// and what lanes, queues, commits and schemas hold (accounts.go) beyond what is set aside for them.
//
// Half of it is divided evenly among the tables as a floor nobody can take from them; the other half is shared. A
// table may grow while it is below its floor or while the shared half has room, so a table whose catalog hangs can
// fill the shared half and its own floor, and the others still flow. The sum never passes the limit by more than one
// small batch per lane.
//
// A mutex guards it; lanes call charge once per small batch, never per record.
type budget struct {
	limit int64
	mu    struct {
		sync.Mutex
		held    map[string]int64
		tables  int
		waiters []func()
		// accounts are what is held for no table in particular.
		accounts map[string]*account
	}
}

// account is a reserve and what is held of it; what goes beyond counts as shared.
type account struct{ reserved, used int64 }

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.mu.held, b.mu.accounts = map[string]int64{}, map[string]*account{}
	return b
}

// reserve opens an account.
func (b *budget) reserve(name string, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.accounts[name] = &account{reserved: n}
}

// use changes what is held on an account.
func (b *budget) use(name string, delta int64) {
	if delta == 0 {
		return
	}
	b.mu.Lock()
	var wake []func()
	if a := b.mu.accounts[name]; a != nil {
		if delta < 0 && a.used > a.reserved {
			wake = b.takeWaiters()
		}
		a.used += delta
	}
	b.mu.Unlock()
	runAll(wake)
}

// enter announces a table, which shrinks everybody's floor.
func (b *budget) enter(table string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mu.held[table] = 0
	b.mu.tables++
}

// leave returns everything a table held.
func (b *budget) leave(table string) {
	b.mu.Lock()
	delete(b.mu.held, table)
	b.mu.tables--
	wake := b.takeWaiters()
	b.mu.Unlock()
	runAll(wake)
}

// charge changes what a table holds. Giving back wakes everybody who waits for room.
func (b *budget) charge(table string, delta int64) {
	b.mu.Lock()
	b.mu.held[table] += delta
	var wake []func()
	if delta < 0 {
		wake = b.takeWaiters()
	}
	b.mu.Unlock()
	runAll(wake)
}

// admit says whether a table may buffer more. If not, wake is called once when there may be room again, and largest
// names the table that should flush.
func (b *budget) admit(table string, wake func()) (ok bool, largest string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.held[table] < b.floor() || b.shared() < b.limit/2 {
		return true, ""
	}
	b.mu.waiters = append(b.mu.waiters, wake)
	return false, b.largest()
}

// pressed names the table to flush when the shared half is nearly spent, "" while there is room.
func (b *budget) pressed() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shared() < b.limit/2*3/4 {
		return ""
	}
	// Where others than tables press, flushing small tables all the time would not help.
	if largest := b.largest(); b.mu.held[largest] >= b.floor()/2 {
		return largest
	}
	return ""
}

// refusing says whether somebody waits for room.
func (b *budget) refusing() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.mu.waiters) > 0
}

// total gives what is held, beyond reserves where there are some, and the limit.
func (b *budget) total() (held, limit int64, largest string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.mu.held {
		held += n
	}
	held += b.overdrawn()
	return held, b.limit, b.largest()
}

// leastOpen and mostOpen bound what the open partitions of one table may hold on one lane.
const (
	leastOpen = 4 << 20
	mostOpen  = 64 << 20
)

// open is how much that is: with all lanes together half of what one table may ever hold.
func (b *budget) open(lanes int) int64 {
	return min(mostOpen, max(leastOpen, b.limit/4/int64(max(1, lanes))))
}

// part is the floor of a table, for those who decide how much to keep.
func (b *budget) part() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.floor()
}

func (b *budget) floor() int64 { return b.limit / 2 / int64(max(1, b.mu.tables)) }

func (b *budget) shared() int64 {
	var over int64
	floor := b.floor()
	for _, n := range b.mu.held {
		over += max(0, n-floor)
	}
	return over + b.overdrawn()
}

// overdrawn is what accounts hold beyond their reserves.
func (b *budget) overdrawn() (n int64) {
	for _, a := range b.mu.accounts {
		n += max(0, a.used-a.reserved)
	}
	return n
}

func (b *budget) largest() string {
	name, most := "", int64(-1)
	for t, n := range b.mu.held {
		if n > most || n == most && t < name {
			name, most = t, n
		}
	}
	return name
}

func (b *budget) takeWaiters() []func() {
	w := b.mu.waiters
	b.mu.waiters = nil
	return w
}

func runAll(fns []func()) {
	for _, f := range fns {
		f()
	}
}
