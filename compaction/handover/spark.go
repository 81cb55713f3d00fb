package handover

import (
	"context"
	"fmt"

	"github.com/beltran/gohive"
)

// Spark is a Spark Thrift server.
type Spark struct {
	Host string
	Port int
	// Catalog is the name that Spark has for the catalog.
	Catalog string
	// User and Password; without a password the server is asked in the clear, as it listens by default.
	User, Password string
}

const hintSpark = "is Spark's Thrift server running and reachable, and does it know the catalog and Iceberg's SQL extensions?"

// Run calls rewrite_data_files. Cancelling the context cancels the operation.
func (s Spark) Run(ctx context.Context, r Request) error {
	config := gohive.NewConnectConfiguration()
	config.Username, config.Password = s.User, s.Password
	conn, err := gohive.Connect(s.Host, s.Port, "NONE", config)
	if err != nil {
		return refused(err, "Spark", hintSpark, r)
	}
	defer conn.Close()
	cursor := conn.Cursor()
	defer cursor.Close()
	cursor.Exec(ctx, s.statement(r))
	if cursor.Err != nil {
		return refused(cursor.Err, "Spark", hintSpark, r)
	}
	return nil
}

func (s Spark) statement(r Request) string {
	d := sparkSQL()
	where := ""
	if condition := d.where(r); condition != "" {
		where = ", where => " + d.text(condition)
	}
	return fmt.Sprintf("CALL %s.system.rewrite_data_files(table => %s%s, options => map("+
		"'target-file-size-bytes', '%d', 'min-file-size-bytes', '%d', 'min-input-files', '%d', 'use-starting-sequence-number', 'true'))",
		d.name(s.Catalog), d.text(d.names(r.Table)), where, r.TargetBytes, min(r.SmallBytes, r.TargetBytes-1), max(r.MinFiles, 1))
}
