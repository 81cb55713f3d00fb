package table

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
)

// An engine that nobody has tried on tables of format version 3 gets none.
func TestUntriedReadersGetNoNewFormat(t *testing.T) {
	c := Choice{readers: []*Reader{{Name: "other", From: version{1, 2}}}, names: []string{"other@1.2"}}
	require.NoError(t, c.CheckFormat())
	require.NoError(t, c.At(2).CheckFormat())
	require.Error(t, c.At(3).CheckFormat())
	require.Equal(t, "choosing format_version 3: other@1.2 cannot read format version 3 [E_READERS] — leave format_version out, name a newer version of that reader, or take it out of readers",
		failure.Describe(c.At(3).CheckFormat()))
	require.Equal(t, Reason{Setting: "format_version", Value: "2", Reader: "other@1.2", Why: "cannot read format version 3"}, c.Explain()[0])
	x := Contents{Name: "a.b", FormatVersion: 3}
	require.ErrorContains(t, c.Check(x), "other@1.2 cannot read tables of format version 3, and a table's format version is never lowered")
	x.FormatVersion = 2
	require.NoError(t, c.At(3).Check(x))
}
