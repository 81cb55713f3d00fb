package handover

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/trinodb/trino-go-client/trino"
)

// Trino is a Trino cluster.
type Trino struct {
	// URI is its address: https://trino:8443.
	URI string
	// User is who asks. Password and Token, a JWT, are "" where Trino asks for none; a password needs https.
	User, Password, Token string
	// Catalog is the name that Trino has for the catalog.
	Catalog string
	// TLS is used for https; nil trusts what the machine trusts.
	TLS *tls.Config
}

const (
	hintTrino = "is Trino running and reachable, does it know the catalog, and may the user optimize the table?"
	// answerTimeout bounds the wait for an answer. A statement takes longer: it is asked for again and again.
	answerTimeout = 5 * time.Minute
)

// Name implements Engine.
func (Trino) Name() string { return "trino" }

// Run optimizes the table. Cancelling the context cancels the query.
func (t Trino) Run(ctx context.Context, r Request) error {
	config, err := t.config()
	if err == nil {
		config.SessionProperties = map[string]string{t.Catalog + ".target_max_file_size": fmt.Sprintf("%dB", r.TargetBytes)}
		err = exec(ctx, config, t.statement(r))
	}
	return refused(err, "Trino", hintTrino, "rewriting table "+r.name())
}

// Ping asks for what every user may see, so that address, login and the catalog's name are known to be right.
func (t Trino) Ping(ctx context.Context) error {
	config, err := t.config()
	if err == nil {
		once := 1 // who asks waits for the answer
		config.RequestRetryMaxAttempts = &once
		err = exec(ctx, config, "SHOW SCHEMAS FROM "+trinoSQL().name(t.Catalog))
	}
	return refused(err, "Trino", hintTrino, "asking for catalog "+t.Catalog)
}

// exec runs a statement to its end.
func exec(ctx context.Context, config *trino.Config, statement string) error {
	connector, err := trino.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer config.HTTPClient.CloseIdleConnections()
	defer db.Close()
	_, err = db.ExecContext(ctx, statement)
	return err
}

func (t Trino) config() (*trino.Config, error) {
	address, err := url.Parse(t.URI)
	if err != nil {
		return nil, err
	}
	address.User = url.User(cmp.Or(t.User, "ingestd"))
	if t.Password != "" {
		address.User = url.UserPassword(address.User.Username(), t.Password)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig, transport.ResponseHeaderTimeout = t.TLS, answerTimeout
	return &trino.Config{
		ServerURI: address.String(), Source: "ingestd", Catalog: t.Catalog, AccessToken: t.Token,
		HTTPClient: &http.Client{Transport: transport},
	}, nil
}

func (t Trino) statement(r Request) string {
	d := trinoSQL()
	s := fmt.Sprintf("ALTER TABLE %s EXECUTE optimize(file_size_threshold => '%dB')", d.names(append([]string{t.Catalog}, r.Table...)), r.SmallBytes)
	if where := d.where(r); where != "" {
		s += " WHERE " + where
	}
	return s
}
