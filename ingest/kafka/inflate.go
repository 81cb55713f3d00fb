package kafka

import (
	"errors"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// errLater refuses a batch for now. What the client has of the partition before it is delivered, and the batch is
// fetched again.
var errLater = errors.New("as much as may wait has been decompressed")

// IsLater says that a partition's next batch was refused for now: poll again.
func IsLater(err error) bool { return errors.Is(err, errLater) }

// inflater is the client's decompressor with a bound on what it gives out between two polls. The client decompresses
// everything in an answer before anybody sees a record of it, and an answer may hold a thousand batches of which each
// is a hundred times its size: fetches become smaller then, but only when the first one is there.
type inflater struct {
	kgo.Decompressor
	// most is what may be given out until the next poll; one batch more may come on top.
	most, largest int64
	used          atomic.Int64
}

// newInflater wraps the decompressor that a client makes for itself: only that one refuses a batch before it has grown
// beyond what a batch may have.
func newInflater(f Fetch, p *pools) *inflater {
	i := &inflater{Decompressor: kgo.DefaultDecompressor(p), most: f.Queue(), largest: int64(f.MaxBatchBytes)}
	cl, err := kgo.NewClient(kgo.MaxDecompressBatchBytes(int(f.MaxBatchBytes)), kgo.WithPools(p))
	if err != nil {
		return i
	}
	defer cl.Close()
	if d, ok := cl.OptValue(kgo.WithDecompressor).(kgo.Decompressor); ok {
		i.Decompressor = d
	}
	return i
}

// Decompress implements kgo.Decompressor.
func (i *inflater) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if i.used.Load() >= i.most {
		return nil, errLater
	}
	out, err := i.Decompressor.Decompress(src, codec)
	if err == nil && int64(len(out)) > i.largest {
		return nil, kgo.ErrMaxDecompress
	}
	i.used.Add(int64(len(out)))
	return out, err
}

// Polled lets the client decompress again as much as may wait. Whoever polls says so each time.
func (c *Client) Polled() {
	if i, ok := c.Kgo.OptValue(kgo.WithDecompressor).(*inflater); ok {
		i.used.Store(0)
	}
}
