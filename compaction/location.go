package compaction

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	iceio "github.com/apache/iceberg-go/io"

	"github.com/ingestd/ingestd/internal/failure"
)

// list lists what lies below the location.
func (r *RemoveOrphanFiles) list(ctx context.Context) (out []listedFile, err error) {
	fsys, err := r.Table.Iceberg().FS(ctx)
	if err != nil {
		return nil, failure.Wrap(err, failure.Retry, CodeOrphans, "", "listing %s", r.root())
	}
	lister, ok := fsys.(iceio.ListableIO)
	if !ok {
		return nil, failure.New(failure.Config, CodeOrphans, "use the store's own tools", "the files at %s cannot be listed", r.root())
	}
	root := r.root()
	strangers := 0
	err = lister.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case !strings.HasPrefix(keyOf(name), keyOf(root)+"/"):
			strangers++
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		out = append(out, listedFile{name, info.Size(), info.ModTime()})
		r.Env.Progress(Progress{Done: int64(len(out)), Step: fmt.Sprintf("listed %d files", len(out))})
		return nil
	})
	if err == nil && strangers > 0 {
		err = fmt.Errorf("the listing has %d files that do not lie in it", strangers)
	}
	if err != nil {
		return nil, failure.Wrap(err, failure.Retry, CodeOrphans, "", "listing %s", root)
	}
	return out, nil
}

// hidden files belong to other programs, except for the temporary ones that a process of ours has left.
func hidden(rel string) bool {
	parts := strings.Split(rel, "/")
	last := parts[len(parts)-1]
	return strings.HasPrefix(last, "_") || strings.HasPrefix(last, ".") && !strings.HasSuffix(last, ".tmp") ||
		slices.ContainsFunc(parts[:len(parts)-1], func(p string) bool { return strings.HasPrefix(p, ".") })
}

// ours refuses a location that holds the metadata of another table: no catalog has to know it.
func (r *RemoveOrphanFiles) ours(ctx context.Context, name string, known bool) error {
	if known {
		return nil
	}
	fsys, err := r.Table.Iceberg().FS(ctx)
	if err != nil {
		return failure.Wrap(err, failure.Retry, CodeOrphans, "", "reading %s", name)
	}
	id, err := tableID(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return r.nested("the metadata file " + name + ", which cannot be read,")
	}
	if id != r.Table.Metadata().TableUUID().String() {
		return r.nested("the metadata file " + name + " of another table")
	}
	return nil
}

// tableID reads the id of the table that a metadata file is about.
func tableID(fsys iceio.IO, name string) (id string, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return "", err
		}
		if b, err = io.ReadAll(z); err != nil {
			return "", err
		}
	}
	var m struct {
		UUID string `json:"table-uuid"`
	}
	return m.UUID, json.Unmarshal(b, &m)
}
