package handover

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/trinodb/trino-go-client/trino"
)

// Trino is a Trino cluster.
type Trino struct {
	// URI is its address, with the user: https://ingestd@trino:8443. A password needs https.
	URI string
	// Catalog is the name that Trino has for the catalog.
	Catalog string
	// Token is a JWT, "" where Trino asks for none.
	Token string
}

const hintTrino = "is Trino running and reachable, does it know the catalog, and may the user optimize the table?"

// Run optimizes the table. Cancelling the context cancels the query.
func (t Trino) Run(ctx context.Context, r Request) error {
	config := trino.Config{
		ServerURI: t.URI, Source: "ingestd", Catalog: t.Catalog, AccessToken: t.Token,
		SessionProperties: map[string]string{t.Catalog + ".target_max_file_size": fmt.Sprintf("%dB", r.TargetBytes)},
	}
	dsn, err := config.FormatDSN()
	if err != nil {
		return refused(err, "Trino", hintTrino, r)
	}
	db, err := sql.Open("trino", dsn)
	if err != nil {
		return refused(err, "Trino", hintTrino, r)
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, t.statement(r)); err != nil {
		return refused(err, "Trino", hintTrino, r)
	}
	return nil
}

func (t Trino) statement(r Request) string {
	d := trinoSQL()
	s := fmt.Sprintf("ALTER TABLE %s EXECUTE optimize(file_size_threshold => '%dB')", d.names(append([]string{t.Catalog}, r.Table...)), r.SmallBytes)
	if where := d.where(r); where != "" {
		s += " WHERE " + where
	}
	return s
}
