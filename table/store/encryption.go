package store

import (
	"context"
	"crypto/md5" //nolint:gosec // S3 wants this sum of the key, to notice a damaged one
	"encoding/base64"
	"net"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/ingestd/ingestd/internal/failure"
)

// Encryption is how the server encrypts what it stores.
type Encryption string

// The kinds of encryption.
const (
	NoEncryption Encryption = ""         // what the bucket does by itself
	SSES3        Encryption = "sse-s3"   // with keys of the store
	SSEKMS       Encryption = "sse-kms"  // with a key of the key service
	SSEKMSDual   Encryption = "dsse-kms" // the same, in two layers
	SSEC         Encryption = "sse-c"    // with a key that goes along with every request
)

// Properties of catalogs, as Iceberg's own S3 access reads them.
const (
	keyEncryption    = "s3.sse.type"
	keyEncryptionKey = "s3.sse.key"
)

// customerKeyBytes is the length of a key of one's own: AES-256.
const customerKeyBytes = 32

// encryption is what a client asks for. Nothing prints it.
type encryption struct {
	kind Encryption
	// key is the id of a key of the key service, or a key of one's own in base64.
	key string
}

// encryption gives the operator's choice or, without one, that of the catalog.
func (o S3Options) encryption(props map[string]string) (encryption, error) {
	switch o.Encryption {
	case NoEncryption:
	case SSEC:
		return encryption{SSEC, o.CustomerKey}, checkCustomerKey(o.CustomerKey)
	case SSES3, SSEKMS, SSEKMSDual:
		return encryption{o.Encryption, o.KMSKeyID}, nil
	default:
		return encryption{}, failure.New(failure.Config, codeSettings, "one of sse-s3, sse-kms, dsse-kms, sse-c",
			"opening S3: unknown encryption %q", string(o.Encryption))
	}
	switch kind := props[keyEncryption]; kind {
	case "", "none":
		return encryption{}, nil
	case "s3":
		return encryption{kind: SSES3}, nil
	case "kms":
		return encryption{SSEKMS, props[keyEncryptionKey]}, nil
	case "dsse-kms":
		return encryption{SSEKMSDual, props[keyEncryptionKey]}, nil
	case "custom":
		return encryption{SSEC, props[keyEncryptionKey]}, checkCustomerKey(props[keyEncryptionKey])
	default:
		return encryption{}, failure.New(failure.Config, codeSettings, "set storage.s3.encryption, which goes before it",
			"opening S3: the catalog wants encryption %q", kind)
	}
}

// checkCustomerKey never repeats the key.
func checkCustomerKey(key string) error {
	b, err := base64.StdEncoding.DecodeString(key)
	if err == nil && len(b) == customerKeyBytes {
		return nil
	}
	return failure.New(failure.Config, codeSettings, "make one with: openssl rand -base64 32",
		"opening S3: an encryption key of one's own is %d bytes in base64", customerKeyBytes)
}

// checkWire refuses to send a key in plain text over a network.
func (e encryption) checkWire(endpoint string) error {
	if e.kind != SSEC || endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err == nil && (u.Scheme == "https" || isLoopback(u.Hostname())) {
		return nil
	}
	return failure.New(failure.Config, codeSettings, "use an https endpoint",
		"opening S3: with sse-c every request carries the key, and %s is not https", endpoint)
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// install puts the headers into every request of a client that needs them, so that no caller can forget one.
func (e encryption) install(stack *middleware.Stack) error {
	if e.kind == SSEC {
		// The address may come from the environment: what is looked at is where the request is about to go.
		if err := stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("keyOffTheWire", e.inspect), middleware.After); err != nil {
			return err
		}
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("encryption",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			e.onWrite(in.Parameters)
			if e.kind == SSEC {
				e.onEvery(in.Parameters)
			}
			out, meta, err := next.HandleInitialize(ctx, in)
			if err == nil {
				err = e.confirm(out.Result)
			}
			return out, meta, err
		}), middleware.Before)
}

// confirm refuses a server that takes the headers and does nothing: it does not repeat them, as one that encrypts does.
func (e encryption) confirm(answer any) error {
	var kept types.ServerSideEncryption
	var own *string
	switch out := answer.(type) {
	case *s3.PutObjectOutput:
		kept, own = out.ServerSideEncryption, out.SSECustomerAlgorithm
	case *s3.CreateMultipartUploadOutput:
		kept, own = out.ServerSideEncryption, out.SSECustomerAlgorithm
	default:
		return nil
	}
	if e.kind == SSEC && deref(own) != "" || e.kind != SSEC && kept == e.algorithm() {
		return nil
	}
	return failure.New(failure.Config, codeKey, "leave storage.s3.encryption out, or use a store that has it",
		"the object store does not encrypt as %s wants", e.kind)
}

// algorithm is what S3 calls an encryption, "" where the key goes along.
func (e encryption) algorithm() types.ServerSideEncryption {
	return map[Encryption]types.ServerSideEncryption{
		SSES3: types.ServerSideEncryptionAes256, SSEKMS: types.ServerSideEncryptionAwsKms, SSEKMSDual: types.ServerSideEncryptionAwsKmsDsse,
	}[e.kind]
}

func (e encryption) inspect(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	if r, ok := in.Request.(*smithyhttp.Request); ok {
		if err := e.checkWire(r.URL.Scheme + "://" + r.URL.Host); err != nil {
			return middleware.FinalizeOutput{}, middleware.Metadata{}, err
		}
	}
	return next.HandleFinalize(ctx, in)
}

// onWrite names the encryption where an object begins.
func (e encryption) onWrite(request any) {
	algorithm := e.algorithm()
	if algorithm == "" {
		return
	}
	var key *string
	if e.kind != SSES3 && e.key != "" { // without an id it is the bucket's or the account's own
		key = &e.key
	}
	switch in := request.(type) {
	case *s3.PutObjectInput:
		in.ServerSideEncryption, in.SSEKMSKeyId = algorithm, key
	case *s3.CreateMultipartUploadInput:
		in.ServerSideEncryption, in.SSEKMSKeyId = algorithm, key
	}
}

// onEvery sends the key along with all that touches an object's content or its description.
func (e encryption) onEvery(request any) {
	raw, _ := base64.StdEncoding.DecodeString(e.key)
	digest := md5.Sum(raw) //nolint:gosec // as above
	algorithm, key, sum := "AES256", e.key, base64.StdEncoding.EncodeToString(digest[:])
	switch in := request.(type) {
	case *s3.PutObjectInput:
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = &algorithm, &key, &sum
	case *s3.CreateMultipartUploadInput:
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = &algorithm, &key, &sum
	case *s3.UploadPartInput:
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = &algorithm, &key, &sum
	case *s3.CompleteMultipartUploadInput:
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = &algorithm, &key, &sum
	case *s3.GetObjectInput:
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = &algorithm, &key, &sum
	case *s3.HeadObjectInput:
		in.SSECustomerAlgorithm, in.SSECustomerKey, in.SSECustomerKeyMD5 = &algorithm, &key, &sum
	}
}
