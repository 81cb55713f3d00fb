package rewrite

import (
	"math/rand/v2"

	"github.com/ingestd/ingestd/table/parquet"
)

// worker is what one goroutine needs: codecs and scratch space.
type worker struct {
	opts  *Options
	codec parquet.Codec
	enc   *parquet.Encoder
	dec   *parquet.Decompressor
	pages pages

	body   []byte    // an uncompressed page
	plain  []byte    // an uncompressed dictionary
	source inputDict // the dictionary of the input chunk
	remap  []int32
	dict   dict
	in     page // the decoded input page
	open   page // the output page that is not full yet
	dense  bool // what went into open was not compressed by the writer of the inputs either
	hull   hull // of what went into open
	spans  []span
	values []byte // what references became
	encoded,
	packed []byte
	stats scratch
}

func newWorker(o *Options) (*worker, error) {
	enc, err := parquet.NewEncoder(o.Parquet)
	if err != nil {
		return nil, err
	}
	dec, err := parquet.NewDecompressor(maxPage)
	if err != nil {
		return nil, err
	}
	w := &worker{opts: o, codec: o.Parquet.Codec, enc: enc, dec: dec}
	w.dict.seed = newSeed()
	return w, nil
}

// newSeed keeps what stands in a file from choosing where it lands in a hash table.
func newSeed() uint64 { return rand.Uint64() | 1 }
