//go:build integration

package integration

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
	"github.com/ingestd/ingestd/table/store"
)

// The reference implementation of a REST catalog passes the suite that the in-process one passes.
func TestCatalogConforms(t *testing.T) {
	conforms(t, env.stack.Catalog(), "")
}

// conforms asks a catalog of the stack everything; manifests go to the stack's object store.
func conforms(t *testing.T, uri, warehouse string) {
	t.Helper()
	pathStyle := true
	stores, err := store.Open(store.Options{S3: store.S3Options{
		Endpoint: "http://" + env.stack.ObjectStore(), Region: env.stack.Value("S3_REGION"), PathStyle: &pathStyle,
		AccessKeyID: env.stack.Value("S3_ACCESS_KEY"), SecretAccessKey: env.stack.Value("S3_SECRET_KEY"),
	}})
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog {
		cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.REST, URI: uri, Warehouse: warehouse})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, cat.Close()) })
		return cat
	})
}
