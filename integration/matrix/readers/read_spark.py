#!/usr/bin/env python3
"""Spark in local mode on the matrix's REST catalog; --jars is the Iceberg runtime, whose version is what reads."""
import argparse
import os
import re
import sys
import time

os.environ["TZ"] = "UTC"  # collected timestamps are in the local time zone
time.tzset()
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.sql import SparkSession  # noqa: E402

from canon import condition, run, select, union  # noqa: E402

p = argparse.ArgumentParser()
p.add_argument("--jars", required=True)
p.add_argument("--rest", required=True)
a, _ = p.parse_known_args()
spark = (SparkSession.builder.master("local[2]").config("spark.jars", a.jars)
         .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
         .config("spark.sql.catalog.lake.type", "rest").config("spark.sql.catalog.lake.uri", a.rest)
         .config("spark.sql.catalog.lake.cache-enabled", "false")
         .config("spark.ui.enabled", "false").config("spark.driver.memory", "1500m")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
         .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")


def source(case):
    return f"lake.matrix.{case['name']}"


def rows(case, columns):
    return spark.sql(select(case, columns, source(case))).collect()


def count(case, q):
    return spark.sql(f"select count(*) from {source(case)} where {condition(case, q, 'spark')}").collect()[0][0]


def together(case):
    return [r[1] for r in sorted(spark.sql(union(case, source(case), "spark")).collect())]


run(re.search(r"iceberg-spark-runtime-[\d._]+-([\d.]+)\.jar", a.jars).group(1), rows, count, together)
