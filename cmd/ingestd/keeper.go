package main

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/store"
)

// engine rewrites files page by page, within so many bytes; what it cannot read it leaves to the library.
func engine(po ingest.Options, memory int64) compaction.Engine {
	written := map[string]parquet.Options{}
	for _, t := range po.Tables {
		written[t.Name()] = t.Parquet
	}
	return compaction.Pages{
		Parquet:   func(table string) parquet.Options { return written[table] },
		Store:     func(location string) (store.Store, error) { return po.Stores.For(location) },
		Memory:    memory,
		Otherwise: compaction.Library{},
	}
}

// newKeeper makes the owner of the tables' maintenance. It does what it is asked for, and looks by itself where that is
// enabled.
func (d *process) newKeeper(c *config.Config, po ingest.Options) (*compaction.Keeper, error) {
	tables := map[string]ingest.TableOptions{}
	for _, t := range po.Tables {
		tables[t.Name()] = t
	}
	other, err := outside(c, c.Maintenance.Engine)
	if err != nil {
		return nil, err
	}
	o := compaction.KeeperOptions{
		Tables: tableNames(c), Outside: other, Engine: engine(po, int64(c.Maintenance.Memory)), Events: d.events, Now: time.Now, NewID: uuid.NewString,
		BytesPerDay: int64(c.Maintenance.BytesPerDay),
		Open: func(ctx context.Context, name string) (*commit.Table, error) {
			t := tables[name]
			tbl, err := commit.Open(ctx, po.Catalog, commit.Spec{
				Identifier: t.Identifier, Pipeline: po.Pipeline, Branch: t.Branch, MayCreate: true, Upkeep: t.Upkeep,
			}, commit.Env{})
			if err != nil || !tbl.Exists() {
				return nil, err
			}
			return tbl, nil
		},
		Others: func(ctx context.Context, name string) (map[string]string, error) {
			return commit.Locations(ctx, po.Catalog, tables[name].Identifier)
		},
		Behind: func(name string) bool {
			age, known := d.metrics.Freshness(name)
			return known && age > c.Maintenance.PauseBehind.Std()
		},
	}
	if c.Maintenance.Enabled {
		o.Interval = c.Maintenance.Interval.Std()
		o.Options = map[string]string{"min-input-files": strconv.Itoa(c.Maintenance.MinInputFiles)}
	}
	return compaction.NewKeeper(o), nil
}
