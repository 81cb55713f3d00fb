package avro

// maxSkip keeps the sum of fused skips within an op's 32 bits.
const maxSkip = 1 << 30

// skip compiles a value that nobody wants. Neighbours that are skipped alike become one op.
func (c *compiler) skip(b *builder, t *avroType, at place) {
	switch t.kind {
	case kNull:
	case kBoolean:
		b.skipRun(opSkipFixed, 1, at)
	case kInt, kLong, kEnum:
		b.skipRun(opSkipVar, 1, at)
	case kFloat:
		b.skipRun(opSkipFixed, 4, at)
	case kDouble:
		b.skipRun(opSkipFixed, 8, at)
	case kFixed:
		b.skipRun(opSkipFixed, int32(t.size), at)
	case kBytes, kString:
		b.skipRun(opSkipBytes, 1, at)
	case kRecord:
		for i := range t.fields {
			f := &t.fields[i]
			c.skip(b, f.typ, at.below(f.name, f.name))
		}
	case kUnion:
		c.skipUnion(b, t, at)
	case kArray, kMap:
		o := op{code: opSkipArray, x: &extra{subs: make([]block, 1)}}
		sub := &builder{block: &o.x.subs[0]}
		if t.kind == kMap {
			sub.skipRun(opSkipBytes, 1, at)
		}
		c.skip(sub, t.items, at)
		b.add(o, at)
	}
}

// skipRun extends the op before if it skips the same and nothing jumps behind it.
func (b *builder) skipRun(code opcode, n int32, at place) {
	if last := len(b.ops) - 1; last >= b.barrier && b.ops[last].code == code && b.ops[last].n < maxSkip {
		b.ops[last].n += n
		return
	}
	b.add(op{code: code, n: n}, at)
}

func (c *compiler) skipUnion(b *builder, t *avroType, at place) {
	others, null := t.nullable()
	if len(others) == 1 && null >= 0 {
		c.skipNullable(b, others[0], int32(null), at)
		return
	}
	o := op{code: opUnion, x: &extra{subs: make([]block, len(t.branches))}}
	for i, branch := range t.branches {
		c.skip(&builder{block: &o.x.subs[i]}, branch, at)
	}
	b.add(o, at)
}

func (c *compiler) skipNullable(b *builder, t *avroType, null int32, at place) {
	switch t.kind {
	case kBytes, kString:
		b.add(op{code: opSkipNullBytes, n: null}, at)
	case kInt, kLong, kEnum:
		b.add(op{code: opSkipNullVar, n: null}, at)
	default:
		i := b.add(op{code: opNullSkip, n: null}, at)
		c.skip(b, t, at)
		c.land(b, i)
	}
}
