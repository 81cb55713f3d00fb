package store

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

// AzureOptions are the operator's settings of access to Azure Blob Storage. Without a key, a token or a client secret
// the catalog's properties say how to log in, and then the process's surroundings: environment, workload identity,
// managed identity.
type AzureOptions struct {
	// Endpoint is the address of the blob service, for emulators and the like; "" = that of the location's account.
	Endpoint   string
	AccountKey string
	SASToken   string
	// TenantID, ClientID and ClientSecret are a service principal. ClientID alone is a managed identity's.
	TenantID, ClientID, ClientSecret string
	// MaxAttempts bounds the tries of one request; 0 = 6.
	MaxAttempts int
	// MaxBackoff bounds the pause between them; 0 = 10 s.
	MaxBackoff time.Duration
	// Transport replaces the HTTP transport; nil = a pooled one of our own.
	Transport http.RoundTripper
}

// Properties of catalogs for which iceberg-go has no names.
const (
	keySAS       = "adls.sas-token" // without an account: PyIceberg's spelling
	keyADLSToken = "adls.token"
)

func (o *AzureOptions) check() error {
	logins := 0
	for _, s := range []string{o.AccountKey, o.SASToken, o.ClientSecret} {
		if s != "" {
			logins++
		}
	}
	if logins > 1 {
		return failure.New(failure.Config, codeAuth, "set one of account_key, sas_token and client_secret", "opening stores: more than one login for Azure")
	}
	if o.ClientSecret != "" && (o.TenantID == "" || o.ClientID == "") {
		return failure.New(failure.Config, codeAuth, "set tenant_id and client_id as well", "opening stores: half of a login for Azure")
	}
	if o.MaxAttempts <= 0 {
		o.MaxAttempts = defaultMaxAttempts
	}
	if o.MaxBackoff <= 0 {
		o.MaxBackoff = defaultMaxBackoff
	}
	if o.Transport == nil {
		o.Transport = pooledTransport()
	}
	return nil
}

// own says whether the operator's settings hold a login, which goes before the catalog's.
func (o *AzureOptions) own() bool {
	return o.AccountKey != "" || o.SASToken != "" || o.ClientID != ""
}

// azureSettings are what makes two clients different.
type azureSettings struct {
	service, account string
	key, sas, token  string
}

// azureClients keeps one client per distinct set of settings, over one HTTP transport.
type azureClients struct {
	opts  AzureOptions
	cache cache[azureSettings, *service.Client]
	// identity is the login that needs no settings of an account; made at its first use.
	identity func() (azcore.TokenCredential, error)
}

func newAzureClients(opts AzureOptions) *azureClients {
	c := &azureClients{opts: opts}
	c.identity = sync.OnceValues(c.login)
	return c
}

// azureAddress is where an Azure location lies.
type azureAddress struct{ container, host, account string }

// address reads container@account.dfs.core.windows.net.
func address(o objectPath) (azureAddress, error) {
	container, host, ok := strings.Cut(o.bucket, "@")
	account, _, dotted := strings.Cut(host, ".")
	if !ok || !dotted || container == "" || account == "" || strings.ContainsAny(o.bucket, "?#:") {
		return azureAddress{}, failure.New(failure.Config, CodeScheme, "write "+o.scheme+"://container@account.dfs.core.windows.net/path",
			"reading location %s: no container and account", o.uri(o.key))
	}
	return azureAddress{container: container, host: host, account: account}, nil
}

// merge puts the operator's settings over the catalog's properties. Logins do not mix: the operator's goes before
// every one of the catalog's.
func (o *AzureOptions) merge(at azureAddress, props map[string]string) azureSettings {
	set := azureSettings{account: at.account, service: o.Endpoint}
	if set.service == "" {
		// The file system's host serves what the SDK asks for under the name of the blob service.
		set.service = "https://" + strings.Replace(at.host, ".dfs.", ".blob.", 1)
	}
	if o.own() {
		set.key, set.sas = o.AccountKey, strings.TrimPrefix(o.SASToken, "?")
		return set
	}
	blobHost, dfsHost := strings.Replace(at.host, ".dfs.", ".blob.", 1), strings.Replace(at.host, ".blob.", ".dfs.", 1)
	prefix := iceio.ADLSSasTokenPrefix
	set.sas = strings.TrimPrefix(cmp.Or(props[prefix+at.host], props[prefix+blobHost], props[prefix+dfsHost], props[prefix+at.account], props[keySAS]), "?")
	switch {
	case set.sas != "":
	case props[iceio.ADLSSharedKeyAccountName] == at.account:
		set.key = props[iceio.ADLSSharedKeyAccountKey]
	default:
		set.token = props[keyADLSToken]
	}
	return set
}

