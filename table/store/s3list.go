package store

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// WalkDir implements iceio.ListableIO over one flat, sorted listing: the root is reported as a directory, every
// object below it as a file; there are no directories in between. fs.SkipDir for a file passes over what is left
// of its directory.
func (i *s3IO) WalkDir(root string, fn fs.WalkDirFunc) error {
	err := i.s.around("list", root, func() error { return i.walk(root, fn) })
	if errors.Is(err, fs.SkipAll) || errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

func (i *s3IO) walk(root string, fn fs.WalkDirFunc) error {
	o, err := parseObject(root)
	if err != nil {
		return err
	}
	if err := fn(root, fs.FileInfoToDirEntry(objectInfo{name: root, dir: true}), nil); err != nil {
		return err
	}
	prefix := o.key
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	w := walker{o: o, fn: fn}
	pages := s3.NewListObjectsV2Paginator(lister{i.s, o.uri(prefix)}, &s3.ListObjectsV2Input{Bucket: &o.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := i.page(pages)
		if err != nil {
			return fn(root, nil, classified(err, "listing", root))
		}
		for k := range page.Contents {
			if err := w.visit(&page.Contents[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// lister asks for each page with the credentials of its time.
type lister struct {
	s    *s3Store
	path string
}

// ListObjectsV2 implements s3.ListObjectsV2APIClient.
func (l lister) ListObjectsV2(ctx context.Context, in *s3.ListObjectsV2Input, opts ...func(*s3.Options)) (*s3.ListObjectsV2Output, error) {
	cl, err := l.s.s3(ctx, l.path)
	if err != nil {
		return nil, err
	}
	return cl.ListObjectsV2(ctx, in, opts...)
}

func (i *s3IO) page(pages *s3.ListObjectsV2Paginator) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := context.WithTimeout(i.base, ioTimeout)
	defer cancel()
	return pages.NextPage(ctx)
}

type walker struct {
	o    objectPath
	fn   fs.WalkDirFunc
	skip string // a directory whose rest is passed over; "" = none
}

func (w *walker) visit(obj *types.Object) error {
	key := deref(obj.Key)
	if key == "" || strings.HasSuffix(key, "/") { // markers that some tools leave for directories
		return nil
	}
	if w.skip != "" && path.Dir(key) == w.skip {
		return nil
	}
	info := objectInfo{name: key}
	if obj.Size != nil {
		info.size = *obj.Size
	}
	if obj.LastModified != nil {
		info.modified = *obj.LastModified
	}
	err := w.fn(w.o.uri(key), fs.FileInfoToDirEntry(info), nil)
	if errors.Is(err, fs.SkipDir) {
		w.skip = path.Dir(key)
		return nil
	}
	return err
}
