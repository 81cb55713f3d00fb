package jsonrec

import "hash/maphash"

// keptSlots is the size up to which a table is kept for the next record.
const keptSlots = 1 << 12

// keyset finds keys that appear twice in one object, for objects with any keys: maps, and what goes to the rest
// column. One table serves all objects of a record, told apart by a scope number.
type keyset struct {
	seed  maphash.Seed
	slots []keyslot
	used  int
	epoch uint32
	arena []byte
}

// keyslot is one remembered key: arena[at:][:size]. It counts only if its epoch is the current one.
type keyslot struct {
	scope, hash uint64
	at, size    int
	epoch       uint32
}

func newKeyset() keyset {
	return keyset{seed: maphash.MakeSeed(), epoch: 1}
}

// reset forgets all keys.
func (k *keyset) reset() {
	if k.used == 0 {
		return
	}
	k.used = 0
	k.arena = k.arena[:0]
	k.epoch++
	if len(k.slots) > keptSlots || k.epoch == 0 {
		k.slots, k.arena, k.epoch = nil, nil, 1
	}
}

// add remembers key and says whether it is new in its scope.
func (k *keyset) add(scope uint64, key []byte) bool {
	if 2*k.used >= len(k.slots) {
		k.grow()
	}
	hash := maphash.Bytes(k.seed, key) + scope*0x9e3779b97f4a7c15
	mask := uint64(len(k.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &k.slots[i]
		if s.epoch != k.epoch {
			*s = keyslot{scope: scope, hash: hash, at: len(k.arena), size: len(key), epoch: k.epoch}
			k.arena = append(k.arena, key...)
			k.used++
			return true
		}
		if s.hash == hash && s.scope == scope && string(k.arena[s.at:s.at+s.size]) == string(key) {
			return false
		}
	}
}

// grow doubles the table.
func (k *keyset) grow() {
	old := k.slots
	k.slots = make([]keyslot, max(64, 2*len(old)))
	mask := uint64(len(k.slots) - 1)
	for _, s := range old {
		if s.epoch != k.epoch {
			continue
		}
		i := s.hash & mask
		for k.slots[i].epoch == k.epoch {
			i = (i + 1) & mask
		}
		k.slots[i] = s
	}
}
