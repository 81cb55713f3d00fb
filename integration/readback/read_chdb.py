#!/usr/bin/env python3
"""ClickHouse, embedded: reads the table folder of the metadata file, local or in the object store."""
import json
import os

os.chdir("/")  # icebergLocal opens only what is below the working directory at the time of the import
import chdb  # noqa: E402

from common import aggregates, arguments, local_path, metadata_location, report, secrets  # noqa: E402

a = arguments()


def source(location):
    folder, file = local_path(location).rsplit("/metadata/", 1)
    setting = f"SETTINGS iceberg_metadata_file_path = 'metadata/{file}'"
    if location.startswith("s3://"):
        key, secret = secrets()
        return f"icebergS3('http://{a.s3}/{folder[5:]}/', '{key}', '{secret}', {setting})"
    return f"icebergLocal('{folder}/', {setting})"


def read(table):
    # count(distinct) is approximate nowhere here: uniqExact is what ClickHouse makes of it by default.
    q = f"select {aggregates(a)} from {source(metadata_location(a, table))}"
    r = json.loads(str(chdb.query(q, "JSONCompact")))["data"][0]
    return r[0], r[1], r[2:]


report("chdb", a, read)
