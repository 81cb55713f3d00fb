package commit

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
)

// dataFiles are the data files that exist, and those that some retained snapshot needs.
func (b *bench) dataFiles() (there, needed map[string]bool) {
	b.t.Helper()
	there, needed = map[string]bool{}, map[string]bool{}
	for _, f := range b.cat.Files.Names() {
		if strings.Contains(f, "/data/") {
			there[f] = true
		}
	}
	for _, s := range b.cat.Table(ident...).Snapshots() {
		for _, m := range b.manifests(&s) {
			for _, f := range m.live {
				needed[f] = true
			}
		}
	}
	return there, needed
}

func (b *bench) compact(w *Table, p string) {
	b.t.Helper()
	r, ok := b.merged(p, all)
	require.True(b.t, ok)
	res, err := w.Replace(b.ctx, r)
	require.NoError(b.t, err)
	require.Equal(b.t, Landed, res.Outcome, res.Why)
}

// Files that were rewritten go with the last snapshot that needs them, and only then.
func TestRewrittenFilesGoWithTheirSnapshots(t *testing.T) {
	b := newBench(t)
	w := b.createTended(2)
	for i := range 90 {
		b.commit(w, step(0, i*10, i*10+10), step(1, i, i+1))
		if i%4 == 0 {
			b.compact(w, "0")
		}
		b.dataFiles() // all that is needed exists
	}
	b.exact("main")
	there, needed := b.dataFiles()
	require.Equal(t, needed, there)
	require.Less(t, len(there), 90+90, "some are gone")
}

// A query may still be reading what has left the history.
func TestDeadFilesHaveAGrace(t *testing.T) {
	b := newBench(t)
	s := tended("w1")
	s.Upkeep.Grace = 3 * time.Hour
	w := b.openSpec(s)
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
	for i := range 3 {
		b.commit(w, step(0, i*10, i*10+10))
	}
	b.compact(w, "0")
	old, _ := b.dataFiles()
	require.Len(t, old, 4)
	n := 3
	run := func(until int) {
		for ; n < until; n++ {
			b.commit(w, step(0, n*10, n*10+10))
		}
	}
	run(60)
	there, needed := b.dataFiles()
	require.Len(t, there, len(needed)+3, "the three that were rewritten are still there")
	b.later(2 * time.Hour)
	run(90)
	there, needed = b.dataFiles()
	require.Len(t, there, len(needed)+3)
	b.later(time.Hour)
	run(120)
	there, needed = b.dataFiles()
	require.Equal(t, needed, there)
}

// Five days with tags: what a tag shows can be read as long as the tag is there, and goes with it.
func TestTagsKeepRewrittenFiles(t *testing.T) {
	b := newCalendar(t)
	w := b.tagged("w1")
	require.NoError(t, w.Create(b.ctx, Creation{Fields: fields(), Start: starts(1)}))
	n := 0
	for i := range 5 * 24 * 2 {
		b.later(30*time.Minute - 20*time.Second)
		b.commit(w, step(0, n*10, n*10+10))
		if n++; i%35 == 0 {
			b.compact(w, "0")
		}
		b.dataFiles()
	}
	there, needed := b.dataFiles()
	require.NotEmpty(t, ourTags(b.cat.Table(ident...)))
	require.Equal(t, needed, there)
}

// Another engine puts files back that a rewrite had taken out. They stay.
func TestFilesThatWerePutBackStay(t *testing.T) {
	b := newBench(t)
	w := b.createTended(1)
	b.commit(w, step(0, 0, 10))
	b.commit(w, step(0, 10, 20))
	old, _ := b.merged("0", all)
	b.compact(w, "0")
	now, _ := b.merged("0", all)
	for i := 2; i < 14; i++ {
		b.commit(w, step(0, i*10, i*10+10)) // the rewrite falls behind a merge of manifests
	}
	b.foreign(func(tx *table.Transaction) error {
		rewrite := tx.NewRewrite(nil).DeleteFile(now.Old[0])
		for _, f := range old.Old {
			rewrite.AddDataFile(f)
		}
		return rewrite.Commit(context.Background())
	})
	for i := 14; i < 60; i++ {
		b.commit(w, step(0, i*10, i*10+10))
		b.dataFiles()
	}
	b.exact("main")
	require.Nil(t, b.cat.Table(ident...).SnapshotByID(old.Base), "the history has moved on")
	there, _ := b.dataFiles()
	require.False(t, there[now.Old[0].FilePath()], "the file that the two were rewritten into is gone")
}

// A file that was added from elsewhere is not ours to delete.
func TestFilesFromElsewhereStay(t *testing.T) {
	b := newBench(t)
	w := b.createTended(1)
	b.foreignAppend()
	var foreign []iceberg.DataFile
	for _, f := range b.files(headOf(b.cat.Table(ident...), "main")) {
		foreign = append(foreign, f)
	}
	b.commit(w, step(0, 0, 10))
	b.foreign(func(tx *table.Transaction) error {
		return tx.NewRewrite(nil).DeleteFile(foreign[0]).Commit(context.Background())
	})
	for i := 1; i < 60; i++ {
		b.commit(w, step(0, i*10, i*10+10))
	}
	_, needed := b.dataFiles()
	require.False(t, needed[foreign[0].FilePath()])
	require.True(t, b.cat.Files.Has(foreign[0].FilePath()))
}
