#!/usr/bin/env python3
"""Trino: a running server at --port with the catalog "lake"."""
import trino

from common import aggregates, arguments, report

a = arguments((("--port",), {"type": int, "required": True}))
cursor = trino.dbapi.connect(host="127.0.0.1", port=a.port, user="integration", catalog="lake", timezone="UTC").cursor()


def read(table):
    cursor.execute(f"select {aggregates(a)} from lake.{table}")
    r = cursor.fetchall()[0]
    return r[0], r[1], r[2:]


report("trino", a, read)
