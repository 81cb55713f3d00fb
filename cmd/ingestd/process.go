package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/config"
	"github.com/ingestd/ingestd/ingest"
	"github.com/ingestd/ingestd/internal/admin"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/restserve"
	"github.com/ingestd/ingestd/internal/telemetry"
	"github.com/ingestd/ingestd/table/store"
)

// process is the running daemon: the pipeline and those who watch it.
type process struct {
	options  runOptions
	config   *config.Config
	pipeline *ingest.Pipeline
	metrics  *telemetry.Metrics
	events   event.Sink
	log      *zap.Logger
	level    zap.AtomicLevel
	admin    *admin.Server
	keeper   *compaction.Keeper
	release  func()
}

// newProcess reads the configuration and opens everything that needs no broker.
func (a *app) newProcess(ctx context.Context, o runOptions) (*process, error) {
	c, err := a.load(o.file)
	if err != nil {
		return nil, err
	}
	d := &process{options: o, config: c, release: func() {}}
	if err := d.openLog(a, o.quiet); err != nil {
		return nil, err
	}
	po, err := pipelineOptions(c)
	if err != nil {
		return nil, err
	}
	for i := range po.Tables {
		po.Tables[i].AcceptMeaning = o.acceptConfig
	}
	po.UntilLatest = o.untilLatest
	if err := openLake(ctx, c, &po); err != nil {
		return nil, err
	}
	if err := checkWarehouse(ctx, c, po.Stores); err != nil {
		return nil, err
	}
	d.release = po.Stores.Register(ctx)
	if err = applyMemory(c, &po); err != nil {
		return nil, err
	}
	build := readBuild()
	d.metrics = telemetry.NewMetrics(telemetry.MetricsOptions{
		Tables: tableNames(c), Sources: sourceNames(c), Now: time.Now,
		Build: telemetry.Build{Version: build.Version, Revision: build.Commit, Go: build.Go},
	})
	sinks := event.Fanout{d.metrics, telemetry.NewLogSink(d.log)}
	if o.events != nil {
		sinks = append(sinks, o.events)
	}
	d.events, po.Events = sinks, sinks
	d.pipeline = ingest.New(po)
	if d.keeper, err = d.newKeeper(c, po); err != nil {
		return nil, err
	}
	return d, d.openAdmin(ctx, build, po)
}

// checkWarehouse refuses to start when the warehouse's bucket does not exist, or no store serves it: a wrong setting. A bucket that goes
// missing later stops the tables in it, and anything else that is wrong with it is told by the first table.
func checkWarehouse(ctx context.Context, c *config.Config, stores *store.Stores) error {
	if !isLocation(c.Catalog) {
		return nil
	}
	err := stores.Probe(ctx, c.Catalog.Warehouse)
	if code := failure.CodeOf(err); code == store.CodeBucket || code == store.CodeScheme {
		return fmt.Errorf("warehouse %s: %w", c.Catalog.Warehouse, err)
	}
	return nil
}

func (d *process) openLog(a *app, quiet bool) error {
	if quiet {
		d.log = zap.NewNop()
		return nil
	}
	var err error
	d.log, d.level, err = telemetry.NewLogger(telemetry.LogOptions{
		Level: string(d.config.Log.Level), Console: d.config.Log.Format == config.LogConsole, Output: a.Err,
	})
	return err
}

// openAdmin binds the HTTP listener, so that a taken port is an error of the start.
func (d *process) openAdmin(ctx context.Context, build buildInfo, po ingest.Options) error {
	if d.config.Admin.Listen == "off" || d.config.Admin.Listen == "" {
		return nil
	}
	catalog := restserve.New(po.Catalog)
	var procedures admin.Maintenance
	if d.config.Admin.AllowMaintenance {
		procedures = d
	}
	var err error
	d.admin, err = admin.Listen(ctx, admin.Options{
		Listen: d.config.Admin.Listen, AllowRemote: d.config.Admin.AllowRemote,
		Version: admin.Version{Version: build.Version, Commit: build.Commit, Time: build.Time, Go: build.Go, Platform: build.Platform},
		Status:  d, Metrics: d.metrics.Handler(), Mounts: map[string]http.Handler{"/catalog": catalog},
		Maintenance: procedures,
	})
	return err
}

func (d *process) serveAdmin(ctx context.Context) error {
	if d.admin == nil {
		return nil
	}
	return d.admin.Run(ctx)
}

func (d *process) close() {
	d.release()
	_ = d.log.Sync()
}

// Tables implements admin.Status.
func (d *process) Tables() []admin.Table {
	var out []admin.Table
	for _, s := range d.pipeline.Status() {
		t := admin.Table{
			Name: s.Table, State: s.State, Code: s.Code, Reason: s.Reason, Hint: s.Hint,
			Commits: s.Commits, Rows: s.Rows, Outcomes: s.Counts.Map(),
		}
		if age, ok := d.metrics.Freshness(s.Table); ok {
			seconds := age.Seconds()
			t.FreshnessSeconds = &seconds
		}
		for p, lag := range s.Lag {
			t.LagRecords += lag
			t.Partitions = append(t.Partitions, admin.Partition{Topic: p.Topic, Partition: p.Partition, LagRecords: lag})
		}
		if c := s.Last; !c.At.IsZero() {
			t.LastCommit = &admin.Commit{
				SnapshotID: strconv.FormatInt(c.SnapshotID, 10), CommitID: c.CommitID, At: c.At, Rows: c.Rows,
				Files: c.Files, Bytes: c.Bytes, Seconds: c.Took.Seconds(),
			}
		}
		out = append(out, t)
	}
	return out
}

// Submit implements admin.Maintenance.
func (d *process) Submit(table, procedure, where string, dry bool) (id string, job any, err error) {
	j, err := d.keeper.Submit(table, procedure, where, dry)
	return j.ID, j, err
}

// Job implements admin.Maintenance.
func (d *process) Job(id string) (any, bool) { return d.keeper.Job(id) }

// Jobs implements admin.Maintenance.
func (d *process) Jobs() any { return d.keeper.Jobs() }

// reload takes over what may change while running; if anything else changed, nothing is taken over.
func (d *process) reload() {
	next, _, err := config.Load(d.options.file, config.Options{Checks: configChecks()})
	if err == nil {
		err = d.takeOver(next)
	}
	if err != nil {
		d.log.Error("reloading failed, the old configuration stays", zap.String("error", failure.Describe(err)))
	}
	d.events.Emit(event.ConfigReloaded{OK: err == nil, At: time.Now()})
}

func (d *process) takeOver(next *config.Config) error {
	changed, refused := config.Reloadable(d.config, next)
	if len(refused) > 0 {
		return failure.New(failure.Config, "E_RELOAD", "restart the daemon to change them", "these settings cannot change while running: %s", fmt.Sprint(refused))
	}
	if err := d.level.UnmarshalText([]byte(next.Log.Level)); err != nil {
		return err
	}
	d.config = next
	d.pipeline.SetTrigger(trigger(next))
	d.log.Info("reloaded", zap.String("changed", fmt.Sprint(changed)))
	return nil
}
