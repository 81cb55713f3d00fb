"""What the readers share: the one text of a value, filters, and the loop over the tables.

The matrix names its tables in a JSON file: name, metadata (location of the metadata file), columns (name, kind,
scale, fields), queries (column, op, literal). A reader prints one JSON object per table: rows, each the texts of its
columns by name; faults, the errors by column where not all of them can be read at once; counts, one per query.
"""
import argparse
import datetime
import decimal
import json
import re
import struct
import uuid

EPOCH = datetime.datetime(1970, 1, 1)
MICRO = datetime.timedelta(microseconds=1)


def text(t, v):
    """The text of a value that an engine gave as a Python object; the Go side has the same rules."""
    if v is None:
        return None
    kind = t["kind"]
    if kind == "struct":
        get = v.asDict().get if callable(getattr(v, "asDict", None)) else v.get if isinstance(v, dict) else dict(zip([f["name"] for f in t["fields"]], v)).get
        return {f["name"]: text(f, get(f["name"])) for f in t["fields"]}
    if kind == "list":
        return [text(t["fields"][0], e) for e in v]
    if kind == "map":
        entries = v.items() if isinstance(v, dict) else [e if isinstance(e, tuple) else (e["key"], e["value"]) for e in v]
        return sorted([text(t["fields"][0], k), text(t["fields"][1], e)] for k, e in entries)
    return globals().get("text_" + kind, lambda t, v: str(v))(t, v)


def text_string(t, v):
    return v.decode() if isinstance(v, bytes) else v


def text_boolean(t, v):
    return "true" if v else "false"


def text_float(t, v):
    return "nan" if v != v else struct.pack(">f", v).hex()


def text_double(t, v):
    return "nan" if v != v else struct.pack(">d", v).hex()


def text_decimal(t, v):
    with decimal.localcontext() as c:
        c.prec = 80
        return str(int(decimal.Decimal(str(v)).scaleb(t["scale"])))


def text_date(t, v):
    return str((v - EPOCH.date()).days)


