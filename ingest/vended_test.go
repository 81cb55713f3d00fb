package ingest

import (
	"context"
	"maps"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

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

// expiring hands out credentials with an end, as a REST catalog does, and renews them when it is asked to.
type expiring struct {
	catalog.Catalog
	props  iceberg.Properties
	grants *store.Grants
	// clock is in minutes; every request to the store takes two of them.
	clock atomic.Int64
	asked atomic.Int64
	late  atomic.Int64
}

const tokenMinutes = 10

func (v *expiring) now() time.Time {
	return time.UnixMilli(0).Add(time.Duration(v.clock.Load()) * time.Minute)
}

func (v *expiring) renew(context.Context) (map[string]string, []store.Grant, error) {
	v.asked.Add(1)
	end := v.now().Add(tokenMinutes * time.Minute)
	props := maps.Clone(v.props)
	props[iceio.S3SessionToken] = strconv.FormatInt(end.UnixMilli(), 10)
	props["s3.session-token-expires-at-ms"] = props[iceio.S3SessionToken]
	return props, nil, nil
}

// request refuses what comes with a token past its end.
func (v *expiring) request(r storetest.Request) storetest.Fault {
	token := r.Header.Get("X-Amz-Security-Token")
	if token == "catalog" {
		return storetest.None
	}
	end, err := strconv.ParseInt(token, 10, 64)
	if now := v.now(); err != nil || !now.Before(time.UnixMilli(end)) {
		v.late.Add(1)
		return storetest.Expired
	}
	v.clock.Add(2)
	return storetest.None
}

// LoadTable implements catalog.Catalog.
func (v *expiring) LoadTable(ctx context.Context, id icetable.Identifier) (*icetable.Table, error) {
	t, err := v.Catalog.LoadTable(ctx, id)
	if err != nil {
		return nil, err
	}
	return icetable.New(id, t.Metadata(), t.MetadataLocation(), func(ctx context.Context) (iceio.IO, error) {
		return iceio.LoadFS(store.WithGrants(ctx, v.grants), v.props, t.MetadataLocation())
	}, v), nil
}

// Data files and manifests go out with credentials that live, however often they end: nothing has to be refused first.
func TestVendedCredentialsAreRenewedBeforeUse(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	props := iceberg.Properties{
		"warehouse": "s3://lake/warehouse", iceio.S3EndpointURL: fake.URL, iceio.S3Region: "us-east-1",
		iceio.S3AccessKeyID: "k", iceio.S3SecretAccessKey: "s", iceio.S3SessionToken: "catalog",
	}
	v := &expiring{props: props}
	fake.OnRequest(v.request)
	w := s3World(t)
	first, _, err := v.renew(t.Context())
	require.NoError(t, err)
	v.grants = store.NewGrants(first, nil, v.renew, v.now)
	v.Catalog = w.openCatalogWith(props)
	w.catalog = v
	o := w.options(w.jsonTable("t", "t"))
	p, wait := w.start(o)
	rec := o.recorder()
	for i := range 6 {
		w.produce("t", 0, 5)
		rec.landed("t", int64(5*(i+1)))
		v.clock.Add(tokenMinutes + 1) // nothing for a while
	}
	p.Drain()
	require.NoError(t, wait())
	require.Zero(t, v.late.Load(), "requests with a token past its end")
	w.catalog = v.Catalog
	require.Equal(t, w.expected("t"), w.rows("t", "t"))
	require.Greater(t, v.asked.Load(), int64(5))
}

// s3World is a world whose tables may lie in an object store.
func s3World(t *testing.T) *world {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := &world{t: t, cluster: c, dir: t.TempDir(), produced: map[string]string{}, next: map[kafka.Partition]int64{}}
	w.stores, err = store.Open(store.Options{})
	require.NoError(t, err)
	t.Cleanup(w.stores.Register(t.Context()))
	return w
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
	w := s3World(t)
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
