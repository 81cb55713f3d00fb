package admin

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// Maintenance starts procedures and tells what has become of them. It is asked from any goroutine.
type Maintenance interface {
	// Submit asks for a procedure on a table that exists in the configuration, where a condition holds; job is JSON.
	Submit(table, procedure, where string, dry bool) (id string, job any, err error)
	Job(id string) (job any, known bool)
	// Jobs is JSON with all jobs that are known.
	Jobs() any
}

// maintain starts a procedure: 202, and where its job is.
func (s site) maintain(w http.ResponseWriter, r *http.Request) {
	if s.options.Maintenance == nil {
		fail(w, problem{Status: http.StatusForbidden, Code: "E_ADMIN_READ_ONLY", Detail: "this listener only reads",
			Hint: "set admin.allow_maintenance: true, or use ingestd maintain"})
		return
	}
	name, dry := r.PathValue("name"), false
	if text := r.URL.Query().Get("dry_run"); text != "" {
		var err error
		if dry, err = strconv.ParseBool(text); err != nil {
			fail(w, problem{Status: http.StatusBadRequest, Detail: "dry_run is true or false, not " + text})
			return
		}
	}
	if !s.known(w, name) {
		return
	}
	id, job, err := s.options.Maintenance.Submit(name, r.PathValue("procedure"), r.URL.Query().Get("where"), dry)
	if err != nil {
		status := http.StatusBadRequest
		if failure.ClassOf(err) == failure.Retry {
			status = http.StatusTooManyRequests
		}
		fail(w, problem{Status: status, Code: failure.CodeOf(err), Detail: err.Error(), Hint: failure.HintOf(err)})
		return
	}
	w.Header().Set("Location", "/api/v1/jobs/"+id)
	write(w, http.StatusAccepted, "application/json", job)
}

// known answers for a table that the configuration does not have.
func (s site) known(w http.ResponseWriter, name string) bool {
	var names []string
	for _, t := range s.options.Status.Tables() {
		if t.Name == name {
			return true
		}
		names = append(names, t.Name)
	}
	fail(w, problem{
		Status: http.StatusNotFound, Code: "E_TABLE_UNKNOWN", Detail: "the configuration has no table " + name,
		Hint: "tables are: " + strings.Join(names, ", "),
	})
	return false
}

// jobs answers with all jobs. A listener that only reads has none.
func (s site) jobs(w http.ResponseWriter, _ *http.Request) {
	if s.options.Maintenance == nil {
		reply(w, map[string]any{"jobs": []any{}})
		return
	}
	reply(w, s.options.Maintenance.Jobs())
}

// job answers with the state of a job.
func (s site) job(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if s.options.Maintenance != nil {
		if job, known := s.options.Maintenance.Job(id); known {
			reply(w, job)
			return
		}
	}
	fail(w, problem{Status: http.StatusNotFound, Code: "E_JOB_UNKNOWN", Detail: "there is no job " + id,
		Hint: "the daemon knows the last hundred jobs; ingestd maintain jobs reads the records beside the table"})
}
