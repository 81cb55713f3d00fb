package checker

import (
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"testing"

	"github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
)

// TestPositionsOfTheExample reads the example of docs/FORMATS.md, byte by byte as it stands there.
func TestPositionsOfTheExample(t *testing.T) {
	raw, err := hex.DecodeString("01" + "0473686f70" + "046d61696e" + "02" + "1111111111111118" + "01" + "2121212121212128" +
		"01" + "027731" + "00" + "01020304050607080910111213141510" + "08" + "07" + "02" + "026331" + "046d61696e" + "02" +
		"0100" + "06636c69636b73" + "01" + "a0000000000000000000000000000001" + "02" +
		"00" + "02ac02" + "01" + "ac02" + "02" + "0105" + "07" + "030101" +
		"0100" + "016b" + "00" + "01" + "04" + "0109" + "c103" + "020102")
	require.NoError(t, err)
	sum := crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli))
	text := base64.RawURLEncoding.EncodeToString(append(raw, byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)))
	p, err := ParsePositions(text)
	require.NoError(t, err)
	require.Equal(t, "shop", p.Pipeline)
	require.Equal(t, "main", p.Branch)
	require.EqualValues(t, 7, p.Dropped.Others)
	clicks := Place{Source: "main", Topic: "clicks", ID: [16]byte{0: 0xa0, 15: 1}}
	require.EqualValues(t, 300, p.Offsets[clicks])
	require.Equal(t, Totals{Written: 300, Added: 300}, p.Totals[clicks])
	clicks.Partition = 1
	require.EqualValues(t, 5, p.Offsets[clicks])
	require.Equal(t, Totals{Written: 3, Control: 1, Unseen: 1, Added: 3}, p.Totals[clicks])
	k := Place{Source: "main", Topic: "k", Partition: 2}
	require.EqualValues(t, 9, p.Offsets[k])
	require.Equal(t, Totals{Written: 2, Added: 1}, p.Totals[k])
	_, err = ParsePositions(text[:len(text)-2])
	require.Error(t, err)
}

// TestFindings: what is wrong is said.
func TestFindings(t *testing.T) {
	a, b := Record{Topic: "t", Offset: 1, ID: 1}, Record{Topic: "t", Offset: 2, ID: 2}
	r := &Report{}
	r.missing(Expected{May: map[int64]Record{1: a, 2: b}, Must: map[int64]bool{1: true, 2: true}}, map[int64]int{1: 1})
	require.Len(t, r.Findings, 1)
	place := Place{Topic: "t"}
	at := func(offset, written uint64) *Positions {
		return &Positions{Offsets: map[Place]uint64{place: offset}, Totals: map[Place]Totals{place: {Written: written}}}
	}
	for name, c := range map[string]struct {
		above, below *Positions
		bad          bool
	}{
		"moves on":           {at(10, 10), at(5, 5), false},
		"goes back":          {at(5, 5), at(10, 10), true},
		"counts too much":    {at(10, 12), at(5, 5), true},
		"counts too little":  {at(10, 8), at(5, 5), true},
		"forgets the source": {&Positions{}, at(5, 5), true},
	} {
		t.Run(name, func(t *testing.T) {
			r := &Report{}
			r.step(&table.Snapshot{SnapshotID: 1}, c.above, c.below)
			require.Equal(t, c.bad, len(r.Findings) > 0, "%v", r.Findings)
		})
	}
}

// TestNullsBetweenValues: a file that another engine has put together holds rows with and without offsets, and is read
// in several steps.
func TestNullsBetweenValues(t *testing.T) {
	levels, values := make([]int16, 7), make([]int64, 7)
	steps := [][]int64{{1, -1, 2}, {-1, -1}, {3, 4}}
	next := 0
	require.NoError(t, readAll(7, func(at, value int) (int64, int, error) {
		step, n := steps[next], 0
		next++
		for i, v := range step {
			if v < 0 {
				continue
			}
			levels[at+i], values[value+n] = 1, v
			n++
		}
		return int64(len(step)), n, nil
	}))
	rows := make([]Record, 7)
	spread(rows, levels, 1, values, func(r *Record, v int64) { r.Offset = v })
	var got []int64
	for _, r := range rows {
		got = append(got, r.Offset)
	}
	require.Equal(t, []int64{1, 0, 2, 0, 0, 3, 4}, got)
}
