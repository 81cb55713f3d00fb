package config

import (
	"net"
	"time"
)

const (
	minSessionTimeout = Duration(6 * time.Second)
	maxSessionTimeout = Duration(30 * time.Minute)
	minFetch          = 64 * KiB
	maxFetch          = 1 * GiB
	minBatch          = 1 * MiB
)

func (v rules) source(name string, s Source, path string) {
	if reason := badName(name, "-"); reason != "" {
		v.fault(path, "", "%s is no name for a source: %s", quoteShort(name), reason)
	}
	v.brokers(s.Brokers, path+".brokers")
	v.tls(path+".tls", s.TLS)
	if s.SASL != nil {
		v.sasl(*s.SASL, s.TLS != nil && s.TLS.Enabled, path+".sasl")
	}
	v.consumer(s.Consumer, path+".consumer")
	if s.Registry != nil {
		v.registry(*s.Registry, path+".registry")
	}
}

func (v rules) brokers(brokers []string, path string) {
	if len(brokers) == 0 {
		v.fault(path, "write brokers: [host:9092]", "at least one broker is needed")
	}
	for i, b := range brokers {
		host, port, err := net.SplitHostPort(b)
		if err != nil || host == "" || !isPort(port, 1) {
			v.fault(itemPath(path, i), "write host:9092", "%s is no broker address", quoteShort(b))
		}
	}
}

func (v rules) sasl(s SASL, encrypted bool, path string) {
	v.uselessIf(encrypted && s.AllowPlaintext, path+".allow_plaintext", "the connection is encrypted")
	if s.Mechanism == SASLOAuthBearer {
		v.useless(path+".username", "OAUTHBEARER takes a token or oauth")
		v.uselessSecret(path+".password", "OAUTHBEARER takes a token or oauth")
		if v.exactlyOne(path, "token", "oauth") && s.OAuth != nil {
			v.oauth(*s.OAuth, path+".oauth")
		}
	} else {
		why := string(s.Mechanism) + " takes a user name and a password"
		v.uselessSecret(path+".token", why)
		v.useless(path+".oauth", why)
		if !v.set(path+".username") || !v.given(path+".password") {
			v.fault(path, "", "%s needs username and password (or password_file)", s.Mechanism)
		}
	}
	revealing := s.Mechanism == SASLPlain || s.Mechanism == SASLOAuthBearer
	if revealing && !encrypted && !s.AllowPlaintext {
		v.fault(path+".mechanism", "add tls: {} to the source, use SCRAM-SHA-512, or set allow_plaintext: true",
			"%s without TLS sends the secret in plain text", s.Mechanism)
	}
	if !revealing && !encrypted {
		v.uselessIf(s.AllowPlaintext, path+".allow_plaintext", "SCRAM never sends the password")
	}
}

func (v rules) oauth(o OAuth, path string) {
	if !v.given(path + ".client_secret") {
		v.fault(path, "", "client_secret (or client_secret_file) is needed")
	}
	if u := v.httpAddress(path+".token_url", o.TokenURL); u != nil && remotePlain(u) {
		v.fault(path+".token_url", "use an https address", "the client secret would be sent in plain text")
	}
}

func (v rules) consumer(c Consumer, path string) {
	if c.Mode == ConsumerDirect {
		v.useless(path+".instance_id", "it belongs to consumer.mode: group")
		v.useless(path+".session_timeout", "it belongs to consumer.mode: group")
	} else if c.SessionTimeout < minSessionTimeout || c.SessionTimeout > maxSessionTimeout {
		v.fault(path+".session_timeout", "", "want %s to %s, the bounds of Kafka", minSessionTimeout, maxSessionTimeout)
	}
	for _, key := range []struct{ name, value string }{{"group_id", c.GroupID}, {"instance_id", c.InstanceID}} {
		if at := path + "." + key.name; v.set(at) {
			if reason := badName(key.value, "-.:"); reason != "" {
				v.fault(at, "", "%s is no name: %s", quoteShort(key.value), reason)
			}
		}
	}
	if c.FetchMaxBytes < minFetch || c.FetchMaxBytes > maxFetch {
		v.fault(path+".fetch_max_bytes", "", "want %s to %s", minFetch, maxFetch)
	}
	if c.MaxBatchBytes < minBatch || c.MaxBatchBytes > maxFetch {
		v.fault(path+".max_batch_bytes", "", "want %s to %s", minBatch, maxFetch)
	}
}

func (v rules) registry(r Registry, path string) {
	if len(r.URLs) == 0 {
		v.fault(path+".urls", "write urls: [http://host:8081]", "at least one address is needed")
	}
	plain, encrypted := false, false
	for i, address := range r.URLs {
		if u := v.httpAddress(itemPath(path+".urls", i), address); u != nil {
			plain = plain || remotePlain(u)
			encrypted = encrypted || u.Scheme == "https"
		}
	}
	basic, token := v.set(path+".username") || v.given(path+".password"), v.given(path+".token")
	switch {
	case basic && token:
		v.fault(path, "keep one of them", "a user name and a token cannot be combined")
	case basic && !(v.set(path+".username") && v.given(path+".password")):
		v.fault(path, "", "username and password (or password_file) go together")
	}
	v.tls(path+".tls", r.TLS)
	if !encrypted {
		v.useless(path+".tls", "no address is https")
	}
	v.plaintext(path, "urls", (basic || token) && plain, r.AllowPlaintext)
}

// plaintext refuses to send credentials over a network in plain text, unless the file asks for it.
func (v rules) plaintext(path, address string, revealing, allowed bool) {
	switch {
	case !revealing:
		v.uselessIf(allowed, joinPath(path, "allow_plaintext"), "no secret is sent to an http address of another machine")
	case !allowed:
		v.fault(joinPath(path, address), "use https, or set allow_plaintext: true",
			"the credentials would be sent in plain text")
	}
}