def text_time(t, v):
    if isinstance(v, datetime.time):
        v = datetime.timedelta(hours=v.hour, minutes=v.minute, seconds=v.second, microseconds=v.microsecond)
    return str(v // MICRO if isinstance(v, datetime.timedelta) else int(v))


def text_timestamp(t, v):
    if v.tzinfo is not None:
        v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return str((v - EPOCH) // MICRO)


text_timestamptz = text_timestamp


def text_timestamp_ns(t, v):
    """Python's datetime has no nanoseconds: engines that have them give a number, see plain."""
    return str(v) if isinstance(v, int) else str(int(text_timestamp(t, v)) * 1000)


text_timestamptz_ns = text_timestamp_ns


def plain(table):
    """An Arrow table as rows, its nanoseconds as numbers."""
    for i, f in enumerate(table.schema):
        if str(f.type).startswith("timestamp[ns"):
            table = table.set_column(i, f.name, table.column(i).cast("int64"))
    return table.to_pylist()


def text_uuid(t, v):
    if isinstance(v, (bytes, bytearray)):
        return bytes(v).hex()
    return uuid.UUID(str(v)).hex


def text_binary(t, v):
    return v.encode().hex() if isinstance(v, str) else bytes(v).hex()


text_fixed = text_binary


def sql_literal(c, value, style="ansi"):
    """A literal of a column's type: style says how an engine spells timestamps and UUIDs."""
    kind = c["kind"]
    if kind == "string":
        return "'" + value.replace("'", "''") + "'"
    if kind == "date":
        day = (EPOCH + datetime.timedelta(days=int(value))).date()
        return f"toDate32('{day}')" if style == "clickhouse" else f"date '{day}'"
    if kind in ("timestamp", "timestamptz"):
        at = (EPOCH + int(value) * MICRO).isoformat(sep=" ", timespec="microseconds")
        if style == "clickhouse":
            return f"toDateTime64('{at}', 6, 'UTC')"
        if style == "spark":
            return f"timestamp{'_ntz' if kind == 'timestamp' else ''} '{at}{'' if kind == 'timestamp' else ' UTC'}'"
        if kind == "timestamptz":
            return f"timestamptz '{at}+00'" if style == "duckdb" else f"timestamp '{at} UTC'"
        return f"timestamp '{at}'"
    if kind in ("timestamp_ns", "timestamptz_ns"):
        whole = (EPOCH + int(value) // 10**9 * datetime.timedelta(seconds=1)).isoformat(sep=" ")
        at = f"{whole}.{int(value) % 10**9:09d}"
        if style == "clickhouse":
            return f"toDateTime64('{at}', 9, 'UTC')"
        if style == "duckdb" and kind == "timestamp_ns":
            return f"timestamp_ns '{at}'"
        return f"timestamp '{at}'" if kind == "timestamp_ns" else f"timestamp '{at} UTC'"
    if kind == "uuid":
        u = str(uuid.UUID(value))
        return {"spark": f"'{u}'", "clickhouse": f"toUUID('{u}')"}.get(style, f"uuid '{u}'")
    if kind == "decimal":
        number = format(decimal.Decimal(int(value)).scaleb(-c["scale"]), "f")
        return {"clickhouse": f"toDecimal32('{number}', {c['scale']})"}.get(style, f"cast('{number}' as decimal({c['precision']}, {c['scale']}))")
    return value


def condition(case, q, style="ansi"):
    if q["op"].startswith("is"):
        return f"{q['column']} {q['op']}"
    c = next(c for c in case["columns"] if c["name"] == q["column"])
    return f"{q['column']} {q['op']} {sql_literal(c, q['literal'], style)}"


def fault(e):
    """The innermost causes of an error, short and without what differs from run to run."""
    causes = re.findall(r"(?:executor driver\)|Caused by): (.*)", str(e))
    s = " <- ".join(dict.fromkeys(causes)) if causes else str(e)
    return re.sub(r"file:\S+|/\S*/\S+", "FILE", f"{type(e).__name__}: {s}").replace("\n", " ")[:300]


def run(version, rows, count, together=None):
    """rows(case, columns) gives dictionaries, count(case, query) a number, None where nobody can ask so; together(case), where one statement costs an
    engine too much, the numbers of all queries."""
    p = argparse.ArgumentParser(add_help=False)
    p.add_argument("--cases", required=True)
    a, _ = p.parse_known_args()
    for case in json.load(open(a.cases)):
        out = {"case": case["name"], "version": version, "rows": [], "faults": {}, "counts": []}
        columns = case["columns"]
        try:
            out["rows"] = [texts(columns, r) for r in rows(case, columns)]
        except Exception as e:  # an engine may raise anything: which columns are to blame?
            out["rows"], out["faults"] = apart(case, rows, e)
        out["counts"] = counts(case, count, together)
        print(json.dumps(out), flush=True)


def counts(case, count, together):
    if together and case["queries"]:
        try:
            return together(case)
        except Exception:  # which of them is to blame?
            pass
    out = []
    for q in case["queries"]:
        try:
            n = count(case, q)
            out.append(None if n is None else int(n))
        except Exception as e:
            out.append(fault(e))
    return out


def union(case, source, style="ansi"):
    """One statement that counts by each of the case's filters on its own."""
    return " union all ".join(f"select {i} as n, count(*) as c from {source} where {condition(case, q, style)}" for i, q in enumerate(case["queries"]))


def texts(columns, row):
    return {c["name"]: text(c, row[c["name"]]) for c in columns}


def apart(case, rows, error):
    """Reads column by column and puts the rows together by their id."""
    merged, faults = {}, {}
    for c in case["columns"][1:]:
        pair = [case["columns"][0], c]
        try:
            for r in rows(case, pair):
                t = texts(pair, r)
                merged.setdefault(t["rid"], {}).update(t)
        except Exception as e:
            faults[c["name"]] = fault(e)
    if not faults:  # each alone can be read, all together cannot
        faults["rid"] = fault(error)
    return list(merged.values()), faults


def select(case, columns, source):
    return f"select {', '.join(c['name'] for c in columns)} from {source}"
