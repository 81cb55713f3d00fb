package compaction

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// File is a live data file as the plan sees it.
type File struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
	Rows int64  `json:"rows"`
	// Spec and Partition are the place it lies in: the id of the spec, and its values as in a path.
	Spec      int    `json:"spec"`
	Partition string `json:"partition"`
	// Sequence is its data sequence number; Added is when the snapshot of that number was made, zero when that is not
	// known any more. A rewritten file keeps the number of what it was made of, so it does not look new.
	Sequence int64     `json:"sequence"`
	Added    time.Time `json:"-"`
	// DeleteFiles is the number of delete files that apply to it; DeletedRows those of its rows that are known to be deleted.
	DeleteFiles int   `json:"delete_files,omitempty"`
	DeletedRows int64 `json:"deleted_rows,omitempty"`
	// Refused is why it cannot be rewritten.
	Refused string `json:"refused,omitempty"`
}

// live is what a rewrite of the file will be about as large as.
func (f *File) live() int64 {
	if f.DeletedRows <= 0 || f.Rows <= 0 {
		return f.Size
	}
	return int64(float64(f.Size) * float64(max(0, f.Rows-f.DeletedRows)) / float64(f.Rows))
}

// Group is a number of files of one partition that become one file, or as many as are needed.
type Group struct {
	Spec      int    `json:"spec"`
	Partition string `json:"partition"`
	Files     []File `json:"files"`
	// Bytes and Rows are those of the files; Live is the size expected afterwards, in Outputs files.
	Bytes   int64 `json:"bytes"`
	Rows    int64 `json:"rows"`
	Live    int64 `json:"live_bytes"`
	Outputs int   `json:"outputs"`
	// Saved is what a full scan reads less afterwards, the cost of opening files included.
	Saved int64  `json:"saved_bytes"`
	Why   string `json:"why"`
}

// worth is what a rewritten byte saves a scan.
func (g *Group) worth() float64 { return float64(g.Saved) / float64(max(1, g.Bytes)) }

// Left is a number of candidates that are left alone, and why.
type Left struct {
	Partition string `json:"partition"`
	Files     int    `json:"files"`
	Bytes     int64  `json:"bytes"`
	Why       string `json:"why"`
}

// Plan is what to rewrite of one snapshot.
type Plan struct {
	Snapshot int64   `json:"snapshot"`
	Groups   []Group `json:"groups"`
	Left     []Left  `json:"left"`
	// Files and Bytes are all that the snapshot holds; Rewrite and RewriteBytes what the groups hold of it.
	Files        int   `json:"files"`
	Bytes        int64 `json:"bytes"`
	Rewrite      int   `json:"files_to_rewrite"`
	RewriteBytes int64 `json:"bytes_to_rewrite"`
	Outputs      int   `json:"files_to_write"`
	Saved        int64 `json:"saved_bytes"`
	// Score is what a full scan of the table pays for its files being as they are: what rewriting all candidates could
	// save at most. It orders tables.
	Score int64 `json:"score"`
}

// candidates are the files that are not as they should be, whether they are rewritten or left alone.
func (p *Plan) candidates() int {
	n := p.Rewrite
	for _, l := range p.Left {
		n += l.Files
	}
	return n
}

// tooSmall is the one reason that needs company: a file is rewritten for it only together with others.
const tooSmall = "too small"

// place is a partition of one spec.
type place struct {
	spec      int
	partition string
}

// MakePlan plans the rewrite of a snapshot. The same input gives the same plan, and when it has been carried out, the
// plan for what is there then is empty, as far as sizes can be foretold.
func MakePlan(snapshot int64, files []File, o Options, now time.Time) *Plan {
	p := &Plan{Snapshot: snapshot, Files: len(files), Groups: []Group{}, Left: []Left{}}
	places, newest := map[place][]File{}, int64(0)
	for _, f := range files {
		p.Bytes += f.Size
		newest = max(newest, f.Sequence)
		if o.Where != nil && !o.Where(f) {
			continue
		}
		k := place{f.Spec, f.Partition}
		places[k] = append(places[k], f)
	}
	keys := slices.SortedFunc(maps.Keys(places), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.partition, b.partition), cmp.Compare(a.spec, b.spec))
	})
	for _, k := range keys {
		p.plan(k, places[k], o, placeTime{now, newest})
	}
	p.choose(o)
	for _, g := range p.Groups {
		p.Rewrite += len(g.Files)
		p.RewriteBytes += g.Bytes
		p.Outputs += g.Outputs
		p.Saved += g.Saved
	}
	return p
}

