package restserve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
)

// identifier is the specification's TableIdentifier.
type identifier struct {
	Namespace []string `json:"namespace"`
	Name      string   `json:"name"`
}

func (s *Server) listTables(w http.ResponseWriter, r *http.Request) {
	ns, err := namespaceOf(r)
	var tables []identifier
	if err == nil {
		tables, err = s.tablesIn(r.Context(), ns)
	}
	if err != nil {
		fail(w, err, ns)
		return
	}
	reply(w, map[string]any{"identifiers": tables})
}

func (s *Server) tablesIn(ctx context.Context, ns table.Identifier) ([]identifier, error) {
	out := []identifier{}
	for t, err := range s.cat.ListTables(ctx, ns) {
		if errors.Is(err, catalog.ErrNoSuchNamespace) {
			return out, s.mustExist(ctx, ns) // one that is only implied has no tables
		}
		if err != nil {
			return nil, err
		}
		out = append(out, identifier{Namespace: catalog.NamespaceFromIdent(t), Name: catalog.TableNameFromIdent(t)})
	}
	slices.SortFunc(out, func(a, b identifier) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// tableOf is the table a request names.
func tableOf(r *http.Request) (table.Identifier, error) {
	ns, err := namespaceOf(r)
	id := append(ns, r.PathValue("table"))
	if err != nil {
		return id, fmt.Errorf("%w: %w", catalog.ErrNoSuchTable, err)
	}
	return id, catalog.ValidateTableIdentifier(id)
}

func (s *Server) tableExists(w http.ResponseWriter, r *http.Request) {
	id, err := tableOf(r)
	var ok bool
	if err == nil {
		ok, err = s.cat.CheckTableExists(r.Context(), id)
	}
	if err == nil && !ok {
		err = catalog.ErrNoSuchTable
	}
	if err != nil {
		fail(w, err, id)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// loaded is the specification's LoadTableResult. Config stays empty: a client reads files with its own credentials.
type loaded struct {
	Location string          `json:"metadata-location"`
	Metadata json.RawMessage `json:"metadata"`
	Config   struct{}        `json:"config"`
}

func (s *Server) loadTable(w http.ResponseWriter, r *http.Request) {
	id, err := tableOf(r)
	var answer loaded
	if err == nil {
		answer, err = s.load(r.Context(), id, r.URL.Query().Get("snapshots") == "refs")
	}
	if err != nil {
		fail(w, err, id)
		return
	}
	reply(w, answer)
}

func (s *Server) load(ctx context.Context, id table.Identifier, onlyRefs bool) (loaded, error) {
	t, err := s.cat.LoadTable(ctx, id)
	if err != nil {
		return loaded{}, err
	}
	metadata, err := json.Marshal(t.Metadata())
	if err == nil && onlyRefs {
		metadata, err = keepRefs(metadata)
	}
	return loaded{Location: t.MetadataLocation(), Metadata: metadata}, err
}

// keepRefs drops the snapshots that no branch and no tag names; a client that needs history asks again for all.
func keepRefs(metadata []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	var known struct {
		Current   *int64            `json:"current-snapshot-id"`
		Snapshots []json.RawMessage `json:"snapshots"`
		Refs      map[string]struct {
			ID int64 `json:"snapshot-id"`
		} `json:"refs"`
	}
	if err := errors.Join(json.Unmarshal(metadata, &members), json.Unmarshal(metadata, &known)); err != nil {
		return nil, err
	}
	named := map[int64]bool{}
	if known.Current != nil {
		named[*known.Current] = true
	}
	for _, ref := range known.Refs {
		named[ref.ID] = true
	}
	kept := []json.RawMessage{}
	for _, raw := range known.Snapshots {
		var snapshot struct {
			ID int64 `json:"snapshot-id"`
		}
		if err := json.Unmarshal(raw, &snapshot); err != nil {
			return nil, err
		}
		if named[snapshot.ID] {
			kept = append(kept, raw)
		}
	}
	var err error
	if members["snapshots"], err = json.Marshal(kept); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}
