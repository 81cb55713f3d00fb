package day

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/apache/iceberg-go"
	icetable "github.com/apache/iceberg-go/table"
	"github.com/stretchr/testify/require"
)

// measured is what a table is like at the end of an hour.
type measured struct {
	// files is the largest number of data files in a partition that is no longer written to, open that of the newest.
	files, open int
	metadata    int64
	list        int64
	commit      time.Duration
	// plan is the time it takes to find the files of one hour, scan the time to read its rows as well.
	plan, scan time.Duration
}

func (m measured) String() string {
	return fmt.Sprintf("%d files in a partition (%d in the newest), metadata %d KB, manifest list %d B, commit %v, plan %v, scan of an hour %v",
		m.files, m.open, m.metadata>>10, m.list, m.commit.Round(10*time.Microsecond), m.plan.Round(10*time.Microsecond), m.scan.Round(10*time.Microsecond))
}

const scans = 5

// measure looks at the table when an hour has just ended. The times of the commits begin anew.
func (g *grown) measure() measured {
	g.t.Helper()
	require.NoError(g.t, g.w.Refresh(g.t.Context()))
	m := measured{commit: median(g.took), metadata: size(g, g.w.Iceberg().MetadataLocation()), list: size(g, g.w.Head().ManifestList)}
	g.took = nil
	tasks, err := g.w.Iceberg().Scan().PlanFiles(g.t.Context())
	require.NoError(g.t, err)
	field := g.w.PartitionSpec()
	hour := field.Field(0).FieldID
	newest := int32(g.clock.now.Unix() / 3600)
	counts := map[int32]int{}
	for _, task := range tasks {
		counts[task.File.Partition()[hour].(int32)]++
	}
	for h, n := range counts {
		if h >= newest-1 {
			m.open = max(m.open, n)
		} else {
			m.files = max(m.files, n)
		}
	}
	var plans, all []time.Duration
	for range scans {
		plan, scan := g.scan()
		plans, all = append(plans, plan), append(all, scan)
	}
	m.plan, m.scan = median(plans), median(all)
	return m
}

// scan reads the hour before the last one, as a query does.
func (g *grown) scan() (plan, scan time.Duration) {
	g.t.Helper()
	to := g.clock.now.Truncate(time.Hour).Add(-time.Hour)
	at := iceberg.Reference("at")
	in := func() *icetable.Scan {
		return g.w.Iceberg().Scan(icetable.WithRowFilter(iceberg.NewAnd(
			iceberg.GreaterThanEqual(at, iceberg.Timestamp(to.Add(-time.Hour).UnixMicro())), iceberg.LessThan(at, iceberg.Timestamp(to.UnixMicro())))))
	}
	began := time.Now()
	_, err := in().PlanFiles(g.t.Context())
	require.NoError(g.t, err)
	plan = time.Since(began)
	began = time.Now()
	rows, err := in().ToArrowTable(g.t.Context())
	scan = time.Since(began)
	require.NoError(g.t, err)
	defer rows.Release()
	require.EqualValues(g.t, int(time.Hour/tick)*batchRows, rows.NumRows(), "the rows of an hour")
	return plan, scan
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

func size(g *grown, location string) int64 {
	g.t.Helper()
	u, err := url.Parse(location)
	require.NoError(g.t, err)
	info, err := os.Stat(u.Path)
	require.NoError(g.t, err)
	return info.Size()
}
