package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/compaction/rewrite"
	"github.com/ingestd/ingestd/table/parquet"
)

// nth row of each file is deleted where rows are.
const nth = 100

func deletedOf(rows int) int64 { return int64((rows + nth - 1) / nth) }

// child makes one measurement and prints it.
func child(o *options, out io.Writer) error {
	runtime.GOMAXPROCS(o.cores)
	c := candidate{name: o.child}
	files, err := filepath.Glob(filepath.Join(o.dir, c.files(), "*.parquet"))
	if err != nil {
		return err
	}
	var s sample
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			return err
		}
		s.In += st.Size()
	}
	if c.name == c.base() {
		err = byLibrary(o, files, &s)
	} else {
		err = byEngine(o, files, &s)
	}
	if err != nil {
		return err
	}
	s.RSS = highWater()
	return json.NewEncoder(out).Encode(s)
}

// highWater is the most memory that this program has had, where the kernel tells it: what it reports to the parent of a
// process counts the parent's own memory, too, from before the program was started. 0 is elsewhere.
func highWater() int64 {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			var kb int64
			if _, err := fmt.Sscan(rest, &kb); err == nil {
				return kb << 10
			}
		}
	}
	return 0
}

// byEngine measures our engine.
func byEngine(o *options, files []string, s *sample) error {
	_, l, err := layout()
	if err != nil {
		return err
	}
	set, rest, _ := strings.Cut(o.child, " ")
	encoding, way, _ := strings.Cut(rest, " ")
	if way == twice {
		files, s.In = slices.Concat(files, files), 2*s.In
	}
	opts := rewrite.Options{
		Layout: l, TargetBytes: 1 << 30, Workers: o.cores, NoCopy: way == "merge",
		Name:   func() string { return filepath.Join(o.dir, "out", "one.parquet") },
		Create: create,
	}
	if encoding == parquet.Delta.String() {
		opts.Parquet.Encoding = parquet.Delta
	}
	var deleted []int64
	for at := 0; way == "delete" && at < rowsOf(set); at += nth {
		deleted = append(deleted, int64(at))
	}
	begin := cpuTime()
	res, err := rewrite.Rewrite(context.Background(), inputs(files, deleted), opts)
	s.CPU = int64(cpuTime() - begin)
	if err != nil {
		return err
	}
	s.Rows = res.Rows
	for i := range res.Outputs {
		s.Out += res.Outputs[i].Metrics.FileSize
	}
	return nil
}

func create(_ context.Context, path string, write func(io.Writer) error) (int64, error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := write(f); err != nil {
		return 0, err
	}
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), f.Close()
}

// inputs are the files; without NaNs, as the metadata of a table would tell.
func inputs(files []string, deleted []int64) []rewrite.Input {
	nans := map[int]int64{}
	for id := range 32 {
		nans[id] = 0
	}
	var ins []rewrite.Input
	for _, path := range files {
		st, err := os.Stat(path)
		if err != nil {
			panic(fmt.Sprintf("%s was there a moment ago: %v", path, err))
		}
		in := rewrite.Input{Path: path, Size: st.Size(), NaNs: nans, Deleted: deleted, Open: func(context.Context) (io.ReaderAt, io.Closer, error) {
			f, err := os.Open(path)
			return f, f, err
		}}
		ins = append(ins, in)
	}
	return ins
}
