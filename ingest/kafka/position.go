package kafka

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// EncodePosition is the commit protocol's form of an offset: the next offset to read, as a varint. The protocol
// compares positions for equality only; order and distance are known here.
func EncodePosition(offset int64) string {
	return string(binary.AppendUvarint(nil, uint64(offset)))
}

// DecodePosition is the inverse of EncodePosition.
func DecodePosition(p string) (int64, error) {
	v, n := binary.Uvarint([]byte(p))
	if n <= 0 || n != len(p) || int64(v) < 0 {
		return 0, fmt.Errorf("position %x is not a Kafka offset", p)
	}
	return int64(v), nil
}

// Fingerprint describes the last record before a position: it recognises a log that was replaced or truncated
// behind an unchanged name. It is stored beside the position, in the mirror only.
type Fingerprint struct {
	LeaderEpoch int32
	Offset      int64
	TimestampMS int64
	CRC         uint32
}

// FingerprintOf takes the fingerprint of a record.
func FingerprintOf(epoch int32, offset, timestampMS int64, key, value []byte) Fingerprint {
	crc := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	return Fingerprint{LeaderEpoch: epoch, Offset: offset, TimestampMS: timestampMS, CRC: crc}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fingerprintVersion leads the encoding.
const fingerprintVersion = 1

// Encode packs the fingerprint.
func (f Fingerprint) Encode() []byte {
	b := []byte{fingerprintVersion}
	b = binary.AppendVarint(b, int64(f.LeaderEpoch))
	b = binary.AppendUvarint(b, uint64(f.Offset))
	b = binary.AppendVarint(b, f.TimestampMS)
	return binary.LittleEndian.AppendUint32(b, f.CRC)
}

// DecodeFingerprint is the inverse of Encode; ok is false for anything else.
func DecodeFingerprint(b []byte) (f Fingerprint, ok bool) {
	if len(b) == 0 || b[0] != fingerprintVersion {
		return f, false
	}
	b = b[1:]
	epoch, n := binary.Varint(b)
	if n <= 0 {
		return f, false
	}
	b = b[n:]
	offset, n := binary.Uvarint(b)
	if n <= 0 {
		return f, false
	}
	b = b[n:]
	ts, n := binary.Varint(b)
	if n <= 0 || len(b) != n+4 {
		return f, false
	}
	return Fingerprint{int32(epoch), int64(offset), ts, binary.LittleEndian.Uint32(b[n:])}, true
}
