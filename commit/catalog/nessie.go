package catalog

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/iceberg-go/table"
)

// Nessie keeps the past of a table as its own: it shows the head snapshot alone, as if nothing had been before it. What
// the head was made on stands in the header of its manifest list, which whoever committed has written and nobody
// changes. Put back in its place it makes the history what it is, one that goes on where it cannot be seen.

// parents remembers what the heads of tables were made on.
type parents struct {
	mu struct {
		sync.Mutex
		tables map[string]descent
	}
}

// descent is a manifest list and the snapshot that it was made on, nil for none.
type descent struct {
	list   string
	parent *int64
}

// parentKey is the header's name for that snapshot, and the metadata's.
const parentKey = "parent-snapshot-id"

// descended gives a table whose head names its parent. Without one, or when the header does not say, it stays as it is.
func (c *restCatalog) descended(ctx context.Context, tbl *table.Table) (*table.Table, error) {
	head := tbl.Metadata().CurrentSnapshot()
	if head == nil || head.ParentSnapshotID != nil || head.ManifestList == "" || head.SequenceNumber <= 1 {
		return tbl, nil
	}
	parent, err := c.parents.of(ctx, tbl, head.ManifestList)
	if err != nil || parent == nil {
		return tbl, err
	}
	meta, err := withParent(tbl.Metadata(), head.SnapshotID, *parent)
	if err != nil {
		return nil, err
	}
	return table.New(tbl.Identifier(), meta, tbl.MetadataLocation(), tbl.FS, c), nil
}

// of reads a manifest list's header, unless it is the one that was read last.
func (p *parents) of(ctx context.Context, tbl *table.Table, list string) (*int64, error) {
	key := strings.Join(tbl.Identifier(), "\x1f")
	p.mu.Lock()
	known := p.mu.tables[key]
	p.mu.Unlock()
	if known.list == list {
		return known.parent, nil
	}
	fs, err := tbl.FS(ctx)
	if err != nil {
		return nil, err
	}
	f, err := fs.Open(list)
	if err != nil {
		return nil, err
	}
	header, err := avroHeader(bufio.NewReader(f))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading manifest list %s: %w", list, err)
	}
	known = descent{list: list}
	if id, err := strconv.ParseInt(string(header[parentKey]), 10, 64); err == nil {
		known.parent = &id
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.tables == nil {
		p.mu.tables = map[string]descent{}
	}
	p.mu.tables[key] = known
	return known.parent, nil
}

// withParent gives the metadata with a parent of one snapshot.
func withParent(meta table.Metadata, snapshot, parent int64) (table.Metadata, error) {
	text, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&all); err != nil {
		return nil, err
	}
	list, _ := all["snapshots"].([]any)
	for _, s := range list {
		if s, ok := s.(map[string]any); ok && fmt.Sprint(s["snapshot-id"]) == strconv.FormatInt(snapshot, 10) {
			s[parentKey] = json.Number(strconv.FormatInt(parent, 10))
		}
	}
	if text, err = json.Marshal(all); err != nil {
		return nil, err
	}
	return table.ParseMetadataBytes(text)
}

// Bounds of a header that is one.
const (
	maxHeaderEntries = 1 << 10
	maxHeaderValue   = 16 << 20
)

var errNoAvro = errors.New("not an Avro file")

// avroHeader reads the metadata of an Avro object container file: blocks of pairs, ended by an empty one.
func avroHeader(r *bufio.Reader) (map[string][]byte, error) {
	var magic [4]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, err
	}
	if string(magic[:]) != "Obj\x01" {
		return nil, errNoAvro
	}
	header := map[string][]byte{}
	for {
		n, err := binary.ReadVarint(r)
		if err == nil && n < 0 {
			// A negative count is followed by the block's size.
			n = -n
			_, err = binary.ReadVarint(r)
		}
		if err != nil || n == 0 {
			return header, err
		}
		if n > maxHeaderEntries {
			return nil, errNoAvro
		}
		for range n {
			key, err := avroBytes(r)
			if err != nil {
				return nil, err
			}
			if header[string(key)], err = avroBytes(r); err != nil {
				return nil, err
			}
		}
	}
}

func avroBytes(r *bufio.Reader) ([]byte, error) {
	n, err := binary.ReadVarint(r)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > maxHeaderValue {
		return nil, errNoAvro
	}
	b := make([]byte, n)
	_, err = io.ReadFull(r, b)
	return b, err
}
