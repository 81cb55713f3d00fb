package catalog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
)

func openHive(t *testing.T, uri, dir string, change ...func(*catalog.Options)) catalog.Catalog {
	t.Helper()
	o := catalog.Options{Type: catalog.Hive, URI: uri, Warehouse: filepath.Join(dir, "warehouse")}
	for _, f := range change {
		f(&o)
	}
	cat, err := catalog.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cat.Close()) })
	return cat
}

// The suite on a server of one's own, which shares this machine's files: INGESTD_TEST_HIVE=thrift://host:9083.
func TestHiveMetastoreConforms(t *testing.T) {
	uri := os.Getenv("INGESTD_TEST_HIVE")
	if uri == "" {
		t.Skip("make integration asks a real Metastore")
	}
	dir := t.TempDir()
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog { return openHive(t, uri, dir) })
}
