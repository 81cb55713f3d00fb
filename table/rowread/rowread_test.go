package rowread_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
	"github.com/ingestd/ingestd/table/rowread"
	"github.com/ingestd/ingestd/table/store"
	"github.com/ingestd/ingestd/table/store/storetest"
)

func fields() []column.Field {
	f := func(id int, name string, required bool, typ column.Type) column.Field {
		return column.Field{ID: id, Name: name, Required: required, Type: typ}
	}
	list := column.Type{Kind: column.List, Fields: []column.Field{f(11, "element", false, column.Type{Kind: column.Int})}}
	return []column.Field{
		f(1, "offset", true, column.Type{Kind: column.Long}),
		f(2, "partition", false, column.Type{Kind: column.Int}),
		f(3, "topic", false, column.Type{Kind: column.String}),
		f(4, "flag", false, column.Type{Kind: column.Boolean}),
		f(5, "id", true, column.Type{Kind: column.UUID}),
		f(10, "tags", true, list),
		f(12, "score", true, column.Type{Kind: column.Double}),
	}
}

// row is what the tests write; nil pointers are nulls.
type row struct {
	offset    int64
	partition *int32
	topic     *string
	flag      *bool
	id        [16]byte
}

func appendRow(s *column.Set, r row) {
	s.Columns[0].AppendInt64(r.offset)
	optional(s.Columns[1], r.partition != nil, func(c *column.Column) { c.AppendInt32(*r.partition) })
	optional(s.Columns[2], r.topic != nil, func(c *column.Column) { c.AppendBytes([]byte(*r.topic)) })
	optional(s.Columns[3], r.flag != nil, func(c *column.Column) {
		if *r.flag {
			c.AppendBool(1)
		} else {
			c.AppendBool(0)
		}
	})
	s.Columns[4].AppendFixed(r.id[:])
	s.Columns[5].AppendLevels(0, 0)
	s.Columns[6].AppendDouble(0)
}

func optional(c *column.Column, there bool, add func(*column.Column)) {
	if !there {
		c.SetNull()
		return
	}
	add(c)
	c.SetValid()
}

// write makes a file of row groups.
func write(t require.TestingT, opts parquet.Options, groups ...[]row) []byte {
	l, err := column.NewLayout(fields())
	require.NoError(t, err)
	enc, err := parquet.NewEncoder(opts)
	require.NoError(t, err)
	g := parquet.NewRowGroup(l, enc)
	var chunks []*parquet.Chunk
	for _, rows := range groups {
		for i, r := range rows {
			appendRow(g.Set(), r)
			if i%100 == 99 {
				require.NoError(t, g.Absorb())
			}
		}
		c, err := g.Finish()
		require.NoError(t, err)
		chunks = append(chunks, c)
	}
	var b bytes.Buffer
	_, err = parquet.WriteFile(&b, l, chunks, nil)
	require.NoError(t, err)
	return b.Bytes()
}

func TestReadsWhatWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rowGen := rapid.Custom(func(t *rapid.T) row {
			return row{
				offset: rapid.Int64().Draw(t, "offset"), partition: rapid.Ptr(rapid.Int32(), true).Draw(t, "partition"),
				topic: rapid.Ptr(rapid.String(), true).Draw(t, "topic"), flag: rapid.Ptr(rapid.Bool(), true).Draw(t, "flag"),
				id: [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")),
			}
		})
		groups := rapid.SliceOfN(rapid.SliceOfN(rowGen, 0, 40), 1, 4).Draw(t, "groups")
		opts := parquet.Options{PageRows: rapid.IntRange(1, 30).Draw(t, "page rows"), Codec: parquet.Codec(rapid.IntRange(0, 4).Draw(t, "codec")),
			Encoding: parquet.Encoding(rapid.IntRange(0, 1).Draw(t, "encoding"))}
		b := write(t, opts, groups...)
		f, err := rowread.New("f", bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		var want []row
		for _, g := range groups {
			want = append(want, g...)
		}
		require.EqualValues(t, len(want), f.Rows())
		got, err := read(f)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, f.Close())
	})
}

