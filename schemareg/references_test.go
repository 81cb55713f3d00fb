package schemareg

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/schemareg/regserver"
)

func ref(subject string) regserver.Reference {
	return regserver.Reference{Name: "name." + subject, Subject: subject, Version: 1}
}

func TestReferencesComeInTheOrderToParse(t *testing.T) {
	f, reg := newFake(t)
	register(t, reg, "c", `"c"`)
	register(t, reg, "a", `"a"`, ref("c"))
	register(t, reg, "b", `"b"`, ref("c"), ref("a"))
	root := register(t, reg, "root", `"root"`, ref("b"), ref("a"))
	s, err := newClient(t, f).ByID(t.Context(), uint32(root.ID))
	require.NoError(t, err)
	require.Equal(t, []string{`"c"`, `"a"`, `"b"`}, s.Texts())
	require.Equal(t, Reference{Name: "name.c", Subject: "c", Version: 1, Text: `"c"`}, s.References[0])
	require.EqualValues(t, 4, f.calls.Load(), "each once")
}

func TestReferencesOfAGUID(t *testing.T) {
	f, reg := newFake(t)
	register(t, reg, "c", `"c"`)
	root := register(t, reg, "root", `"root"`, ref("c"))
	s, err := newClient(t, f).ByGUID(t.Context(), root.GUID)
	require.NoError(t, err)
	require.Equal(t, []string{`"c"`}, s.Texts())
}

// cyclic answers what no registry would accept.
func cyclic(next func(subject string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		subject := "s0"
		if p := strings.Split(r.URL.Path, "/"); p[1] == "subjects" {
			subject = p[2]
		}
		fmt.Fprintf(w, `{"schema":"%s","references":[%s]}`, subject, next(subject))
	})
}

func refJSON(subject string) string {
	return fmt.Sprintf(`{"name":"n","subject":%q,"version":1}`, subject)
}

func TestCyclesAreFound(t *testing.T) {
	f := &fake{handler: cyclic(func(s string) string {
		return refJSON(map[string]string{"s0": "s1", "s1": "s2", "s2": "s1"}[s])
	})}
	_, err := newClient(t, f).ByID(t.Context(), 1)
	requireFailure(t, err, failure.Halt, CodeInvalid)
	require.EqualError(t, err, "using a schema: resolving references of schema id 1: s1:1 -> s2:1 -> s1:1 form a cycle")
}

func TestReferencesAreBounded(t *testing.T) {
	deep := &fake{handler: cyclic(func(s string) string { return refJSON(s + "x") })}
	_, err := newClient(t, deep).ByID(t.Context(), 1)
	requireFailure(t, err, failure.Halt, CodeInvalid)
	require.ErrorContains(t, err, "more than 32 levels deep")
	require.LessOrEqual(t, deep.calls.Load(), int64(40))

	wide := &fake{handler: cyclic(func(s string) string {
		if s != "s0" {
			return ""
		}
		var all []string
		for i := range 200 {
			all = append(all, refJSON(fmt.Sprintf("w%d", i)))
		}
		return strings.Join(all, ",")
	})}
	_, err = newClient(t, wide).ByID(t.Context(), 1)
	requireFailure(t, err, failure.Halt, CodeInvalid)
	require.ErrorContains(t, err, "more than 100")
	require.LessOrEqual(t, wide.calls.Load(), int64(101))

	f, reg := newFake(t)
	register(t, reg, "big", strings.Repeat("x", 600))
	register(t, reg, "big2", strings.Repeat("y", 600))
	root := register(t, reg, "root", `"root"`, ref("big"), ref("big2"))
	_, err = newClient(t, f, func(o *ClientOptions) { o.MaxBytes = 1000 }).ByID(t.Context(), uint32(root.ID))
	requireFailure(t, err, failure.Halt, CodeInvalid)
	require.ErrorContains(t, err, "more than 1000 bytes")
}

func TestMissingReferenceIsNamed(t *testing.T) {
	f, reg := newFake(t)
	register(t, reg, "c", `"c"`)
	root := register(t, reg, "root", `"root"`, ref("c"))
	f.before = func(r *http.Request) (*http.Response, error) {
		if strings.HasPrefix(r.URL.Path, "/subjects") {
			return status(r, 404, `{"error_code":40402,"message":"Version 1 not found."}`), nil
		}
		return nil, nil
	}
	_, err := newClient(t, f).ByID(t.Context(), uint32(root.ID))
	requireFailure(t, err, failure.Retry, CodeNotFound)
	require.ErrorContains(t, err, `finding version 1 of subject "c", which schema id 2 refers to`)
}
