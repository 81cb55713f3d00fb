package ingest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/ingestd/ingestd/schemareg"
)

// The accounts of the budget beside the tables. Each has a fixed reserve; what goes beyond it is taken from what the
// tables share.
const (
	accountProcess     = "process" // code, clients, metrics
	accountFetches     = "fetches" // what the brokers have sent and nobody has polled
	accountQueues      = "queues"  // records between the consumer and the lanes
	accountLanes       = "lanes"   // compressors and scratch
	accountCommits     = "commits" // metadata and manifests of commits in flight
	accountUploads     = "uploads" // parts of files on their way
	accountMaintenance = "maintenance"
	accountSchemas     = "schemas" // writer schemas and their programs; they have no reserve
)

const (
	// schemaFactor is how much larger a schema is, parsed and compiled, than its text.
	schemaFactor = 16
	// commitBase, commitFile and commitSnapshot are what one commit holds: itself, by data file, and by snapshot in the
	// table's history.
	commitBase     = 1 << 20
	commitFile     = 4 << 10
	commitSnapshot = 1 << 10
)

// Reserves are the parts of the memory limit that are set aside for what cannot be charged as it comes.
type Reserves struct {
	Process, Fetches, Queues, Lanes, Commits, Uploads, Maintenance int64
}

// Total adds them up.
func (r Reserves) Total() int64 {
	return r.Process + r.Fetches + r.Queues + r.Lanes + r.Commits + r.Uploads + r.Maintenance
}

// announce opens the accounts. Without reserves there are none, and the tables have the limit to themselves.
func (r Reserves) announce(b *budget) {
	if r.Total() == 0 {
		return
	}
	for name, n := range map[string]int64{
		accountProcess: r.Process, accountFetches: r.Fetches, accountQueues: r.Queues, accountLanes: r.Lanes,
		accountCommits: r.Commits, accountUploads: r.Uploads, accountSchemas: 0,
	} {
		b.reserve(name, n)
	}
	if r.Maintenance > 0 {
		b.reserve(accountMaintenance, r.Maintenance)
	}
}

// Holding is one line of the budget: what somebody holds, and what nobody can take from them.
type Holding struct {
	Name     string
	Held     int64
	Reserved int64
}

// Budget says who holds what.
type Budget struct {
	// Limit is what the tables may hold together, Held what they do, with what others hold beyond their reserves.
	Limit, Held int64
	// Refusing says that some partition waits for room.
	Refusing bool
	// Tables are sorted by what they hold, the largest first; Reserved is their floor.
	Tables []Holding
	// Reserves are set aside from the memory limit besides Limit. A process's and the uploads' part is not measured.
	Reserves []Holding
}

// Budget looks at the accounts. It may be called from any goroutine.
func (p *Pipeline) Budget() Budget {
	out := p.budget.view()
	for i, r := range out.Reserves {
		if r.Name == accountFetches {
			out.Reserves[i].Held = p.fetched()
		}
	}
	return out
}

// fetched is what the clients have received and nobody has polled.
func (p *Pipeline) fetched() (n int64) {
	p.connected.Lock()
	defer p.connected.Unlock()
	for _, f := range p.feeds {
		n += f.client.Kgo.BufferedFetchBytes()
	}
	return n
}

func (b *budget) view() Budget {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := Budget{Limit: b.limit, Refusing: len(b.mu.waiters) > 0}
	for name, n := range b.mu.held {
		out.Held += n
		out.Tables = append(out.Tables, Holding{Name: name, Held: n, Reserved: b.floor()})
	}
	slices.SortFunc(out.Tables, func(x, y Holding) int { return cmp.Or(cmp.Compare(y.Held, x.Held), cmp.Compare(x.Name, y.Name)) })
	for _, name := range slices.Sorted(maps.Keys(b.mu.accounts)) {
		a := b.mu.accounts[name]
		out.Held += max(0, a.used-a.reserved)
		out.Reserves = append(out.Reserves, Holding{Name: name, Held: a.used, Reserved: a.reserved})
	}
	return out
}

// weighed is a registry whose answers are charged: every table keeps the schemas it has met for good.
type weighed struct {
	schemareg.Registry
	budget *budget
}

// ByID implements schemareg.Registry.
func (w weighed) ByID(ctx context.Context, id uint32) (*schemareg.Schema, error) {
	s, err := w.Registry.ByID(ctx, id)
	return w.charge(s, err)
}

// ByGUID implements schemareg.Registry.
func (w weighed) ByGUID(ctx context.Context, guid [16]byte) (*schemareg.Schema, error) {
	s, err := w.Registry.ByGUID(ctx, guid)
	return w.charge(s, err)
}

func (w weighed) charge(s *schemareg.Schema, err error) (*schemareg.Schema, error) {
	if err == nil {
		n := len(s.Text)
		for _, text := range s.Texts() {
			n += len(text)
		}
		w.budget.use(accountSchemas, schemaFactor*int64(n))
	}
	return s, err
}

// committing charges a commit of so many files; release gives it back.
func (o *owner) committing(files int) (release func()) {
	n := int64(commitBase + files*commitFile)
	if t := o.table.Iceberg(); t != nil {
		n += commitSnapshot * int64(len(t.Metadata().Snapshots()))
	}
	o.budget.use(accountCommits, n)
	return func() { o.budget.use(accountCommits, -n) }
}
