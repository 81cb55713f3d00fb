//go:build integration

package integration

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/commit/catalog/catalogtest"
	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/store"
)

var update = flag.Bool("update", false, "keep what the catalogs answer, for docs/CATALOGS.md")

// storeOptions lead to the stack's object store.
func storeOptions() store.Options {
	pathStyle := true
	return store.Options{S3: store.S3Options{
		Endpoint: "http://" + env.stack.ObjectStore(), Region: env.stack.Value("S3_REGION"), PathStyle: &pathStyle,
		AccessKeyID: env.stack.Value("S3_ACCESS_KEY"), SecretAccessKey: env.stack.Value("S3_SECRET_KEY"),
	}}
}

// conforms asks a catalog of the stack everything; metadata goes to the stack's object store.
func conforms(t *testing.T, server string, o catalog.Options) {
	t.Helper()
	registerStore(t)
	report := catalogtest.Run(t, func(t *testing.T) catalog.Catalog {
		cat, err := catalog.Open(t.Context(), o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, cat.Close()) })
		return cat
	})
	report.Type, report.Server = string(o.Type), server
	if *update && !t.Failed() {
		catalogtest.Keep(t, filepath.Join(env.root, "commit", "catalog", "catalogtest", "testdata", "results.json"), report)
	}
}

// registerStore lets the test itself read what is in the S3 server.
func registerStore(t *testing.T) {
	t.Helper()
	stores, err := store.Open(storeOptions())
	require.NoError(t, err)
	t.Cleanup(stores.Register(t.Context()))
}

func lakeWarehouse() string { return "s3://" + env.stack.Value("S3_BUCKET") + "/conformance" }

// The reference implementation of a REST catalog passes the suite that the in-process one passes.
func TestCatalogConforms(t *testing.T) {
	conforms(t, "Iceberg's REST fixture "+env.stack.Value("ICEBERG_VERSION"), catalog.Options{Type: catalog.REST, URI: env.stack.Catalog()})
}

func TestSQLiteConforms(t *testing.T) {
	conforms(t, "SQLite", catalog.Options{Type: catalog.SQLite, Path: filepath.Join(t.TempDir(), "catalog.db"), Warehouse: lakeWarehouse()})
}

// database makes an empty one in the stack's PostgreSQL, with some statements.
func database(t *testing.T, name string, statements ...string) catalog.Options {
	t.Helper()
	at := "postgres://" + env.stack.Value("POSTGRES_USER") + "@" + env.stack.Postgres() + "/"
	in := func(db, statement string) {
		conn, err := sql.Open("pgx", at+db+"?password="+env.stack.Value("POSTGRES_PASSWORD"))
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	in("postgres", "CREATE DATABASE "+name)
	for _, s := range statements {
		in(name, s)
	}
	return catalog.Options{Type: catalog.Postgres, Name: "lake", URI: at + name, Password: env.stack.Value("POSTGRES_PASSWORD"), Warehouse: lakeWarehouse()}
}

func TestPostgresConforms(t *testing.T) {
	conforms(t, "PostgreSQL "+env.stack.Value("POSTGRES_VERSION"), database(t, "conformance"))
}

// The tables as Iceberg's JdbcCatalog makes them, in its first layout: a database that Java has used already, by a
// role that may make no tables.
func TestPostgresWithTablesOfJava(t *testing.T) {
	o := database(t, "jdbc",
		`CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
			metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), PRIMARY KEY (catalog_name, table_namespace, table_name))`,
		`CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255),
			property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))`,
		`CREATE ROLE writer LOGIN PASSWORD '`+env.stack.Value("POSTGRES_PASSWORD")+`'`,
		`GRANT SELECT, INSERT, UPDATE, DELETE ON iceberg_tables, iceberg_namespace_properties TO writer`)
	o.URI = "postgres://writer@" + env.stack.Postgres() + "/jdbc"
	cat, err := catalog.Open(t.Context(), o)
	require.NoError(t, err)
	require.NoError(t, cat.Close())
	conforms(t, "PostgreSQL "+env.stack.Value("POSTGRES_VERSION"), o)
}

// Over TLS, to a server whose certificate is looked at; a server with another one is refused.
func TestPostgresOverTLS(t *testing.T) {
	o := database(t, "encrypted", `CREATE VIEW connections AS SELECT count(*) AS plain FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'ingestd' AND datname = 'encrypted' AND NOT ssl`)
	pem, err := os.ReadFile(env.stack.PostgresAuthority())
	require.NoError(t, err)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(pem))
	o.TLS = &tls.Config{RootCAs: roots}
	conforms(t, "PostgreSQL "+env.stack.Value("POSTGRES_VERSION"), o)
	cat, err := catalog.Open(t.Context(), o)
	require.NoError(t, err)
	defer cat.Close()
	conn, err := sql.Open("pgx", o.URI+"?password="+o.Password)
	require.NoError(t, err)
	defer conn.Close()
	var plain int
	require.NoError(t, conn.QueryRowContext(t.Context(), "SELECT plain FROM connections").Scan(&plain))
	require.Zero(t, plain)

	for name, config := range map[string]*tls.Config{"another authority": {RootCAs: x509.NewCertPool()}, "another name": {RootCAs: roots, ServerName: "db.example.com"}} {
		o.TLS = config
		_, err := catalog.Open(t.Context(), o)
		require.Equal(t, catalog.CodeTLS, failure.CodeOf(err), "%s: %v", name, err)
		require.Equal(t, failure.Config, failure.ClassOf(err), name)
	}
	o.TLS = nil
	for mode, good := range map[string]bool{"verify-full&sslrootcert=" + env.stack.PostgresAuthority(): true, "verify-full": false, "require": true} {
		p := o
		p.URI += "?sslmode=" + mode
		cat, err := catalog.Open(t.Context(), p)
		if !good {
			require.Equal(t, catalog.CodeTLS, failure.CodeOf(err), "%s: %v", mode, err)
			continue
		}
		require.NoError(t, err, mode)
		require.NoError(t, cat.Close())
	}
}

// A server that may forget what it has acknowledged is refused by name.
func TestPostgresThatForgetsIsRefused(t *testing.T) {
	o := database(t, "forgetful", "ALTER DATABASE forgetful SET synchronous_commit = off")
	_, err := catalog.Open(context.WithoutCancel(t.Context()), o)
	require.ErrorContains(t, err, "synchronous_commit")
}

// The daemon on PostgreSQL, and PyIceberg on the same two tables.
func TestPostgres(t *testing.T) {
	const n = 200_000
	database(t, "lake")
	topic := unique(t, "postgres")
	table := "it." + topic
	config := writeConfig(t, settings{Pipeline: topic, Postgres: "lake", Tables: []tableSettings{{Name: table, Topic: topic}}})
	for _, upTo := range []int{n / 2, n} {
		produce(t, produceDeadline, "-n", strconv.Itoa(upTo), "-skip", strconv.Itoa(upTo-n/2), "-avro", topic)
		untilLatest(t, config)
	}
	assertVerified(t, config, table)
	assertContents(t, table, firstEvents(t, n), []reading{{"light", "read_pyiceberg.py", []string{
		"--sql", "postgresql+psycopg2://" + env.stack.Value("POSTGRES_USER") + ":" + env.stack.Value("POSTGRES_PASSWORD") + "@" + env.stack.Postgres() + "/lake",
		"--catalog-name", topic, "--s3", env.stack.ObjectStore(),
	}}})
}
