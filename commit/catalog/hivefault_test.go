package catalog_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
	"github.com/ingestd/ingestd/commit/catalog/metastore"
	"github.com/ingestd/ingestd/commit/catalog/metastore/metastoretest"
	"github.com/ingestd/ingestd/commit/state"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/internal/rungroup"
)

const alteration = "alter_table_with_environment_context"

// A Metastore in memory passes the suite that a real one passes.
func TestHiveConforms(t *testing.T) {
	srv, dir := metastoretest.New(t), t.TempDir()
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog { return openHive(t, srv.URI(), dir) })
	require.Zero(t, srv.Locks(), "every lock is given back")
}

// hive is a Metastore with one table, and a writer on it.
func hive(t *testing.T) (*metastoretest.Server, string, *commit.Table) {
	t.Helper()
	srv, dir := metastoretest.New(t), t.TempDir()
	w := hiveWriter(t, openHive(t, srv.URI(), dir))
	require.NoError(t, w.Create(t.Context(), start()))
	return srv, dir, w
}

func hiveWriter(t *testing.T, cat catalog.Catalog) *commit.Table {
	t.Helper()
	env := commit.Env{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	w, err := commit.Open(t.Context(), cat, commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, env)
	require.NoError(t, err)
	return w
}

// progress makes commits from the table's start on.
func progress(t *testing.T, w *commit.Table, n int) {
	t.Helper()
	for i := range n {
		res, err := w.Progress(t.Context(), move(state.Position(strconv.Itoa(i)), state.Position(strconv.Itoa(i+1))))
		require.NoError(t, err)
		require.Equal(t, commit.Landed, res.Outcome)
	}
}

// nth lets one call of a method fail, counted from 1.
func nth(method string, n int, f metastoretest.Fault) func(string, metastore.Struct) metastoretest.Fault {
	return func(m string, _ metastore.Struct) metastoretest.Fault {
		if m != method {
			return metastoretest.None
		}
		if n--; n != 0 {
			return metastoretest.None
		}
		return f
	}
}

// Whatever call or answer of a commit is lost, the commit lands once, and no lock stays behind for long.
func TestHiveLosesCallsAndAnswers(t *testing.T) {
	for _, method := range []string{"get_table_req", "lock", alteration, "unlock"} {
		for _, f := range []metastoretest.Fault{metastoretest.LostCall, metastoretest.LostAnswer} {
			for n := 1; n <= 3; n++ {
				srv, dir, w := hive(t)
				srv.Fail(nth(method, n, f))
				progress(t, w, 3)
				srv.Fail(nil)
				require.Zero(t, srv.Locks(), "%s %d %d", method, f, n)
				again := hiveWriter(t, openHive(t, srv.URI(), dir))
				require.Equal(t, w.State(), again.State())
			}
		}
	}
}

// The Metastore finds a new database's directory there, so that it does not remove it when it loses a race to make it.
func TestHiveFindsTheDirectoryOfADatabase(t *testing.T) {
	srv, dir := metastoretest.New(t), t.TempDir()
	there := false
	srv.Fail(func(m string, args metastore.Struct) metastoretest.Fault {
		if m == "create_database" {
			files, err := filepath.Glob(filepath.Join(strings.TrimPrefix(args.Inner(1).Text(metastore.DatabaseLocation), "file://"), "*"))
			there = err == nil && len(files) == 1
		}
		return metastoretest.None
	})
	require.NoError(t, hiveWriter(t, openHive(t, srv.URI(), dir)).Create(t.Context(), start()))
	require.True(t, there)
}

// A birth whose answer is lost is a birth.
func TestHiveLosesTheAnswerToABirth(t *testing.T) {
	for _, f := range []metastoretest.Fault{metastoretest.LostCall, metastoretest.LostAnswer} {
		srv, dir := metastoretest.New(t), t.TempDir()
		w := hiveWriter(t, openHive(t, srv.URI(), dir))
		srv.Fail(nth("create_table", 1, f))
		require.NoError(t, w.Create(t.Context(), start()))
		require.True(t, w.Exists())
		_, err := w.Progress(t.Context(), move("0", "1"))
		require.NoError(t, err)
	}
}

// An alteration arrives when everybody has given it up: it loses against a commit in between, and until it is known to
// be over, nobody who only locks gets between.
func TestHiveAlterationOnItsWay(t *testing.T) {
	srv, dir, w := hive(t)
	var late []metastore.Struct
	cat := openHive(t, srv.URI(), dir)
	touch := func(value string) error {
		_, _, err := cat.CommitTable(t.Context(), shop, nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"k": value})})
		return err
	}
	require.NoError(t, touch("first"))
	srv.Fail(func(m string, args metastore.Struct) metastoretest.Fault {
		if m != alteration || len(late) > 0 {
			return metastoretest.None
		}
		late = append(late, args)
		return metastoretest.LostCall
	})
	err := touch("late")
	require.Equal(t, failure.Unknown, failure.ClassOf(err), "%v", err)
	require.Equal(t, 1, srv.Locks(), "whoever only locks would be overwritten, or overwrite")
	files, err := filepath.Glob(filepath.Join(dir, "warehouse", "shop.db", "clicks", "metadata", "*.metadata.json"))
	require.NoError(t, err)
	require.Len(t, files, 3, "the alteration may land and needs its file")

	require.NoError(t, touch("in between"))
	require.Zero(t, srv.Locks())
	answer := srv.Apply(alteration, late[0])
	require.Contains(t, answer.Inner(2).Text(1), "has been modified")
	tbl, err := openHive(t, srv.URI(), dir).LoadTable(t.Context(), shop)
	require.NoError(t, err)
	require.Equal(t, "in between", tbl.Properties()["k"])
	require.NoError(t, w.Refresh(t.Context()))
}

