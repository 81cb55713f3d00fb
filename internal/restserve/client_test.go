package restserve

import (
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestClientReadsRows(t *testing.T) {
	cat := newSQLite(t)
	tbl := add(t, create(t, cat, "shop", "clicks"), `{"id":1,"name":"a"}`, `{"id":2,"name":null}`)
	client := connect(t, serve(t, cat))
	got, err := client.LoadTable(t.Context(), table.Identifier{"shop", "clicks"})
	require.NoError(t, err)
	require.Equal(t, tbl.MetadataLocation(), got.MetadataLocation())
	require.True(t, tbl.Metadata().Equals(got.Metadata()))
	require.Equal(t, []string{`{"id":1,"name":"a"}`, `{"id":2,"name":null}`}, scan(t, got))

	tbl = add(t, tbl, `{"id":3,"name":"c"}`)
	got, err = client.LoadTable(t.Context(), table.Identifier{"shop", "clicks"})
	require.NoError(t, err)
	require.Equal(t, tbl.MetadataLocation(), got.MetadataLocation(), "each load asks the catalog again")
	require.Len(t, scan(t, got), 3)
}

// snapshots makes a client ask for all snapshots, or for those that refs name.
func snapshots(mode rest.SnapshotMode) rest.Option {
	return rest.WithAdditionalProps(iceberg.Properties{"snapshot-loading-mode": string(mode)})
}

func TestClientLoadsAnEmptyTable(t *testing.T) {
	cat := newSQLite(t)
	create(t, cat, "shop", "clicks")
	uri := serve(t, cat)
	for _, mode := range []rest.SnapshotMode{rest.SnapshotModeAll, rest.SnapshotModeRefs} {
		got, err := connect(t, uri, snapshots(mode)).LoadTable(t.Context(), table.Identifier{"shop", "clicks"})
		require.NoError(t, err)
		require.Nil(t, got.CurrentSnapshot())
		require.Empty(t, scan(t, got))
	}
}

func TestClientLoadsOnlySnapshotsWithRefs(t *testing.T) {
	cat := newSQLite(t)
	tbl := add(t, create(t, cat, "shop", "clicks"), `{"id":1,"name":"a"}`)
	tagged := tbl.CurrentSnapshot().SnapshotID
	_, _, err := cat.CommitTable(t.Context(), tbl.Identifier(), nil, []table.Update{table.NewSetSnapshotRefUpdate("start", tagged, table.TagRef, 0, 0, 0)})
	require.NoError(t, err)
	tbl, err = cat.LoadTable(t.Context(), tbl.Identifier())
	require.NoError(t, err)
	for range 3 {
		tbl = add(t, tbl, `{"id":2,"name":"b"}`)
	}
	w := ask(t, New(cat), "GET", "/v1/namespaces/shop/tables/clicks?snapshots=refs")
	require.Equal(t, 200, w.Code)
	m, err := table.ParseMetadataBytes(metadataOf(t, w))
	require.NoError(t, err)
	require.Len(t, m.Snapshots(), 2, "the head and the tagged one")
	require.NotNil(t, m.SnapshotByID(tagged))
	require.Equal(t, tbl.CurrentSnapshot().SnapshotID, m.CurrentSnapshot().SnapshotID)

	uri := serve(t, cat)
	for mode, want := range map[rest.SnapshotMode]int{rest.SnapshotModeRefs: 2, rest.SnapshotModeAll: 4} {
		got, err := connect(t, uri, snapshots(mode)).LoadTable(t.Context(), tbl.Identifier())
		require.NoError(t, err)
		require.Len(t, got.Metadata().Snapshots(), want)
		require.Len(t, scan(t, got), 4)
	}
}

func TestClientLists(t *testing.T) {
	cat := newSQLite(t)
	for _, id := range []string{"shop clicks", "shop orders", "shop eu clicks", "web logs"} {
		create(t, cat, strings.Fields(id)...)
	}
	require.NoError(t, cat.CreateNamespace(t.Context(), table.Identifier{"empty"}, iceberg.Properties{"owner": "me"}))
	client := connect(t, serve(t, cat))
	tables := func(ns ...string) []table.Identifier {
		t.Helper()
		out := []table.Identifier{}
		for id, err := range client.ListTables(t.Context(), ns) {
			require.NoError(t, err)
			out = append(out, id)
		}
		return out
	}
	require.Equal(t, []table.Identifier{{"shop", "clicks"}, {"shop", "orders"}}, tables("shop"))
	require.Equal(t, []table.Identifier{{"shop", "eu", "clicks"}}, tables("shop", "eu"))
	require.Empty(t, tables("empty"))
	for view, err := range client.ListViews(t.Context(), table.Identifier{"shop"}) {
		t.Fatal(view, err)
	}
	p, err := client.LoadNamespaceProperties(t.Context(), table.Identifier{"empty"})
	require.NoError(t, err)
	require.Equal(t, "me", p["owner"])
}

func TestClientFindsWhatIsMissing(t *testing.T) {
	cat := newSQLite(t)
	create(t, cat, "shop", "clicks")
	client := connect(t, serve(t, cat))
	exists := func(want bool, id ...string) {
		t.Helper()
		ok, err := client.CheckTableExists(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, ok)
	}
	exists(true, "shop", "clicks")
	exists(false, "shop", "nope")
	exists(false, "nope", "clicks")
	_, err := client.LoadTable(t.Context(), table.Identifier{"shop", "nope"})
	require.ErrorIs(t, err, catalog.ErrNoSuchTable)
	require.ErrorContains(t, err, "shop.nope")
	_, err = client.ListNamespaces(t.Context(), table.Identifier{"nope"})
	require.ErrorIs(t, err, catalog.ErrNoSuchNamespace)
	_, err = client.LoadNamespaceProperties(t.Context(), table.Identifier{"nope"})
	require.ErrorIs(t, err, catalog.ErrNoSuchNamespace)
	for _, err := range client.ListTables(t.Context(), table.Identifier{"nope"}) {
		require.ErrorIs(t, err, catalog.ErrNoSuchNamespace)
	}
	for ns, want := range map[string]bool{"shop": true, "nope": false} {
		ok, err := client.CheckNamespaceExists(t.Context(), table.Identifier{ns})
		require.NoError(t, err)
		require.Equal(t, want, ok)
	}
}

func TestClientCannotWrite(t *testing.T) {
	cat := newSQLite(t)
	tbl := create(t, cat, "shop", "clicks")
	client := connect(t, serve(t, cat))
	refused := func(err error) { t.Helper(); require.ErrorIs(t, err, rest.ErrEndpointNotSupported) }
	id := tbl.Identifier()
	refused(client.CreateNamespace(t.Context(), table.Identifier{"new"}, nil))
	refused(client.DropNamespace(t.Context(), table.Identifier{"shop"}))
	refused(client.DropTable(t.Context(), id))
	refused(client.PurgeTable(t.Context(), id))
	_, err := client.CreateTable(t.Context(), table.Identifier{"shop", "new"}, tbl.Schema())
	refused(err)
	_, err = client.RenameTable(t.Context(), id, table.Identifier{"shop", "new"})
	refused(err)
	_, _, err = client.CommitTable(t.Context(), id, nil, []table.Update{table.NewSetPropertiesUpdate(iceberg.Properties{"a": "b"})})
	refused(err)
	_, err = client.UpdateNamespaceProperties(t.Context(), table.Identifier{"shop"}, nil, iceberg.Properties{"a": "b"})
	refused(err)
	after, err := cat.LoadTable(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, tbl.MetadataLocation(), after.MetadataLocation())
}

// TestNamespacesProperty walks the namespaces with the client, level by level, and must find each one, those that
// only their descendants imply included; whatever characters the levels have.
func TestNamespacesProperty(t *testing.T) {
	cat := &listed{}
	client := connect(t, serve(t, cat))
	level := rapid.StringMatching(`[a-c]|[^\x00\x1f.]{1,4}|a[./%+ ]b`)
	rapid.Check(t, func(rt *rapid.T) {
		cat.namespaces = map[string]bool{}
		want := map[string]bool{}
		for range rapid.IntRange(0, 6).Draw(rt, "namespaces") {
			ns := rapid.SliceOfN(level, 1, 3).Draw(rt, "levels")
			cat.namespaces[strings.Join(ns, separator)] = true
			for i := range ns {
				want[strings.Join(ns[:i+1], separator)] = true
			}
		}
		got := map[string]bool{}
		var walk func(parent table.Identifier)
		walk = func(parent table.Identifier) {
			children, err := client.ListNamespaces(t.Context(), parent)
			require.NoError(rt, err)
			for _, ns := range children {
				key := strings.Join(ns, separator)
				require.False(rt, got[key], "listed twice")
				got[key] = true
				ok, err := client.CheckNamespaceExists(t.Context(), ns)
				require.NoError(rt, err)
				require.True(rt, ok, key)
				_, err = client.LoadNamespaceProperties(t.Context(), ns)
				require.NoError(rt, err)
				walk(ns)
			}
		}
		walk(nil)
		require.Equal(rt, want, got)
	})
}
