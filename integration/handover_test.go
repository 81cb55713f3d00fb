//go:build integration && full

package integration

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/compaction"
	"github.com/ingestd/ingestd/compaction/handover"
)

// Trino and Spark rewrite the small files of the partitions they are asked to, and of no others: every row stays, ingest
// goes on, and so does the ledger.
func TestHandover(t *testing.T) {
	startParts(t, "trino", "thrift")
	registerStore(t)
	port, err := strconv.Atoi(env.stack.Value("THRIFT_PORT"))
	require.NoError(t, err)
	f := func(engine handover.Engine, address string) {
		t.Run(engine.Name(), func(t *testing.T) {
			const n, rounds = 60_000, 6
			topic := unique(t, "handover")
			name := "it." + topic
			config := writeConfig(t, settings{Pipeline: topic, Interval: time.Second, Tables: []tableSettings{
				{Name: name, Topic: topic, PartitionBy: `["day(ts)", device]`},
			}, Maintenance: fmt.Sprintf(`{engine: %[1]s, %[1]s: {uri: "%[2]s", catalog: lake}}`, engine.Name(), address)})
			fill := func(from, to int) {
				for i := from + 1; i <= to; i++ {
					produce(t, produceDeadline, "-n", strconv.Itoa(i*n/rounds), "-skip", strconv.Itoa((i-1)*n/rounds), "-avro", topic)
					untilLatest(t, config)
				}
			}
			fill(0, rounds)
			before := openTable(t, "it", topic)
			places, files := placesOf(t, before, "desktop")
			require.NotEmpty(t, places)
			require.NoError(t, engine.Run(t.Context(), handover.Request{
				Table: []string{"it", topic}, Schema: before.Schema(), Spec: before.Spec(), Partitions: places,
				TargetBytes: 512 << 20, SmallBytes: 384 << 20, MinFiles: 2,
			}))
			after := openTable(t, "it", topic)
			did, err := handover.Check(before.Metadata(), after.Metadata(), "main")
			require.NoError(t, err)
			t.Logf("%s: %+v", name, did)
			require.EqualValues(t, files, did.RewrittenDataFiles)
			require.EqualValues(t, len(places), did.AddedDataFiles)
			fill(rounds, 2*rounds)
			run(t, catchUpDeadline, "ingestd", "validate", "-c", config)
			rewrite := func(more ...string) (res compaction.RewriteResult) {
				p := run(t, catchUpDeadline, "ingestd", append([]string{"maintain", "rewrite-data-files", name, "-c", config, "-o", "json",
					"--option", "min-input-files=2", "--option", "busy-min-input-files=2"}, more...)...)
				require.NoError(t, json.Unmarshal([]byte(p.out.String()), &res))
				t.Logf("%s: %d files of %d planned became %d", res.Engine, res.Rewritten, res.Plan.Rewrite, res.Added)
				require.Equal(t, engine.Name(), res.Engine)
				require.NotEmpty(t, res.Plan.Groups)
				require.GreaterOrEqual(t, res.Rewritten, res.Plan.Rewrite)
				require.Less(t, res.Added, res.Rewritten)
				return res
			}
			for _, g := range rewrite("--where", "device = 'desktop' and ts is not null").Plan.Groups {
				require.Contains(t, g.Partition, `device="desktop"`)
			}
			rewrite()
			assertContents(t, name, firstEvents(t, 2*n), lakeReaders())
			assertVerified(t, config, name)
		})
	}
	trino := "http://127.0.0.1:" + env.stack.Value("TRINO_PORT")
	f(handover.Trino{URI: trino, Catalog: "lake"}, trino)
	f(handover.Spark{Host: "127.0.0.1", Port: port, Catalog: "lake"}, fmt.Sprintf("thrift://127.0.0.1:%d", port))
}

// placesOf lists the partitions with a value of the second partition field, and counts their files.
func placesOf(t *testing.T, tbl *table.Table, value string) (places []map[int]any, files int) {
	t.Helper()
	spec := tbl.Spec()
	device := spec.Field(1).FieldID
	known := map[string]bool{}
	tasks, err := tbl.Scan().PlanFiles(t.Context())
	require.NoError(t, err)
	for _, task := range tasks {
		tuple := task.File.Partition()
		if tuple[device] != value {
			continue
		}
		files++
		if name := fmt.Sprint(tuple); !known[name] {
			known[name] = true
			places = append(places, tuple)
		}
	}
	return places, files
}

// openTable loads a table from the REST catalog.
func openTable(t *testing.T, namespace, name string) *table.Table {
	t.Helper()
	cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.REST, URI: env.stack.Catalog()})
	require.NoError(t, err)
	tbl, err := cat.LoadTable(t.Context(), table.Identifier{namespace, name})
	require.NoError(t, err)
	return tbl
}
