package admin

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// keeper is a Maintenance that remembers one job.
type keeper struct{ asked []string }

func (k *keeper) Submit(table, procedure, where string, dry bool) (string, any, error) {
	switch {
	case procedure == "vacuum":
		return "", nil, failure.New(failure.Config, "E_PROCEDURE_UNKNOWN", "known are: x", "there is no procedure")
	case len(k.asked) > 1:
		return "", nil, failure.New(failure.Retry, "E_MAINTENANCE_BUSY", "wait", "too many")
	}
	if dry {
		procedure += " dry"
	}
	if where != "" {
		procedure += " where " + where
	}
	k.asked = append(k.asked, table+" "+procedure)
	return "7", map[string]string{"id": "7"}, nil
}

func (k *keeper) Job(id string) (any, bool) { return map[string]string{"id": id}, id == "7" }

func (k *keeper) Jobs() any { return map[string]any{"jobs": k.asked} }

// TestMaintenance: a listener only reads until it is told otherwise, and never for another site's page.
func TestMaintenance(t *testing.T) {
	const path = "/api/v1/tables/shop.clicks/maintenance/"
	o := options(shop())
	require.Equal(t, "E_ADMIN_READ_ONLY", isProblem(t, ask(o, http.MethodPost, path+"rewrite_data_files"), http.StatusForbidden)["code"])
	require.Equal(t, "E_JOB_UNKNOWN", isProblem(t, ask(o, http.MethodGet, "/api/v1/jobs/7"), http.StatusNotFound)["code"])
	require.JSONEq(t, `{"jobs":[]}`, ask(o, http.MethodGet, "/api/v1/jobs").Body.String())
	k := &keeper{}
	o.Maintenance = k
	isProblem(t, ask(o, http.MethodPost, path+"rewrite_data_files", "Origin", "http://evil.example"), http.StatusForbidden)
	isProblem(t, ask(o, http.MethodPost, path+"rewrite_data_files?dry_run=perhaps"), http.StatusBadRequest)
	require.Equal(t, "E_PROCEDURE_UNKNOWN", isProblem(t, ask(o, http.MethodPost, path+"vacuum"), http.StatusBadRequest)["code"])
	require.Equal(t, "E_TABLE_UNKNOWN", isProblem(t, ask(o, http.MethodPost, "/api/v1/tables/x/maintenance/rewrite_data_files"), http.StatusNotFound)["code"])
	require.Empty(t, k.asked)
	w := ask(o, http.MethodPost, path+"rewrite_data_files?dry_run=true&where=day+%3D+%272026-11-01%27")
	require.Equal(t, http.StatusAccepted, w.Code)
	require.Equal(t, "/api/v1/jobs/7", w.Header().Get("Location"))
	require.Equal(t, http.StatusAccepted, ask(o, http.MethodPost, path+"expire_snapshots").Code)
	require.Equal(t, []string{"shop.clicks rewrite_data_files dry where day = '2026-11-01'", "shop.clicks expire_snapshots"}, k.asked)
	require.Equal(t, "E_MAINTENANCE_BUSY", isProblem(t, ask(o, http.MethodPost, path+"expire_snapshots"), http.StatusTooManyRequests)["code"])
	require.JSONEq(t, `{"id":"7"}`, ask(o, http.MethodGet, "/api/v1/jobs/7").Body.String())
	require.JSONEq(t, `{"jobs":["shop.clicks rewrite_data_files dry where day = '2026-11-01'","shop.clicks expire_snapshots"]}`, ask(o, http.MethodGet, "/api/v1/jobs").Body.String())
	isProblem(t, ask(o, http.MethodGet, "/api/v1/jobs/8"), http.StatusNotFound)
}
