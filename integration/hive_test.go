//go:build integration && full

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/rungroup"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/store"
)

func TestHiveConforms(t *testing.T) {
	startParts(t, "hive")
	conforms(t, "Hive Metastore "+env.stack.Value("HIVE_VERSION"), catalog.Options{Type: catalog.Hive, URI: env.stack.Metastore(), Warehouse: lakeWarehouse()})
}

// The daemon on a Hive Metastore, which shows the table's rows to whoever asks it.
func TestHive(t *testing.T) {
	startParts(t, "hive")
	const n = 200_000
	topic := unique(t, "hive")
	name := "it." + topic
	config := writeConfig(t, settings{Pipeline: topic, Hive: true, Tables: []tableSettings{{Name: name, Topic: topic}}})
	for _, upTo := range []int{n / 2, n} {
		produce(t, produceDeadline, "-n", strconv.Itoa(upTo), "-skip", strconv.Itoa(upTo-n/2), "-avro", topic)
		untilLatest(t, config)
	}
	assertVerified(t, config, name)
	client := metastore.NewClient([]string{"127.0.0.1:" + env.stack.Value("HIVE_PORT")}, nil)
	defer client.Close()
	require.NoError(t, client.Do(context.WithoutCancel(t.Context()), func(conn *metastore.Conn) error {
		kept, err := conn.Table(t.Context(), "it", topic)
		require.NoError(t, err)
		params, _ := kept[metastore.TableParameters].(metastore.Map)
		require.Equal(t, strconv.Itoa(n), params.Strings()["numRows"])
		return err
	}))
}

// locking commits as Iceberg's Java library does unless it is told otherwise: it takes the Metastore's lock, looks, and
// overwrites. It counts in a property.
func locking(ctx context.Context, cat catalog.Catalog, conn *metastore.Conn, ident []string) error {
	id, state, err := conn.Lock(ctx, ident[0], ident[1], metastore.Owner{User: "java", Host: "h", Agent: "Iceberg-" + ident[0]})
	for err == nil && state == metastore.LockWaiting {
		state, err = conn.CheckLock(ctx, id)
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Unlock(ctx, id) }()
	tbl, err := cat.LoadTable(ctx, ident)
	if err != nil {
		return err
	}
	n := tbl.Properties().GetInt("counted", 0)
	next, err := table.UpdateTableMetadata(tbl.Metadata(), []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"counted": strconv.Itoa(n + 1)})}, tbl.MetadataLocation())
	if err != nil {
		return err
	}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	fs, err := tbl.FS(ctx)
	if err != nil {
		return err
	}
	to := fmt.Sprintf("%s/metadata/%05d-%s.metadata.json", tbl.Location(), 1000+n, uuid.NewString())
	if err := fs.(iceio.WriteFileIO).WriteFile(to, text); err != nil {
		return err
	}
	kept, err := conn.Table(ctx, ident[0], ident[1])
	if err != nil {
		return err
	}
	params := kept[metastore.TableParameters].(metastore.Map).Strings()
	params["metadata_location"] = to
	kept[metastore.TableParameters] = metastore.Strings(params)
	return conn.AlterTable(ctx, kept, map[string]string{"DO_NOT_UPDATE_STATS": "true"})
}

// Between the commits of a writer that locks and overwrites and ours nothing is lost.
func TestHiveBesideAWriterThatLocks(t *testing.T) {
	startParts(t, "hive")
	stores, err := store.Open(storeOptions())
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
	open := func() catalog.Catalog {
		cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.Hive, URI: env.stack.Metastore(), Warehouse: lakeWarehouse()})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, cat.Close()) })
		return cat
	}
	ident := []string{unique(t, "beside"), "t"}
	w, err := commit.Open(t.Context(), open(), commit.Spec{Identifier: ident, Pipeline: "p", MayCreate: true}, commit.Env{})
	require.NoError(t, err)
	key := state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "t"}, Partition: "0"}
	require.NoError(t, w.Create(t.Context(), commit.Creation{Start: []commit.Step{{Key: key, To: "0"}}, Fields: []column.Field{
		{Name: "id", Required: true, Type: column.Type{Kind: column.Long}},
	}}))

	const rounds = 40
	other := open()
	client := metastore.NewClient([]string{"127.0.0.1:" + env.stack.Value("HIVE_PORT")}, nil)
	defer client.Close()
	g := rungroup.New(t.Context())
	var over atomic.Bool
	g.Go(func(ctx context.Context) error {
		defer over.Store(true)
		return client.Once(ctx, func(conn *metastore.Conn) error {
			for range rounds {
				if err := locking(ctx, other, conn, ident); err != nil {
					return err
				}
			}
			return nil
		})
	})
	n, met := 0, 0
	for ; !over.Load(); n++ {
		res, err := w.Progress(t.Context(), []commit.Step{{Key: key, From: state.Position(strconv.Itoa(n)), To: state.Position(strconv.Itoa(n + 1))}})
		require.NoError(t, err)
		require.Equal(t, commit.Landed, res.Outcome)
		met += res.Attempts - 1
	}
	require.NoError(t, g.Wait())
	require.NoError(t, w.Refresh(t.Context()))
	e, _ := w.State().Find(key)
	require.Equal(t, state.Position(strconv.Itoa(n)), e.Position)
	require.Equal(t, strconv.Itoa(rounds), w.Properties()["counted"])
	require.Positive(t, n)
	t.Logf("%d commits of ours beside %d of the other's; %d attempts were made again", n, rounds, met)
}

// A field inside a column reaches the Metastore's columns.
func TestHiveColumnsThatChangeInside(t *testing.T) {
	startParts(t, "hive")
	stores, err := store.Open(storeOptions())
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
	cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.Hive, URI: env.stack.Metastore(), Warehouse: lakeWarehouse()})
	require.NoError(t, err)
	defer cat.Close()
	ident := []string{unique(t, "inside"), "t"}
	w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: ident, Pipeline: "p", MayCreate: true}, commit.Env{})
	require.NoError(t, err)
	field := func(name string) column.Field {
		return column.Field{Name: name, Type: column.Type{Kind: column.Long}}
	}
	key := state.Key{Stream: state.Stream{Source: "main", Cluster: "c", Topic: "t"}, Partition: "0"}
	require.NoError(t, w.Create(t.Context(), commit.Creation{Start: []commit.Step{{Key: key, To: "0"}}, Fields: []column.Field{
		{Name: "in", Type: column.Type{Kind: column.Struct, Fields: []column.Field{field("a")}}},
	}}))
	require.NoError(t, w.Evolve(t.Context(), []commit.AddColumn{{Field: field("c")}}))
	require.NoError(t, w.Evolve(t.Context(), []commit.AddColumn{{Path: []string{"in"}, Field: field("b")}}))
	client := metastore.NewClient([]string{"127.0.0.1:" + env.stack.Value("HIVE_PORT")}, nil)
	defer client.Close()
	require.NoError(t, client.Do(t.Context(), func(conn *metastore.Conn) error {
		kept, err := conn.Table(t.Context(), ident[0], ident[1])
		require.NoError(t, err)
		columns := kept.Inner(metastore.TableStorage)[metastore.StorageColumns].(metastore.List)
		require.Len(t, columns.Items, 2)
		require.Equal(t, "struct<a:bigint,b:bigint>", columns.Items[0].(metastore.Struct).Text(metastore.ColumnType))
		return nil
	}))
}
