package table

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"

	"github.com/ingestd/ingestd/internal/failure"
	"github.com/ingestd/ingestd/table/column"
	"github.com/ingestd/ingestd/table/parquet"
)

// The table properties that ask for Bloom filters, as Iceberg defines them.
const (
	bloomEnabled  = "write.parquet.bloom-filter-enabled.column."
	bloomFPP      = "write.parquet.bloom-filter-fpp.column."
	bloomMaxBytes = "write.parquet.bloom-filter-max-bytes"

	codeProperty = "E_PROPERTY" // a property that would have no effect

	defaultBloomFPP      = 0.01
	defaultBloomMaxBytes = 1 << 20
)

// BloomFilters lists the leaves that get Bloom filters by the properties of a table. Tables may be somebody else's:
// properties of columns that are gone or cannot have a filter are passed over, numbers that make no sense are the
// defaults.
func BloomFilters(l *column.Layout, props iceberg.Properties) []parquet.Bloom {
	most, err := strconv.Atoi(props[bloomMaxBytes])
	if err != nil || !bloomFits(most) {
		most = defaultBloomMaxBytes
	}
	var out []parquet.Bloom
	for i, name := range leafNames(l) {
		if on, err := strconv.ParseBool(props[bloomEnabled+name]); err != nil || !on || l.Leaves[i].Physical == column.PhysBool {
			continue
		}
		fpp, err := strconv.ParseFloat(props[bloomFPP+name], 64)
		if err != nil || !(fpp > 0 && fpp < 1) {
			fpp = defaultBloomFPP
		}
		out = append(out, parquet.Bloom{Leaf: i, FPP: fpp, MaxBytes: most})
	}
	return out
}

// CheckBloomFilters refuses properties of a new table that would have no effect on these columns.
func CheckBloomFilters(fields []column.Field, props map[string]string) error {
	l, err := column.NewLayout(fields)
	if err != nil {
		return failure.Wrap(err, failure.Config, codeSchema, "", "reading the columns of a new table")
	}
	leaves := map[string]*column.Leaf{}
	for i, name := range leafNames(l) {
		leaves[name] = &l.Leaves[i]
	}
	for _, key := range slices.Sorted(maps.Keys(props)) {
		if reason := badBloom(leaves, props, key); reason != "" {
			return failure.New(failure.Config, codeProperty, "name a column that holds values, or remove the property", "reading the property %s: %s", key, reason)
		}
	}
	return nil
}

func badBloom(leaves map[string]*column.Leaf, props map[string]string, key string) string {
	name, enables := strings.CutPrefix(key, bloomEnabled)
	if !enables {
		var ok bool
		if name, ok = strings.CutPrefix(key, bloomFPP); !ok {
			return ""
		}
	}
	leaf := leaves[name]
	switch on, _ := strconv.ParseBool(props[bloomEnabled+name]); {
	case leaf == nil:
		return "the table has no column " + name
	case leaf.Physical == column.PhysBool:
		return "a boolean cannot have a Bloom filter"
	case !enables && !on:
		return "it has no effect without " + bloomEnabled + name
	}
	return ""
}

func bloomFits(n int) bool { return n >= parquet.MinBloomBytes && n <= parquet.MaxBloomBytes }
