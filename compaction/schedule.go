package compaction

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/ingestd/ingestd/internal/event"
)

// scheduled is a procedure of a table.
type scheduled struct{ table, procedure string }

// looked is a table with what a rewrite would save.
type looked struct {
	table string
	score int64
}

// round looks at all tables, rewrites those first that are worst to read, and does what else is due.
func (k *Keeper) round(ctx context.Context) {
	for _, l := range k.look(ctx) {
		k.serve(ctx)
		if left, bounded := k.left(); k.waits(ctx, l.table) || bounded && left <= 0 {
			continue
		}
		k.rewrite(ctx, l.table)
	}
	for _, name := range k.o.Tables {
		for _, procedure := range slices.Sorted(maps.Keys(k.o.Every)) {
			k.serve(ctx)
			k.due(ctx, scheduled{name, procedure})
		}
	}
}

// waits says that nothing is to be done to a table now that nobody has asked for.
func (k *Keeper) waits(ctx context.Context, name string) bool {
	return ctx.Err() != nil || !k.o.Opens(k.o.Now()) || k.o.Behind(name)
}

// look finds the tables that are worth a rewrite, the worst to read first.
func (k *Keeper) look(ctx context.Context) (worst []looked) {
	for _, name := range k.o.Tables {
		if k.waits(ctx, name) || k.o.Now().Before(k.resting[name]) {
			continue
		}
		run, err := k.rewriting(ctx, name, true, nil)
		if err != nil || run == nil {
			k.tell(name, ProcRewrite, k.o.Now(), nil, err)
			continue
		}
		res, err := run.Run(ctx)
		if err == nil {
			k.o.Events.Emit(event.MaintenanceLooked{
				Table: name, Files: res.Plan.Files, Bytes: res.Plan.Bytes, Candidates: res.Plan.candidates(), Score: res.Plan.Score,
			})
		}
		if err != nil || len(res.Plan.Groups) == 0 {
			k.tell(name, ProcRewrite, k.o.Now(), nil, err)
			continue
		}
		worst = append(worst, looked{name, res.Plan.Score})
	}
	slices.SortStableFunc(worst, func(a, b looked) int { return cmp.Compare(b.score, a.score) })
	return worst
}

// due carries out a procedure when its time has come. One that failed is tried again with the next look.
func (k *Keeper) due(ctx context.Context, s scheduled) {
	last, ran := k.last[s]
	every := k.o.Every[s.procedure]
	if every <= 0 || ran && k.o.Now().Sub(last) < every || k.waits(ctx, s.table) {
		return
	}
	t, err := k.o.Open(ctx, s.table)
	if err != nil || t == nil || s.procedure != ProcManifests && t.Collectable() != nil {
		k.tell(s.table, s.procedure, k.o.Now(), nil, err)
		return
	}
	if _, err := k.procedure(ctx, &JobStatus{Table: s.table, Procedure: s.procedure}); err == nil {
		k.last[s] = k.o.Now()
	}
}
