package store

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

// clients keeps one S3 client per distinct set of settings, over one HTTP transport.
type clients struct {
	opts S3Options

	cache cache[settings, *client]
	mu    struct {
		sync.Mutex
		shared aws.HTTPClient
	}
}

// settings are what makes two clients different.
type settings struct {
	endpoint, region   string
	key, secret, token string
	pathStyle          bool
	encryption         encryption
}

// client is built at its first use, when there is a context to read the environment's settings with.
type client struct {
	set   settings
	all   *clients
	mu    sync.Mutex
	ready *s3.Client
}

func newClients(opts S3Options) *clients {
	c := &clients{opts: opts}
	if opts.Transport != nil {
		c.mu.shared = &http.Client{Transport: opts.Transport}
	}
	return c
}

func newTransport() aws.HTTPClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns = 256
		t.MaxIdleConnsPerHost = 64
		t.IdleConnTimeout = 90 * time.Second
		t.ResponseHeaderTimeout = 60 * time.Second
	})
}

// transport gives the one transport of all clients: the first that the environment's settings made (they may
// name certificates). Wrapped up, so that the SDK does not clone it for each client.
func (c *clients) transport(fresh aws.HTTPClient) aws.HTTPClient {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.shared == nil {
		c.mu.shared = sealed{fresh}
	}
	return c.mu.shared
}

type sealed struct{ aws.HTTPClient }

func (c *clients) get(props map[string]string) (*client, error) {
	set, err := c.opts.merge(props)
	if err != nil {
		return nil, err
	}
	return c.cache.get(set, func(set settings) (*client, error) { return &client{set: set, all: c}, nil })
}

// merge puts the operator's settings over the catalog's properties. Keys go together: the operator's pair never
// meets a session token of the catalog.
func (o S3Options) merge(props map[string]string) (settings, error) {
	if on, _ := strconv.ParseBool(props[iceio.S3RemoteSigningEnabled]); on {
		return settings{}, failure.New(failure.Config, codeSettings,
			"switch remote signing off in the catalog, or let it vend credentials", "opening S3: remote signing is not supported")
	}
	set := settings{
		endpoint: cmp.Or(o.Endpoint, props[iceio.S3EndpointURL]),
		region:   cmp.Or(o.Region, props[iceio.S3Region], props[iceio.S3ClientRegion]),
		key:      o.AccessKeyID, secret: o.SecretAccessKey, token: o.SessionToken,
	}
	if set.key == "" {
		set.key, set.secret, set.token = props[iceio.S3AccessKeyID], props[iceio.S3SecretAccessKey], props[iceio.S3SessionToken]
	}
	var err error
	if set.encryption, err = o.encryption(props); err != nil {
		return settings{}, err
	}
	if err := set.encryption.checkWire(set.endpoint); err != nil {
		return settings{}, err
	}
	set.pathStyle = set.endpoint != ""
	if v, err := strconv.ParseBool(props[iceio.S3ForceVirtualAddressing]); err == nil {
		set.pathStyle = !v
	}
	if v, err := strconv.ParseBool(props["s3.path-style-access"]); err == nil {
		set.pathStyle = v
	}
	if o.PathStyle != nil {
		set.pathStyle = *o.PathStyle
	}
	return set, nil
}

// s3 gives the SDK's client.
func (c *client) s3(ctx context.Context) (*s3.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ready != nil {
		return c.ready, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, c.loadOptions()...)
	if err != nil {
		return nil, failure.Wrap(err, failure.Config, codeSettings, "check the AWS_ variables and the shared AWS files", "reading S3 settings")
	}
	if cfg.Region == "" {
		if c.set.endpoint == "" && cfg.BaseEndpoint == nil {
			return nil, failure.New(failure.Config, codeRegion, "set storage.s3.region or AWS_REGION", "reading S3 settings: no region")
		}
		cfg.Region = "us-east-1" // what S3 compatibles that have no regions expect
	}
	cfg.HTTPClient = c.all.transport(cfg.HTTPClient)
	cfg.Credentials = aws.NewCredentialsCache(namedCredentials{cfg.Credentials})
	c.ready = s3.NewFromConfig(cfg, c.configure)
	return c.ready, nil
}

func (c *client) loadOptions() []func(*config.LoadOptions) error {
	opts := []func(*config.LoadOptions) error{
		config.WithHTTPClient(newTransport()),
		config.WithLogger(logging.Nop{}),
		config.WithRetryer(c.retryer),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenSupported),
	}
	if c.set.region != "" {
		opts = append(opts, config.WithRegion(c.set.region))
	}
	if c.set.key != "" {
		opts = append(opts, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(c.set.key, c.set.secret, c.set.token)))
	}
	return opts
}

// retryer backs off exponentially with jitter, within a quota of retries that all requests of a client share.
// Not the SDK's adaptive mode: it paces by the rate seen before a refusal, and at our few requests a second one
// 503 would hold every commit up for seconds.
func (c *client) retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = c.all.opts.MaxAttempts
		o.MaxBackoff = c.all.opts.MaxBackoff
	})
}

func (c *client) configure(o *s3.Options) {
	o.UsePathStyle = c.set.pathStyle
	if c.set.endpoint != "" {
		o.BaseEndpoint = aws.String(c.set.endpoint)
	}
	if c.set.encryption.kind != NoEncryption {
		o.APIOptions = append(o.APIOptions, c.set.encryption.install)
	}
	// The checksum header covers the content; hashing it a second time for the signature would cost more than the
	// rest of the upload. Over plain HTTP the SDK insists on the hash.
	o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
}

// namedCredentials marks the errors of finding credentials, which the SDK gives no type.
type namedCredentials struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (n namedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	cr, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return cr, &credentialsError{err}
	}
	return cr, nil
}

type credentialsError struct{ cause error }

func (e *credentialsError) Error() string { return "finding S3 credentials: " + e.cause.Error() }
func (e *credentialsError) Unwrap() error { return e.cause }
