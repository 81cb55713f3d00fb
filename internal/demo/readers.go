package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// catalogPath is where the admin listener serves the warehouse as an Iceberg REST catalog.
const catalogPath = "/catalog"

// servedLines are the lines to paste while the demo runs: through the REST catalog of the admin listener, and from the
// newest metadata of the table's folder, since each single metadata file is soon replaced.
func (d *demo) servedLines(ctx context.Context) string {
	uri := "http://" + d.listen + catalogPath
	scan := ""
	if location := tableLocation(ctx, uri, clicksTopic); location != "" {
		scan = fmt.Sprintf("# DuckDB, from the files\n"+
			"duckdb -c \"INSTALL iceberg; LOAD iceberg; SET unsafe_enable_version_guessing = true; SELECT count(*) FROM iceberg_scan('%s')\"\n", location)
	}
	return strings.NewReplacer("URI", uri, "TABLE", clicksTopic, "SCAN\n", scan).Replace(`
Both tables can be read now. In another terminal:

# DuckDB 1.4 or later, through the catalog
duckdb -c "INSTALL iceberg; LOAD iceberg; ATTACH '' AS demo (TYPE iceberg, ENDPOINT 'URI', AUTHORIZATION_TYPE 'none'); SELECT action, count(*) AS clicks FROM demo.TABLE GROUP BY action ORDER BY clicks DESC"
SCAN
# PyIceberg: pip install 'pyiceberg[pyarrow]'
python3 -c "from pyiceberg.catalog import load_catalog; print(load_catalog('demo', type='rest', uri='URI').load_table('TABLE').scan().count())"
# Spark 4.1
spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0 --conf spark.sql.catalog.demo=org.apache.iceberg.spark.SparkCatalog --conf spark.sql.catalog.demo.type=rest --conf spark.sql.catalog.demo.uri=URI -e "SELECT count(*) FROM demo.TABLE"
# Trino, on this machine: the catalog once, then a restart of the server
printf '%s\n' connector.name=iceberg iceberg.catalog.type=rest iceberg.rest-catalog.uri=URI fs.hadoop.enabled=true > etc/catalog/demo.properties
trino --execute "SELECT count(*) FROM demo.TABLE"
`)
}

// askTimeout bounds the one question to our own catalog.
const askTimeout = 5 * time.Second

// tableLocation asks the served catalog for the folder of a table; "" when it does not say.
func tableLocation(ctx context.Context, uri, table string) string {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	namespace, name, _ := strings.Cut(table, ".")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, uri+"/v1/namespaces/"+namespace+"/tables/"+name, nil)
	if err != nil {
		return ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Metadata struct {
			Location string `json:"location"`
		} `json:"metadata"`
	}
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&answer) != nil {
		return ""
	}
	return strings.TrimPrefix(answer.Metadata.Location, "file://")
}

// fileLines are the lines to paste after the demo has ended: the catalog's file and the tables' own.
func fileLines(dir string, tables []Table) string {
	var b strings.Builder
	b.WriteString("The tables stay in " + dir + ". To read them:\n\n# DuckDB, from the metadata\n")
	for _, t := range tables {
		fmt.Fprintf(&b, "duckdb -c \"INSTALL iceberg; LOAD iceberg; SELECT count(*) FROM iceberg_scan('%s')\"\n", strings.TrimPrefix(t.MetadataLocation, "file://"))
	}
	fmt.Fprintf(&b, `# PyIceberg, from the catalog: pip install 'pyiceberg[pyarrow,sql-sqlite]'
python3 -c "from pyiceberg.catalog import load_catalog; print(load_catalog('demo', type='sql', uri='sqlite:///%s').load_table('%s').scan().count())"`,
		filepath.Join(dir, catalogFile), clicksTopic)
	return b.String()
}
