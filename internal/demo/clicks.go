package demo

import (
	_ "embed" // the schema of the clicks
	"encoding/binary"
	"fmt"
	"math/bits"
	"time"
)

// clickSchema is the writer schema of the topic shop.clicks.
//
//go:embed click.avsc
var clickSchema string

// Numbers of the enum symbols in click.avsc.
const (
	actionView = iota
	actionSearch
	actionAdd
	actionRemove
	actionCheckout
	actionPurchase
)

// visits is how many visits go on at the same time.
const visits = 256

// visit is one visitor going through the shop.
type visit struct {
	id       string
	user     int64 // 0: not logged in
	country  string
	referrer string
	device   int64
	product  int32 // of the page the visitor is on
	cart     int64
	tags     []string
}

// clicks generates the click stream.
type clicks struct {
	*shop
	next   int64 // event id
	opened int64
	open   [visits]visit

	paths                [products]string
	countries, referrers []string
	campaigns            [][]string
}

// newClicks begins a stream whose first event has the given id.
func newClicks(seed uint64, first int64) *clicks {
	c := &clicks{
		shop: newShop(seed + uint64(first)), next: first, paths: paths(), countries: countries(), referrers: referrers(),
		campaigns: [][]string{nil, nil, {"newsletter"}, {"sale"}, {"sale", "banner-b"}, {"checkout-v2"}, {"newsletter", "sale", "checkout-v2"}},
	}
	for i := range c.open {
		c.enter(&c.open[i])
	}
	return c
}

// enter begins a new visit.
func (c *clicks) enter(v *visit) {
	c.opened++
	*v = visit{
		id:      fmt.Sprintf("%08x%04x", uint32(c.rng.Uint64()), uint16(c.opened)),
		country: c.pick(c.countries), referrer: c.pick(c.referrers), device: int64(c.rng.IntN(4)),
		product: c.product(), tags: c.campaigns[c.rng.IntN(len(c.campaigns))],
	}
	if c.chance(3) {
		v.user = 1 + c.rng.Int64N(50_000)
	}
}

// append writes the next event in Avro and gives the key of its record.
func (c *clicks) append(dst []byte, at time.Time) (key string, value []byte) {
	v := &c.open[c.rng.IntN(visits)]
	action, page := c.act(v)
	dst = binary.AppendVarint(dst, c.next)
	dst = binary.AppendVarint(dst, at.UnixMilli())
	dst = appendText(dst, v.id)
	dst = appendOptionalLong(dst, v.user, v.user != 0)
	dst = binary.AppendVarint(dst, action)
	dst = appendText(dst, page)
	dst = appendOptionalText(dst, v.referrer)
	shows := action != actionSearch && action != actionCheckout
	dst = appendOptionalLong(dst, int64(v.product), shows)
	dst = appendOptionalLong(dst, 1+c.rng.Int64N(3), action == actionAdd || action == actionRemove || action == actionPurchase)
	dst = appendOptionalDecimal(dst, c.cents[v.product], shows)
	dst = appendText(dst, v.country)
	dst = binary.AppendVarint(dst, v.device)
	dst = binary.AppendVarint(dst, 20+c.rng.Int64N(400)+c.rng.Int64N(30)*c.rng.Int64N(30))
	dst = append(dst, boolByte(v.user != 0))
	dst = appendTexts(dst, v.tags)
	c.next++
	key = v.id
	if action == actionPurchase || c.chance(24) {
		c.enter(v)
	}
	return key, dst
}

// act decides what the visitor does next.
func (c *clicks) act(v *visit) (action int64, page string) {
	switch n := c.rng.IntN(100); {
	case n < 12:
		v.product = c.product()
		return actionSearch, "/search"
	case n < 24:
		v.cart++
		return actionAdd, c.paths[v.product]
	case n < 27 && v.cart > 0:
		v.cart--
		return actionRemove, "/cart"
	case n < 33 && v.cart > 0:
		if v.user == 0 {
			v.user = 1 + c.rng.Int64N(50_000)
		}
		return actionCheckout, "/checkout"
	case n < 37 && v.cart > 0 && v.user != 0:
		return actionPurchase, "/checkout/done"
	default:
		v.product = c.product()
		return actionView, c.paths[v.product]
	}
}

// Avro: a union is the branch's number and the value; here null is always branch 0.
const (
	branchNull  = 0
	branchValue = 2 // 1, zigzag
)

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendVarint(dst, int64(len(s))), s...)
}

func appendOptionalText(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, branchNull)
	}
	return appendText(append(dst, branchValue), s)
}

func appendOptionalLong(dst []byte, v int64, there bool) []byte {
	if !there {
		return append(dst, branchNull)
	}
	return binary.AppendVarint(append(dst, branchValue), v)
}

// appendOptionalDecimal writes the unscaled value in as few big-endian bytes as hold it and its sign.
func appendOptionalDecimal(dst []byte, unscaled int64, there bool) []byte {
	if !there {
		return append(dst, branchNull)
	}
	n := bits.Len64(uint64(unscaled))/8 + 1
	dst = binary.AppendVarint(append(dst, branchValue), int64(n))
	for i := n - 1; i >= 0; i-- {
		dst = append(dst, byte(unscaled>>(8*i)))
	}
	return dst
}

func appendTexts(dst []byte, list []string) []byte {
	if len(list) > 0 {
		dst = binary.AppendVarint(dst, int64(len(list)))
		for _, s := range list {
			dst = appendText(dst, s)
		}
	}
	return append(dst, 0)
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
