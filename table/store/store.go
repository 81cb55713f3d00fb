package store

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

// Store reads and writes whole files. Paths are full URIs as they stand in table metadata. It may be used by
// several goroutines at once.
type Store interface {
	// Put writes one file: write is called once with the destination. size is what the caller expects to write,
	// 0 if it does not know; it decides how the upload starts and promises nothing. A file that is already there
	// under the same path is replaced.
	Put(ctx context.Context, path string, size int64, write func(io.Writer) error) error
	// Delete removes one file. A file that is not there is no error.
	Delete(ctx context.Context, path string) error
	// Stat gives the size of a file; a missing one satisfies errors.Is(err, fs.ErrNotExist).
	Stat(ctx context.Context, path string) (size int64, err error)
}

// Around is called about every operation on files, do being the operation itself. Metrics time it, tests of
// crashes fail before or after it. op is one of put, delete, stat, open, read, list.
type Around func(op, path string, do func() error) error

// Options configure Open. The zero value knows local files, and S3 as the environment describes it.
type Options struct {
	S3    S3Options
	Azure AzureOptions
	GCS   GCSOptions
	// Parts bounds the upload buffers of PartSize that all uploads together may hold; 0 = 4.
	Parts int
	// Around wraps every operation; nil = nothing.
	Around Around
}

// S3Options are the operator's settings of S3 access. What is left empty comes from the catalog's properties,
// then from the usual places of the SDK (environment, shared files, instance roles).
type S3Options struct {
	Endpoint        string
	Region          string
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	// PathStyle puts the bucket into the path instead of the host name; nil = when there is an endpoint.
	PathStyle *bool
	// PartSize is the size of the parts of large uploads; 0 = 16 MiB, at least 5 MiB.
	PartSize int64
	// Checksum is sent with every upload for the server to check; "" = CRC32.
	Checksum Checksum
	// Encryption asks the server to encrypt what is stored, with the key of KMSKeyID ("" = the bucket's or the account's
	// own) or, SSEC, with CustomerKey (32 bytes in base64), which also reading needs.
	Encryption  Encryption
	KMSKeyID    string
	CustomerKey string
	// MaxAttempts bounds the tries of one request; 0 = 6.
	MaxAttempts int
	// MaxBackoff bounds the pause between them; 0 = 10 s.
	MaxBackoff time.Duration
	// Transport replaces the HTTP transport; nil = a pooled one of our own.
	Transport http.RoundTripper
}

const (
	defaultParts       = 4
	defaultPartSize    = 16 << 20
	minPartSize        = 5 << 20
	defaultMaxAttempts = 6
	defaultMaxBackoff  = 10 * time.Second
)

// Stores is the process's access to files: one local store and one S3 client per distinct set of settings.
type Stores struct {
	opts    Options
	local   *local
	pool    *partPool
	clients *clients
	azure   *azureClients
	gcs     *gcsClient
}

// Open checks the options; it contacts nobody.
func Open(opts Options) (*Stores, error) {
	if opts.Parts <= 0 {
		opts.Parts = defaultParts
	}
	if opts.S3.PartSize == 0 {
		opts.S3.PartSize = defaultPartSize
	}
	if opts.S3.PartSize < minPartSize {
		return nil, failure.New(failure.Config, codeSettings, "S3 takes parts of 5 MiB or more",
			"opening stores: part size %d is too small", opts.S3.PartSize)
	}
	if opts.S3.MaxAttempts <= 0 {
		opts.S3.MaxAttempts = defaultMaxAttempts
	}
	if opts.S3.MaxBackoff <= 0 {
		opts.S3.MaxBackoff = defaultMaxBackoff
	}
	if (opts.S3.AccessKeyID == "") != (opts.S3.SecretAccessKey == "") {
		return nil, failure.New(failure.Config, codeAuth, "set both access_key_id and secret_access_key, or neither",
			"opening stores: half of a pair of S3 keys")
	}
	sum, err := opts.S3.Checksum.resolve()
	if err != nil {
		return nil, err
	}
	opts.S3.Checksum = sum
	if e, err := opts.S3.encryption(nil); err != nil {
		return nil, err
	} else if err := e.checkWire(opts.S3.Endpoint); err != nil {
		return nil, err
	}
	if err := opts.Azure.check(); err != nil {
		return nil, err
	}
	if err := opts.GCS.check(); err != nil {
		return nil, err
	}
	if opts.Around == nil {
		opts.Around = func(_, _ string, do func() error) error { return do() }
	}
	// Google takes multiples of this, and nobody else minds.
	opts.S3.PartSize = (opts.S3.PartSize + gcsGranule - 1) / gcsGranule * gcsGranule
	s := &Stores{opts: opts, pool: newPartPool(opts.Parts, int(opts.S3.PartSize))}
	s.local = &local{around: opts.Around, sys: osFiles()}
	s.clients = newClients(opts.S3)
	s.azure = newAzureClients(opts.Azure)
	s.gcs = newGCSClient(opts.GCS)
	return s, nil
}

