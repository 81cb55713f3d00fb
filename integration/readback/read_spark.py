#!/usr/bin/env python3
"""Spark in local mode on a REST catalog; --jars is the comma-separated list of the Iceberg runtime and its AWS bundle."""
from pyspark.sql import SparkSession

from common import aggregates, arguments, region, report

a = arguments((("--jars",), {"required": True}), (("--name",), {"default": "spark"}))
b = (SparkSession.builder.master("local[2]").config("spark.jars", a.jars)
     .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
     .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
     .config("spark.sql.catalog.lake.type", "rest").config("spark.sql.catalog.lake.uri", a.rest)
     .config("spark.sql.catalog.lake.cache-enabled", "false")
     .config("spark.ui.enabled", "false").config("spark.driver.memory", "1500m")
     .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
     .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC"))
if a.s3:
    # The store's keys come from the environment, as the AWS client reads it.
    b = (b.config("spark.sql.catalog.lake.io-impl", "org.apache.iceberg.aws.s3.S3FileIO")
         .config("spark.sql.catalog.lake.s3.endpoint", f"http://{a.s3}").config("spark.sql.catalog.lake.s3.path-style-access", "true")
         .config("spark.sql.catalog.lake.client.region", region()))
spark = b.getOrCreate()
spark.sparkContext.setLogLevel("ERROR")


def read(table):
    r = spark.sql(f"select {aggregates(a)} from lake.{table}").collect()[0]
    return r[0], r[1], r[2:]


report(a.name, a, read)
