package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/internal/failure"
)

const codeReaders = "E_READERS"

// Feature is something a table may contain that not every reader can read.
type Feature uint8

// The features.
const (
	// PositionDeletes are position delete files of format version 2.
	PositionDeletes Feature = iota
	// DeletionVectors are those of format version 3.
	DeletionVectors
	// DeltaIntegers is the encoding DELTA_BINARY_PACKED.
	DeltaIntegers
	// TimeType is a column of type time.
	TimeType
	// Nanoseconds are the timestamp types of format version 3.
	Nanoseconds
	// DataPageV2 is Parquet's second page layout.
	DataPageV2
	// UUIDBuckets are partitions by bucket of a column of type uuid.
	UUIDBuckets
	// LZ4Pages are pages compressed with LZ4_RAW.
	LZ4Pages
	// VersionThree are tables of format version 3, with row ids and without deletes.
	VersionThree
	// RowIDs is the column _row_id of such tables. No choice depends on it.
	RowIDs
	// NanoPartitions are partitions by the very values of a column of nanoseconds.
	NanoPartitions
	// TruncatedDecimals are partitions by truncate of a column of type decimal.
	TruncatedDecimals
	// EarlyTimes are partitions by times before 1970. Nobody can tell from a table's columns, so no
	// choice depends on it.
	EarlyTimes
	features int = iota
)

var featureNames = [features]string{
	"position deletes", "deletion vectors", "delta encoding", "columns of type time", "nanosecond timestamps", "version 2 data pages",
	"buckets of a uuid", "lz4 pages", "format version 3", "row ids", "partitions by nanoseconds",
	"partitions by truncated decimals", "partitions by times before 1970",
}

// Features lists all features.
func Features() []Feature {
	out := make([]Feature, features)
	for i := range out {
		out[i] = Feature(i)
	}
	return out
}

// String names the feature for people.
func (f Feature) String() string { return featureNames[f] }

// Support is what is known about a reader and a feature. Only Tested and Declared count as yes.
type Support uint8

// The levels of knowledge.
const (
	// Unknown: nobody has tried.
	Unknown Support = iota
	// Fails: tried, and it does not work.
	Fails
	// Declared: its documentation says so.
	Declared
	// Tested: read back by our interoperability tests, with the same sums as the others.
	Tested
)

// Yes says whether a table may rely on it.
func (s Support) Yes() bool { return s >= Declared }

// Reader is a row of the capability table: an engine from a version on.
type Reader struct {
	Name string
	// From is the oldest version the row speaks for. Of Spark it is the version of iceberg-spark-runtime, which is
	// the part that reads.
	From version
	Can  [features]Support
}

// String is the notation of configurations.
func (r *Reader) String() string { return r.Name + "@" + r.From.String() }

// Capabilities is the one table of who reads what, held by integration/matrix to what its runs have shown; the page
// docs/READERS.md comes from both. Rows of one engine stand in order of their versions; the first is the oldest that
// was tried, and what an engine named without a version is held to.
func Capabilities() []Reader {
	const y, d, n, u = Tested, Declared, Fails, Unknown
	//                                position  vectors  delta  time  nanos  pages2  uuid buckets  lz4  v3  row ids  by nanos  by truncated decimals  before 1970
	return []Reader{
		// ClickHouse reads a time as whole seconds.
		{"clickhouse", version{26, 9}, [...]Support{d, n, y, n, y, d, y, y, y, y, n, y, n}},
		// DuckDB knows timestamp_ns, but not timestamptz_ns. It looks for a uuid in another bucket, and finds no row; a filter
		// by a negative decimal that partitions truncate ends in an error.
		{"duckdb", version{1, 5}, [...]Support{d, d, y, y, n, d, n, y, y, y, n, n, n}},
		{"pyiceberg", version{0, 12}, [...]Support{d, d, y, y, y, d, y, y, y, n, n, y, y}},
		{"spark", version{1, 9}, [...]Support{d, d, n, n, n, d, d, d, d, u, u, d, u}},
		{"spark", version{1, 10}, [...]Support{d, d, y, n, n, d, y, y, y, y, n, y, u}},
		{"spark", version{1, 12}, [...]Support{d, d, y, n, n, d, y, y, y, y, n, y, u}},
		// Trino cannot decompress LZ4_RAW as everybody else reads it.
		{"trino", version{476, 0}, [...]Support{d, n, y, y, n, d, y, n, y, n, n, y, u}},
	}
}

// Readers lists the engines the capability table knows.
func Readers() []string {
	var names []string
	for _, r := range Capabilities() {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// version is major and minor.
type version [2]int

// String is "1.9", or "476" where there is no minor version.
func (v version) String() string {
	if v[1] == 0 {
		return strconv.Itoa(v[0])
	}
	return fmt.Sprintf("%d.%d", v[0], v[1])
}

func (v version) before(w version) bool { return slices.Compare(v[:], w[:]) < 0 }

// parseVersion takes "476", "1.10" and "1.10.2".
func parseVersion(s string) (v version, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return v, false
		}
		if i < len(v) {
			v[i] = n
		}
	}
	return v, true
}

// findReader looks a name or name@version up: the newest row that is not newer than the version.
func findReader(text string) (*Reader, error) {
	name, ver, versioned := strings.Cut(strings.ToLower(strings.TrimSpace(text)), "@")
	var rows []Reader
	for _, r := range Capabilities() {
		if r.Name == name {
			rows = append(rows, r)
		}
	}
	if len(rows) == 0 {
		return nil, failure.New(failure.Config, codeReaders, "the readers are "+strings.Join(Readers(), ", ")+"; leave readers out for all of them",
			"reading readers: unknown reader %q", text)
	}
	if !versioned {
		return &rows[0], nil
	}
	v, ok := parseVersion(ver)
	if !ok {
		return nil, failure.New(failure.Config, codeReaders, "write "+rows[0].String(), "reading readers: %q is no version", ver)
	}
	if name == "spark" && v[0] > 1 {
		return nil, failure.New(failure.Config, codeReaders, "name the version of iceberg-spark-runtime, as in spark@1.10",
			"reading readers: %q is a version of Spark", text)
	}
	if v.before(rows[0].From) {
		return nil, failure.New(failure.Config, codeReaders, "the oldest that was tried is "+rows[0].String(),
			"reading readers: nothing is known about %q", text)
	}
	found := &rows[0]
	for i := range rows {
		if !v.before(rows[i].From) {
			found = &rows[i]
		}
	}
	return found, nil
}
