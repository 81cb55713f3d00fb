package jsonrec

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
)

// Strict codings refuse stray bits behind the last byte, so each value has one spelling.
var (
	padded   = base64.StdEncoding.Strict()
	unpadded = base64.RawStdEncoding.Strict()
)

// uuidOf reads all of s as a UUID in its canonical form.
func uuidOf(dst *[16]byte, s []byte) fault {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return badUUID
	}
	var plain [32]byte
	copy(plain[0:], s[0:8])
	copy(plain[8:], s[9:13])
	copy(plain[12:], s[14:18])
	copy(plain[16:], s[19:23])
	copy(plain[20:], s[24:36])
	if _, err := hex.Decode(dst[:], plain[:]); err != nil {
		return badUUID
	}
	return fine
}

// appendBase64 appends the bytes that s encodes in standard base64, padded or not.
func appendBase64(dst, s []byte) ([]byte, fault) {
	if bytes.ContainsAny(s, "\r\n") { // the library would overlook them
		return dst, badBase64
	}
	coding := padded
	if len(s)%4 != 0 {
		coding = unpadded
	}
	out, err := coding.AppendDecode(dst, s)
	if err != nil {
		return dst, badBase64
	}
	return out, fine
}
