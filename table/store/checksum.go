package store

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"hash/crc64"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/ingestd/ingestd/internal/failure"
)

// Checksum is the algorithm whose sum goes along with every upload, in a header, so that the server refuses what
// was damaged on the way. Servers that know none of them take Off, and sizes are compared instead.
type Checksum string

// The checksums.
const (
	CRC32     Checksum = "crc32"
	CRC64NVME Checksum = "crc64nvme"
	Off       Checksum = "off"
)

func (c Checksum) resolve() (Checksum, error) {
	switch c {
	case "":
		return CRC32, nil
	case CRC32, CRC64NVME, Off:
		return c, nil
	}
	return "", failure.New(failure.Config, codeSettings, "one of crc32, crc64nvme, off", "opening stores: unknown checksum %q", string(c))
}

// nvme is the polynomial of CRC64NVME, bit-reversed as hash/crc64 wants it.
const nvme = 0x9a6c9329ac4bc9b5

// sum gives the checksum in the form S3 headers carry it, "" for Off.
func (c Checksum) sum(b []byte) string {
	switch c {
	case CRC32:
		return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)))
	case CRC64NVME:
		return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, crc64.Checksum(b, crc64.MakeTable(nvme))))
	default:
		return ""
	}
}

func (c Checksum) algorithm() types.ChecksumAlgorithm {
	switch c {
	case CRC32:
		return types.ChecksumAlgorithmCrc32
	case CRC64NVME:
		return types.ChecksumAlgorithmCrc64nvme
	default:
		return ""
	}
}

// onPut sets the header of a whole-object upload.
func (c Checksum) onPut(in *s3.PutObjectInput, sum string) {
	switch c {
	case CRC32:
		in.ChecksumCRC32 = &sum
	case CRC64NVME:
		in.ChecksumCRC64NVME = &sum
	case Off:
	}
}

// confirmed says whether the server's answer repeats our sum: then it has the bytes we sent.
func (c Checksum) confirmed(out *s3.PutObjectOutput, sum string) bool {
	switch c {
	case CRC32:
		return out.ChecksumCRC32 != nil && *out.ChecksumCRC32 == sum
	case CRC64NVME:
		return out.ChecksumCRC64NVME != nil && *out.ChecksumCRC64NVME == sum
	default:
		return false
	}
}

// onPart sets the header of one part.
func (c Checksum) onPart(in *s3.UploadPartInput, sum string) {
	switch c {
	case CRC32:
		in.ChecksumCRC32 = &sum
	case CRC64NVME:
		in.ChecksumCRC64NVME = &sum
	case Off:
	}
}

// completed names a finished part.
func (c Checksum) completed(number int32, etag *string, sum string) types.CompletedPart {
	p := types.CompletedPart{ETag: etag, PartNumber: &number}
	switch c {
	case CRC32:
		p.ChecksumCRC32 = &sum
	case CRC64NVME:
		p.ChecksumCRC64NVME = &sum
	case Off:
	}
	return p
}
