#!/usr/bin/env python3
"""compare.py [--rows N] [--distinct N] [--sum COLUMN=VALUE]... FILE...
Compares result lines of the readers with each other and with what is expected; exit 1 on a difference, on an
engine's error and when there is nothing to compare."""
import argparse
import json
import sys

p = argparse.ArgumentParser()
p.add_argument("--rows", type=int)
p.add_argument("--distinct", type=int)
p.add_argument("--sum", action="append", default=[])
p.add_argument("files", nargs="+")
a = p.parse_args()
expected = {c: round(float(v), 2) for c, v in (s.split("=", 1) for s in a.sum)}

TOLERANCE = 0.011  # sums of doubles in another order, rounded to two digits


def near(got, want):
    return got is not None and abs(got - want) < TOLERANCE


def same(x, y):
    return all(x[k] == y[k] for k in ("rows", "distinct")) and all(near(v, y["sums"][c]) for c, v in x["sums"].items())


results = [json.loads(line) for f in a.files for line in open(f) if line.startswith("{")]
bad, first = [], {}
for r in results:
    who = f"{r['engine']} {r['table']}"
    if "error" in r:
        bad.append(f"{who}: {r['error']}")
        continue
    print(f"{who:40} rows {r['rows']} distinct {r['distinct']} sums {r['sums']} in {r['seconds']} s")
    for key, want in (("rows", a.rows), ("distinct", a.distinct)):
        if want is not None and r[key] != want:
            bad.append(f"{who}: {key} {r[key]}, expected {want}")
    for c, want in expected.items():
        if not near(r["sums"].get(c), want):
            bad.append(f"{who}: sum({c}) {r['sums'].get(c)}, expected {want}")
    if not same(r, first.setdefault(r["table"], r)):
        bad.append(f"{who}: {r} differs from {first[r['table']]}")
if not results:
    bad.append("nothing to compare")
print("\n".join(bad), file=sys.stderr) if bad else None
sys.exit(1 if bad else 0)
