package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcat "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/ingestd/ingestd/internal/failure"
)

// Connections to PostgreSQL. A statement takes milliseconds, so a few serve many tables.
const (
	poolSize        = 5
	idleConnections = 2
	idleConnection  = 5 * time.Minute
	statementTime   = 60 * time.Second
)

// postgresCatalog is the library's SQL catalog in PostgreSQL, in the tables of Iceberg's JdbcCatalog.
type postgresCatalog struct{ *sqlCatalog }

func openPostgres(ctx context.Context, o Options) (Catalog, error) {
	if o.Warehouse == "" {
		return nil, failure.New(failure.Config, CodeWarehouse, "set catalog.warehouse to a directory or URI", "a postgres catalog needs a warehouse for its tables")
	}
	config, err := postgresConfig(&o)
	if err != nil {
		return nil, err
	}
	warehouse, err := warehouseURI(o.Warehouse)
	if err != nil {
		return nil, err
	}
	props := o.properties()
	props["warehouse"] = warehouse
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(idleConnections)
	db.SetConnMaxIdleTime(idleConnection)
	cat, err := openTables(ctx, db, &o, props)
	if err != nil {
		return nil, errors.Join(classifyPostgresOpen(err, "opening catalog "+redact(o.URI)), db.Close())
	}
	return &postgresCatalog{newSQL(&o, classified{cat, classifyPostgres}, db, props, dialect{mark: "$", patience: statementTime, settled: refusedByServer})}, nil
}

// postgresConfig reads the address. What it leaves out comes from where PostgreSQL's own programs look.
func postgresConfig(o *Options) (*pgx.ConnConfig, error) {
	u, err := url.Parse(o.URI)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" {
		return nil, failure.New(failure.Config, CodeURI, "set catalog.uri to postgres://user@host:5432/database", "catalog address %q is none of a PostgreSQL", redact(o.URI))
	}
	q := u.Query()
	if o.TLS != nil {
		q.Set("sslmode", "verify-full")
	}
	if q.Get("default_query_exec_mode") == "" {
		// Prepared statements that are kept would not survive a pooler between us and the server.
		q.Set("default_query_exec_mode", "exec")
	}
	u.RawQuery = q.Encode()
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, CodeURI, "check catalog.uri", "opening catalog %s", redact(o.URI))
	}
	if o.TLS != nil {
		config.TLSConfig = o.TLS.Clone()
		if config.TLSConfig.ServerName == "" {
			config.TLSConfig.ServerName = config.Host
		}
		for _, f := range config.Fallbacks {
			f.TLSConfig = o.TLS.Clone()
			if f.TLSConfig.ServerName == "" {
				f.TLSConfig.ServerName = f.Host
			}
		}
	}
	if o.Password != "" {
		config.Password = o.Password
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = dialTimeout
	}
	if config.ValidateConnect == nil {
		// A standby shows the past and refuses commits.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "ingestd"
	}
	return config, nil
}

// openTables looks whether the database will keep what it acknowledges, and makes the catalog's tables if they are
// not there: who may only use them need not be allowed to create any.
func openTables(ctx context.Context, db *sql.DB, o *Options, props iceberg.Properties) (*sqlcat.Catalog, error) {
	var durable string
	var there bool
	err := db.QueryRowContext(ctx, `SELECT current_setting('synchronous_commit'), to_regclass('iceberg_tables') IS NOT NULL AND to_regclass('iceberg_namespace_properties') IS NOT NULL`).Scan(&durable, &there)
	if err != nil {
		return nil, err
	}
	if durable == "off" {
		return nil, failure.New(failure.Config, CodeRefused, "ALTER ROLE ... SET synchronous_commit = on, for the role in catalog.uri",
			"the database acknowledges commits before they are on disk (synchronous_commit = off): a crash would take them back")
	}
	with := maps.Clone(props)
	if there {
		with["init_catalog_tables"] = "false"
	}
	cat, err := sqlcat.NewCatalog(o.Name, db, sqlcat.Postgres, with)
	if code := sqlState(err); code == "23505" || code == "42P07" {
		// Somebody else made them in the same moment, which IF NOT EXISTS does not forgive.
		cat, err = sqlcat.NewCatalog(o.Name, db, sqlcat.Postgres, with)
	}
	return cat, err
}

// StageTable implements commit.StagedCreator, so that a table comes to life by one insert. The library's own way to
// create one removes the metadata file when the answer to that insert is lost, though the table may have landed.
func (c *postgresCatalog) StageTable(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	return c.stage(ctx, ident, sc, opts...)
}

// CommitTable implements catalog.Catalog.
func (c *postgresCatalog) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	meta, location, err := c.sqlCatalog.CommitTable(ctx, ident, reqs, updates)
	if sqlState(err) == "23505" {
		err = fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
	}
	return meta, location, err
}

// sqlState is the server's code for an error, "" when it is not the server's.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// refusedByServer says that the server has ended the statement by an error and goes on: it has had no effect. A
// connection that ends, by the server's word as well, leaves that open.
func refusedByServer(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.SeverityUnlocalized == "ERROR" || pg.SeverityUnlocalized == "" && pg.Severity == "ERROR")
}

// classifyPostgres says how to react to an error of the PostgreSQL catalog.
func classifyPostgres(err error, doing string) error {
	if err == nil || passed(err) {
		return err
	}
	if f := classifyTLS(err, doing); f != nil {
		return f
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return classifyState(err, pg.Code, doing)
	}
	var connect *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.Timeout(err) {
		return failure.Wrap(err, failure.Retry, CodeUnreachable, "check catalog.uri and whether the database runs", "%s", doing)
	}
	return notOurs(err, doing)
}

// classifyPostgresOpen says what is wrong with a database that could not be opened.
func classifyPostgresOpen(err error, doing string) error {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return failure.Wrap(err, failure.Config, CodeURI, "check the host in catalog.uri", "%s", doing)
	case strings.Contains(err.Error(), "refused TLS connection"):
		return failure.Wrap(err, failure.Config, CodeTLS, "switch TLS on in the server, or take catalog.tls and sslmode out", "%s", doing)
	}
	return classifyPostgres(err, doing)
}

// classifyState does so by the server's code; its first two characters are a class.
func classifyState(err error, code, doing string) error {
	switch {
	case code == "42501":
		return failure.Wrap(err, failure.Config, CodeForbidden, "GRANT SELECT, INSERT, UPDATE, DELETE on iceberg_tables and iceberg_namespace_properties", "%s", doing)
	case code == "3D000":
		return failure.Wrap(err, failure.Config, CodeURI, "create the database, or check its name in catalog.uri", "%s", doing)
	case strings.HasPrefix(code, "28"):
		return failure.Wrap(err, failure.Config, CodeAuth, "check the user in catalog.uri and catalog.password", "%s", doing)
	case strings.HasPrefix(code, "22"), strings.HasPrefix(code, "42"):
		return failure.Wrap(err, failure.Config, CodeRefused, "the catalog's tables must be those of Iceberg's JdbcCatalog", "%s", doing)
	case strings.HasPrefix(code, "40"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "55"), code == "57014":
		return failure.Wrap(err, failure.Retry, CodeBusy, "see what the database waits for (pg_stat_activity)", "%s", doing)
	case code == "25006":
		return failure.Wrap(err, failure.Retry, CodeUnreachable, "catalog.uri must lead to the primary server, not to a standby", "%s", doing)
	}
	return failure.Wrap(err, failure.Retry, CodeUnreachable, "see the database's log", "%s", doing)
}
