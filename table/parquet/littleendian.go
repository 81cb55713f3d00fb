package parquet

import "unsafe"

// littleEndian views numbers as the bytes of their PLAIN form.
func littleEndian[T int32 | int64](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}
