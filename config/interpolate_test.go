package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestExpand(t *testing.T) {
	in := interpolator{lookup: testEnv}
	for text, want := range map[string]string{
		"plain":               "plain",
		"$":                   "$",
		"a$b$":                "a$b$",
		"^x$|{y}":             "^x$|{y}",
		"${BROKER}":           "localhost:9092",
		"<${BROKER}>":         "<localhost:9092>",
		"${BROKER},${LANES}":  "localhost:9092,2",
		"${NOPE:a}":           "a",
		"${NOPE:}":            "",
		"${EMPTY:a}":          "",
		"${NOPE:http://x:80}": "http://x:80",
		"$${BROKER}":          "${BROKER}",
		"$$${BROKER}":         "$${BROKER}",
	} {
		got, err := in.expand(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got.text, text)
	}
}

// TestVariablesAreNoStructure gives a variable a value that looks like YAML.
func TestVariablesAreNoStructure(t *testing.T) {
	_, _, err := Parse("x", []byte(strings.Replace(minimal, "pipeline: shop", "pipeline: ${LOOKS_LIKE_YAML}", 1)), testOptions())
	require.ErrorContains(t, err, `is no name for a pipeline: '\n' is not allowed in it`)
	require.Len(t, err, 1)
}

// TestExpandWithoutVariables checks that a text without `${` is never changed.
func TestExpandWithoutVariables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Filter(func(s string) bool { return !strings.Contains(s, "${") }).Draw(t, "text")
		got, err := interpolator{lookup: testEnv}.expand(text)
		require.NoError(t, err)
		require.Equal(t, expansion{text: text}, got)
	})
}

// TestEscapedVariables checks that `$${` reaches any text unharmed.
func TestEscapedVariables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-z{}:]|\$\{){0,12}`).Draw(t, "text")
		got, err := interpolator{lookup: testEnv}.expand(strings.ReplaceAll(text, "${", "$${"))
		require.NoError(t, err)
		require.Equal(t, text, got.text)
		require.False(t, got.used)
	})
}
