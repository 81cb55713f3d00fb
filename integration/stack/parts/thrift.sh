# Spark's Thrift server (HiveServer2's protocol) with the newest runtime, catalog "lake" on the REST catalog: for what
# ingestd asks Spark to do. Its session catalog is a Derby database below $run/thrift. Hadoop's client wants the peers' JDK.

thrift_install() {
  peer_java
  spark_install
}

thrift_start() {
  local java_home=${peer%/bin/java}
  mkdir -p "$run/thrift/spark"
  # spark-submit replaces itself with java, so the pid is the server's.
  launch thrift env -C "$run/thrift/spark" JAVA_HOME="$java_home" PATH="$home/venv-spark-new/bin:$PATH" AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$S3_SECRET_KEY" AWS_REGION="$S3_REGION" \
    "$home/venv-spark-new/bin/spark-submit" --class org.apache.spark.sql.hive.thriftserver.HiveThriftServer2 --master 'local[2]' \
    --driver-memory 1500m --jars "$(cat "$home/spark-new.jars")" \
    --conf spark.ui.enabled=false --conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 \
    --conf spark.sql.shuffle.partitions=2 --conf spark.sql.session.timeZone=UTC \
    --conf spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions \
    --conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog --conf spark.sql.catalog.lake.type=rest \
    --conf "spark.sql.catalog.lake.uri=http://127.0.0.1:$REST_PORT" --conf spark.sql.catalog.lake.cache-enabled=false \
    --conf spark.sql.catalog.lake.io-impl=org.apache.iceberg.aws.s3.S3FileIO \
    --conf "spark.sql.catalog.lake.s3.endpoint=http://127.0.0.1:$S3_PORT" --conf spark.sql.catalog.lake.s3.path-style-access=true \
    --conf "spark.sql.catalog.lake.client.region=$S3_REGION" \
    --conf "spark.hadoop.hive.server2.thrift.port=$THRIFT_PORT" --conf spark.hadoop.hive.server2.thrift.bind.host=127.0.0.1 \
    spark-internal
  await thrift 180 bash -c ": < /dev/tcp/127.0.0.1/$THRIFT_PORT"
}
