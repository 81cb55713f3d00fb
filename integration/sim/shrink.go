package sim

import "slices"

// shrink leaves faults and acts out of a failing plan, the larger halves first and then one by one, as long as it still
// fails. It tries at most so many times.
func shrink(p Plan, tries int, fails func(Plan) bool) Plan {
	for n := max(len(p.Faults), len(p.Acts)); n > 0; n /= 2 {
		for at := 0; at < len(p.Faults) && tries > 0; {
			less := p
			less.Faults = slices.Delete(slices.Clone(p.Faults), at, min(at+n, len(p.Faults)))
			if tries--; fails(less) {
				p = less
			} else {
				at += n
			}
		}
		for at := 0; at < len(p.Acts) && tries > 0; {
			less := p
			less.Acts = slices.Delete(slices.Clone(p.Acts), at, min(at+n, len(p.Acts)))
			if tries--; fails(less) {
				p = less
			} else {
				at += n
			}
		}
	}
	return p
}