// elsewhere makes the table stand at a copy of its metadata file, as a writer that asks nobody does.
func elsewhere(t *testing.T, srv *metastoretest.Server) string {
	t.Helper()
	have := srv.Table(shop[0], shop[1])
	params := have[metastore.TableParameters].(metastore.Map).Strings()
	at := params["metadata_location"]
	text, err := os.ReadFile(strings.TrimPrefix(at, "file://"))
	require.NoError(t, err)
	to := strings.TrimSuffix(at, ".metadata.json") + "0.metadata.json"
	require.NoError(t, os.WriteFile(strings.TrimPrefix(to, "file://"), text, 0o600))
	params["metadata_location"] = to
	have[metastore.TableParameters] = metastore.Strings(params)
	srv.Alter(have)
	return to
}

// Somebody whose lock has run out, or who takes none, commits between our look and our alteration: the Metastore
// compares, and the next attempt is made on what stands there.
func TestHiveComparesWithoutTheLock(t *testing.T) {
	srv, dir, _ := hive(t)
	overwritten := ""
	cat := openHive(t, srv.URI(), dir, func(o *catalog.Options) {
		o.Statement = func(name string, _ table.Identifier, do func() error) error {
			if name == "swap" && overwritten == "" {
				overwritten = elsewhere(t, srv)
			}
			return do()
		}
	})
	progress(t, hiveWriter(t, cat), 1)
	params := srv.Table(shop[0], shop[1])[metastore.TableParameters].(metastore.Map).Strings()
	require.Equal(t, overwritten, params["previous_metadata_location"])
}

// A writer that locks and then overwrites whatever stands there is waited for.
func TestHiveWaitsForTheLock(t *testing.T) {
	srv, dir, _ := hive(t)
	client := metastore.NewClient([]string{strings.TrimPrefix(srv.URI(), "thrift://")}, nil)
	defer client.Close()
	require.NoError(t, client.Do(t.Context(), func(conn *metastore.Conn) error {
		id, state, err := conn.Lock(t.Context(), shop[0], shop[1], metastore.Owner{User: "spark", Host: "h", Agent: "Iceberg"})
		require.NoError(t, err)
		require.EqualValues(t, metastore.LockAcquired, state)
		g := rungroup.New(t.Context())
		w := hiveWriter(t, openHive(t, srv.URI(), dir))
		g.Go(func(ctx context.Context) error {
			_, err := w.Progress(ctx, move("0", "1"))
			return err
		})
		require.Eventually(t, func() bool { return srv.Calls("check_lock") > 1 }, 10*time.Second, time.Millisecond)
		moved := elsewhere(t, srv)
		require.NoError(t, conn.Unlock(t.Context(), id))
		require.NoError(t, g.Wait())
		params := srv.Table(shop[0], shop[1])[metastore.TableParameters].(metastore.Map).Strings()
		require.Equal(t, moved, params["previous_metadata_location"])
		return nil
	}))
	require.Zero(t, srv.Locks())
}

