"""Spark Structured Streaming from Kafka to Iceberg, as its documentation has it: from_avro of a schema that is handed in, after cutting off
the five bytes of Confluent's framing (Spark's from_avro knows no schema registry), or from_json. AvailableNow in batches of --batch records:
it reads what is there and ends. A batch is a commit."""
import argparse

from pyspark.sql import SparkSession
from pyspark.sql.avro.functions import from_avro
from pyspark.sql.functions import col, expr, from_json

p = argparse.ArgumentParser()
for name in ("format", "brokers", "topic", "schema", "dir", "jars", "batch"):
    p.add_argument("--" + name, required=True)
a = p.parse_args()

spark = (SparkSession.builder.master("local[2]").appName("bench").config("spark.jars", a.jars)
         .config("spark.driver.memory", "2g").config("spark.ui.enabled", "false")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
         .config("spark.sql.extensions", "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions")
         .config("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
         .config("spark.sql.catalog.lake.type", "hadoop").config("spark.sql.catalog.lake.warehouse", f"file://{a.dir}/warehouse")
         .config("spark.sql.shuffle.partitions", "2").config("spark.sql.session.timeZone", "UTC")
         .config("spark.local.dir", f"{a.dir}/tmp").config("spark.sql.warehouse.dir", f"{a.dir}/tmp/none").getOrCreate())
spark.sparkContext.setLogLevel("WARN")

records = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", a.brokers).option("subscribe", a.topic)
           .option("startingOffsets", "earliest").option("maxOffsetsPerTrigger", a.batch).load())
columns = ["event_id", "user_id", "session", "page", "referrer", "country", "device", "ts", "duration", "amount", "is_bot", "tags"]
if a.format == "avro":
    events = records.select(from_avro(expr("substring(value, 6)"), open(a.schema).read()).alias("e")).select("e.*").select(*columns)
else:
    fields = ("event_id bigint, user_id bigint, session string, page string, referrer string, country string, device string, ts bigint, "
              "duration double, amount double, is_bot boolean, tags array<string>")
    events = records.select(from_json(col("value").cast("string"), fields).alias("e")).selectExpr(
        *["timestamp_millis(e.ts) as ts" if c == "ts" else f"e.{c}" for c in columns])

query = (events.writeStream.format("iceberg").outputMode("append").option("checkpointLocation", f"{a.dir}/checkpoint")
         .trigger(availableNow=True).toTable("lake.db.events"))
query.awaitTermination()
spark.stop()
