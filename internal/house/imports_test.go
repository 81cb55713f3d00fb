package house

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// leaves may be imported by every room below.
func leaves() []string {
	return []string{"internal/failure", "internal/outcome", "internal/event", "internal/rungroup"}
}

// room is one line of the import matrix. A name that ends in "/..." means the folder and all below it.
type room struct {
	dir string
	may []string
	// leaf says whether the leaves may be imported.
	leaf bool
}

// rooms is the import matrix: it points down the way of a record. A package belongs to the longest line that
// matches; a package without a line is a violation.
func rooms() []room {
	return []room{
		{dir: "cmd/ingestd", leaf: true, may: []string{
			"config", "examples", "ingest/...", "schemareg/...", "table/...", "commit/...", "compaction/...", "internal/...",
		}},
		{dir: "config"},
		{dir: "examples"},
		{dir: "ingest", leaf: true, may: []string{"ingest/kafka", "schemareg/...", "table/...", "commit/..."}},
		{dir: "ingest/kafka", leaf: true},
		{dir: "schemareg", leaf: true, may: []string{"table/column"}},
		{dir: "schemareg/...", leaf: true, may: []string{"schemareg", "table/column"}},
		{dir: "table", leaf: true, may: []string{"table/..."}},
		{dir: "table/column"},
		{dir: "table/column/columntest", may: []string{"table/column"}},
		{dir: "table/parquet", leaf: true, may: []string{"table/column"}},
		{dir: "table/transform", leaf: true, may: []string{"table/column"}},
		{dir: "table/store", leaf: true},
		{dir: "table/rowread", leaf: true, may: []string{"table/column"}},
		{dir: "table/store/storetest", leaf: true, may: []string{"table/store"}},
		{dir: "commit", leaf: true, may: []string{"commit/state", "table", "table/column", "table/transform"}},
		{dir: "commit/state", may: []string{"internal/outcome"}},
		{dir: "commit/catalog", leaf: true, may: []string{"commit/...", "table/store"}},
		{dir: "commit/catalog/metastore"},
		{dir: "commit/catalog/metastore/metastoretest", leaf: true, may: []string{"commit/catalog/metastore"}},
		{dir: "commit/committest", leaf: true, may: []string{"commit/..."}},
		{dir: "commit/catalog/catalogtest", leaf: true, may: []string{"commit/...", "table/column"}},
		{dir: "compaction", leaf: true, may: []string{"compaction/...", "commit", "commit/state", "table/..."}},
		{dir: "compaction/handover", leaf: true},
		{dir: "compaction/rewrite", leaf: true, may: []string{"table/column", "table/parquet"}},
		{dir: "internal/failure"},
		{dir: "internal/outcome"},
		{dir: "internal/rungroup"},
		{dir: "internal/event", may: []string{"internal/outcome", "internal/failure"}},
		{dir: "internal/telemetry", leaf: true},
		{dir: "internal/admin", leaf: true},
		{dir: "internal/verify", leaf: true, may: []string{"ingest/kafka", "commit/...", "table/..."}},
		{dir: "internal/demo", leaf: true, may: []string{"schemareg/..."}},
		{dir: "internal/restserve", leaf: true},
		{dir: "internal/mutation", leaf: true},
		{dir: "internal/house"},
	}
}

// toucher says who alone may import a library. Tests and their helpers may import any.
type toucher struct {
	library string
	rooms   []string
}

// touchers lists every library of the product: one that has no line is a violation, so that a new dependency is
// a decision.
func touchers() []toucher {
	return []toucher{
		{"github.com/spf13/", []string{"cmd/ingestd"}},
		{"github.com/coreos/go-systemd/", []string{"cmd/ingestd"}},
		{"github.com/KimMachineGun/automemlimit", []string{"cmd/ingestd"}},
		{"github.com/goccy/go-yaml", []string{"config"}},
		{"github.com/twmb/franz-go", []string{"ingest/...", "internal/demo"}},
		{"github.com/riferrei/srclient", []string{"schemareg"}},
		{"github.com/linkedin/goavro", []string{"schemareg/..."}},
		{"github.com/parquet-go/", []string{"table/...", "compaction/rewrite"}},
		{"github.com/klauspost/compress", []string{"table/parquet"}},
		{"github.com/pierrec/lz4", []string{"table/parquet"}},
		{"github.com/aws/", []string{"table/store", "commit/catalog"}},
		{"gocloud.dev", []string{"table/store"}},
		{"github.com/Azure/", []string{"table/store"}},
		{"github.com/apache/iceberg-go/catalog/rest", []string{"commit/catalog"}},
		{"github.com/apache/iceberg-go/catalog/sql", []string{"commit/catalog"}},
		{"github.com/apache/iceberg-go/catalog", []string{"commit/...", "ingest", "internal/restserve"}},
		{"github.com/apache/iceberg-go", []string{"table", "table/transform", "table/store", "table/rowread", "commit/...", "compaction/...", "ingest", "internal/verify", "internal/restserve", "cmd/ingestd"}},
		{"github.com/apache/arrow-go", []string{"table/transform"}},
		{"modernc.org/sqlite", []string{"commit/catalog"}},
		{"github.com/jackc/pgx", []string{"commit/catalog"}},
		{"github.com/trinodb/trino-go-client", []string{"compaction/handover"}},
		{"github.com/beltran/gohive", []string{"compaction/handover"}},
		{"github.com/RoaringBitmap/", []string{"internal/verify"}},
		{"github.com/prometheus/", []string{"internal/telemetry"}},
		{"go.uber.org/zap", []string{"internal/telemetry", "cmd/ingestd"}},
		{"github.com/cenkalti/backoff", []string{"commit/...", "ingest/...", "schemareg"}},
		{"github.com/google/uuid", []string{"cmd/ingestd", "commit/...", "compaction", "ingest", "table/..."}},
		{"golang.org/x/oauth2", []string{"cmd/ingestd", "commit/catalog", "table/store"}},
		{"golang.org/x/sync", []string{"schemareg", "table", "table/store", "ingest", "ingest/kafka", "internal/verify", "cmd/ingestd"}},
	}
}

