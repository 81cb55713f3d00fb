package ingest

import (
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store/storetest"
)

// choosing is a catalog that lays tables where it likes.
type choosing struct{ catalog.Catalog }

func (choosing) String() string { return "catalog at http://catalog:8181" }

// A catalog lays a new table into a bucket that does not exist: the run ends as with any mistake in the configuration,
// and says which bucket, who has chosen it, and what to do when it is there.
func TestCatalogChoosesABucketThatIsMissing(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	w := s3World(t)
	w.catalog = choosing{w.openCatalogWith(iceberg.Properties{
		"warehouse": "s3://lkae/warehouse", iceio.S3EndpointURL: fake.URL, iceio.S3Region: "us-east-1",
		iceio.S3AccessKeyID: "k", iceio.S3SecretAccessKey: "s",
	})}
	w.produce("t", 0, 5)
	err := w.catchUp(w.options(w.jsonTable("t", "t")))
	require.Equal(t, failure.Config, failure.ClassOf(err), "%v", err)
	require.Equal(t, failure.ExitConfig, failure.ExitCode(err))
	require.Equal(t, "E_STORE_BUCKET", failure.CodeOf(err))
	require.Regexp(t, `^table db\.t has stopped: writing to where the catalog at http://catalog:8181 puts the table: creating table db\.t: .*s3://lkae/warehouse/db\.db/t/metadata/.*NoSuchBucket`, err.Error())
	require.Equal(t, "create bucket lkae, or correct the warehouse or table location in the catalog at http://catalog:8181; then ingestd tables resume db.t", failure.HintOf(err))
}

// A bucket that goes missing under a table that was written stops the table: that is no mistake of the start.
func TestBucketGoesMissingUnderATable(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	w := s3World(t)
	w.catalog = choosing{w.openCatalogWith(iceberg.Properties{
		"warehouse": "s3://lake/warehouse", iceio.S3EndpointURL: fake.URL, iceio.S3Region: "us-east-1",
		iceio.S3AccessKeyID: "k", iceio.S3SecretAccessKey: "s",
	})}
	o := w.options(w.jsonTable("t", "t"))
	p, wait := w.start(o)
	rec := o.recorder()
	w.produce("t", 0, 5)
	rec.landed("t", 5)
	fake.RemoveBucket("lake")
	w.produce("t", 0, 5)
	rec.failed("t", "E_STORE_BUCKET")
	p.Drain()
	err := wait()
	require.Equal(t, failure.Halt, failure.ClassOf(err))
	require.Equal(t, failure.ExitFailed, failure.ExitCode(err))
	require.Contains(t, failure.HintOf(err), "create bucket lake")
}