// read puts the rows of a file together; field 99 is in no file.
func read(f *rowread.File) (rows []row, err error) {
	err = f.Read(context.Background(), []int{3, 1, 99, 2, 5, 4}, func(b *rowread.Batch) error {
		for i := range b.Rows {
			r := row{offset: b.Columns[1].Ints[i], id: [16]byte(b.Columns[4].Bytes[i])}
			if !b.Columns[0].Null[i] {
				s := string(b.Columns[0].Bytes[i])
				r.topic = &s
			}
			if !b.Columns[2].Null[i] {
				return errors.New("a value of a column that is not there")
			}
			if !b.Columns[3].Null[i] {
				p := int32(b.Columns[3].Ints[i])
				r.partition = &p
			}
			if !b.Columns[5].Null[i] {
				v := b.Columns[5].Ints[i] != 0
				r.flag = &v
			}
			rows = append(rows, r)
		}
		return nil
	})
	return rows, err
}

func many(n int) []row {
	rows := make([]row, n)
	topic := "clicks"
	for i := range rows {
		p := int32(i % 3)
		rows[i] = row{offset: int64(i), partition: &p, topic: &topic}
	}
	return rows
}

func TestOpenThroughFileAccess(t *testing.T) {
	fake := storetest.NewS3(t, "lake")
	s, err := store.Open(store.Options{S3: store.S3Options{Endpoint: fake.URL, AccessKeyID: "a", SecretAccessKey: "b"}})
	require.NoError(t, err)
	b := write(t, parquet.Options{Codec: parquet.None, PageRows: 1000}, many(30_000), many(30_000))
	for _, base := range []string{"file://" + t.TempDir(), "s3://lake"} {
		fs, err := s.IO(t.Context(), base, nil)
		require.NoError(t, err)
		require.NoError(t, fs.(iceio.WriteFileIO).WriteFile(base+"/f.parquet", b))
		fake.Requests()
		f, err := rowread.Open(fs, base+"/f.parquet")
		require.NoError(t, err)
		require.True(t, f.Has(1))
		require.False(t, f.Has(99))
		var sum, n int64
		require.NoError(t, f.Read(t.Context(), []int{1}, func(b *rowread.Batch) error {
			for _, v := range b.Columns[0].Ints[:b.Rows] {
				sum += v
				n++
			}
			return nil
		}))
		require.EqualValues(t, 60_000, n)
		require.EqualValues(t, 2*30_000*29_999/2, sum)
		require.NoError(t, f.Close())
		require.Less(t, len(fake.Requests()), 20, "whole stretches of columns at a time")
		_, err = rowread.Open(fs, base+"/none.parquet")
		require.Equal(t, failure.Retry, failure.ClassOf(err), "%v", err)
	}
}

func TestDamagedFiles(t *testing.T) {
	good := write(t, parquet.Options{Codec: parquet.None}, many(5000))
	for _, cut := range []int{0, 3, 100, len(good) - 1} {
		_, err := rowread.New("f", bytes.NewReader(good[:cut]), int64(cut))
		require.Equal(t, "E_DATA_FILE", failure.CodeOf(err), "cut at %d", cut)
	}
	bad := bytes.Clone(good)
	bad[200] ^= 1
	f, err := rowread.New("f", bytes.NewReader(bad), int64(len(bad)))
	require.NoError(t, err)
	_, err = read(f)
	require.Equal(t, "E_DATA_FILE", failure.CodeOf(err), "the page's checksum tells")
}

func TestColumnsThatCannotBeRead(t *testing.T) {
	b := write(t, parquet.Options{}, many(1))
	f, err := rowread.New("f", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	for _, id := range []int{10, 12} {
		err := f.Read(t.Context(), []int{id}, func(*rowread.Batch) error { return nil })
		require.ErrorContains(t, err, "is no primitive one", fmt.Sprint(id))
	}
}

func TestReadingStops(t *testing.T) {
	b := write(t, parquet.Options{}, many(5000))
	f, err := rowread.New("f", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	n := 0
	require.ErrorIs(t, f.Read(t.Context(), []int{1}, func(*rowread.Batch) error { n++; return io.ErrClosedPipe }), io.ErrClosedPipe)
	require.Equal(t, 1, n)
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, f.Read(ctx, []int{1}, func(*rowread.Batch) error { cancel(); return nil }), context.Canceled)
}
