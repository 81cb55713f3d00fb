#!/usr/bin/env python3
"""PyIceberg reads the metadata file."""
import datetime
import decimal
import uuid

import pyiceberg
from pyiceberg.expressions import EqualTo, GreaterThanOrEqual, IsNull, LessThan, NotNull
from pyiceberg.table import StaticTable

from canon import EPOCH, MICRO, plain, run


def rows(case, columns):
    t = StaticTable.from_metadata(case["metadata"])
    return plain(t.scan(selected_fields=tuple(c["name"] for c in columns)).to_arrow())


def literal(c, value):
    kind = c["kind"]
    if kind == "date":
        return (EPOCH + datetime.timedelta(days=int(value))).date().isoformat()
    if kind in ("timestamp", "timestamptz"):
        return (EPOCH + int(value) * MICRO).isoformat(timespec="microseconds") + ("+00:00" if kind == "timestamptz" else "")
    if kind == "uuid":
        return uuid.UUID(value)
    if kind == "decimal":
        return decimal.Decimal(int(value)).scaleb(-c["scale"])
    return value if kind == "string" else int(value)


def count(case, q):
    kinds = {"is null": IsNull, "is not null": NotNull}
    if q["op"] in kinds:
        filter = kinds[q["op"]](q["column"])
    else:
        c = next(c for c in case["columns"] if c["name"] == q["column"])
        if c["kind"].endswith("_ns"):
            return None  # no literal becomes one of nanoseconds
        filter = {"=": EqualTo, "<": LessThan, ">=": GreaterThanOrEqual}[q["op"]](q["column"], literal(c, q["literal"]))
    return StaticTable.from_metadata(case["metadata"]).scan(row_filter=filter, selected_fields=("rid",)).to_arrow().num_rows


run(pyiceberg.__version__, rows, count)
