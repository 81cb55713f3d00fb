package store

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc64"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/google/uuid"

	"github.com/ingestd/ingestd/internal/failure"
)

const (
	azureBlocks = 50_000 // Azure's limit
	azurePage   = 1000   // blobs of a listing that are in memory at once; Azure would send five times as many
	manyAtOnce  = 256    // objects that are removed one by one and count as a batch
)

// azureObjects is Azure Blob Storage with one set of settings; the account is each location's.
type azureObjects struct {
	clients *azureClients
	props   map[string]string
	// grants choose the login for each path, and renew it; nil = that of props for all.
	grants *Grants
}

var (
	_ objects = (*azureObjects)(nil)
	_ uploads = (*azureObjects)(nil)
)

func (a *azureObjects) bounds() bounds { return bounds{parts: azureBlocks, batch: manyAtOnce} }

// container gives the client of a location's container, with the login of this moment.
func (a *azureObjects) container(ctx context.Context, o objectPath) (*container.Client, error) {
	at, err := address(o)
	if err != nil {
		return nil, err
	}
	props := a.props
	if a.grants != nil && !a.clients.opts.own() {
		if props, err = a.grants.properties(ctx, o.uri(o.key)); err != nil {
			return nil, err
		}
	}
	svc, err := a.clients.get(at, props)
	if err != nil {
		return nil, err
	}
	return svc.NewContainerClient(at.container), nil
}

func (a *azureObjects) blob(ctx context.Context, o objectPath) (*blockblob.Client, error) {
	c, err := a.container(ctx, o)
	if err != nil {
		return nil, err
	}
	return c.NewBlockBlobClient(o.key), nil
}

func (a *azureObjects) head(ctx context.Context, o objectPath) (int64, error) {
	cl, err := a.blob(ctx, o)
	if err != nil {
		return 0, err
	}
	out, err := cl.GetProperties(ctx, nil)
	if err != nil {
		return 0, azureError(err)
	}
	if out.ContentLength == nil {
		return 0, failure.New(failure.Retry, codeDamaged, "", "the object store names no size")
	}
	return *out.ContentLength, nil
}

func (a *azureObjects) get(ctx context.Context, o objectPath, r span) (*content, error) {
	cl, err := a.blob(ctx, o)
	if err != nil {
		return nil, err
	}
	opts := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: r.at, Count: r.n}}
	if r.tag != "" {
		tag := azcore.ETag(r.tag)
		opts.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: &tag}}
	}
	out, err := cl.DownloadStream(ctx, opts)
	if err = azureError(err); err != nil {
		if status(err) == http.StatusRequestedRangeNotSatisfiable && r.at == 0 {
			return &content{body: http.NoBody}, nil
		}
		return nil, err
	}
	c := &content{body: out.Body, length: -1}
	if out.ETag != nil {
		c.tag = string(*out.ETag)
	}
	if out.ContentLength != nil {
		c.length = *out.ContentLength
	}
	if c.total, err = totalSize(deref(out.ContentRange), c.length); err != nil {
		_ = out.Body.Close()
		return nil, err
	}
	return c, nil
}

func (a *azureObjects) remove(ctx context.Context, batch []objectPath) (refused map[string]error, err error) {
	return removeEach(ctx, batch, func(ctx context.Context, o objectPath) error {
		cl, err := a.blob(ctx, o)
		if err != nil {
			return err
		}
		_, err = cl.Delete(ctx, nil)
		return azureError(err)
	})
}

func (a *azureObjects) list(ctx context.Context, prefix objectPath, from string) (*listing, error) {
	cl, err := a.container(ctx, prefix)
	if err != nil {
		return nil, err
	}
	most := int32(azurePage)
	opts := &container.ListBlobsFlatOptions{Prefix: &prefix.key, MaxResults: &most, Include: container.ListBlobsInclude{Metadata: true}}
	if from != "" {
		opts.Marker = &from
	}
	out, err := cl.NewListBlobsFlatPager(opts).NextPage(ctx)
	if err != nil {
		return nil, azureError(err)
	}
	l := &listing{next: deref(out.NextMarker)}
	if out.Segment == nil {
		return l, nil
	}
	for _, b := range out.Segment.BlobItems {
		if b == nil || b.Name == nil || azureFolder(b) {
			continue
		}
		entry := listed{key: *b.Name}
		if p := b.Properties; p != nil && p.ContentLength != nil {
			entry.size = *p.ContentLength
		}
		if p := b.Properties; p != nil && p.LastModified != nil {
			entry.modified = *p.LastModified
		}
		l.objects = append(l.objects, entry)
	}
	return l, nil
}

