package restserve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"
)

// separator stands between the levels of a namespace, in paths and in the parameter "parent".
const separator = "\x1f"

// levels splits a namespace as a client sends it, already unescaped.
func levels(s string) (table.Identifier, error) {
	ns := strings.Split(s, separator)
	if slices.Contains(ns, "") {
		return ns, fmt.Errorf("%w: a level is empty", catalog.ErrNoSuchNamespace)
	}
	return ns, nil
}

func namespaceOf(r *http.Request) (table.Identifier, error) { return levels(r.PathValue("namespace")) }

func (s *Server) listNamespaces(w http.ResponseWriter, r *http.Request) {
	var parent table.Identifier
	var err error
	if p := r.URL.Query().Get("parent"); p != "" {
		parent, err = levels(p)
	}
	var children []table.Identifier
	if err == nil {
		children, err = s.children(r.Context(), parent)
	}
	if err != nil {
		fail(w, err, parent)
		return
	}
	reply(w, map[string]any{"namespaces": children})
}

// children are the namespaces directly below parent, sorted. Catalogs differ in what they list: some give all
// descendants, some give the parent as well, and in some a.b may exist without a.
func (s *Server) children(ctx context.Context, parent table.Identifier) ([]table.Identifier, error) {
	listed, err := s.cat.ListNamespaces(ctx, parent)
	missing := err
	if errors.Is(err, catalog.ErrNoSuchNamespace) && len(parent) > 0 {
		listed, err = s.cat.ListNamespaces(ctx, nil)
	}
	if err != nil {
		return nil, err
	}
	out := []table.Identifier{}
	for _, ns := range listed {
		if len(ns) > len(parent) && slices.Equal(ns[:len(parent)], parent) {
			out = append(out, ns[:len(parent)+1])
		}
	}
	if len(out) == 0 && missing != nil {
		return nil, missing
	}
	slices.SortFunc(out, slices.Compare[table.Identifier])
	return slices.CompactFunc(out, slices.Equal[table.Identifier]), nil
}

// implied says whether a namespace that the catalog does not know has others below it.
func (s *Server) implied(ctx context.Context, ns table.Identifier) (bool, error) {
	children, err := s.children(ctx, ns)
	if errors.Is(err, catalog.ErrNoSuchNamespace) {
		return false, nil
	}
	return len(children) > 0, err
}

func (s *Server) loadNamespace(w http.ResponseWriter, r *http.Request) {
	ns, err := namespaceOf(r)
	var properties map[string]string
	if err == nil {
		properties, err = s.properties(r.Context(), ns)
	}
	if err != nil {
		fail(w, err, ns)
		return
	}
	reply(w, map[string]any{"namespace": ns, "properties": properties})
}

func (s *Server) properties(ctx context.Context, ns table.Identifier) (map[string]string, error) {
	properties, err := s.cat.LoadNamespaceProperties(ctx, ns)
	if errors.Is(err, catalog.ErrNoSuchNamespace) {
		if ok, e := s.implied(ctx, ns); ok || e != nil {
			err = e
		}
	}
	if properties == nil {
		properties = map[string]string{}
	}
	return properties, err
}

func (s *Server) namespaceExists(w http.ResponseWriter, r *http.Request) {
	ns, err := namespaceOf(r)
	if err == nil {
		err = s.mustExist(r.Context(), ns)
	}
	if err != nil {
		fail(w, err, ns)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// mustExist is an error if a namespace does not exist.
func (s *Server) mustExist(ctx context.Context, ns table.Identifier) error {
	ok, err := s.cat.CheckNamespaceExists(ctx, ns)
	if err == nil && !ok {
		ok, err = s.implied(ctx, ns)
	}
	if err == nil && !ok {
		err = catalog.ErrNoSuchNamespace
	}
	return err
}

// listViews answers with none: nobody writes views here.
func (s *Server) listViews(w http.ResponseWriter, r *http.Request) {
	ns, err := namespaceOf(r)
	if err == nil {
		err = s.mustExist(r.Context(), ns)
	}
	if err != nil {
		fail(w, err, ns)
		return
	}
	reply(w, map[string]any{"identifiers": []struct{}{}})
}

func noView(w http.ResponseWriter, r *http.Request) {
	refuse(w, http.StatusNotFound, "NoSuchViewException", "view does not exist: "+r.PathValue("view"))
}
