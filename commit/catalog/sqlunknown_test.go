package catalog

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// remote is a SQL catalog whose statements travel: an error says nothing about them. They go to a local file.
func remote(t *testing.T, hook func(do func() error) error) (*sqlCatalog, string) {
	t.Helper()
	dir := t.TempDir()
	opened, err := Open(t.Context(), Options{Type: SQLite, Path: filepath.Join(dir, "c.db"), Warehouse: dir})
	require.NoError(t, err)
	c := opened.(*sqlCatalog)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	c.dialect.settled = refusedByServer
	c.statement = func(name string, _ table.Identifier, do func() error) error {
		if name == "swap" {
			return hook(do)
		}
		return do()
	}
	require.NoError(t, c.CreateNamespace(t.Context(), table.Identifier{"db"}, nil))
	_, err = c.CreateTable(t.Context(), unknownTable(), iceberg.NewSchema(0, iceberg.NestedField{ID: 1, Name: "id", Type: iceberg.PrimitiveTypes.Int64}))
	require.NoError(t, err)
	return c, dir
}

func unknownTable() table.Identifier { return table.Identifier{"db", "t"} }

func touch(ctx context.Context, c *sqlCatalog, value string) error {
	_, _, err := c.CommitTable(ctx, unknownTable(), nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"k": value})})
	return err
}

// A commit whose statement may still be on its way has an unknown outcome and keeps its file: the statement may land
// when everybody has given it up, and loses against any commit that came in between.
func TestStatementOnItsWayKeepsItsFile(t *testing.T) {
	var late []func() error
	c, dir := remote(t, nil)
	c.statement = func(name string, _ table.Identifier, do func() error) error {
		if name == "swap" && len(late) == 0 {
			late = append(late, do)
			return io.ErrUnexpectedEOF
		}
		return do()
	}
	files := func() int {
		all, err := filepath.Glob(filepath.Join(dir, "db.db", "t", "metadata", "*.metadata.json"))
		require.NoError(t, err)
		return len(all)
	}
	before := files()
	err := touch(t.Context(), c, "late")
	require.Equal(t, failure.Unknown, failure.ClassOf(err), "%v", err)
	require.Equal(t, before+1, files(), "the statement may land and needs its file")
	require.NoError(t, late[0](), "it lands")
	tbl, err := c.LoadTable(t.Context(), unknownTable())
	require.NoError(t, err)
	require.Equal(t, "late", tbl.Properties()["k"])

	late = nil
	require.Error(t, touch(t.Context(), c, "too late"))
	require.NoError(t, touch(t.Context(), c, "in between"))
	require.NoError(t, late[0](), "it finds nothing to move")
	tbl, err = c.LoadTable(t.Context(), unknownTable())
	require.NoError(t, err)
	require.Equal(t, "in between", tbl.Properties()["k"])
}

// A lost answer to a statement that landed is no error at all.
func TestLostAnswerOfAStatementThatLanded(t *testing.T) {
	c, _ := remote(t, func(do func() error) error { return errors.Join(do(), io.ErrUnexpectedEOF) })
	require.NoError(t, touch(t.Context(), c, "landed"))
}

// What the server itself refuses is over, and its file goes.
func TestRefusedStatementTakesItsFileBack(t *testing.T) {
	refused := &pgconn.PgError{Severity: "FEHLER", SeverityUnlocalized: "ERROR", Code: "40001"}
	c, dir := remote(t, func(func() error) error { return refused })
	err := touch(t.Context(), c, "refused")
	require.ErrorIs(t, err, refused)
	require.NotEqual(t, failure.Unknown, failure.ClassOf(err))
	all, err := filepath.Glob(filepath.Join(dir, "db.db", "t", "metadata", "*.metadata.json"))
	require.NoError(t, err)
	require.Len(t, all, 1)
	// A server that shuts down says so as well, but may have committed before.
	require.False(t, refusedByServer(&pgconn.PgError{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "57P01"}))
}

func TestPostgresErrors(t *testing.T) {
	for code, want := range map[string]struct {
		class failure.Class
		code  string
	}{
		"28P01": {failure.Config, CodeAuth},
		"28000": {failure.Config, CodeAuth},
		"3D000": {failure.Config, CodeURI},
		"42501": {failure.Config, CodeForbidden},
		"42P01": {failure.Config, CodeRefused},
		"22001": {failure.Config, CodeRefused},
		"40001": {failure.Retry, CodeBusy},
		"53300": {failure.Retry, CodeBusy},
		"57014": {failure.Retry, CodeBusy},
		"25006": {failure.Retry, CodeUnreachable},
		"57P01": {failure.Retry, CodeUnreachable},
	} {
		err := classifyPostgres(&pgconn.PgError{Severity: "ERROR", Code: code, Message: "m"}, "doing")
		require.Equal(t, want.class, failure.ClassOf(err), code)
		require.Equal(t, want.code, failure.CodeOf(err), code)
		require.NotEmpty(t, failure.HintOf(err), code)
	}
	require.ErrorIs(t, classifyPostgres(table.ErrCommitFailed, ""), table.ErrCommitFailed)
}

func TestPostgresAddresses(t *testing.T) {
	open := func(uri string) error {
		_, err := Open(t.Context(), Options{Type: Postgres, URI: uri, Password: "s3cr3t", Warehouse: t.TempDir()})
		return err
	}
	for _, bad := range []string{"", "http://localhost/db", "host=localhost", "postgres://localhost/db?sslmode=sometimes", "postgres://u:s3cr3t@localhost:x/db"} {
		err := open(bad)
		require.Equal(t, failure.Config, failure.ClassOf(err), "%s: %v", bad, err)
		require.Equal(t, CodeURI, failure.CodeOf(err), "%s: %v", bad, err)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
	err := open("postgres://u@127.0.0.1:1/db?sslmode=disable&connect_timeout=2")
	require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	require.Equal(t, CodeUnreachable, failure.CodeOf(err), "%v", err)

	config, err := postgresConfig(&Options{URI: "postgres://u@db1,db2:5433/lake", Password: "s3cr3t"})
	require.NoError(t, err)
	require.Equal(t, "s3cr3t", config.Password)
	require.NotNil(t, config.ValidateConnect, "a standby is passed over")
	require.False(t, strings.Contains(config.ConnString(), "s3cr3t"))
}
