package main

import (
	"context"
	"maps"
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

// engine rewrites files page by page, within memory and cores; what it cannot read it leaves to the library.
func engine(po ingest.Options, m config.Maintenance) compaction.Engine {
	written := map[string]parquet.Options{}
	for _, t := range po.Tables {
		written[t.Name()] = t.Parquet
	}
	return compaction.Pages{
		Parquet:   func(table string) parquet.Options { return written[table] },
		Store:     func(location string) (store.Store, error) { return po.Stores.For(location) },
		Memory:    int64(m.Memory),
		Workers:   m.CPU,
		Otherwise: compaction.Library{},
	}
}

// rewriteOptions are the options of rewrite_data_files that the file gives for a table.
func rewriteOptions(c *config.Config, t config.Table) map[string]string {
	out := map[string]string{}
	if c.Maintenance.Enabled {
		out["min-input-files"] = strconv.Itoa(c.Maintenance.MinInputFiles)
	}
	maps.Copy(out, t.Maintenance.Rewrite)
	return out
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
		Outside: other, Engine: engine(po, c.Maintenance), Options: map[string]map[string]string{}, Opens: c.Maintenance.Opens, Events: d.events, Now: time.Now, NewID: uuid.NewString,
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
	if c.Maintenance.Enabled || c.Admin.AllowMaintenance {
		o.Journal, o.Recalled = newJournal(), tableNames(c)
	}
	if c.Maintenance.Enabled {
		o.Interval = c.Maintenance.Interval.Std()
		o.Every = map[string]time.Duration{
			compaction.ProcManifests: c.Maintenance.Every.RewriteManifests.Std(),
			compaction.ProcExpire:    c.Maintenance.Every.ExpireSnapshots.Std(),
			compaction.ProcOrphans:   c.Maintenance.Every.RemoveOrphanFiles.Std(),
		}
	}
	for _, t := range c.Tables {
		o.Options[t.Name] = rewriteOptions(c, t)
		if t.Maintenance.Enabled {
			o.Tables = append(o.Tables, t.Name)
		}
	}
	return compaction.NewKeeper(o), nil
}
