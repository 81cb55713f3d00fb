package parquet

import "math"

// dictPolicy decides whether a column has a dictionary, by estimated bytes: what dictionary and references will have
// cost at the end of the row group against what the plain (or delta packed) values would.
//
// A column without history starts with a dictionary. When its first page is full the policy sees both encodings
// compressed and judges with measured costs; later row groups start with the verdict and stay under watch, because
// data changes: a dictionary that has stopped paying takes no more values, a plain column is tried again now and then.
//
// The number of distinct values still to come is what decides, and the first page does not show it. If values are
// drawn from K and d of them are known, a fraction 1 - d/K of the next ones is new; so K is d / (1 - rate), and of R
// further values (K-d) * (1 - exp(-R/K)) will be new.
type dictPolicy struct {
	verdict verdict
	age     int     // row groups since the last trial
	plain   float64 // measured cost of a value without a dictionary, in encoded bytes
	entry   float64 // measured cost of a dictionary entry
	shrink  float64 // what compression leaves of bit packed references
	horizon int     // values of the previous row group

	seen, known int     // values and dictionary entries at the last checkpoint
	rate        float64 // share of new entries among the values between the last two
}

type verdict uint8

const (
	untried verdict = iota
	dictionary
	plain
)

const (
	checkpoint  = 4096 // values between two measurements of the rate
	retryAfter  = 32   // row groups after which a plain column is tried again
	hopeless    = 0.999
	trifle      = 64 // bytes that are not worth a decision: frames and headers
	guessFactor = 8  // a first row group is guessed to become this much longer than what has been seen
)

// begin starts a row group and tells whether it has a dictionary.
func (p *dictPolicy) begin() bool {
	p.seen, p.known, p.rate = 0, 0, 1
	if p.verdict != plain {
		return true
	}
	if p.age++; p.age < retryAfter {
		return false
	}
	p.verdict, p.age = untried, 0
	return true
}

// end closes a row group of that many values.
func (p *dictPolicy) end(values int) { p.horizon = values }

// observe takes the state after a batch. It is false when the column has shown that its values do not repeat.
func (p *dictPolicy) observe(values, entries int) bool {
	if n := values - p.seen; n >= checkpoint {
		p.rate = float64(entries-p.known) / float64(n)
		p.seen, p.known = values, entries
	}
	return p.verdict != untried || p.seen == 0 || p.rate < hopeless
}

// left guesses how many values will follow in the row group.
func (p *dictPolicy) left(values int, last bool) int {
	switch {
	case last:
		return 0
	case p.horizon > values:
		return p.horizon - values
	case p.horizon > 0:
		return values / guessFactor // it is longer than the one before, and about to end
	default:
		return guessFactor * values
	}
}

// forecast is the state of a dictionary that a judgement starts from.
type forecast struct {
	values  int     // values so far; 0 to judge only those to come
	entries int     // dictionary entries so far
	left    int     // values to come
	rate    float64 // share of new entries among the latest values
	room    int     // further entries until the dictionary is full
}

// pays compares the two ways of writing the values of f. factor weighs the cost without a dictionary.
func (p *dictPolicy) pays(f forecast, factor float64) bool {
	left, added := f.left, 0.0
	if left > 0 {
		added = f.newEntries(left)
		if added > float64(f.room) {
			left, added = f.untilFull(), float64(f.room)
		}
	}
	entries := float64(f.entries) + added
	values := float64(f.values + left)
	cost := p.entry * added
	if f.values > 0 {
		cost = p.entry * entries
	}
	cost += values * indexBytes(entries) * p.shrink
	return cost < values*p.plain*factor+trifle
}

// newEntries is the expected number of unknown values among the next n.
func (f *forecast) newEntries(n int) float64 {
	if f.rate >= 1 {
		return float64(n)
	}
	pool := f.pool()
	return (pool - float64(f.entries)) * -math.Expm1(-float64(n)/pool)
}

// pool is the estimated number of different values there are.
func (f *forecast) pool() float64 { return math.Max(1, float64(f.entries)) / (1 - f.rate) }

// untilFull is the expected number of values until the dictionary is full, given that they will fill it.
func (f *forecast) untilFull() int {
	if f.rate >= 1 {
		return f.room
	}
	pool := f.pool()
	share := float64(f.room) / (pool - float64(f.entries))
	if share >= 1 {
		return f.left
	}
	return min(f.left, int(-pool*math.Log1p(-share)))
}

// indexBytes is the size of a reference into a dictionary of so many entries.
func indexBytes(entries float64) float64 {
	return math.Max(1, math.Ceil(math.Log2(math.Max(entries, 1)))) / 8
}