// azureFolder recognizes the directories of accounts with a hierarchical namespace, which are listed beside files.
func azureFolder(b *container.BlobItem) bool {
	if p := b.Properties; p != nil && deref(p.ResourceType) == "directory" {
		return true
	}
	for key, value := range b.Metadata {
		if strings.EqualFold(key, "hdi_isfolder") && deref(value) == "true" {
			return true
		}
	}
	return false
}

func (a *azureObjects) put(ctx context.Context, o objectPath, b []byte) (confirmed bool, err error) {
	cl, err := a.blob(ctx, o)
	if err != nil {
		return false, err
	}
	sum := crc64.Checksum(b, crc64.MakeTable(nvme))
	out, err := cl.Upload(ctx, streaming.NopCloser(bytes.NewReader(b)),
		&blockblob.UploadOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(sum)})
	if err != nil {
		return false, azureError(err)
	}
	return repeated(out.ContentCRC64, sum)
}

// repeated compares the sum in an answer with ours. Without one the server has said nothing.
func repeated(got []byte, sum uint64) (bool, error) {
	if len(got) == 0 {
		return false, nil
	}
	if !bytes.Equal(got, binary.LittleEndian.AppendUint64(nil, sum)) {
		return false, failure.New(failure.Retry, codeDamaged, "", "the object store has other bytes than were sent")
	}
	return true, nil
}

// blocks is a blob whose blocks are staged. Those that are never committed are gone after a week; nobody sees them.
type blocks struct {
	a  *azureObjects
	at objectPath
	// nonce keeps the blocks of two uploads of one name apart.
	nonce uuid.UUID

	mu     sync.Mutex
	staged []int32
}

func (a *azureObjects) begin(_ context.Context, o objectPath) (transfer, error) {
	nonce, err := uuid.NewRandom()
	return &blocks{a: a, at: o, nonce: nonce}, err
}

// id names a block; all of a blob are of one length, as Azure wants.
func (b *blocks) id(number int32) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%06d", hex.EncodeToString(b.nonce[:]), number))
}

func (b *blocks) part(ctx context.Context, p piece) error {
	cl, err := b.a.blob(ctx, b.at)
	if err != nil {
		return err
	}
	sum := crc64.Checksum(p.b, crc64.MakeTable(nvme))
	out, err := cl.StageBlock(ctx, b.id(p.number), streaming.NopCloser(bytes.NewReader(p.b)),
		&blockblob.StageBlockOptions{TransactionalValidation: blob.TransferValidationTypeCRC64(sum)})
	if err != nil {
		return azureError(err)
	}
	if _, err := repeated(out.ContentCRC64, sum); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.staged = append(b.staged, p.number)
	return nil
}

func (b *blocks) complete(ctx context.Context) error {
	cl, err := b.a.blob(ctx, b.at)
	if err != nil {
		return err
	}
	slices.Sort(b.staged)
	ids := make([]string, len(b.staged))
	for k, number := range b.staged {
		ids[k] = b.id(number)
	}
	_, err = cl.CommitBlockList(ctx, ids, nil)
	return azureError(err)
}

func (b *blocks) abort(context.Context) {} // Azure drops them

func (a *azureObjects) probe(ctx context.Context, location string) error {
	o, err := parseObject(location)
	if err != nil {
		return err
	}
	cl, err := a.container(ctx, o)
	if err != nil {
		return err
	}
	one := int32(1)
	// A listing needs no more rights than the tables' upkeep; those of a container itself are often not given.
	_, err = cl.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{MaxResults: &one}).NextPage(ctx)
	return probed(azureError(err), "looking for container", location)
}
