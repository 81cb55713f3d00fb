package state

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxNote is the length of the longest note.
const MaxNote = 128

// Keys under which states live in a table's metadata.
const (
	// SummaryKey is the key in a snapshot summary.
	SummaryKey = "ingestd.state"
	// MirrorPrefix begins the property keys of mirrors.
	MirrorPrefix = "ingestd.state."
)

// MirrorKey is the property that mirrors the state of one pipeline in one branch. Dots in the pipeline are escaped,
// so that no two pairs share a key.
func MirrorKey(pipeline, branch string) string {
	return MirrorPrefix + strings.NewReplacer("%", "%25", ".", "%2E").Replace(pipeline) + "." + branch
}

// Mirror is the second copy of a state, in a table property. It is written in the same commit as the snapshot it
// names. Properties survive the expiry of snapshots and do not roll back with a branch: that is what the mirror is
// for, and why the summary and not the mirror is the truth.
type Mirror struct {
	SnapshotID, Sequence int64
	State                *State
	// Notes are what a source wants to know about a position besides itself.
	Notes map[Key][]byte
}

// Encode packs the mirror: format, snapshot, sequence number, state, notes and hash, with dots between.
func (m *Mirror) Encode() (string, error) {
	st, err := m.State.Encode()
	if err != nil {
		return "", err
	}
	notes, err := m.encodeNotes()
	if err != nil {
		return "", err
	}
	body := fmt.Sprintf("%d.%d.%d.%s.%s", Version, m.SnapshotID, m.Sequence, st, notes)
	return body + "." + mirrorHash(body), nil
}

// DecodeMirror unpacks a mirror. It accepts exactly what Encode writes.
func DecodeMirror(text string) (*Mirror, error) {
	if len(text) > 2*MaxEncoded {
		return nil, fmt.Errorf("decoding mirror: %d characters", len(text))
	}
	f := strings.Split(text, ".")
	if f[0] != strconv.Itoa(Version) {
		return nil, fmt.Errorf("decoding mirror: %w %.16q", ErrVersion, f[0])
	}
	if len(f) != 6 {
		return nil, fmt.Errorf("decoding mirror: %d fields", len(f))
	}
	if mirrorHash(strings.TrimSuffix(text, "."+f[5])) != f[5] {
		return nil, errors.New("decoding mirror: hash does not fit")
	}
	m := &Mirror{}
	var err error
	if m.SnapshotID, err = plainInt(f[1]); err == nil {
		m.Sequence, err = plainInt(f[2])
	}
	if err == nil {
		m.State, err = Decode(f[3])
	}
	if err == nil {
		err = m.decodeNotes(f[4])
	}
	if err != nil {
		return nil, fmt.Errorf("decoding mirror: %w", err)
	}
	return m, nil
}

func mirrorHash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:8])
}

func plainInt(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || strconv.FormatInt(n, 10) != s) {
		err = fmt.Errorf("number %q", s)
	}
	return n, err
}

// encodeNotes lists the notes in the order of the entries, an empty one where there is none. Notes of partitions
// that the state does not hold are left out.
func (m *Mirror) encodeNotes() (string, error) {
	var b []byte
	any := false
	for _, e := range m.State.Entries {
		n := m.Notes[e.Key]
		if len(n) > MaxNote {
			return "", fmt.Errorf("note of %d bytes for partition %s of %s, more than %d", len(n), e.Partition, e.Stream.Topic, MaxNote)
		}
		any = any || len(n) > 0
		b = append(binary.AppendUvarint(b, uint64(len(n))), n...)
	}
	if !any {
		return "", nil
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func (m *Mirror) decodeNotes(text string) error {
	m.Notes = map[Key][]byte{}
	if text == "" {
		return nil
	}
	b, err := unbase64(text)
	if err != nil {
		return err
	}
	r := &reader{b: b}
	for _, e := range m.State.Entries {
		n := r.uvarint()
		if n > MaxNote {
			r.fail("note of %d bytes", n)
		}
		if note := r.bytes(n); len(note) > 0 {
			m.Notes[e.Key] = append([]byte(nil), note...)
		}
	}
	if r.err == nil && (len(r.b) > 0 || len(m.Notes) == 0) {
		r.fail("notes do not fit the partitions")
	}
	return r.err
}
