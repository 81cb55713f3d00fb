package regserver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func call(t *testing.T, h http.Handler, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestAPI(t *testing.T) {
	h := New().Handler()
	expect := func(method, path, body string, status int, want string) {
		t.Helper()
		code, got := call(t, h, method, path, body)
		require.Equal(t, status, code, got)
		require.JSONEq(t, want, got)
	}
	var made struct{ GUID string }
	code, body := call(t, h, "POST", "/subjects/a%2Fb/versions", `{"schema":"\"int\""}`)
	require.Equal(t, 200, code)
	require.NoError(t, json.Unmarshal([]byte(body), &made))

	guid := `"guid":"` + made.GUID + `"`
	expect("POST", "/subjects/a%2Fb/versions", `{"schema":"\"int\"","schemaType":"AVRO"}`, 200, `{"id":1,`+guid+`,"schema":"\"int\""}`)
	expect("GET", "/subjects", "", 200, `["a/b"]`)
	expect("GET", "/subjects/a%2Fb/versions", "", 200, `[1]`)
	expect("GET", "/subjects/a%2Fb/versions/latest", "", 200, `{"subject":"a/b","version":1,"id":1,`+guid+`,"schema":"\"int\""}`)
	expect("GET", "/subjects/a%2Fb/versions/1", "", 200, `{"subject":"a/b","version":1,"id":1,`+guid+`,"schema":"\"int\""}`)
	expect("GET", "/schemas/ids/1", "", 200, `{`+guid+`,"schema":"\"int\""}`)
	expect("GET", "/schemas/guids/"+made.GUID, "", 200, `{`+guid+`,"schema":"\"int\""}`)
	expect("GET", "/config", "", 200, `{"compatibilityLevel":"NONE"}`)

	expect("GET", "/schemas/ids/2", "", 404, `{"error_code":40403,"message":"Schema 2 not found"}`)
	expect("GET", "/schemas/ids/x", "", 404, `{"error_code":40403,"message":"Schema x not found"}`)
	expect("GET", "/schemas/guids/00", "", 404, `{"error_code":40403,"message":"Schema 00 not found"}`)
	expect("GET", "/subjects/none/versions", "", 404, `{"error_code":40401,"message":"Subject 'none' not found."}`)
	expect("GET", "/subjects/none/versions/latest", "", 404, `{"error_code":40401,"message":"Subject 'none' not found."}`)
	expect("GET", "/subjects/a%2Fb/versions/2", "", 404, `{"error_code":40402,"message":"Version 2 not found."}`)
	code, _ = call(t, h, "POST", "/subjects/x/versions", `{`)
	require.Equal(t, 422, code)
	code, _ = call(t, h, "POST", "/subjects/x/versions", `{"schema":""}`)
	require.Equal(t, 422, code)
	code, body = call(t, h, "POST", "/subjects/x/versions", `{"schema":"1","references":[{"name":"n","subject":"none","version":1}]}`)
	require.Equal(t, 422, code)
	require.Contains(t, body, "42208")
}

func TestContentDecidesIdentity(t *testing.T) {
	r := New()
	a, err := r.Register("a", "", "1")
	require.NoError(t, err)
	b, err := r.Register("b", "AVRO", "1")
	require.NoError(t, err)
	require.Same(t, a, b)
	c, err := r.Register("a", "JSON", "1")
	require.NoError(t, err)
	require.Equal(t, 2, c.ID)
	require.NotEqual(t, a.GUID, c.GUID)
	d, err := r.Register("a", "", "1", Reference{Name: "n", Subject: "b", Version: 1})
	require.NoError(t, err)
	require.Equal(t, 3, d.ID)
	require.Len(t, r.versions("a"), 3)
	again, err := r.Register("a", "", "1")
	require.NoError(t, err)
	require.Same(t, a, again)
	require.Len(t, r.versions("a"), 3, "registering again adds no version")
}
