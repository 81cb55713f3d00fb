package catalog

import (
	"context"
	"encoding/json"
	"net/http"
	"path"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/google/uuid"
)

// Every commit begins with a look at the table, and mostly that shows what the answer to the last commit has shown. The
// library parses all of it again, which takes longer than everything else that a commit does. So an answer that names
// the metadata file we know is cut down, on its way to the library, to what is not in that file: configuration and
// credentials.

// askedKey is where a look at a table leaves what is known of it.
type askedKey struct{}

// asked is a look at a table.
type asked struct {
	known standing
	// same: the answer named the file that is known.
	same bool
}

// unique says that nobody ever gives the file's name to another one: there is a random id in it. Catalogs that only
// count give a table that was created again the names of the old one.
func unique(location string) bool {
	_, rest, _ := strings.Cut(path.Base(location), "-")
	id, _, _ := strings.Cut(rest, ".")
	_, err := uuid.Parse(id)
	return err == nil
}

// look loads a table, by what is known of it where the answer allows that.
func (c *restCatalog) look(ctx context.Context, ident table.Identifier) (*table.Table, error) {
	look := &asked{known: c.known.get(ident)}
	if look.known.meta != nil && unique(look.known.location) {
		ctx = context.WithValue(ctx, askedKey{}, look)
	}
	t, err := c.classified.LoadTable(ctx, ident)
	switch {
	case err != nil:
		return nil, err
	case look.same:
		return table.New(ident, look.known.meta, look.known.location, t.FS, c), nil
	}
	c.remember(ident, standing{t.MetadataLocation(), t.Metadata()})
	return table.New(ident, t.Metadata(), t.MetadataLocation(), t.FS, c), nil
}

// CommitTable implements catalog.Catalog.
func (c *restCatalog) CommitTable(ctx context.Context, ident table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	meta, location, err := c.classified.CommitTable(ctx, ident, reqs, updates)
	if err == nil {
		c.remember(ident, standing{location, meta})
	}
	return meta, location, err
}

// remember keeps what a table's metadata file holds. Nessie makes its answers up from more than that file.
func (c *restCatalog) remember(ident table.Identifier, s standing) {
	if !c.transport.nessie() {
		c.known.put(ident, s)
	}
}

// shorten cuts the answer to a look down if it shows what is known.
func (a *asked) shorten(res *http.Response, body []byte) (err error) {
	var answer struct {
		Location string          `json:"metadata-location"`
		Metadata json.RawMessage `json:"metadata"`
		Config   json.RawMessage `json:"config,omitempty"`
		Storage  json.RawMessage `json:"storage-credentials,omitempty"`
	}
	// An answer that is none is for the library to complain about.
	if json.Unmarshal(body, &answer) != nil || answer.Location != a.known.location || len(answer.Metadata) == 0 {
		return nil
	}
	if answer.Metadata, err = blank(a.known.meta); err == nil {
		body, err = json.Marshal(answer)
	}
	if err != nil {
		return err
	}
	replace(res, body)
	a.same = true
	return nil
}

// blank is metadata with the location and the properties of a table and nothing else: from them the library takes its
// configuration.
func blank(of table.Metadata) (json.RawMessage, error) {
	meta, err := table.NewMetadata(iceberg.NewSchema(0), iceberg.UnpartitionedSpec, table.UnsortedSortOrder, of.Location(), of.Properties())
	if err != nil {
		return nil, err
	}
	return json.Marshal(meta)
}
