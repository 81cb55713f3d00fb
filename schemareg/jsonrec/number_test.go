package jsonrec

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// numberText draws numbers in every spelling JSON has, and near misses.
func numberText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := choose(t, []string{"", "", "-"})
		s += choose(t, []string{"0", "1", "9007199254740993", "00", "", "007"})
		s += rapid.StringMatching(`[0-9]{0,22}`).Draw(t, "digits")
		if rapid.Bool().Draw(t, "fraction") {
			s += "." + rapid.StringMatching(`0{0,5}[0-9]{0,25}0{0,5}`).Draw(t, "places")
		}
		if rapid.Bool().Draw(t, "exponent") {
			s += choose(t, []string{"e", "E", "e+", "e-", "E-"})
			s += choose(t, []string{"", "0", "1", "2", "5", "12", "019", "40", "400", "99999999999999999999"})
		}
		return s
	})
}

// isNumber is the library's opinion on the grammar.
func isNumber(s string) bool {
	return json.Valid([]byte(s)) && (s[0] == '-' || s[0]-'0' <= 9)
}

func TestNumberEndAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numberText().Draw(t, "number")
		end, why := numberEnd([]byte(s), 0)
		require.Equal(t, isNumber(s), why == fine && end == len(s), s)
	})
}

// exact is the number as a rational, nil if its exponent is absurd.
func exact(s string) *big.Rat {
	if _, e, ok := strings.Cut(strings.ToLower(s), "e"); ok {
		if n, err := strconv.Atoi(e); err != nil || n > 1000 || n < -1000 {
			return nil
		}
	}
	r, _ := new(big.Rat).SetString(s)
	return r
}

func TestLongsAreExactOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numberText().Filter(isNumber).Draw(t, "number")
		r := exact(s)
		v, end, why := longAt([]byte(s), 0)
		switch {
		case r == nil: // zero or out of every range
			require.True(t, why != fine || v == 0, s)
		case !r.IsInt():
			require.Equal(t, notInteger, why, s)
		case !r.Num().IsInt64():
			require.Equal(t, outOfRange, why, s)
		default:
			require.Equal(t, fine, why, s)
			require.Equal(t, r.Num().Int64(), v, s)
			require.Equal(t, len(s), end)
		}
	})
}

func TestDecimalsAreExactOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numberText().Filter(isNumber).Draw(t, "number")
		scale := pick(t, 39)
		r := exact(s)
		if r == nil {
			return
		}
		r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		w, end, why := unscaledAt([]byte(s), 0, scale)
		if why == fine {
			require.True(t, r.IsInt(), s)
			require.Equal(t, r.Num().String(), bigOf(w).String(), s)
			require.Equal(t, len(s), end)
			return
		}
		if r.IsInt() { // refused although exact: only for its size
			require.Equal(t, outOfRange, why, s)
			require.Greater(t, r.Num().BitLen(), 120, s)
		}
	})
}

func bigOf(w wide) *big.Int {
	v := new(big.Int).SetUint64(w.hi)
	v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(w.lo))
	if w.neg {
		v.Neg(v)
	}
	return v
}

func TestFloatsAreTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numberText().Filter(isNumber).Draw(t, "number")
		want, err := strconv.ParseFloat(s, 64)
		got, _, why := doubleAt([]byte(s), 0)
		require.Equal(t, err == nil, why == fine, s)
		if err == nil {
			require.Equal(t, math.Float64bits(want), got, s)
		}
		want, err = strconv.ParseFloat(s, 32)
		got32, _, why := floatAt([]byte(s), 0)
		require.Equal(t, err == nil, why == fine, s)
		if err == nil {
			require.Equal(t, math.Float32bits(float32(want)), got32, s)
		}
	})
}

func TestNumericTimesAreCutToMicroseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := numberText().Filter(isNumber).Draw(t, "number")
		unit := choose(t, []Unit{Seconds, Millis, Micros})
		r := exact(s)
		if r == nil {
			return
		}
		r.Mul(r, new(big.Rat).SetInt64(int64(tens[unit.power()])))
		floor := new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: floor, as the denominator is positive
		v, end, why := unitsAt([]byte(s), 0, unit.power())
		if why == fine {
			require.Equal(t, floor.String(), strconv.FormatInt(v, 10), s)
			require.Equal(t, len(s), end)
			return
		}
		digits := strings.Trim(strings.NewReplacer(".", "", "-", "").Replace(s), "0")
		require.True(t, !floor.IsInt64() || len(digits) > 38, "%s: %v", s, floor)
	})
}

func TestPutBig(t *testing.T) {
	f := func(w wide, size int, want string) {
		t.Helper()
		dst := make([]byte, size)
		w.putBig(dst)
		require.Equal(t, want, new(big.Int).SetBytes(dst).Text(16))
	}
	f(wide{lo: 1}, 9, "1")
	f(wide{lo: 1, neg: true}, 9, "ffffffffffffffffff")
	f(wide{hi: 1, neg: true}, 16, "ffffffffffffffff0000000000000000")
	f(wide{hi: 0x4b3b4ca85a86c47a, lo: 0x98a223fffffffff}, 16, "4b3b4ca85a86c47a098a223fffffffff")
}
