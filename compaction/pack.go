package compaction

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// packing are the bounds of one partition's groups.
type packing struct {
	Options
	// least is the number of files that are worth a rewrite.
	least int
	// sequence is the sequence number that outputs get.
	sequence int64
}

// item is a candidate: a file, or the output that some files will become.
type item struct {
	files []File
	// size is the expected size; forced candidates are rewritten even alone.
	size     int64
	forced   bool
	merged   bool
	sequence int64
	// why counts the reasons of the files.
	why map[string]int
}

func newItem(f File, why string) item {
	return item{files: []File{f}, size: f.live(), forced: why != tooSmall, sequence: f.Sequence, why: map[string]int{why: 1}}
}

// byClass orders items roughly by size, and within a class by age, so that what was written together stays together and
// the bounds of a file stay narrow.
func byClass(a, b item) int {
	class := func(i item) int { return bits.Len64(uint64(max(0, i.size))) }
	return cmp.Or(
		cmp.Compare(class(a), class(b)), cmp.Compare(a.sequence, b.sequence), cmp.Compare(a.size, b.size),
		cmp.Compare(len(a.files), len(b.files)), strings.Compare(a.files[0].Path, b.files[0].Path),
	)
}

// pack makes groups of the candidates of one partition. The output of a group may be a candidate again: it is treated as
// the file it will be, until nothing is worth it any more. So what the next plan would rewrite is rewritten by this one.
//
// A file is taken along only if the others are together at least as large: its size at least doubles each time it is
// rewritten, and the writes of a byte are bounded by the logarithm of the target over the size it came in.
func pack(items []item, p packing) (groups, rest []item) {
	for {
		slices.SortStableFunc(items, byClass)
		chosen := p.next(items)
		if len(chosen) == 0 {
			break
		}
		merged := item{sequence: p.sequence, merged: true, why: map[string]int{}}
		var others []item
		for i, it := range items {
			if !chosen[i] {
				others = append(others, it)
				continue
			}
			merged.add(it)
		}
		items = others
		if merged.size < p.Least && merged.size > 0 {
			items = append(items, merged)
		} else {
			groups = append(groups, merged)
		}
	}
	for _, it := range items {
		if it.merged {
			groups = append(groups, it)
		} else {
			rest = append(rest, it)
		}
	}
	return groups, rest
}

func (i *item) add(other item) {
	i.files = append(i.files, other.files...)
	i.size += other.size
	for why, n := range other.why {
		i.why[why] += n
	}
}

// next chooses the first run of items that are worth a rewrite together; nil when there is none.
func (p packing) next(items []item) map[int]bool {
	room := p.Target
	if p.MaxGroup > 0 {
		room = min(room, p.MaxGroup)
	}
	for from := range items {
		chosen, sum := map[int]bool{from: true}, items[from].size
		for i := from + 1; i < len(items) && sum+items[i].size <= room; i++ {
			chosen[i] = true
			sum += items[i].size
		}
		if p.worthwhile(items, chosen, sum) {
			return chosen
		}
	}
	return nil
}

// worthwhile leaves out of a run what is larger than the rest of it, and says whether it should be rewritten then.
func (p packing) worthwhile(items []item, chosen map[int]bool, sum int64) bool {
	forced := false
	order := slices.SortedFunc(maps.Keys(chosen), func(a, b int) int { return cmp.Compare(items[b].size, items[a].size) })
	for _, i := range order {
		if items[i].forced {
			forced = true
			continue
		}
		if others := sum - items[i].size; items[i].size > others {
			delete(chosen, i)
			sum = others
		}
	}
	return forced || len(chosen) > 1 && (len(chosen) >= p.least || sum >= p.Least)
}

// group is what an item of several files, or of one that has to be rewritten, is in the plan.
func (i *item) group(k place, o Options) Group {
	g := Group{Spec: k.spec, Partition: k.partition, Files: i.files, Live: i.size, Outputs: 1}
	slices.SortFunc(g.Files, func(a, b File) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), strings.Compare(a.Path, b.Path))
	})
	opened := int64(len(g.Files))
	for _, f := range g.Files {
		g.Bytes += f.Size
		g.Rows += f.Rows
		opened += int64(f.DeleteFiles)
	}
	switch {
	case i.size > o.Most:
		g.Outputs = int((i.size + o.Target/2) / o.Target)
	case i.size == 0:
		g.Outputs = 0
	}
	g.Saved = max(0, (opened-int64(g.Outputs))*o.OpenCost+g.Bytes-g.Live)
	for _, why := range slices.Sorted(maps.Keys(i.why)) {
		if g.Why != "" {
			g.Why += ", "
		}
		g.Why += fmt.Sprintf("%d %s", i.why[why], why)
	}
	return g
}
