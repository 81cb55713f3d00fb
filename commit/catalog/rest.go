package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/internal/failure"
)

// restCatalog is the library's REST client over a transport of our own.
type restCatalog struct {
	classified
	transport *transport
	opts      Options
	known     known
	// parents are needed for Nessie only.
	parents parents
}

func openREST(ctx context.Context, o Options) (Catalog, error) {
	u, err := url.Parse(o.URI)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, failure.New(failure.Config, CodeURI, "set catalog.uri to http(s)://host/path, without /v1", "catalog address %q is none", redact(o.URI))
	}
	t := newTransport(o)
	options, err := restOptions(&o)
	if err != nil {
		return nil, err
	}
	cat, err := rest.NewCatalog(ctx, o.Name, o.URI, append(options, rest.WithCustomTransport(t))...)
	if err != nil {
		t.close()
		return nil, classifyOpen(err, &o)
	}
	return &restCatalog{classified: classified{cat, classifyREST}, transport: t, opts: o}, nil
}

// redact drops what must not stand in a message.
func redact(uri string) string {
	if u, err := url.Parse(uri); err == nil {
		return u.Redacted()
	}
	return "?"
}

func restOptions(o *Options) ([]rest.Option, error) {
	props := o.properties()
	// All snapshots: with the branch heads only, a lineage could not be walked.
	props["snapshot-loading-mode"] = string(rest.SnapshotModeAll)
	opts := []rest.Option{rest.WithAdditionalProps(props), rest.WithHeaders(o.Headers)}
	if o.Warehouse != "" {
		opts = append(opts, rest.WithWarehouseLocation(o.Warehouse))
	}
	if o.Token != "" {
		opts = append(opts, rest.WithOAuthToken(o.Token))
	}
	if o.Credential != "" {
		opts = append(opts, rest.WithCredential(o.Credential))
	}
	if o.Scope != "" {
		opts = append(opts, rest.WithScope(o.Scope))
	}
	if o.OAuth2ServerURI != "" {
		u, err := url.Parse(o.OAuth2ServerURI)
		if err != nil || u.Host == "" {
			return nil, failure.New(failure.Config, CodeURI, "set catalog.oauth2_server_uri to http(s)://host/path", "address of the token endpoint is none")
		}
		opts = append(opts, rest.WithAuthURI(u))
	}
	if o.SigV4 != nil {
		opts = append(opts, rest.WithSigV4RegionSvc(o.SigV4.Region, o.SigV4.Service))
	}
	return opts, nil
}

// Capabilities implements commit.Capable. A REST catalog is taken to keep the protocol, except Nessie, which is known
// to accept the assertion that a branch does not exist on a branch that exists, and to have branches and tags for the
// whole catalog instead of a table's. It tells its name when asked for its configuration.
func (c *restCatalog) Capabilities() commit.Capabilities {
	nessie := c.transport.nessie()
	return commit.Capabilities{NullPin: !nessie, Refs: !nessie, HeadsOnly: nessie, RemovesMetadata: true}
}

// String names the catalog to people.
func (c *restCatalog) String() string { return "catalog at " + redact(c.opts.URI) }

// Close implements Catalog.
func (c *restCatalog) Close() error {
	defer c.transport.close()
	if cat, ok := c.Catalog.(*rest.Catalog); ok {
		return cat.Close()
	}
	return nil
}

// StageTable implements commit.StagedCreator. The library stages and commits in one call and takes the updates of
// the commit before the server has said where the table lies. So that call is stopped after its first half: one of
// its updates refuses to be written as JSON, before anything is sent, and the transport keeps the answer to the
// first half.
func (c *restCatalog) StageTable(ctx context.Context, ident table.Identifier, sc *iceberg.Schema, opts ...catalog.CreateTableOpt) (*table.Table, error) {
	var answer capture
	ctx = context.WithValue(ctx, captureKey{}, &answer)
	_, err := c.Catalog.CreateTable(ctx, ident, sc, append(opts, catalog.WithStagedUpdates(stopUpdate{}))...)
	if !errors.Is(err, errStaged) {
		if err == nil {
			err = errors.New("the library committed a staged table by itself")
		}
		return nil, c.classify(err, named("preparing table", ident))
	}
	var staged struct {
		vended
		Location string          `json:"metadata-location"`
		Metadata json.RawMessage `json:"metadata"`
	}
	if err := json.Unmarshal(answer.body, &staged); err != nil {
		return nil, c.classify(fmt.Errorf("reading the answer: %w", err), named("preparing table", ident))
	}
	meta, err := table.ParseMetadataBytes(staged.Metadata)
	if err != nil {
		return nil, c.classify(fmt.Errorf("reading the answer: %w", err), named("preparing table", ident))
	}
	return table.New(ident, meta, staged.Location, c.files(ident, meta, meta.Location(), &staged.vended), c), nil
}

// errStaged stops the library between staging a table and committing it.
var errStaged = errors.New("staged, not committed")

// stopUpdate cannot be written.
type stopUpdate struct{}

func (stopUpdate) Action() string                                               { return "stop" }
func (stopUpdate) Apply(*table.MetadataBuilder) error                           { return errStaged }
func (stopUpdate) PostCommit(context.Context, *table.Table, *table.Table) error { return nil }

// MarshalJSON is where the library stops.
func (stopUpdate) MarshalJSON() ([]byte, error) { return nil, errStaged }
