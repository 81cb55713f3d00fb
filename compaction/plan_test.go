package compaction

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// drawOptions gives options around a target of 1000.
func drawOptions(t *rapid.T) Options {
	return Options{
		Target: 1000, Least: 750, Most: 1800, OpenCost: 20, DeleteRatio: 0.3, Order: ByWorth,
		MinInput: rapid.IntRange(1, 6).Draw(t, "min input"), BusyMinInput: rapid.IntRange(1, 20).Draw(t, "busy min input"), Busy: time.Hour,
		DeleteFiles: rapid.IntRange(0, 3).Draw(t, "delete files"), MaxGroup: rapid.SampledFrom([]int64{0, 0, 400}).Draw(t, "max group"),
	}
}

func drawFiles(t *rapid.T) []File {
	n := 0
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) File {
		n++
		f := File{
			Path: fmt.Sprint("f", n), Size: rapid.OneOf(rapid.Int64Range(1, 60), rapid.Int64Range(1, 4000)).Draw(t, "size"), Rows: rapid.Int64Range(1, 100).Draw(t, "rows"),
			Spec: rapid.IntRange(0, 1).Draw(t, "spec"), Partition: rapid.SampledFrom([]string{"", "day=1"}).Draw(t, "partition"),
			Sequence: rapid.Int64Range(1, 50).Draw(t, "sequence"),
		}
		if rapid.IntRange(0, 4).Draw(t, "with deletes") == 0 {
			f.DeletedRows, f.DeleteFiles = rapid.Int64Range(0, f.Rows).Draw(t, "deleted"), rapid.IntRange(0, 4).Draw(t, "delete files")
		}
		if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
			f.Refused = "it is odd"
		}
		// What is young stays young: outputs have the newest sequence number.
		f.Added = noon.Add(-time.Duration(50-f.Sequence) * 4 * time.Minute)
		return f
	}), rapid.IntRange(0, 40).Draw(t, "at least"), 60).Draw(t, "files")
}

// carryOut replaces the files of a plan's groups by what becomes of them.
func carryOut(p *Plan, files []File) (after []File) {
	gone := map[string]bool{}
	var newest File
	for _, f := range files {
		if f.Sequence > newest.Sequence {
			newest = f
		}
	}
	for i, g := range p.Groups {
		for _, f := range g.Files {
			gone[f.Path] = true
		}
		rows := g.Rows
		for _, f := range g.Files {
			rows -= f.DeletedRows
		}
		for n := range int64(g.Outputs) {
			lo, hi := g.Live*n/int64(g.Outputs), g.Live*(n+1)/int64(g.Outputs)
			after = append(after, File{Path: fmt.Sprint("o", p.Snapshot, i, n), Size: hi - lo, Rows: max(1, rows/int64(g.Outputs)), Spec: g.Spec, Partition: g.Partition,
				Sequence: newest.Sequence, Added: g.newest()})
		}
	}
	for _, f := range files {
		if !gone[f.Path] {
			after = append(after, f)
		}
	}
	return after
}

func (g *Group) newest() (at time.Time) {
	for _, f := range g.Files {
		if f.Added.After(at) {
			at = f.Added
		}
	}
	return at
}

// TestPlanProperties: no file is in two groups, groups keep to one partition and to their bounds, every group has a
// reason, and what is neither in a group nor left alone is as it should be.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, files := drawOptions(t), drawFiles(t)
		p := MakePlan(7, files, o, noon)
		byPath, seen, left := map[string]File{}, map[string]bool{}, 0
		for _, f := range files {
			byPath[f.Path] = f
		}
		for _, g := range p.Groups {
			require.NotEmpty(t, g.Files)
			require.NotEmpty(t, g.Why)
			var live, bytes, rows int64
			forced := false
			for _, f := range g.Files {
				require.Equal(t, byPath[f.Path], f)
				require.False(t, seen[f.Path], "file %s twice", f.Path)
				seen[f.Path] = true
				require.Empty(t, f.Refused)
				require.Equal(t, place{g.Spec, g.Partition}, place{f.Spec, f.Partition})
				live, bytes, rows = live+f.live(), bytes+f.Size, rows+f.Rows
				forced = forced || reason(f, o) != tooSmall
			}
			require.Equal(t, []int64{live, bytes, rows}, []int64{g.Live, g.Bytes, g.Rows})
			require.True(t, live <= o.Target || len(g.Files) == 1, "%d bytes of %d files", live, len(g.Files))
			require.True(t, forced || len(g.Files) > 1)
			if g.Outputs > 1 {
				require.True(t, live/int64(g.Outputs) >= o.Least-1 && live/int64(g.Outputs) <= o.Most)
			}
		}
		for _, l := range p.Left {
			left += l.Files
		}
		candidates := 0
		for _, f := range files {
			if reason(f, o) != "" {
				candidates++
			}
		}
		require.Equal(t, candidates, p.Rewrite+left)
	})
}

