package admin

import (
	"net"
	"net/http"
	"net/url"
)

// guard refuses requests that a web page sends through a visitor's browser, and bounds bodies.
func guard(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		host := hostOf(r.Host)
		switch {
		case !o.AllowRemote && !isLoopback(host):
			fail(w, problem{
				Status: http.StatusMisdirectedRequest, Code: "E_HOST", Detail: "this listener is not called " + host,
				Hint: "use the address of admin.listen",
			})
			return
		case foreign(r):
			fail(w, problem{Status: http.StatusForbidden, Code: "E_ORIGIN", Detail: "requests of other web sites are refused"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// hostOf is a Host header without its port.
func hostOf(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		return host
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		return s[1 : len(s)-1]
	}
	return s
}

// foreign says whether a browser tells that the request comes from another site's page.
func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" || site == "same-site" {
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || u.Host != r.Host
}
