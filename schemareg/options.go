package schemareg

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingestd/ingestd/internal/failure"
)

// Defaults of ClientOptions.
const (
	DefaultTimeout     = 5 * time.Second
	DefaultNegativeTTL = 10 * time.Second
	DefaultMaxBytes    = 1 << 20
)

// CodeConfig is the code of options that cannot work.
const CodeConfig = "E_REGISTRY_CONFIG"

// ClientOptions say where the registry is and who asks. Zero values mean the defaults above.
type ClientOptions struct {
	// URLs are the base addresses of one registry's nodes, with a path where it has one (".../apis/ccompat/v7",
	// ".../contexts/.name"). They are tried in order, beginning with the one that answered last.
	URLs []string
	// Username and Password are for basic authentication, Token for bearer authentication: one or the other.
	Username, Password, Token string
	// TLS holds own roots and client certificates; nil means the system's roots. TLS below 1.2 is never spoken.
	TLS *tls.Config
	// Timeout bounds one request, connecting and reading included.
	Timeout time.Duration
	// NegativeTTL is how long "not found" and "not allowed" are remembered.
	NegativeTTL time.Duration
	// MaxBytes bounds a schema together with everything it refers to.
	MaxBytes int
	// Now is the clock of the caches.
	Now func() time.Time
	// Transport replaces the HTTP transport (tests, tracing); TLS is not used then.
	Transport http.RoundTripper
}

func (o ClientOptions) withDefaults() ClientOptions {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.NegativeTTL <= 0 {
		o.NegativeTTL = DefaultNegativeTTL
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Transport == nil {
		o.Transport = newTransport(o.TLS, o.Timeout)
	}
	return o
}

func newTransport(conf *tls.Config, timeout time.Duration) *http.Transport {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSHandshakeTimeout:   timeout,
		ResponseHeaderTimeout: timeout,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		ForceAttemptHTTP2:     true,
	}
	if conf != nil {
		conf = conf.Clone()
	} else {
		conf = &tls.Config{}
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	t.TLSClientConfig = conf
	return t
}

func (o ClientOptions) check() ([]string, error) {
	if len(o.URLs) == 0 {
		return nil, configError("set registry.urls", "no registry URL is given")
	}
	if o.Token != "" && (o.Username != "" || o.Password != "") {
		return nil, configError("keep either username and password or token", "both basic and bearer credentials are given")
	}
	if (o.Username == "") != (o.Password == "") {
		return nil, configError("", "basic authentication needs both a username and a password")
	}
	bases := make([]string, len(o.URLs))
	for i, raw := range o.URLs {
		base, err := checkURL(raw)
		if err != nil {
			return nil, err
		}
		bases[i] = base
	}
	return bases, nil
}

// checkURL refuses what would be printed later or sent to nobody. Its errors never show the user information.
func checkURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", configError("", "registry URL cannot be parsed") // err would repeat the URL, which may hold a password
	}
	shown := u.Scheme + "://" + u.Host + u.Path
	switch {
	case u.User != nil:
		return "", configError("use username and password (or password_file)", "registry URL %s has credentials in it", shown)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", configError("", "registry URL %q does not begin with http:// or https://", shown)
	case u.Host == "":
		return "", configError("", "registry URL %q has no host", shown)
	case u.RawQuery != "" || u.Fragment != "":
		return "", configError("", "registry URL %s has a query or fragment", shown)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func configError(hint, format string, args ...any) error {
	return failure.New(failure.Config, CodeConfig, hint, format, args...)
}