func TestImportMatrix(t *testing.T) { checkMatrix(theTree(t).code, t.Errorf) }

func checkMatrix(code []source, complain complain) {
	for _, s := range code {
		if s.test || peer(s.dir) {
			continue
		}
		own, ok := roomOf(s.dir)
		if !ok {
			complain("%s:1: package %s has no line in the import matrix", s.path, s.dir)
			continue
		}
		for _, spec := range s.file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			dir, ours := strings.CutPrefix(imported, module+"/")
			if ours && !own.allows(dir) {
				complain("%s: import matrix: %s must not import %s", s.at(spec.Pos()), s.dir, dir)
			}
		}
	}
}

// TestCheckerIsIndependent: what judges the tables shares nothing with what writes them.
func TestCheckerIsIndependent(t *testing.T) { checkChecker(theTree(t).code, t.Errorf) }

func checkChecker(code []source, complain complain) {
	for _, s := range code {
		if s.dir != "integration/checker" {
			continue
		}
		for _, spec := range s.file.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); strings.HasPrefix(imported, module+"/") {
				complain("%s: the checker must not import %s: a mistake there would hide itself", s.at(spec.Pos()), imported)
			}
		}
	}
}

func TestOnlyToucher(t *testing.T) { checkTouchers(theTree(t).code, t.Errorf) }

func checkTouchers(code []source, complain complain) {
	for _, s := range code {
		if !s.product() {
			continue
		}
		for _, spec := range s.file.Imports {
			library, _ := strconv.Unquote(spec.Path.Value)
			first, _, _ := strings.Cut(library, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(library, module) {
				continue
			}
			i := slices.IndexFunc(touchers(), func(x toucher) bool { return strings.HasPrefix(library, x.library) })
			switch {
			case i < 0:
				complain("%s: only toucher: nobody may import %s yet", s.at(spec.Pos()), library)
			case !slices.ContainsFunc(touchers()[i].rooms, func(r string) bool { return matches(s.dir, r) }):
				complain("%s: only toucher: %s is for %s", s.at(spec.Pos()), library, strings.Join(touchers()[i].rooms, ", "))
			}
		}
	}
}

func roomOf(dir string) (room, bool) {
	best, found := room{}, false
	for _, r := range rooms() {
		if matches(dir, r.dir) && (!found || len(strings.TrimSuffix(r.dir, "/...")) >= len(strings.TrimSuffix(best.dir, "/..."))) {
			best, found = r, true
		}
		if r.dir == dir {
			return r, true
		}
	}
	return best, found
}

func (r room) allows(dir string) bool {
	may := r.may
	if r.leaf {
		may = append(slices.Clone(may), leaves()...)
	}
	return slices.ContainsFunc(may, func(pattern string) bool { return matches(dir, pattern) })
}

// matches reports whether a folder is a pattern's, or below it where the pattern ends in "/...".
func matches(dir, pattern string) bool {
	if base, deep := strings.CutSuffix(pattern, "/..."); deep {
		return within(dir, base)
	}
	return dir == pattern
}

// TestMatrixIsAlive finds lines for packages that are gone.
func TestMatrixIsAlive(t *testing.T) {
	packages := packages(theTree(t).code)
	for _, r := range rooms() {
		alive := false
		for dir := range packages {
			alive = alive || matches(dir, r.dir)
		}
		if !alive {
			t.Errorf("the import matrix has a line for %s, which does not exist", r.dir)
		}
	}
}
