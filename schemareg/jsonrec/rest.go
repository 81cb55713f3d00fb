package jsonrec

import "strconv"

// rest collects undeclared keys of one record as the text of a JSON object. Its frames are the containers around the
// scanner; they appear in the text only when something inside them is kept.
type rest struct {
	frames []frame
	open   int // frames that stand in text
	text   []byte
}

// frame is a container: a key as written in the record, with its quotes, or the index of a list element.
type frame struct {
	key   []byte
	index int
}

func (r *rest) reset() {
	r.frames, r.open = r.frames[:0], 0
	if cap(r.text) > keptBytes {
		r.text = nil
	}
	r.text = r.text[:0]
}

// enter and leave surround the scan of a container.
func (r *rest) enter(key []byte, index int) {
	r.frames = append(r.frames, frame{key, index})
}

func (r *rest) leave() {
	r.frames = r.frames[:len(r.frames)-1]
	if r.open > len(r.frames) {
		r.open--
		r.text = append(r.text, '}')
	}
}

// keep adds a member: key with its quotes, and value, both as written.
func (r *rest) keep(key, value []byte) {
	if len(r.text) == 0 {
		r.text = append(r.text, '{')
	}
	for ; r.open < len(r.frames); r.open++ {
		f := r.frames[r.open]
		r.comma()
		if f.key != nil {
			r.text = append(r.text, f.key...)
		} else {
			r.text = append(r.text, '"')
			r.text = strconv.AppendInt(r.text, int64(f.index), 10)
			r.text = append(r.text, '"')
		}
		r.text = append(r.text, ':', '{')
	}
	r.comma()
	r.text = append(r.text, key...)
	r.text = append(r.text, ':')
	r.text = append(r.text, value...)
}

// comma parts members: no value ends in an opening bracket.
func (r *rest) comma() {
	if r.text[len(r.text)-1] != '{' {
		r.text = append(r.text, ',')
	}
}

// finish gives the whole object, nil if nothing was kept.
func (r *rest) finish() []byte {
	if len(r.text) == 0 {
		return nil
	}
	r.text = append(r.text, '}')
	return r.text
}
