#!/usr/bin/env python3
"""PyIceberg through a REST catalog, a SQLite catalog, another SQL catalog or a metadata file."""
import sqlite3

import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog
from pyiceberg.table import StaticTable

from common import arguments, region, report, secrets

a = arguments()
properties = {}
if a.s3:
    key, secret = secrets()
    properties = {"s3.endpoint": f"http://{a.s3}", "s3.region": region(), "s3.access-key-id": key, "s3.secret-access-key": secret}
if a.rest:
    catalog = load_catalog("lake", type="rest", uri=a.rest, **properties)
elif a.sql:
    catalog = load_catalog(a.catalog_name, type="sql", uri=a.sql, **properties)
elif a.sqlite:
    name = a.catalog_name
    if not name:
        name = sqlite3.connect(f"file:{a.sqlite}?mode=ro", uri=True).execute("select distinct catalog_name from iceberg_tables").fetchone()[0]
    catalog = load_catalog(name, type="sql", uri=f"sqlite:///{a.sqlite}", **properties)


def read(table):
    t = StaticTable.from_metadata(a.metadata, properties) if a.metadata else catalog.load_table(table)
    data = t.scan(selected_fields=tuple([a.id, *a.sum])).to_arrow()
    return data.num_rows, pc.count_distinct(data.column(a.id)).as_py(), [pc.sum(data.column(c)).as_py() for c in a.sum]


report("pyiceberg", a, read)
