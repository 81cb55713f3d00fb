package commit

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit/committest"
	"github.com/ingestd/ingestd/table/column"
)

// protocol lists what the REST catalog's specification (rest-catalog-open-api.yaml, TableUpdate and TableRequirement)
// requires of what we send, and, after the bar, what it leaves open but Nessie's reader requires. A dot goes into an
// object, a star into each element of a list.
func protocol() map[string]string {
	return map[string]string{
		"assign-uuid":            "uuid",
		"upgrade-format-version": "format-version",
		"add-schema":             "schema.type schema.fields schema.fields.*.id schema.fields.*.name schema.fields.*.type schema.fields.*.required | last-column-id schema.schema-id",
		"set-current-schema":     "schema-id",
		"add-spec":               "spec.fields spec.fields.*.source-id spec.fields.*.transform spec.fields.*.name | spec.spec-id spec.fields.*.field-id",
		"set-default-spec":       "spec-id",
		"add-sort-order":         "sort-order.order-id sort-order.fields",
		"set-default-sort-order": "sort-order-id",
		"add-snapshot":           "snapshot.snapshot-id snapshot.timestamp-ms snapshot.manifest-list snapshot.summary.operation | snapshot.sequence-number snapshot.schema-id",
		"set-snapshot-ref":       "ref-name type snapshot-id",
		"remove-snapshot-ref":    "ref-name",
		"remove-snapshots":       "snapshot-ids",
		"set-location":           "location",
		"set-properties":         "updates",
		"remove-properties":      "removals",

		"assert-create":                 "",
		"assert-table-uuid":             "uuid",
		"assert-ref-snapshot-id":        "ref snapshot-id",
		"assert-current-schema-id":      "current-schema-id",
		"assert-last-assigned-field-id": "last-assigned-field-id",
	}
}

// reach collects what lies at a path; ok says that nothing on the way is missing.
func reach(v any, path []string) (found []any, ok bool) {
	if len(path) == 0 {
		return []any{v}, true
	}
	if path[0] == "*" {
		list, isList := v.([]any)
		for _, e := range list {
			f, good := reach(e, path[1:])
			if !good {
				return nil, false
			}
			found = append(found, f...)
		}
		return found, isList
	}
	m, _ := v.(map[string]any)
	next, have := m[path[0]]
	if !have {
		return nil, false
	}
	return reach(next, path[1:])
}

// seen notes what went over the wire, by action.
type seen map[string]int

func (s seen) check(t *testing.T, kind string, v any) {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(text, &got))
	name, _ := got[kind].(string)
	want, known := protocol()[name]
	require.True(t, known, "the protocol knows no %s: %s", name, text)
	s[name]++
	for _, path := range strings.Fields(strings.ReplaceAll(want, "|", "")) {
		values, ok := reach(got, strings.Split(path, "."))
		require.True(t, ok, "%s lacks %s: %s", name, path, text)
		if name != "assert-ref-snapshot-id" || path != "snapshot-id" {
			require.NotContains(t, values, nil, "%s has a null %s: %s", name, path, text)
		}
	}
}

// Everything that a table's life sends has what the protocol requires.
func TestUpdatesAreCompleteOnTheWire(t *testing.T) {
	b, got := newBench(t), seen{}
	b.cat.OnCommit = func(_ context.Context, c committest.Call, apply func() committest.Answer) committest.Answer {
		for _, r := range c.Requirements {
			got.check(t, "type", r)
		}
		once := map[string]bool{}
		for _, u := range c.Updates {
			got.check(t, "action", u)
			require.False(t, once[u.Action()], "%s twice: Nessie refuses that", u.Action())
			once[u.Action()] = u.Action() != "set-snapshot-ref" && u.Action() != "remove-snapshot-ref"
		}
		return apply()
	}
	s := spec("w1")
	s.Upkeep = Upkeep{Every: 3, KeepMin: 2, KeepMax: 4}
	w, err := Open(b.ctx, committest.Staging{Catalog: b.cat}, s, b.env())
	require.NoError(t, err)
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1), PartitionBy: []PartitionField{{Column: "id", Transform: iceberg.BucketTransform{NumBuckets: 4}}}}))
	require.NoError(t, w.Evolve(b.ctx, []AddColumn{{Field: column.Field{Name: "more", Type: column.Type{Kind: column.String}}}}))
	for i := range 12 {
		_, err := w.Progress(b.ctx, []Step{{Key: key(0), From: pos(i), To: pos(i + 1)}})
		require.NoError(t, err)
	}
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(protocol())), func(name string) bool { return got[name] > 0 })
	require.Equal(t, []string{"remove-properties", "remove-snapshot-ref"}, missing, "what was never sent was not checked")
}

// A column that was dropped has had an id, which no new column may get again: not even from a server that only looks
// at the schema it is sent.
func TestDroppedColumnsKeepTheirIDs(t *testing.T) {
	sc, err := schema(fields())
	require.NoError(t, err)
	for lastOfTable, want := range map[int]string{7: `"last-column-id":7`, 1: `"last-column-id":2`} {
		text, err := json.Marshal(newAddSchema(sc, lastOfTable))
		require.NoError(t, err)
		require.Contains(t, string(text), want)
	}
}
