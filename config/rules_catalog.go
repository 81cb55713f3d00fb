package config

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (v rules) catalog(c Catalog) {
	if reason := badName(c.Name, "-."); reason != "" {
		v.fault("catalog.name", "", "%s is no name for a catalog: %s", quoteShort(c.Name), reason)
	}
	switch c.Type {
	case CatalogSQLite:
		v.sqlite(c)
	case CatalogPostgres:
		v.postgres(c)
	case CatalogHive:
		v.hive(c)
	case CatalogREST:
		v.rest(c)
	}
}

func (v rules) sqlite(c Catalog) {
	v.needs("sqlite", "path", "warehouse")
	const rest = "it belongs to type: rest"
	v.restOnly()
	v.useless("catalog.uri", rest)
	v.useless("catalog.tls", rest)
	v.uselessIf(c.AllowPlaintext, "catalog.allow_plaintext", rest)
	v.uselessSecret("catalog.password", "it belongs to type: postgres")
}

// needs names the settings a kind of catalog cannot be without.
func (v rules) needs(kind string, keys ...string) {
	for _, key := range keys {
		if !v.set("catalog." + key) {
			v.fault("catalog."+key, "", "a %s catalog needs it", kind)
		}
	}
}

// restOnly refuses the settings that only a REST catalog has.
func (v rules) restOnly() {
	for _, key := range []string{"oauth2_server_uri", "scope", "sigv4", "headers"} {
		v.useless("catalog."+key, "it belongs to type: rest")
	}
	v.uselessSecret("catalog.token", "it belongs to type: rest")
	v.uselessSecret("catalog.credential", "it belongs to type: rest")
}

func (v rules) hive(c Catalog) {
	v.needs("hive", "uri", "warehouse")
	v.restOnly()
	v.useless("catalog.path", "it belongs to type: sqlite")
	v.uselessSecret("catalog.password", "it belongs to type: postgres")
	v.uselessIf(c.AllowPlaintext, "catalog.allow_plaintext", "nothing secret would be sent")
	v.tls("catalog.tls", c.TLS)
	if c.URI == "" || v.unknown["catalog.uri"] {
		return
	}
	for _, text := range strings.Split(c.URI, ",") {
		u, err := url.Parse(strings.TrimSpace(text))
		if err != nil || u.Scheme != "thrift" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
			v.fault("catalog.uri", "write thrift://host:9083, several after commas; SASL, Kerberos and HTTP are not served", "want the address of a Hive Metastore")
		} else if _, has := u.User.Password(); has {
			v.fault("catalog.uri", "take the password out: the Metastore asks for none", "an address must not hold credentials")
		}
	}
}

func (v rules) postgres(c Catalog) {
	v.needs("postgres", "uri", "warehouse")
	v.restOnly()
	v.useless("catalog.path", "it belongs to type: sqlite")
	v.tls("catalog.tls", c.TLS)
	u := v.postgresAddress(c.URI)
	if u == nil {
		return
	}
	mode := u.Query().Get("sslmode")
	if c.TLS != nil && mode != "" {
		v.fault("catalog.tls", "take sslmode out of catalog.uri", "the address decides about TLS already")
	}
	encrypted := c.TLS != nil && c.TLS.Enabled || mode == "require" || mode == "verify-ca" || mode == "verify-full"
	remote := slices.ContainsFunc(strings.Split(u.Host, ","), func(host string) bool {
		return !isLoopback((&url.URL{Host: host}).Hostname())
	})
	if remote && !encrypted && !c.AllowPlaintext {
		v.fault("catalog.uri", "set catalog.tls: {}, or allow_plaintext: true", "password and statements could cross the network in plain text")
	}
	v.uselessIf(c.AllowPlaintext && (!remote || encrypted), "catalog.allow_plaintext", "nothing would be sent in plain text")
}

// postgresAddress checks the address of a database and returns it parsed, or nil after a fault.
func (v rules) postgresAddress(address string) *url.URL {
	const path = "catalog.uri"
	if v.unknown[path] || !v.set(path) {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		v.fault(path, "write postgres://user@host:5432/database", "want the address of a PostgreSQL database")
		return nil
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") || u.Query().Has("sslpassword") {
		v.fault(path, "use catalog.password_file", "an address must not hold credentials")
		return nil
	}
	return u
}

func (v rules) rest(c Catalog) {
	v.useless("catalog.path", "it belongs to type: sqlite")
	v.uselessSecret("catalog.password", "it belongs to type: postgres")
	if !v.set("catalog.uri") {
		v.fault("catalog.uri", "", "a rest catalog needs it")
		return
	}
	u := v.httpAddress("catalog.uri", c.URI)
	credentials := v.restLogin(c)
	for _, name := range sortedKeys(c.Headers) {
		v.header(joinPath("catalog.headers", name), name)
	}
	v.tls("catalog.tls", c.TLS)
	if u == nil {
		return
	}
	if u.Scheme == "http" {
		v.useless("catalog.tls", "the address is not https")
	}
	v.plaintext("catalog", "uri", credentials && remotePlain(u), c.AllowPlaintext)
}

// restLogin checks how the daemon logs in, and reports whether it sends credentials.
func (v rules) restLogin(c Catalog) bool {
	login := 0
	for _, key := range []string{"token", "credential", "sigv4"} {
		if v.given("catalog." + key) {
			login++
		}
	}
	if login > 1 {
		v.exactlyOne("catalog", "token", "credential", "sigv4")
	}
	if !v.given("catalog.credential") {
		v.useless("catalog.oauth2_server_uri", "it belongs to catalog.credential")
		v.useless("catalog.scope", "it belongs to catalog.credential")
	}
	if text := c.Credential.Reveal(); text != "" && !strings.Contains(text, ":") {
		v.fault("catalog.credential", "", "want id:secret")
	}
	if c.OAuth2ServerURI != "" {
		if u := v.httpAddress("catalog.oauth2_server_uri", c.OAuth2ServerURI); u != nil && remotePlain(u) && !c.AllowPlaintext {
			v.fault("catalog.oauth2_server_uri", "use https, or set allow_plaintext: true",
				"the credentials would be sent in plain text")
		}
	}
	return v.given("catalog.token") || v.given("catalog.credential")
}

// header refuses names that cannot be sent and the one that has a setting of its own.
func (v rules) header(path, name string) {
	valid := name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c > '~' || strings.ContainsRune(`()<>@,;:\"/[]?={}`, c)
	})
	switch {
	case !valid:
		v.fault(path, "", "%s is no HTTP header name", quoteShort(name))
	case http.CanonicalHeaderKey(name) == "Authorization":
		v.fault(path, "use catalog.token or catalog.credential", "the header is made from the login settings")
	}
}
