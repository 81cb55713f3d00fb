package failure

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutermostClassificationWins(t *testing.T) {
	inner := New(Retry, "E_INNER", "wait", "asking")
	outer := Wrap(fmt.Errorf("over the border: %w", inner), Halt, "E_OUTER", "", "stopping table %s", "t")
	require.Equal(t, Halt, ClassOf(outer))
	require.Equal(t, "E_OUTER", CodeOf(outer))
	require.Equal(t, "wait", HintOf(outer), "the first hint from the outside in")
	require.Equal(t, "stopping table t: over the border: asking [E_OUTER] — wait", Describe(outer))
	require.ErrorIs(t, outer, inner)
}

func TestUnclassifiedErrorsAreFatal(t *testing.T) {
	require.Equal(t, Fatal, ClassOf(io.EOF))
	require.Empty(t, CodeOf(io.EOF))
	require.Empty(t, HintOf(errors.New("x")))
	require.Equal(t, "EOF", Describe(io.EOF))
}

func TestExitCodes(t *testing.T) {
	for class, want := range map[Class]int{Fatal: 1, Retry: 75, Unknown: 75, Poison: 1, Config: 78, Halt: 1} {
		require.Equal(t, want, ExitCode(New(class, "E", "", "x")), class.String())
	}
	require.Equal(t, 0, ExitCode(nil))
	require.Equal(t, 1, ExitCode(io.EOF))
}