// A Metastore that does not compare is refused: by its version when it is opened, by what it does before a commit.
func TestHiveThatDoesNotCompareIsRefused(t *testing.T) {
	for _, version := range []string{"3.1.3", "2.3.9", "4.0.0", "3.1.3000.7.2.18.0-641", "2.3.9000", "", "unknown"} {
		srv := metastoretest.New(t)
		srv.Version = version
		_, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.Hive, URI: srv.URI(), Warehouse: t.TempDir()})
		require.Equal(t, catalog.CodeRefused, failure.CodeOf(err), "%s: %v", version, err)
		require.Equal(t, failure.Config, failure.ClassOf(err))
	}
	for _, version := range []string{"4.0.1", "4.1.0-SNAPSHOT", "5.0.0", "2.3.10"} {
		srv := metastoretest.New(t)
		srv.Version = version
		openHive(t, srv.URI(), t.TempDir())
	}
	srv, dir := metastoretest.New(t), t.TempDir()
	srv.Blind = true
	w := hiveWriter(t, openHive(t, srv.URI(), dir))
	require.NoError(t, w.Create(t.Context(), start()))
	before := srv.Table(shop[0], shop[1])
	_, err := w.Progress(t.Context(), move("0", "1"))
	require.Equal(t, catalog.CodeRefused, failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "HIVE-26882")
	require.Equal(t, before, srv.Table(shop[0], shop[1]), "asking has changed nothing")
	require.Zero(t, srv.Locks())
}

// Each connection is asked once; behind a name there may be several servers.
func TestHiveProvesEachConnection(t *testing.T) {
	srv, _, w := hive(t)
	progress(t, w, 3)
	require.Equal(t, 4, srv.Calls(alteration), "three commits and one question")
}

// The lock is left out where the table says that all of its writers compare.
func TestHiveWithoutLocks(t *testing.T) {
	srv, dir, w := hive(t)
	cat := openHive(t, srv.URI(), dir)
	_, _, err := cat.CommitTable(t.Context(), shop, nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"engine.hive.lock-enabled": "false"})})
	require.NoError(t, err)
	_, err = w.Progress(t.Context(), move("0", "1"))
	require.NoError(t, err)
	locks := srv.Calls("lock")
	_, err = w.Progress(t.Context(), move("1", "2"))
	require.NoError(t, err)
	require.Equal(t, locks, srv.Calls("lock"))
}

// What Hive, Spark and Trino look for stands in the Metastore; positions do not, and what others have put there stays.
func TestHiveTableForOtherEngines(t *testing.T) {
	srv, dir, w := hive(t)
	foreign := srv.Table(shop[0], shop[1])
	params := foreign[metastore.TableParameters].(metastore.Map).Strings()
	params["bucketing_version"], params["numFilesErasureCoded"] = "2", "0"
	foreign[metastore.TableParameters] = metastore.Strings(params)
	foreign[99] = "a field of a later Metastore"
	srv.Alter(foreign)
	_, err := w.Progress(t.Context(), move("0", "1"))
	require.NoError(t, err)
	got := srv.Table(shop[0], shop[1])
	require.Equal(t, "a field of a later Metastore", got[99])
	require.Equal(t, "EXTERNAL_TABLE", got.Text(metastore.TableType))
	params = got[metastore.TableParameters].(metastore.Map).Strings()
	require.Equal(t, "2", params["bucketing_version"])
	require.Equal(t, "ICEBERG", params["table_type"])
	require.Equal(t, "TRUE", params["EXTERNAL"])
	require.Equal(t, w.Metadata().TableUUID().String(), params["uuid"])
	require.NotContains(t, params, "storage_handler")
	for k, v := range params {
		require.False(t, strings.HasPrefix(k, "ingestd."), k)
		require.LessOrEqual(t, len(v), 4000, k)
	}
	text, err := os.ReadFile(strings.TrimPrefix(params["metadata_location"], "file://"))
	require.NoError(t, err)
	require.Contains(t, string(text), "ingestd.state.")
	columns := got.Inner(metastore.TableStorage)[metastore.StorageColumns].(metastore.List)
	require.Len(t, columns.Items, len(w.Schema().Fields()))
	_, _, err = openHive(t, srv.URI(), dir).CommitTable(t.Context(), shop, nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"engine.hive.enabled": "true", "gc.enabled": "false"})})
	require.NoError(t, err)
	params = srv.Table(shop[0], shop[1])[metastore.TableParameters].(metastore.Map).Strings()
	require.Equal(t, "org.apache.iceberg.mr.hive.HiveIcebergStorageHandler", params["storage_handler"])
	require.Equal(t, "false", params["external.table.purge"])
}

func TestHiveAddresses(t *testing.T) {
	for _, bad := range []string{"", "http://localhost:9083", "localhost:9083", "thrift://", "thrift://a:9083/db", "thrift://a,http://b"} {
		_, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.Hive, URI: bad, Warehouse: t.TempDir()})
		require.Equal(t, catalog.CodeURI, failure.CodeOf(err), "%s: %v", bad, err)
	}
	_, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.Hive, URI: "thrift://127.0.0.1:1", Warehouse: t.TempDir()})
	require.Equal(t, catalog.CodeUnreachable, failure.CodeOf(err), "%v", err)
	require.Equal(t, failure.Retry, failure.ClassOf(err))
	srv := metastoretest.New(t)
	openHive(t, "thrift://127.0.0.1:1,"+srv.URI(), t.TempDir())
}