// placeTime is the time of a plan: the clock's and the newest sequence number, which outputs will have.
type placeTime struct {
	now      time.Time
	sequence int64
}

// plan plans one partition.
func (p *Plan) plan(k place, files []File, o Options, at placeTime) {
	least, busy := o.MinInput, false
	skipped := map[string][]File{}
	var items []item
	for _, f := range files {
		busy = busy || o.Busy > 0 && f.Added.After(at.now.Add(-o.Busy))
		why := reason(f, o)
		switch {
		case why == "":
			continue
		case f.Refused != "":
			skipped["refused: "+f.Refused] = append(skipped["refused: "+f.Refused], f)
		case o.MinAge > 0 && f.Added.After(at.now.Add(-o.MinAge)):
			skipped["too young"] = append(skipped["too young"], f)
		default:
			items = append(items, newItem(f, why))
		}
	}
	if busy {
		least = o.BusyMinInput
	}
	groups, rest := pack(items, packing{Options: o, least: least, sequence: at.sequence})
	for _, it := range groups {
		g := it.group(k, o)
		p.Groups = append(p.Groups, g)
		p.Score += g.Saved
	}
	why := fmt.Sprintf("fewer than %d files that are worth it together", least)
	if busy {
		why += ", the partition is still being written"
	}
	for _, it := range rest {
		skipped[why] = append(skipped[why], it.files...)
		p.Score += o.OpenCost
	}
	for _, why := range slices.Sorted(maps.Keys(skipped)) {
		l := Left{Partition: k.partition, Files: len(skipped[why]), Why: why}
		for _, f := range skipped[why] {
			l.Bytes += f.Size
		}
		p.Left = append(p.Left, l)
	}
}

// reason is why a file should be rewritten, "" when it is as it should be.
func reason(f File, o Options) string {
	switch {
	case o.All:
		return "all"
	case f.Rows > 0 && float64(f.DeletedRows) >= o.DeleteRatio*float64(f.Rows):
		return "deleted rows"
	case o.DeleteFiles > 0 && f.DeleteFiles >= o.DeleteFiles:
		return "delete files"
	case f.Size > o.Most:
		return "too large"
	case f.Size < o.Least:
		return tooSmall
	}
	return ""
}

// choose puts the groups into order and takes those that the bounds allow.
func (p *Plan) choose(o Options) {
	slices.SortStableFunc(p.Groups, func(a, b Group) int {
		switch o.Order {
		case BytesAsc:
			return cmp.Compare(a.Bytes, b.Bytes)
		case BytesDesc:
			return cmp.Compare(b.Bytes, a.Bytes)
		case FilesAsc:
			return cmp.Compare(len(a.Files), len(b.Files))
		case FilesDesc:
			return cmp.Compare(len(b.Files), len(a.Files))
		default:
			return cmp.Compare(b.worth(), a.worth())
		}
	})
	var bytes, files int64
	p.Groups = slices.DeleteFunc(p.Groups, func(g Group) bool {
		why := ""
		switch {
		case o.MaxBytes > 0 && bytes+g.Bytes > o.MaxBytes:
			why = "the bytes that may be rewritten are spent"
		case o.MaxFiles > 0 && files+int64(len(g.Files)) > o.MaxFiles:
			why = "the files that may be rewritten are spent"
		default:
			bytes, files = bytes+g.Bytes, files+int64(len(g.Files))
			return false
		}
		p.Left = append(p.Left, Left{g.Partition, len(g.Files), g.Bytes, why})
		return true
	})
}
