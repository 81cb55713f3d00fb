package catalog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/apache/iceberg-go"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/ingestd/ingestd/table/store"
)

// vended is what the answer to a load says about access to the table's files.
type vended struct {
	Config  iceberg.Properties `json:"config"`
	Storage []struct {
		Prefix string             `json:"prefix"`
		Config iceberg.Properties `json:"config"`
	} `json:"storage-credentials"`
}

// readVended finds it in an answer. Most answers have none, and an answer that carries a long history is not parsed a
// second time to learn that.
func readVended(body []byte) (*vended, error) {
	v := &vended{}
	if !bytes.Contains(body, []byte(`"storage-credentials"`)) && !bytes.Contains(body, []byte(`-expires-at`)) {
		return v, nil
	}
	if err := json.Unmarshal(body, v); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return v, nil
}

// ends says whether there is more than the library sees to: credentials with prefixes, or with an end.
func (v *vended) ends() bool { return len(v.Storage) > 0 || store.Expires(v.Config) }

func (v *vended) grants() []store.Grant {
	var list []store.Grant
	for _, s := range v.Storage {
		list = append(list, store.Grant{Prefix: s.Prefix, Properties: s.Config})
	}
	return list
}

// LoadTable implements catalog.Catalog. The library takes the credentials of the metadata file's prefix for all files
// of the table, and renews them only where the catalog has a request for just that; a table with credentials that end
// gets file access that asks for them again by loading the table.
func (c *restCatalog) LoadTable(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	tbl, v, err := c.load(ctx, ident)
	if err != nil {
		return tbl, err
	}
	if v.ends() {
		tbl = table.New(ident, tbl.Metadata(), tbl.MetadataLocation(), c.files(ident, tbl.Metadata(), tbl.MetadataLocation(), v), c)
	}
	if c.transport.nessie() {
		tbl, err = c.descended(ctx, tbl)
		return tbl, c.classify(err, named("loading table", ident))
	}
	return tbl, nil
}

func (c *restCatalog) load(ctx context.Context, ident table.Identifier) (*table.Table, *vended, error) {
	var answer capture
	tbl, err := c.look(context.WithValue(ctx, captureKey{}, &answer), ident)
	if err != nil {
		return nil, nil, err
	}
	v, err := readVended(answer.body)
	return tbl, v, c.classify(err, named("loading table", ident))
}

// files gives the access to a table's files with what was vended. Below that stand the table's properties and the
// configuration of catalog and client, in the order of the protocol.
func (c *restCatalog) files(ident table.Identifier, meta table.Metadata, location string, v *vended) table.FSysF {
	props := c.fileProperties(meta, v)
	if !v.ends() {
		return iceio.LoadFSFunc(props, location)
	}
	grants := store.NewGrants(props, v.grants(), func(ctx context.Context) (map[string]string, []store.Grant, error) {
		tbl, fresh, err := c.load(ctx, ident)
		if err != nil {
			return nil, nil, err
		}
		return c.fileProperties(tbl.Metadata(), fresh), fresh.grants(), nil
	}, c.opts.Now)
	return func(ctx context.Context) (iceio.IO, error) {
		return iceio.LoadFS(store.WithGrants(ctx, grants), props, location)
	}
}

func (c *restCatalog) fileProperties(meta table.Metadata, v *vended) iceberg.Properties {
	props := c.transport.properties(c.opts.properties())
	maps.Copy(props, meta.Properties())
	maps.Copy(props, v.Config)
	return props
}