// TestPlanConverges: when a plan has been carried out, the next one is empty.
func TestPlanConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, files := drawOptions(t), drawFiles(t)
		o.Busy = 0
		if o.MaxGroup > 0 {
			o.MaxGroup = o.Target
		}
		p := MakePlan(7, files, o, noon)
		again := MakePlan(8, carryOut(p, files), o, noon)
		require.Empty(t, again.Groups, "after %+v", p.Groups)
		require.Zero(t, again.Saved)
	})
}

// TestPlanIsTheSameForAnyOrder of the files.
func TestPlanIsTheSameForAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, files := drawOptions(t), drawFiles(t)
		shuffled := rapid.Permutation(files).Draw(t, "shuffled")
		a, err := json.Marshal(MakePlan(7, files, o, noon))
		require.NoError(t, err)
		b, err := json.Marshal(MakePlan(7, shuffled, o, noon))
		require.NoError(t, err)
		require.JSONEq(t, string(a), string(b))
	})
}

// TestAmplificationIsBounded: a table that gets small files for ever is rewritten a bounded number of times, and the
// number of its files stays near what it would be at best.
func TestAmplificationIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := Options{Target: 1 << 14, Least: 3 << 12, Most: 1 << 15, MinInput: 5, BusyMinInput: 5, OpenCost: 128, DeleteRatio: 0.3}
		lo := rapid.Int64Range(1, 64).Draw(t, "least")
		per := rapid.IntRange(1, 30).Draw(t, "files per round")
		var files []File
		var written, rewritten, most int64
		for round := range 60 {
			for n := range per {
				f := File{Path: fmt.Sprint(round, "-", n), Size: lo + int64(n*round)%lo, Rows: 10, Sequence: int64(round + 1)}
				files, written = append(files, f), written+f.Size
			}
			p := MakePlan(int64(round), files, o, noon)
			rewritten += p.RewriteBytes
			files = carryOut(p, files)
			most = max(most, int64(len(files))-written/o.Least)
		}
		bound := 1 + math.Log2(float64(o.Target)/float64(lo))
		require.LessOrEqual(t, float64(rewritten)/float64(written), bound)
		require.LessOrEqual(t, most, int64(float64(o.MinInput)*bound))
	})
}

// The size of files that are flushed every few seconds, at the default options: what is read and written again.
func TestAmplificationAtTheDefaults(t *testing.T) {
	o, err := OptionsFor(nil, nil)
	require.NoError(t, err)
	var files []File
	var written, rewritten int64
	for round := range 24 * 6 { // a day, looked at every ten minutes
		for n := range 120 {
			f := File{Path: fmt.Sprint(round, "-", n), Size: 1 << 20, Rows: 1000, Sequence: int64(round*120 + n), Added: noon.Add(time.Duration(round*600+n*5) * time.Second)}
			files, written = append(files, f), written+f.Size
		}
		p := MakePlan(int64(round), files, o, noon.Add(time.Duration(round+1)*10*time.Minute))
		rewritten += p.RewriteBytes
		files = carryOut(p, files)
	}
	t.Logf("%.2f bytes rewritten for each that was written, %d files for %d MiB", float64(rewritten)/float64(written), len(files), written>>20)
	require.Less(t, float64(rewritten)/float64(written), 3.0)
	require.Less(t, len(files), int(written/o.Least)+20)
}

