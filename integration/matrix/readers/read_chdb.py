#!/usr/bin/env python3
"""ClickHouse, embedded, reads the table's folder at the metadata file."""
import os

os.chdir("/")  # icebergLocal opens only what is below the working directory at the time of the import
import chdb  # noqa: E402
import pyarrow as pa  # noqa: E402

from canon import condition, plain, run, select  # noqa: E402


def source(case):
    folder, file = case["metadata"].removeprefix("file://").rsplit("/metadata/", 1)
    return f"icebergLocal('{folder}/', SETTINGS iceberg_metadata_file_path = 'metadata/{file}')"


def query(sql):
    # Strings come as bytes: a column of type binary is a String in ClickHouse.
    return plain(pa.ipc.open_file(chdb.query(sql + " settings output_format_arrow_string_as_string = 0", "Arrow").bytes()).read_all())


def rows(case, columns):
    return query(select(case, columns, source(case)))


def count(case, q):
    return query(f"select count(*) as n from {source(case)} where {condition(case, q, 'clickhouse')}")[0]["n"]


run(query("select version() as v")[0]["v"].decode(), rows, count)