func (c *azureClients) get(at azureAddress, props map[string]string) (*service.Client, error) {
	return c.cache.get(c.opts.merge(at, props), c.connect)
}

func (c *azureClients) connect(set azureSettings) (*service.Client, error) {
	opts := &service.ClientOptions{ClientOptions: c.clientOptions()}
	switch {
	case set.key != "":
		key, err := service.NewSharedKeyCredential(set.account, set.key)
		if err != nil {
			return nil, failure.New(failure.Config, codeAuth, "copy the account's key as the portal shows it", "opening Azure: the account key is not in base64")
		}
		return service.NewClientWithSharedKeyCredential(set.service, key, opts)
	case set.sas != "":
		return service.NewClientWithNoCredential(strings.TrimSuffix(set.service, "/")+"/?"+set.sas, opts)
	case set.token != "":
		return service.NewClient(set.service, fixedToken(set.token), opts)
	}
	login, err := c.identity()
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, codeAuth, azureLoginHint, "opening Azure")
	}
	return service.NewClient(set.service, namedLogin{login}, opts)
}

// login finds the credential of a service principal, a managed identity or the surroundings.
func (c *azureClients) login() (azcore.TokenCredential, error) {
	opts := c.clientOptions()
	switch {
	case c.opts.ClientSecret != "":
		return azidentity.NewClientSecretCredential(c.opts.TenantID, c.opts.ClientID, c.opts.ClientSecret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: opts})
	case c.opts.ClientID != "":
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ClientOptions: opts, ID: azidentity.ClientID(c.opts.ClientID)})
	}
	return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: opts})
}

func (c *azureClients) clientOptions() policy.ClientOptions {
	return policy.ClientOptions{
		Retry: policy.RetryOptions{
			MaxRetries: max(int32(c.opts.MaxAttempts)-1, -1), RetryDelay: min(retryDelay, c.opts.MaxBackoff), MaxRetryDelay: c.opts.MaxBackoff, //nolint:gosec // a small number
		},
		Telemetry: policy.TelemetryOptions{ApplicationID: "ingestd"},
		Transport: &wire{rt: c.opts.Transport},
	}
}

// retryDelay is the pause before the first retry.
const retryDelay = 100 * time.Millisecond

// wire sends requests. Its errors name no query: that of Azure may hold a signature.
type wire struct{ rt http.RoundTripper }

// Do implements policy.Transporter.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	res, err := w.rt.RoundTrip(r)
	if err != nil {
		return nil, &sendError{method: r.Method, url: url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host, Path: r.URL.Path}, cause: err}
	}
	return res, nil
}

// sendError is a request without an answer.
type sendError struct {
	method string
	url    url.URL
	cause  error
}

func (e *sendError) Error() string {
	return fmt.Sprintf("%s %q: %v", e.method, e.url.String(), e.cause)
}
func (e *sendError) Unwrap() error { return e.cause }

// pooledTransport is what all requests of a kind of store share.
func pooledTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// fixedToken is a bearer token of a catalog.
type fixedToken string

// GetToken implements azcore.TokenCredential.
func (t fixedToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	// The catalog renews it: another token is another client.
	return azcore.AccessToken{Token: string(t), ExpiresOn: time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)}, nil
}

// namedLogin marks the errors of finding credentials.
type namedLogin struct{ azcore.TokenCredential }

// GetToken implements azcore.TokenCredential.
func (n namedLogin) GetToken(ctx context.Context, opts policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t, err := n.TokenCredential.GetToken(ctx, opts)
	if err != nil {
		return t, &loginError{err}
	}
	return t, nil
}

// loginError is an error of finding credentials.
type loginError struct{ cause error }

func (e *loginError) Error() string { return "logging in: " + e.cause.Error() }
func (e *loginError) Unwrap() error { return e.cause }
