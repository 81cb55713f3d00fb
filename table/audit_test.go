package table_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/column/columntest"
)

func auditSet(t testing.TB, fields ...column.Field) *column.Set {
	l, err := column.NewLayout(fields)
	require.NoError(t, err)
	return column.NewSet(l)
}

func TestAuditColumns(t *testing.T) {
	set := auditSet(t, table.AuditFields(true)...)
	a, err := table.NewAudit(set)
	require.NoError(t, err)
	require.Equal(t, set.Layout.Nodes, a.Nodes())
	a.Append("clicks", 3, 77, 1_750_000_000_000)
	a.Append("clicks", 3, 78, -1)
	a.Append("views", 0, 1<<40, math.MaxInt64)
	require.NoError(t, set.Check(3))
	require.Equal(t, [][]any{
		{int32(3), int64(77), int64(1_750_000_000_000_000), "clicks"},
		{int32(3), int64(78), nil, "clicks"},
		{int32(0), int64(1 << 40), int64(math.MaxInt64/1000) * 1000, "views"},
	}, columntest.Rows(set))
	for _, c := range set.Columns {
		require.True(t, c.Flat())
		require.True(t, table.IsAudit(c.Leaf.Name()))
	}
	require.False(t, table.IsAudit("_kafka"))
}

func TestTablesMayLackAuditColumns(t *testing.T) {
	x := column.Field{Name: "x", Type: column.Type{Kind: column.Int}}
	offset := table.AuditFields(false)[1]
	offset.Required = true
	stamp := table.AuditFields(false)[2]
	stamp.Required = true
	set := auditSet(t, x, offset, stamp)
	a, err := table.NewAudit(set)
	require.NoError(t, err)
	require.Len(t, a.Nodes(), 2)
	set.Columns[0].SetNull()
	a.Append("t", 1, 5, -1)
	require.NoError(t, set.Check(1))
	require.Equal(t, [][]any{{nil, int64(5), int64(0)}}, columntest.Rows(set))

	none := auditSet(t, x)
	a, err = table.NewAudit(none)
	require.NoError(t, err)
	require.Empty(t, a.Nodes())
	a.Append("t", 1, 5, 6)
	require.NoError(t, none.Check(0))
}

func TestAuditColumnOfAnotherType(t *testing.T) {
	_, err := table.NewAudit(auditSet(t, column.Field{Name: table.AuditOffset, Type: column.Type{Kind: column.String}}))
	require.Equal(t, "looking for auditing columns: _kafka_offset is a string, not a long [E_TABLE_SCHEMA] — rename the column, or switch audit_columns off for this table",
		failure.Describe(err))
}

func TestAuditDoesNotAllocate(t *testing.T) {
	set := auditSet(t, table.AuditFields(true)...)
	a, err := table.NewAudit(set)
	require.NoError(t, err)
	fill := func() {
		for i := range 500 {
			a.Append("a-topic-with-a-name-that-is-longer-than-thirty-two-bytes", 3, int64(i), 1_750_000_000_000)
		}
		set.Truncate(0)
	}
	fill()
	require.Zero(t, testing.AllocsPerRun(10, fill))
}
