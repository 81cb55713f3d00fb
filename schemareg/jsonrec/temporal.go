package jsonrec

const (
	secondsPerDay = 86400
	microsPerDay  = secondsPerDay * 1e6
	maxInt        = 1<<63 - 1
	minInt        = -1 << 63
	nanosPerMicro = 1000
	nanosDigits   = 3 // of ten, in nanosPerMicro
)

// two reads two digits at s[i]; -1 if they are not digits.
func two(s []byte, i int) int {
	if i+2 > len(s) {
		return -1
	}
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(a)*10 + int(b)
}

// daysIn gives the length of a month.
func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// civilDays gives the days since 1970-01-01 of a proleptic Gregorian date, year >= 0.
func civilDays(year, month, day int) int {
	// Years begin in March, so that the leap day is the last one; eras of 400 years have 146097 days.
	if month <= 2 {
		year--
		month += 12
	}
	year += 400 // keeps year 0 positive
	era, y := year/400, year%400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return era*146097 + y*365 + y/4 - y/100 + ofYear - 719468 - 146097
}

// dateIn reads yyyy-mm-dd at the start of s.
func dateIn(s []byte) (days int, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, rest, month, day := two(s, 0), two(s, 2), two(s, 5), two(s, 8)
	year := century*100 + rest
	if century < 0 || rest < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return civilDays(year, month, day), true
}

// clockIn reads hh:mm[:ss[.fraction]] at the start of s and gives the number of bytes used, 0 if there is no time.
func clockIn(s []byte) (nanos int64, n int) {
	hour, minute, second := two(s, 0), -1, 0
	if len(s) >= 5 && s[2] == ':' {
		minute = two(s, 3)
	}
	n = 5
	if len(s) > 5 && s[5] == ':' {
		second = two(s, 6)
		n = 8
	}
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59 {
		return 0, 0
	}
	nanos = int64(hour*3600+minute*60+second) * 1e9
	if n == 8 && len(s) > 8 && (s[8] == '.' || s[8] == ',') {
		fraction, digits := fractionIn(s[9:])
		if digits == 0 {
			return 0, 0
		}
		nanos += fraction
		n += 1 + digits
	}
	return nanos, n
}

// fractionIn reads one to nine digits of a second as nanoseconds.
func fractionIn(s []byte) (nanos int64, digits int) {
	unit := int64(1e8)
	for digits < len(s) && s[digits]-'0' <= 9 {
		nanos += unit * int64(s[digits]-'0')
		unit /= 10
		digits++
	}
	if digits > 9 {
		return 0, 0
	}
	return nanos, digits
}

// offsetIn reads the whole of s as Z, +hh, +hhmm or +hh:mm.
func offsetIn(s []byte) (seconds int64, ok bool) {
	if len(s) == 1 && s[0]|0x20 == 'z' {
		return 0, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, minutes := two(s, 1), 0
	switch {
	case len(s) == 5:
		minutes = two(s, 3)
	case len(s) == 6 && s[3] == ':':
		minutes = two(s, 4)
	case len(s) != 3:
		return 0, false
	}
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	seconds = int64(hours*3600 + minutes*60)
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// dateOf reads all of s as a date.
func dateOf(s []byte) (int32, fault) {
	days, ok := dateIn(s)
	if !ok || len(s) != 10 {
		return 0, badDate
	}
	return int32(days), fine
}

// timeOf reads all of s as a time of day in microseconds; finer digits are cut off.
func timeOf(s []byte) (int64, fault) {
	nanos, n := clockIn(s)
	if n == 0 || n != len(s) {
		return 0, badTime
	}
	return nanos / nanosPerMicro, fine
}

// timestampOf reads all of s as microseconds; finer digits are cut off.
func timestampOf(s []byte, zoned bool) (int64, fault) {
	days, nanos, why := instantIn(s, zoned)
	return days*microsPerDay + floorDiv(nanos, nanosPerMicro), why
}

// nanosOf reads all of s as nanoseconds, which reach from 1677 to 2262.
func nanosOf(s []byte, zoned bool) (int64, fault) {
	days, nanos, why := instantIn(s, zoned)
	if why != fine {
		return 0, why
	}
	const perDay = int64(secondsPerDay * 1e9)
	days, nanos = days+floorDiv(nanos, perDay), floorMod(nanos, perDay)
	if days < 0 { // counted from its end, so that no part is below the least number
		days, nanos = days+1, nanos-perDay
	}
	whole := days * perDay
	if days > maxInt/perDay || days < minInt/perDay || nanos > 0 && whole > maxInt-nanos || nanos < 0 && whole < minInt-nanos {
		return 0, outOfRange
	}
	return whole + nanos, fine
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// instantIn reads all of s as date, T or space, time and, if zoned, an offset.
func instantIn(s []byte, zoned bool) (days, nanos int64, why fault) {
	day, ok := dateIn(s)
	if !ok || len(s) < 11 || s[10]|0x20 != 't' && s[10] != ' ' {
		return 0, 0, badTimestamp
	}
	nanos, n := clockIn(s[11:])
	if n == 0 {
		return 0, 0, badTimestamp
	}
	rest := s[11+n:]
	if !zoned {
		if len(rest) == 0 {
			return int64(day), nanos, fine
		}
		if _, ok := offsetIn(rest); ok {
			return 0, 0, noOffset
		}
		return 0, 0, badTimestamp
	}
	if len(rest) == 0 {
		return 0, 0, needOffset
	}
	offset, ok := offsetIn(rest)
	if !ok {
		return 0, 0, badTimestamp
	}
	return int64(day), nanos - offset*1e9, fine
}

// unitsAt reads a number, of which one is 10^power of the column's units, as a number of these.
func unitsAt(b []byte, p, power int) (units int64, end int, f fault) {
	if n, end, ok := plainAt(b, p); ok && n.places == 0 && power >= 0 {
		unit := int64(tens[power])
		if v := int64(n.mantissa); v <= maxInt/unit {
			v *= unit
			if n.neg {
				v = -v
			}
			return v, end, fine
		}
	}
	d, end, f := decimalAt(b, p)
	if f != fine {
		return 0, end, f
	}
	w, f := d.floor(power)
	if f != fine {
		return 0, p, f
	}
	units, ok := w.int64()
	if !ok {
		return 0, p, outOfRange
	}
	return units, end, fine
}
