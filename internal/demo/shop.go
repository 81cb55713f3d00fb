package demo

import (
	"fmt"
	"math/rand/v2"
)

// products is the size of the shop's range.
const products = 500

// shop is what both generators draw from: the same random numbers for the same seed.
type shop struct {
	rng *rand.Rand
	// cents is the price of each product.
	cents [products]int64
}

func newShop(seed uint64) *shop {
	// The range is the same in every demo; only what happens in it depends on the seed.
	prices := rand.New(rand.NewPCG(1, 1))
	s := &shop{rng: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15))}
	for i := range s.cents {
		s.cents[i] = 199 + prices.Int64N(20_000) + prices.Int64N(100)*prices.Int64N(1_000)
	}
	return s
}

// product picks a product; a few are popular.
func (s *shop) product() int32 {
	f := s.rng.Float64()
	return int32(f * f * f * products)
}

// chance is true once in n times.
func (s *shop) chance(n int) bool { return s.rng.IntN(n) == 0 }

// pick takes one of several texts.
func (s *shop) pick(from []string) string { return from[s.rng.IntN(len(from))] }

// countries lists where visitors come from, frequent ones several times.
func countries() []string {
	return []string{"DE", "DE", "DE", "DE", "FR", "FR", "FR", "NL", "NL", "AT", "AT", "CH", "PL", "ES", "IT", "IT", "BE", "SE", "DK", "US"}
}

// referrers lists where visits come from; "" is a typed address.
func referrers() []string {
	return []string{
		"", "", "", "https://www.google.com/", "https://www.google.com/", "https://www.bing.com/", "https://duckduckgo.com/",
		"https://news.example.org/deals", "https://mail.example.com/",
	}
}

// paths spells the product pages once instead of for every event.
func paths() (out [products]string) {
	for i := range out {
		out[i] = fmt.Sprintf("/products/%d", i)
	}
	return out
}
