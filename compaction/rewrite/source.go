package rewrite

import "encoding/binary"

// inputDict is the dictionary of an input chunk: values in PLAIN layout.
type inputDict struct {
	plain []byte
	width int // 0: byte strings
	n     int
	off   []uint32 // of byte strings: where they begin, and the end
}

// reset leaves a dictionary without values.
func (in *inputDict) reset() { in.plain, in.n = nil, 0 }

// load finds the values of a dictionary page.
func (in *inputDict) load(plain []byte, n, width int) error {
	in.plain, in.width, in.n = plain, width, 0
	if n < 0 || n > len(plain)+1 {
		return errValues
	}
	if width > 0 {
		if n*width != len(plain) {
			return errValues
		}
		in.n = n
		return nil
	}
	in.off = grow(in.off[:0], n+1)
	at := 0
	for i := range n {
		if len(plain)-at < 4 {
			return errValues
		}
		in.off[i] = uint32(at)
		size := binary.LittleEndian.Uint32(plain[at:])
		if at += 4; uint64(size) > uint64(len(plain)-at) {
			return errValues
		}
		at += int(size)
	}
	if at != len(plain) {
		return errValues
	}
	in.off[n] = uint32(at)
	in.n = n
	return nil
}

func (in *inputDict) len() int { return in.n }

// value is a value, without its length.
func (in *inputDict) value(i int) []byte {
	if in.width > 0 {
		return in.plain[i*in.width : (i+1)*in.width]
	}
	return in.plain[in.off[i]+4 : in.off[i+1]]
}

// appendPlain appends values in PLAIN layout by their references.
func (in *inputDict) appendPlain(dst []byte, refs []int32) ([]byte, error) {
	for _, x := range refs {
		if uint(x) >= uint(in.n) {
			return dst, errIndex
		}
		if in.width > 0 {
			dst = append(dst, in.value(int(x))...)
		} else {
			dst = append(dst, in.plain[in.off[x]:in.off[x+1]]...)
		}
	}
	return dst, nil
}