// UploadReserve is the memory that all uploads together may hold beside the data handed to them.
func (s *Stores) UploadReserve() int64 { return int64(s.opts.Parts) * s.opts.S3.PartSize }

// For gives the store of a location, with the operator's settings.
func (s *Stores) For(location string) (Store, error) { return s.ForProperties(location, nil) }

// ForProperties gives the store of a location, with what a catalog's properties (s3.endpoint,
// s3.access-key-id, ...) add to the operator's settings.
func (s *Stores) ForProperties(location string, props map[string]string) (Store, error) {
	if isLocal(location) {
		return s.local, nil
	}
	st, err := s.objects(location, props, nil)
	if err != nil {
		return nil, err
	}
	return st, nil
}

func (s *Stores) s3(props map[string]string, grants *Grants) (*s3Objects, error) {
	c, err := s.clients.get(props)
	if err != nil {
		return nil, err
	}
	return &s3Objects{clients: s.clients, client: c, grants: grants, sum: s.opts.S3.Checksum}, nil
}

// objects gives the store of a location of an object store, by its scheme.
func (s *Stores) objects(location string, props map[string]string, grants *Grants) (*objectStore, error) {
	st := &objectStore{grants: grants, pool: s.pool, around: s.opts.Around}
	switch scheme(location) {
	case "s3", "s3a":
		o, err := s.s3(props, grants)
		if err != nil {
			return nil, err
		}
		st.reads, st.writes = o, o
	case "abfss", "abfs", "wasbs", "wasb":
		o := &azureObjects{clients: s.azure, props: props, grants: grants}
		st.reads, st.writes = o, o
	case "gs":
		o := &gcsObjects{client: s.gcs, props: props, grants: grants}
		st.reads, st.writes = o, o
	default:
		return nil, unsupported(location)
	}
	return st, nil
}

// Of gives the store behind file access that iceberg-go got from the registered factories, which is how the
// credentials a catalog hands out with a table reach the data files. It reports false for anybody else's.
func Of(fs iceio.IO) (Store, bool) {
	st, ok := fs.(interface{ Store() Store })
	if !ok {
		return nil, false
	}
	return st.Store(), true
}

// Following gives a Store that asks current for the table's file access before each call (table.Table's FS), so
// that credentials renewed by the catalog are in use with the next file.
func Following(current func(context.Context) (iceio.IO, error)) Store { return following(current) }

type following func(context.Context) (iceio.IO, error)

func (f following) store(ctx context.Context) (Store, error) {
	fs, err := f(ctx)
	if err != nil {
		return nil, failure.Wrap(err, classOr(err, failure.Retry), codeNetwork,
			"the catalog hands out the access to the table's files; see its answer", "asking for file access")
	}
	st, ok := Of(fs)
	if !ok {
		return nil, failure.New(failure.Fatal, codeSettings, "", "asking for file access: %T is not ours", fs)
	}
	return st, nil
}

// Put implements Store.
func (f following) Put(ctx context.Context, path string, size int64, write func(io.Writer) error) error {
	st, err := f.store(ctx)
	if err != nil {
		return err
	}
	return st.Put(ctx, path, size, write)
}

// Delete implements Store.
func (f following) Delete(ctx context.Context, path string) error {
	st, err := f.store(ctx)
	if err != nil {
		return err
	}
	return st.Delete(ctx, path)
}

// Stat implements Store.
func (f following) Stat(ctx context.Context, path string) (int64, error) {
	st, err := f.store(ctx)
	if err != nil {
		return 0, err
	}
	return st.Stat(ctx, path)
}

// Probe checks that files can be put under a location: the bucket exists and lets us in, the directory can be
// made and written. It is meant for start-up, where a wrong setting should cost one clear line.
func (s *Stores) Probe(ctx context.Context, location string) error {
	switch scheme(location) {
	case "", "file":
		return s.local.probe(location)
	case "s3", "s3a":
		st, err := s.s3(nil, nil)
		if err != nil {
			return err
		}
		return st.probe(ctx, location)
	case "abfss", "abfs", "wasbs", "wasb":
		return (&azureObjects{clients: s.azure}).probe(ctx, location)
	case "gs":
		return (&gcsObjects{client: s.gcs}).probe(ctx, location)
	default:
		return unsupported(location)
	}
}

func unsupported(location string) error {
	return failure.New(failure.Config, CodeScheme, "locations may be file:, s3:, s3a:, abfss:, wasbs: or gs: URIs, or plain paths",
		"opening %s: no store for scheme %q", location, scheme(location))
}

// scheme is the lower-case URI scheme of a location, "" for a plain path.
func scheme(location string) string {
	i := strings.IndexByte(location, ':')
	if i <= 1 || strings.IndexByte(location[:i], '/') >= 0 {
		return ""
	}
	return strings.ToLower(location[:i])
}
