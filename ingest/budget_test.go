package ingest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestStuckTableLeavesTheOthersTheirFloor(t *testing.T) {
	b := newBudget(1000)
	for _, name := range []string{"a", "b"} {
		b.enter(name)
	}
	woken := 0
	for {
		ok, largest := b.admit("a", func() { woken++ })
		if !ok {
			require.Equal(t, "a", largest)
			break
		}
		b.charge("a", 10)
	}
	held, _, largest := b.total()
	require.EqualValues(t, 750, held, "the shared half and its own floor of a quarter")
	require.Equal(t, "a", largest)
	ok, _ := b.admit("b", func() {})
	require.True(t, ok, "the other table still has its floor")
	require.Zero(t, woken)
	b.charge("a", -100)
	require.Equal(t, 1, woken)
}

func TestPressureNamesTheLargest(t *testing.T) {
	b := newBudget(1000)
	b.enter("a")
	b.enter("b")
	b.charge("a", 300)
	require.Empty(t, b.pressed())
	b.charge("b", 650)
	require.Equal(t, "b", b.pressed())
	b.leave("b")
	require.Empty(t, b.pressed())
}

// TestBudgetIsNeverOverrun drives random tables that buffer only when admitted: the sum stays within the limit plus one
// step per table, whatever the order.
func TestBudgetIsNeverOverrun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const step = 64
		tables := rapid.IntRange(1, 8).Draw(t, "tables")
		limit := rapid.Int64Range(step*16, 1<<16).Draw(t, "limit")
		b := newBudget(limit)
		held := make([]int64, tables)
		for i := range tables {
			b.enter(fmt.Sprint(i))
		}
		for range rapid.IntRange(1, 300).Draw(t, "ops") {
			i := rapid.IntRange(0, tables-1).Draw(t, "table")
			if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
				b.charge(fmt.Sprint(i), -held[i])
				held[i] = 0
				continue
			}
			if ok, _ := b.admit(fmt.Sprint(i), func() {}); ok {
				b.charge(fmt.Sprint(i), step)
				held[i] += step
			}
			total, _, _ := b.total()
			if total > limit+step*int64(tables) {
				t.Fatalf("holds %d of %d", total, limit)
			}
		}
	})
}
