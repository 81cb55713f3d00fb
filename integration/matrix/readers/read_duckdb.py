#!/usr/bin/env python3
"""DuckDB reads the metadata file. The extensions come from Python wheels: nothing is fetched at run time."""
import glob
import sysconfig

import duckdb

from canon import condition, plain, run, select

con = duckdb.connect(config={"allow_unsigned_extensions": "true"})
for x in ("avro", "iceberg"):
    con.execute(f"load '{glob.glob(sysconfig.get_paths()['purelib'] + f'/duckdb_extension_{x}/extensions/*/{x}.duckdb_extension')[0]}'")
con.execute("set TimeZone = 'UTC'")


def source(case):
    return f"iceberg_scan('{case['metadata']}')"


def rows(case, columns):
    return plain(con.execute(select(case, columns, source(case))).to_arrow_table())


def count(case, q):
    return con.execute(f"select count(*) from {source(case)} where {condition(case, q, 'duckdb')}").fetchone()[0]


run(duckdb.__version__, rows, count)
