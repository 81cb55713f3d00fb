package transform

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

// Parse reads one entry of partition_by: a column, or transform(column), or bucket(n, column) and
// truncate(n, column). Names of transforms may be in any case; names of columns are taken as they stand.
func Parse(text string) (Term, error) {
	name, rest, call := strings.Cut(text, "(")
	if !call {
		column := strings.TrimSpace(text)
		if column == "" || strings.ContainsAny(column, "),") {
			return Term{}, parseError(text, `write a column, day(column) or bucket(16, column)`, "it is no column name")
		}
		return Term{Kind: Identity, Column: column}, nil
	}
	kind, err := parseKind(text, strings.TrimSpace(name))
	if err != nil {
		return Term{}, err
	}
	args, ok := strings.CutSuffix(strings.TrimSpace(rest), ")")
	if !ok || strings.ContainsAny(args, "()") {
		return Term{}, parseError(text, `one transform takes one column, as in day(column)`, "the parentheses do not match")
	}
	return parseArgs(text, kind, strings.Split(args, ","))
}

func parseKind(text, name string) (Kind, error) {
	if i := slices.Index(kindNames[:], strings.ToLower(name)); i >= 0 {
		return Kind(i), nil
	}
	hint := "the transforms are " + strings.Join(kindNames[:], ", ")
	if i := slices.Index(kindNames[:], strings.TrimSuffix(strings.ToLower(name), "s")); i >= 0 {
		hint = "write " + kindNames[i]
	}
	return 0, parseError(text, hint, "there is no transform "+strconv.Quote(name))
}

func parseArgs(text string, kind Kind, args []string) (Term, error) {
	for i := range args {
		args[i] = strings.TrimSpace(args[i])
	}
	t := Term{Kind: kind, Column: args[len(args)-1]}
	want := 1
	if kind.sized() {
		want = 2
	}
	if len(args) != want || t.Column == "" {
		return Term{}, parseError(text, "write "+usage(kind), kind.String()+" takes "+takes(kind))
	}
	if !kind.sized() {
		return t, nil
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return Term{}, parseError(text, "write "+usage(kind), strconv.Quote(args[0])+" is no number")
	}
	if n < 1 || n > math.MaxInt32 {
		return Term{}, parseError(text, "choose a number from 1 to 2147483647", args[0]+" is out of range")
	}
	t.Width = n
	return t, nil
}

func usage(k Kind) string { return Term{Kind: k, Width: 16, Column: "column"}.call() }

func takes(k Kind) string {
	if k.sized() {
		return "a number and a column"
	}
	return "one column"
}

// call is String with the identity written out.
func (t Term) call() string {
	if t.Kind == Identity {
		return "identity(" + t.Column + ")"
	}
	return t.String()
}

func parseError(text, hint, what string) error {
	return failure.New(failure.Config, codePartition, hint, "reading partition_by %q: %s", text, what)
}
