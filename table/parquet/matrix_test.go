package parquet

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/table/column"
)

// Every type in every place, with every codec and both encodings, with values that repeat and values that do not,
// is read back by two libraries, and everything the file says about itself is true.
func TestEveryTypeCodecAndEncoding(t *testing.T) {
	for _, kind := range primitives {
		for codec := range Codec(codecs) {
			for encoding := range Encoding(encodings) {
				for _, pool := range []int{40, 0} {
					t.Run(fmt.Sprintf("%s/%s/%s/%d", kind, codec, encoding, pool), func(t *testing.T) {
						o := Options{Codec: codec, Encoding: encoding, PageRows: 100}
						d := newData(layoutOf(shapes(typeOf(kind))...), uint64(kind))
						d.pool = pool
						writeRows(t, d, 330, o).check(t)
					})
				}
			}
		}
	}
}

func TestDecimalsOfEveryStorage(t *testing.T) {
	for _, precision := range []int{1, 9, 10, 18, 19, 38} {
		typ := column.Type{Kind: column.Decimal, Precision: precision, Scale: precision / 2}
		d := newData(layoutOf(shapes(typ)...), uint64(precision))
		d.draw = func(leaf *column.Leaf) []byte {
			v := d.value(leaf)
			if d.r.IntN(2) == 0 { // small negative numbers
				for i := range v {
					if leaf.Physical != column.PhysBytes {
						v[i] = 0xff
					}
				}
			}
			return v
		}
		writeRows(t, d, 300, Options{}).check(t)
	}
}

func TestLevelsOfCodecs(t *testing.T) {
	for _, o := range []Options{{Codec: Zstd, Level: 3}, {Codec: Zstd, Level: 19}, {Codec: Gzip, Level: 1}, {Codec: Gzip, Level: 9}} {
		d := newData(layoutOf(shapes(typeOf(column.String))...), 5)
		writeRows(t, d, 300, o).check(t)
	}
}

func TestWithoutChecksumAndIndex(t *testing.T) {
	d := newData(layoutOf(shapes(typeOf(column.Long))...), 6)
	writeRows(t, d, 300, Options{NoCRC: true, NoPageIndex: true, PageRows: 100}).check(t)
}

// Columns of nothing but nulls, nothing but empty lists, and one value.
func TestExtremesOfNulls(t *testing.T) {
	for _, kind := range primitives {
		for _, nulls := range []float64{0, 1} {
			for _, rows := range []int{1, 2, 400} {
				d := newData(layoutOf(shapes(typeOf(kind))...), 7)
				d.nulls, d.pool = nulls, 1
				writeRows(t, d, rows, Options{PageRows: 100}).check(t)
				d = newData(layoutOf(shapes(typeOf(kind))...), 7)
				d.nulls, d.pool = nulls, 1
				writeRows(t, d, rows, Options{PageRows: 100, Encoding: Delta}).check(t)
			}
		}
	}
}

func TestEmptyFile(t *testing.T) {
	d := newData(layoutOf(shapes(typeOf(column.Long))...), 8)
	c := fillChunk(t, newGroup(t, d.layout, Options{}), d, 0)
	w := finishFile(t, d, Options{}, c)
	require.Zero(t, w.metrics.Rows)
	require.Empty(t, w.metrics.SplitOffsets)
	require.Empty(t, readGo(t, w.bytes))
	w.checkSchema(t)
}

func TestOptionsRefuse(t *testing.T) {
	f := func(want string, o Options) {
		t.Helper()
		_, err := NewEncoder(o)
		require.EqualError(t, err, "preparing the parquet encoder: "+want)
	}
	f("unknown codec(9)", Options{Codec: 9})
	f("unknown encoding(7)", Options{Encoding: 7})
	f("compression level 1 is out of range for snappy", Options{Codec: Snappy, Level: 1})
	f("compression level 23 is out of range for zstd", Options{Level: 23})
	f("compression level -1 is out of range for gzip", Options{Codec: Gzip, Level: -1})
	f("page rows of -1 are out of range", Options{PageRows: -1})
	f("page bytes of 2147483648 are out of range", Options{PageBytes: 1 << 31})
	f("dictionary bytes of -5 are out of range", Options{DictBytes: -5})
}
