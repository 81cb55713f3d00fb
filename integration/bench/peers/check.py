"""Reads a table as somebody else would: PyIceberg says which files it has, DuckDB reads them. One JSON object."""
import argparse
import json
import os
import re

import duckdb
import pyarrow.parquet as pq
from pyiceberg.table import StaticTable

p = argparse.ArgumentParser()
p.add_argument("--metadata", required=True)
p.add_argument("--audit", action="store_true", help="count the distinct pairs of partition and offset, too")
a = p.parse_args()

table = StaticTable.from_metadata(a.metadata)
tasks = list(table.scan().plan_files())
files = [re.sub("^file:/+", "/", t.file.file_path) for t in tasks]
con = duckdb.connect()
con.execute("set threads = 2")
pairs = "count(distinct (_kafka_partition, _kafka_offset))" if a.audit else "0"
rows, distinct, low, high, amount, duration, offsets = con.execute(
    f"select count(*), count(distinct event_id), min(event_id), max(event_id), sum(amount), sum(duration), {pairs} from read_parquet(?)",
    [files]).fetchone()
written = [pq.ParquetFile(f).metadata for f in files]
print(json.dumps({
    "rows": rows, "distinct": distinct, "min": low, "max": high, "amount": round(amount, 2), "duration": round(duration, 2), "offsets": offsets,
    "files": len(files), "bytes": sum(os.path.getsize(f) for f in files), "row_groups": sum(m.num_row_groups for m in written),
    "deletes": sum(len(t.delete_files) for t in tasks), "codec": written[0].row_group(0).column(0).compression,
    "created_by": written[0].created_by, "format_version": table.metadata.format_version,
}))
