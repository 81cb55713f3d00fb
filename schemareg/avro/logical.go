package avro

// maxScale bounds the zeros that a decimal of large or negative scale is written with.
const maxScale = 10_000

// setLogical takes over a logical type that is known and fits; the specification wants any other one ignored.
func (t *avroType) setLogical(v *jsonValue) {
	name := v.str("logicalType")
	if name == "" {
		return
	}
	for i, n := range logicalNames {
		if l := logical(i); n == name && t.fits(l) {
			t.logical = l
		}
	}
	if t.logical == lDecimal && !t.setDecimal(v) {
		t.logical = lNone
	}
}

func (t *avroType) fits(l logical) bool {
	switch l {
	case lDecimal:
		return t.kind == kBytes || t.kind == kFixed
	case lUUID:
		return t.kind == kString || t.kind == kFixed && t.size == 16
	case lDate, lTimeMillis:
		return t.kind == kInt
	case lDuration:
		return t.kind == kFixed && t.size == 12
	case lNone:
		return false
	default:
		return t.kind == kLong
	}
}

// setDecimal reads precision and scale. A scale outside of 0..precision is kept, though the specification calls it
// invalid: Connect writes such numbers (Oracle's NUMBER(5,-2), PostgreSQL's numeric), and text is better than bytes.
func (t *avroType) setDecimal(v *jsonValue) bool {
	p, ok := v.integer("precision")
	if !ok || p < 1 || p > 1<<20 {
		return false
	}
	s := 0
	if v.get("scale") != nil {
		if s, ok = v.integer("scale"); !ok || s < -maxScale || s > maxScale {
			return false
		}
	}
	t.precision, t.scale = p, s
	return true
}

// asText says that a decimal has no decimal column.
func (t *avroType) asText() bool { return t.precision > 38 || t.scale < 0 || t.scale > t.precision }

// extent is how far a type reaches when the named types in it are written out where they are used.
type extent struct{ types, depth int }

// checkSize bounds a type as it will be walked. A few named types that use each other can describe billions.
func checkSize(t *avroType) error {
	known := map[*avroType]extent{}
	e := measure(t, known)
	if e.types > MaxTypes {
		return unsupported("", "it has more than %d types when its named types are written out where they are used", MaxTypes)
	}
	if e.depth > MaxDepth {
		return unsupported("", "its types are nested deeper than %d levels", MaxDepth)
	}
	return nil
}

func measure(t *avroType, known map[*avroType]extent) extent {
	if e, ok := known[t]; ok {
		return e
	}
	e := extent{types: 1}
	add := func(inner *avroType) {
		i := measure(inner, known)
		e.types = min(e.types+i.types, MaxTypes+1)
		e.depth = max(e.depth, i.depth+1)
	}
	for i := range t.fields {
		add(t.fields[i].typ)
	}
	for _, b := range t.branches {
		add(b)
	}
	if t.items != nil {
		add(t.items)
	}
	known[t] = e
	return e
}
