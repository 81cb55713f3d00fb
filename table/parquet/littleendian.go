package parquet

import (
	"encoding/binary"
	"unsafe"
)

// littleEndian views numbers as the bytes of their PLAIN form.
func littleEndian[T int32 | int64](v []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*int(unsafe.Sizeof(*new(T))))
}

func le32of(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func le64of(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
