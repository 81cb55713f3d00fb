package store

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

// WalkDir implements iceio.ListableIO over one flat, sorted listing: the root is reported as a directory, every
// object below it as a file; there are no directories in between. fs.SkipDir for a file passes over what is left
// of its directory.
func (i *objectIO) WalkDir(root string, fn fs.WalkDirFunc) error {
	err := i.s.around("list", root, func() error { return i.walk(root, fn) })
	if errors.Is(err, fs.SkipAll) || errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

func (i *objectIO) walk(root string, fn fs.WalkDirFunc) error {
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
	at := objectPath{scheme: o.scheme, bucket: o.bucket, key: prefix}
	for from, more := "", true; more; {
		page, err := i.page(at, from)
		if err != nil {
			return fn(root, nil, classified(err, "listing", root))
		}
		for _, obj := range page.objects {
			if err := w.visit(obj); err != nil {
				return err
			}
		}
		from, more = page.next, page.next != ""
	}
	return nil
}

func (i *objectIO) page(prefix objectPath, from string) (*listing, error) {
	ctx, cancel := i.timed()
	defer cancel()
	return i.s.reads.list(ctx, prefix, from)
}

type walker struct {
	o    objectPath
	fn   fs.WalkDirFunc
	skip string // a directory whose rest is passed over; "" = none
}

func (w *walker) visit(obj listed) error {
	if obj.key == "" || strings.HasSuffix(obj.key, "/") { // markers that some tools leave for directories
		return nil
	}
	if w.skip != "" && path.Dir(obj.key) == w.skip {
		return nil
	}
	info := objectInfo{name: obj.key, size: obj.size, modified: obj.modified}
	err := w.fn(w.o.uri(obj.key), fs.FileInfoToDirEntry(info), nil)
	if errors.Is(err, fs.SkipDir) {
		w.skip = path.Dir(obj.key)
		return nil
	}
	return err
}
