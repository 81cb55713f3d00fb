package catalog_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
)

func openSQLite(t *testing.T, dir string) catalog.Catalog {
	t.Helper()
	cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.SQLite, Path: filepath.Join(dir, "catalog.db"), Warehouse: filepath.Join(dir, "warehouse")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cat.Close()) })
	return cat
}

func TestSQLiteConforms(t *testing.T) {
	dir := t.TempDir()
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog { return openSQLite(t, dir) })
}