func TestPlanReasons(t *testing.T) {
	o, err := OptionsFor(iceberg.Properties{"write.target-file-size-bytes": "1000", "read.split.open-file-cost": "10"}, map[string]string{"delete-file-threshold": "3"})
	require.NoError(t, err)
	small := func(n int, change func(*File)) (out []File) {
		for i := range n {
			f := File{Path: fmt.Sprint("s", i), Size: 10, Rows: 100, Sequence: int64(i), Added: noon.Add(-time.Hour)}
			if change != nil {
				change(&f)
			}
			out = append(out, f)
		}
		return out
	}
	one := func(f File) []File { f.Path, f.Rows = "one", 100; return []File{f} }
	for name, c := range map[string]struct {
		files  []File
		groups int
		want   string
	}{
		"five small files":               {small(5, nil), 1, "5 too small"},
		"four are too few":               {small(4, nil), 0, "fewer than 5 files"},
		"as large as they should be":     {one(File{Size: 800}), 0, "nothing"},
		"too large":                      {one(File{Size: 2600}), 1, "-> 3 of about"},
		"a third of the rows is deleted": {one(File{Size: 900, DeletedRows: 33}), 1, "1 deleted rows"},
		"a few rows are deleted":         {one(File{Size: 900, DeletedRows: 29}), 0, "nothing"},
		"many delete files":              {one(File{Size: 900, DeleteFiles: 3}), 1, "1 delete files"},
		"all rows are deleted":           {one(File{Size: 900, DeletedRows: 100}), 1, "-> 0 of about"},
		"five, while it is written":      {small(5, func(f *File) { f.Added = noon.Add(-time.Minute) }), 0, "still being written"},
		"twenty, while it is written":    {small(20, func(f *File) { f.Added = noon.Add(-time.Minute) }), 1, "20 too small"},
		"files that cannot be rewritten": {small(5, func(f *File) { f.Refused = "it is in ORC" }), 0, "refused: it is in ORC"},
		"a large one among small ones":   {append(small(5, nil), File{Path: "big", Size: 600, Rows: 10}), 1, "1 files, 600 B left alone"},
	} {
		p := MakePlan(1, c.files, o, noon)
		var b strings.Builder
		require.NoError(t, p.Explain(&b))
		require.Len(t, p.Groups, c.groups, "%s: %s", name, b.String())
		require.Contains(t, b.String(), c.want, name)
	}
}

func TestPlanBounds(t *testing.T) {
	o, err := OptionsFor(iceberg.Properties{"write.target-file-size-bytes": "100"}, nil)
	require.NoError(t, err)
	var files []File
	for part := range 10 {
		for n := range 6 + part {
			files = append(files, File{Path: fmt.Sprint(part, "/", n), Partition: fmt.Sprint("p=", part), Size: 5, Rows: 1, Sequence: 1})
		}
	}
	sizes := func(p *Plan) (out []int) {
		for _, g := range p.Groups {
			out = append(out, len(g.Files))
		}
		return out
	}
	require.Equal(t, []int{15, 14, 13, 12, 11, 10, 9, 8, 7, 6}, sizes(MakePlan(1, files, o, noon)), "most files for a byte first")
	o.MaxBytes = 200
	p := MakePlan(1, files, o, noon)
	require.Equal(t, []int{15, 14, 11}, sizes(p)[:3])
	require.LessOrEqual(t, p.RewriteBytes, int64(200))
	require.Contains(t, fmt.Sprint(p.Left), "are spent")
	o.MaxBytes, o.MaxFiles, o.Order = 0, 14, BytesAsc
	require.Equal(t, []int{6, 7}, sizes(MakePlan(1, files, o, noon)))
	o.MaxFiles = 0
	require.True(t, slices.IsSorted(sizes(MakePlan(1, files, o, noon))))
}

func TestOptions(t *testing.T) {
	o, err := OptionsFor(nil, nil)
	require.NoError(t, err)
	require.Equal(t, []int64{512 << 20, 384 << 20, 5 * (512 << 20 / 5 * 9) / 5, 4 << 20}, []int64{o.Target, o.Least, o.Most, o.OpenCost})
	require.Equal(t, []any{5, 20, 0.3}, []any{o.MinInput, o.BusyMinInput, o.DeleteRatio})
	o, err = OptionsFor(iceberg.Properties{"write.target-file-size-bytes": "1000"}, map[string]string{"target-file-size-bytes": "2000", "rewrite-all": "true", "busy-partition-age": "1h"})
	require.NoError(t, err)
	require.Equal(t, []any{int64(2000), int64(1500), true, time.Hour}, []any{o.Target, o.Least, o.All, o.Busy})
	for name, asked := range map[string]map[string]string{
		"there is no option":   {"target": "1"},
		"is not above 0":       {"min-input-files": "0"},
		"do not go together":   {"min-file-size-bytes": "1000000000"},
		"can only be true":     {"use-starting-sequence-number": "false"},
		"there is no order":    {"rewrite-job-order": "best"},
		"is not above 0 and":   {"delete-ratio-threshold": "1.5"},
		"is below 0":           {"min-file-age": "-1s"},
		"can only be binpack":  {"strategy": "sort"},
		"invalid syntax":       {"rewrite-all": "maybe"},
		"option max-bytes-to-": {"max-bytes-to-rewrite": "1GB"},
	} {
		_, err := OptionsFor(nil, asked)
		require.ErrorContains(t, err, name)
		require.Equal(t, CodeOption, failure.CodeOf(err))
	}
}
