package catalog_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/commit"
	"github.com/ingestd/ingestd/commit/catalog"
	"github.com/ingestd/ingestd/internal/event"
	"github.com/ingestd/ingestd/internal/failure"
)

// onTables answers every change of a table with a status.
func onTables(status int, kind, message string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.Contains(r.URL.Path, "/tables/") {
			return false
		}
		fail(w, status, kind, message)
		return true
	}
}

// A refusal that time does not mend ends the birth of a table after a few tries, with the catalog's own words.
func TestBirthEndsOnRefusals(t *testing.T) {
	for _, status := range []int{400, 405, 406, 410, 413, 415, 422, 501} {
		srv := newRESTServer(t, t.TempDir())
		w := world(t, srv)
		srv.before = onTables(status, "IllegalArgumentException", "no such thing as last-column-id")
		err := w.Create(t.Context(), start())
		require.Equal(t, failure.Config, failure.ClassOf(err), "%d: %v", status, err)
		require.Equal(t, catalog.CodeRefused, failure.CodeOf(err), "%d: %v", status, err)
		require.ErrorContains(t, err, "last-column-id", "%d", status)
		require.NotEmpty(t, failure.HintOf(err))
	}
}

// A server error may pass, so it is tried again without end, but not in silence: each attempt is reported with the
// catalog's own words (which makes the table degraded), and the birth goes on as soon as it can.
func TestBirthReportsServerErrorsUntilTheyPass(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	const ill = 10
	var reports []event.CommitRetried
	env := commit.Env{
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Events: event.Func(func(e event.Event) {
			if r, ok := e.(event.CommitRetried); ok {
				if reports = append(reports, r); len(reports) == ill {
					srv.before = nil
				}
			}
		}),
	}
	w, err := commit.Open(t.Context(), srv.open(t), commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true}, env)
	require.NoError(t, err)
	srv.before = onTables(500, "NullPointerException", "Cannot build AddSchema, some of required attributes are not set [lastColumnId]")
	require.NoError(t, w.Create(t.Context(), start()))
	require.Len(t, reports, ill)
	for i, r := range reports {
		require.Equal(t, i+1, r.Attempt)
		require.ErrorContains(t, r.Err, "lastColumnId")
		require.Equal(t, catalog.CodeUnknown, failure.CodeOf(r.Err))
		require.NotEmpty(t, failure.HintOf(r.Err))
	}
	require.True(t, w.Exists())
}

// A catalog that knows the table but cannot read its metadata file answers as if there were no table. It is not
// created anew on top of what is there.
func TestMissingMetadataFileIsNotAMissingTable(t *testing.T) {
	srv := newRESTServer(t, t.TempDir())
	require.NoError(t, world(t, srv).Create(t.Context(), start()))
	lost := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/tables/") {
			return false
		}
		fail(w, http.StatusNotFound, "NotFoundException", "Location does not exist: s3://lake/t/metadata/7.json")
		return true
	}
	srv.before = lost
	_, err := commit.Open(t.Context(), srv.open(t), commit.Spec{Identifier: shop, Pipeline: "p", MayCreate: true},
		commit.Env{Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	require.Equal(t, commit.CodeMetadataMissing, failure.CodeOf(err), "%v", err)
	require.ErrorContains(t, err, "7.json")
	srv.before = nil
	w := world(t, srv)
	require.True(t, w.Exists())
	srv.before = lost
	_, err = w.Progress(t.Context(), move("0", "1"))
	require.Equal(t, commit.CodeMetadataMissing, failure.CodeOf(err), "%v", err)
	srv.before = nil
	res, err := w.Progress(t.Context(), move("0", "1"))
	require.NoError(t, err)
	require.Equal(t, commit.Landed, res.Outcome)
}
