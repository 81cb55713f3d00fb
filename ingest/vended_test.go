package ingest

import (
	"context"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ingestd/ingestd/ingest/kafka"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

// vending hands out the valid token with every load, as a REST catalog does in a table's configuration.
type vending struct {
	catalog.Catalog
	props iceberg.Properties
	valid *atomic.Value
}

// LoadTable implements catalog.Catalog.
func (v *vending) LoadTable(ctx context.Context, id icetable.Identifier) (*icetable.Table, error) {
	t, err := v.Catalog.LoadTable(ctx, id)
	if err != nil {
		return nil, err
	}
	props := maps.Clone(v.props)
	props[iceio.S3SessionToken] = v.valid.Load().(string)
	return icetable.New(id, t.Metadata(), t.MetadataLocation(), iceio.LoadFSFunc(props, t.MetadataLocation()), v), nil
}

// Credentials that ran out while a table was idle are renewed by the next file that is refused.
func TestVendedCredentialsAreRenewed(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	var valid atomic.Value
	valid.Store("first")
	fake.OnRequest(func(r storetest.Request) storetest.Fault {
		if token := r.Header.Get("X-Amz-Security-Token"); token != valid.Load() && token != "catalog" {
			return storetest.Expired
		}
		return storetest.None
	})
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := &world{t: t, cluster: c, dir: t.TempDir(), produced: map[string]string{}, next: map[kafka.Partition]int64{}}
	w.stores, err = store.Open(store.Options{})
	require.NoError(t, err)
	t.Cleanup(w.stores.Register(t.Context()))
	props := iceberg.Properties{
		"warehouse": "s3://lake/warehouse", iceio.S3EndpointURL: fake.URL, iceio.S3Region: "us-east-1",
		iceio.S3AccessKeyID: "k", iceio.S3SecretAccessKey: "s", iceio.S3SessionToken: "catalog",
	}
	w.catalog = &vending{w.openCatalogWith(props), props, &valid}
	o := w.options(w.jsonTable("t", "t"))
	p, wait := w.start(o)
	w.produce("t", 0, 5)
	rec := o.recorder()
	rec.landed("t", 5)
	valid.Store("second")
	w.produce("t", 0, 5)
	rec.landed("t", 10)
	p.Drain()
	require.NoError(t, wait())
	require.Equal(t, w.expected("t"), w.rows("t", "t"))
}
