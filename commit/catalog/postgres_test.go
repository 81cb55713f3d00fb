package catalog_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
)

// The suite on a server of one's own: INGESTD_TEST_POSTGRES=postgres://user:password@host/database.
func TestPostgresConforms(t *testing.T) {
	uri := os.Getenv("INGESTD_TEST_POSTGRES")
	if uri == "" {
		t.Skip("make integration asks a real PostgreSQL")
	}
	dir, name := t.TempDir(), uuid.NewString()[:8]
	catalogtest.Run(t, func(t *testing.T) catalog.Catalog {
		cat, err := catalog.Open(t.Context(), catalog.Options{Type: catalog.Postgres, Name: name, URI: uri, Warehouse: filepath.Join(dir, "warehouse")})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, cat.Close()) })
		return cat
	})
}
