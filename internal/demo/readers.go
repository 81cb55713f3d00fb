package demo

import (
	"fmt"
	"path/filepath"
	"strings"
)

// catalogPath is where the admin listener serves the warehouse as an Iceberg REST catalog.
const catalogPath = "/catalog"

// servedLines are the lines to paste while the demo runs: through the REST catalog of the admin listener.
func (d *demo) servedLines() string {
	uri := "http://" + d.listen + catalogPath
	return strings.NewReplacer("URI", uri, "FOLDER", filepath.Join(d.dir, warehouseDir), "TABLE", clicksTopic).Replace(`
Both tables can be read now. In another terminal:

# DuckDB 1.4 or later, through the catalog
duckdb -c "INSTALL iceberg; LOAD iceberg; ATTACH '' AS demo (TYPE iceberg, ENDPOINT 'URI', AUTHORIZATION_TYPE 'none'); SELECT action, count(*) AS clicks FROM demo.TABLE GROUP BY action ORDER BY clicks DESC"
# PyIceberg: pip install 'pyiceberg[pyarrow]'
python3 -c "from pyiceberg.catalog import load_catalog; print(load_catalog('demo', type='rest', uri='URI').load_table('TABLE').scan().count())"
# Spark 4.1
spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0 --conf spark.sql.catalog.demo=org.apache.iceberg.spark.SparkCatalog --conf spark.sql.catalog.demo.type=rest --conf spark.sql.catalog.demo.uri=URI -e "SELECT count(*) FROM demo.TABLE"
# Trino, on this machine: the catalog once, then a restart of the server
printf '%s\n' connector.name=iceberg iceberg.catalog.type=rest iceberg.rest-catalog.uri=URI fs.hadoop.enabled=true > etc/catalog/demo.properties
trino --execute "SELECT count(*) FROM demo.TABLE"
`)
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
