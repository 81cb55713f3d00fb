package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store/storetest"
)

// A warehouse in a bucket that does not exist is a mistake in the configuration: one line, a hint and exit code 78,
// before any broker is asked.
func TestMissingBucketIsAMistakeInTheConfiguration(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("c.yaml", fmt.Appendf(nil, `
pipeline: p
sources: {main: {type: kafka, brokers: ["127.0.0.1:1"]}}
catalog: {type: sqlite, path: c.db, warehouse: "s3://lkae/warehouse"}
storage: {s3: {endpoint: %s, region: us-east-1, access_key_id: a, secret_access_key: b, path_style: true}}
admin: {listen: "off"}
tables:
  - name: db.t
    topics: [t]
    value: {format: raw}
`, fake.URL), 0o600))
	r := command(t, "run", "-c", "c.yaml", "--until-latest")
	require.Equal(t, failure.ExitConfig, r.code, r.err)
	require.Equal(t, "ingestd: warehouse s3://lkae/warehouse: looking for bucket lkae: no such bucket [E_STORE_BUCKET] — "+
		"create bucket lkae, or correct the warehouse or table location\n", r.err)
}

// So is a container of Azure's.
func TestMissingContainerIsAMistakeInTheConfiguration(t *testing.T) {
	fake := storetest.NewAzure(t, "lake")
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("c.yaml", fmt.Appendf(nil, `
pipeline: p
sources: {main: {type: kafka, brokers: ["127.0.0.1:1"]}}
catalog: {type: sqlite, path: c.db, warehouse: "abfss://lkae@acct.dfs.core.windows.net/warehouse"}
storage: {azure: {endpoint: "%s/%s", account_key: a2V5}}
admin: {listen: "off"}
tables:
  - name: db.t
    topics: [t]
    value: {format: raw}
`, fake.URL, storetest.AzureAccount), 0o600))
	r := command(t, "run", "-c", "c.yaml", "--until-latest")
	require.Equal(t, failure.ExitConfig, r.code, r.err)
	require.Contains(t, r.err, "[E_STORE_BUCKET] — create container lkae of acct.dfs.core.windows.net, or correct")
}

// And a bucket of Google's.
func TestMissingGCSBucketIsAMistakeInTheConfiguration(t *testing.T) {
	fake := storetest.NewGCS(t, "lake")
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("c.yaml", fmt.Appendf(nil, `
pipeline: p
sources: {main: {type: kafka, brokers: ["127.0.0.1:1"]}}
catalog: {type: sqlite, path: c.db, warehouse: "gs://lkae/warehouse"}
storage: {gcs: {endpoint: "%s", anonymous: true}}
admin: {listen: "off"}
tables:
  - name: db.t
    topics: [t]
    value: {format: raw}
`, fake.URL), 0o600))
	r := command(t, "run", "-c", "c.yaml", "--until-latest")
	require.Equal(t, failure.ExitConfig, r.code, r.err)
	require.Contains(t, r.err, "[E_STORE_BUCKET] — create bucket lkae, or correct")
}

// A warehouse that no store serves is refused at the start, by name.
func TestUnservedWarehouseIsAMistakeInTheConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, location := range []string{"oss://lake/warehouse", "hdfs://name/warehouse"} {
		require.NoError(t, os.WriteFile("c.yaml", fmt.Appendf(nil, `
pipeline: p
sources: {main: {type: kafka, brokers: ["127.0.0.1:1"]}}
catalog: {type: sqlite, path: c.db, warehouse: "%s"}
admin: {listen: "off"}
tables:
  - name: db.t
    topics: [t]
    value: {format: raw}
`, location), 0o600))
		r := command(t, "run", "-c", "c.yaml", "--until-latest")
		require.Equal(t, failure.ExitConfig, r.code, r.err)
		require.Contains(t, r.err, "E_STORE_SCHEME")
		require.Contains(t, r.err, location)
	}
}
