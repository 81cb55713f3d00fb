package demo

import (
	"strconv"
	"time"
)

// logs generates the log of the shop's services, one JSON object per line.
type logs struct {
	*shop
	services, hosts, regions, versions []string
}

func newLogs(seed uint64, first int64) *logs {
	return &logs{
		shop:     newShop(seed*31 + uint64(first)),
		services: []string{"web", "web", "web", "cart", "search", "search", "payment"},
		hosts:    []string{"shop-1", "shop-2", "shop-3", "shop-4"},
		regions:  []string{"eu-central", "eu-west"},
		versions: []string{"4.11.0", "4.11.1"},
	}
}

// append writes the next line and gives the key of its record. The texts need no escaping, so they are written as
// they are.
func (l *logs) append(dst []byte, at time.Time) (key string, value []byte) {
	host, service, level := l.pick(l.hosts), l.pick(l.services), l.level()
	dst = append(dst, `{"ts":`...)
	dst = strconv.AppendInt(dst, at.UnixMilli(), 10)
	dst = append(dst, `,"level":"`...)
	dst = append(dst, level...)
	dst = append(dst, `","service":"`...)
	dst = append(dst, service...)
	dst = append(dst, `","host":"`...)
	dst = append(dst, host...)
	dst = append(dst, `","message":"`...)
	dst = l.message(dst, level, service)
	dst = append(dst, '"')
	if service != "payment" {
		dst = l.request(dst, level)
	}
	dst = append(dst, `,"labels":{"region":"`...)
	dst = append(dst, l.pick(l.regions)...)
	dst = append(dst, `","version":"`...)
	dst = append(dst, l.pick(l.versions)...)
	if l.chance(20) {
		dst = append(dst, `","canary":"yes`...)
	}
	return host, append(dst, `"}}`...)
}

// level picks a severity; most lines are harmless.
func (l *logs) level() string {
	switch n := l.rng.IntN(100); {
	case n < 1:
		return "ERROR"
	case n < 6:
		return "WARN"
	case n < 20:
		return "DEBUG"
	default:
		return "INFO"
	}
}

func (l *logs) message(dst []byte, level, service string) []byte {
	switch {
	case level == "ERROR":
		dst = append(dst, "upstream did not answer after "...)
		dst = strconv.AppendInt(dst, 1000+l.rng.Int64N(4000), 10)
		return append(dst, " ms"...)
	case level == "WARN":
		dst = append(dst, "slow answer, pool has "...)
		dst = strconv.AppendInt(dst, l.rng.Int64N(64), 10)
		return append(dst, " free connections"...)
	case service == "payment":
		dst = append(dst, "payment accepted for order "...)
		return strconv.AppendInt(dst, l.rng.Int64N(1_000_000), 10)
	default:
		dst = append(dst, "GET /products/"...)
		return strconv.AppendInt(dst, int64(l.product()), 10)
	}
}

// request adds what only lines about a request have.
func (l *logs) request(dst []byte, level string) []byte {
	status := int64(200)
	switch {
	case level == "ERROR":
		status = 504
	case l.chance(40):
		status = 404
	}
	dst = append(dst, `,"status":`...)
	dst = strconv.AppendInt(dst, status, 10)
	dst = append(dst, `,"duration_ms":`...)
	dst = strconv.AppendFloat(dst, float64(500+l.rng.IntN(80_000))/1000, 'f', -1, 64)
	dst = append(dst, `,"trace_id":"`...)
	const digits = "0123456789abcdef"
	id := l.rng.Uint64()
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, digits[id>>i&15])
	}
	return append(dst, '"')
}
