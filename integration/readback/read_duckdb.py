#!/usr/bin/env python3
"""DuckDB: --mode scan reads the metadata file with iceberg_scan, --mode attach goes through the REST catalog.
The extensions come from Python wheels and are loaded from their files: nothing is fetched at run time."""
import glob
import sysconfig

import duckdb

from common import aggregates, arguments, metadata_location, region, report, secrets

a = arguments((("--mode",), {"choices": ["scan", "attach"], "default": "scan"}))
con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
site = sysconfig.get_paths()["purelib"]
for x in ("avro", "httpfs", "iceberg"):
    con.execute(f"load '{glob.glob(f'{site}/duckdb_extension_{x}/extensions/*/{x}.duckdb_extension')[0]}'")
con.execute("set TimeZone = 'UTC'")
if a.s3:
    key, secret = secrets()
    con.execute(f"create secret (type s3, key_id '{key}', secret '{secret}', region '{region()}', endpoint '{a.s3}', "
                "url_style 'path', use_ssl false)")
if a.mode == "attach":
    con.execute(f"attach '' as lake (type iceberg, endpoint '{a.rest}', authorization_type 'none')")


def read(table):
    source = f"lake.{table}" if a.mode == "attach" else f"iceberg_scan('{metadata_location(a, table)}')"
    r = con.execute(f"select {aggregates(a)} from {source}").fetchone()
    return r[0], r[1], r[2:]


report("duckdb-" + a.mode, a, read)
