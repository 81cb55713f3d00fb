package column

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing is read behind the end of a record: here that would be a page without access, and end the process.
func TestNoReadBehindTheRecord(t *testing.T) {
	page := os.Getpagesize()
	mem, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, syscall.Munmap(mem)) })
	require.NoError(t, syscall.Mprotect(mem[page:], syscall.PROT_NONE))
	for i := range mem[:page] {
		mem[i] = byte(i)
	}
	c := columnOf(t, Binary, true)
	for size := range 130 {
		src := mem[page-size : page : page]
		for at := range size + 1 {
			for _, n := range []int{0, 1, size - at, (size - at) / 2} {
				n = min(n, size-at)
				c.AppendFrom(src, at, n)
				c.AppendBytes(src[at : at+n])
				got := plainOf(c)
				require.Equal(t, string(src[at:at+n]), string(got[len(got)-1]))
				require.Equal(t, string(src[at:at+n]), string(got[len(got)-2]))
				c.Absorb()
				c.ResetPage()
			}
		}
	}
	c.ResetChunk()
	fixed := NewSet(&Layout{Leaves: []Leaf{LeafOf(Type{Kind: Fixed, Length: 3})}}).Columns[0]
	fixed.AppendFixed(mem[page-3 : page : page])
	require.Equal(t, mem[page-3:page], fixed.Plain())
}
