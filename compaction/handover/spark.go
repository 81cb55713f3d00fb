package handover

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"github.com/beltran/gohive"
)

// Spark is a Spark Thrift server.
type Spark struct {
	Host string
	Port int
	// Catalog is the name that Spark has for the catalog.
	Catalog string
	// User and Password; a server that listens as it does by default asks for neither.
	User, Password string
	// TLS encrypts the connection; nil does not.
	TLS *tls.Config

	// connect replaces the driver.
	connect func(s Spark) (session, error)
}

// session is a connection to Spark.
type session interface {
	Exec(ctx context.Context, statement string) error
	Close()
}

const (
	hintSpark = "is Spark's Thrift server running and reachable, and does it know the catalog and Iceberg's SQL extensions?"

	connectTimeout = 30 * time.Second
)

// Name implements Engine.
func (Spark) Name() string { return "spark" }

// Run calls rewrite_data_files. Cancelling the context cancels the operation.
func (s Spark) Run(ctx context.Context, r Request) error {
	return refused(s.exec(ctx, s.statement(r)), "Spark", hintSpark, "rewriting table "+r.name())
}

// Ping asks for what every user may see, so that address, login and the catalog's name are known to be right.
func (s Spark) Ping(ctx context.Context) error {
	return refused(s.exec(ctx, "SHOW NAMESPACES IN "+sparkSQL().name(s.Catalog)), "Spark", hintSpark, "asking for catalog "+s.Catalog)
}

// exec runs a statement to its end.
func (s Spark) exec(ctx context.Context, statement string) error {
	connect := s.connect
	if connect == nil {
		connect = hive
	}
	conn, err := connect(s)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Exec(ctx, statement)
}

func (s Spark) statement(r Request) string {
	d := sparkSQL()
	where := ""
	if condition := d.where(r); condition != "" {
		where = ", where => " + d.text(condition)
	}
	all := ""
	if r.All {
		all = ", 'rewrite-all', 'true'"
	}
	return fmt.Sprintf("CALL %s.system.rewrite_data_files(table => %s%s, options => map("+
		"'target-file-size-bytes', '%d', 'min-file-size-bytes', '%d', 'min-input-files', '%d', 'use-starting-sequence-number', 'true'%s))",
		d.name(s.Catalog), d.text(d.names(r.Table)), where, r.TargetBytes, min(r.SmallBytes, r.TargetBytes-1), max(r.MinFiles, 1), all)
}

// hive connects by HiveServer2's protocol, which Spark's Thrift server speaks.
func hive(s Spark) (session, error) {
	config := gohive.NewConnectConfiguration()
	config.Username, config.Password, config.TLSConfig = cmp.Or(s.User, "ingestd"), s.Password, s.TLS
	config.ConnectTimeout, config.SocketTimeout = connectTimeout, answerTimeout
	conn, err := gohive.Connect(s.Host, s.Port, "NONE", config)
	if err != nil {
		return nil, err
	}
	return hiveSession{conn}, nil
}

type hiveSession struct{ conn *gohive.Connection }

func (s hiveSession) Exec(ctx context.Context, statement string) error {
	cursor := s.conn.Cursor()
	defer cursor.Close()
	cursor.Exec(ctx, statement)
	return cursor.Err
}

func (s hiveSession) Close() { _ = s.conn.Close() } // nothing of the statement depends on it
