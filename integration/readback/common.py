"""What the readers share: arguments, where a table's metadata file is, and the result line.

Every reader prints one JSON object per table: engine, table, rows, distinct (ids), sums (rounded to two digits),
seconds. An engine's own failure is an object with "error" and exit code 1.
"""
import argparse
import json
import os
import re
import sqlite3
import sys
import time
import urllib.request

START = time.time()


def arguments(*extra):
    p = argparse.ArgumentParser()
    p.add_argument("--table", required=True, action="append", help="namespace.name, may be repeated")
    p.add_argument("--rest", help="URI of an Iceberg REST catalog")
    p.add_argument("--sqlite", help="file of a SQLite catalog")
    p.add_argument("--sql", help="URI of a SQL catalog, as SQLAlchemy takes it")
    p.add_argument("--metadata", help="metadata file of the one table")
    p.add_argument("--catalog-name", default="", help="name within the SQL catalog (default: its only one)")
    p.add_argument("--s3", help="host:port of the object store; keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    p.add_argument("--id", default="event_id", help="column whose distinct values are counted")
    p.add_argument("--sum", default=None, action="append", help="column to add up, may be repeated")
    for args, kwargs in extra:
        p.add_argument(*args, **kwargs)
    a = p.parse_args()
    a.sum = a.sum or []
    return a


def metadata_location(a, table):
    """The current metadata file, from the catalog itself and not through the engine under test."""
    if a.metadata:
        return a.metadata
    namespace, name = table.rsplit(".", 1)
    if a.rest:
        url = f"{a.rest.rstrip('/')}/v1/namespaces/{namespace}/tables/{name}"
        with urllib.request.urlopen(url) as r:
            return json.load(r)["metadata-location"]
    con = sqlite3.connect(f"file:{a.sqlite}?mode=ro", uri=True)
    rows = con.execute("select catalog_name, metadata_location from iceberg_tables where table_namespace = ? and table_name = ?",
                       (namespace, name)).fetchall()
    rows = [r for r in rows if a.catalog_name in ("", r[0])]
    if len(rows) != 1:
        sys.exit(f"{len(rows)} tables {table} in {a.sqlite}")
    return rows[0][1]


def local_path(location):
    return re.sub("^file:/+", "/", location)


def secrets():
    return os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]


def region():
    return os.environ.get("AWS_REGION", "us-east-1")


def report(engine, a, read):
    """read(table) gives (rows, distinct, sums)."""
    failed = False
    for table in a.table:
        try:
            rows, distinct, sums = read(table)
            out = {"engine": engine, "table": table, "rows": int(rows), "distinct": int(distinct),
                   "sums": {c: round(float(s or 0), 2) for c, s in zip(a.sum, sums)}}
        except Exception as e:  # an engine may raise anything; the comparison needs to know which one failed
            failed, out = True, {"engine": engine, "table": table, "error": f"{type(e).__name__}: {e}"[:600]}
        print(json.dumps({**out, "seconds": round(time.time() - START, 2)}), flush=True)
    sys.exit(1 if failed else 0)


def aggregates(a):
    return ", ".join(["count(*)", f"count(distinct {a.id})"] + [f"sum({c})" for c in a.sum])
