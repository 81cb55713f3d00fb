#!/usr/bin/env python3
"""Trino: a running server at --port with the catalog "lake"."""
import argparse

import trino

from canon import condition, run, select, union

p = argparse.ArgumentParser()
p.add_argument("--port", type=int, required=True)
a, _ = p.parse_known_args()
cursor = trino.dbapi.connect(host="127.0.0.1", port=a.port, user="integration", catalog="lake", timezone="UTC").cursor()


def query(sql):
    cursor.execute(sql)
    return cursor.fetchall()


def rows(case, columns):
    names = [c["name"] for c in columns]
    return [dict(zip(names, r)) for r in query(select(case, columns, f"lake.matrix.{case['name']}"))]


def count(case, q):
    return query(f"select count(*) from lake.matrix.{case['name']} where {condition(case, q)}")[0][0]


def together(case):
    return [r[1] for r in sorted(query(union(case, f"lake.matrix.{case['name']}")))]


run(query("select version()")[0][0].split("-")[0], rows, count, together)
