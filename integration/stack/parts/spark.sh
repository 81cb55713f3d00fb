# Spark as a reader, newest and oldest supported: one Python environment and one Iceberg runtime jar each; nothing to start.

spark_install() {
  pick_java
  environment spark-new "pyspark==$SPARK_NEW_VERSION"
  environment spark-old "pyspark==$SPARK_OLD_VERSION"
  spark_runtime new "$SPARK_NEW_RUNTIME" "$SPARK_NEW_ICEBERG_VERSION" "$SPARK_NEW_BUNDLE_VERSION"
  spark_runtime old "$SPARK_OLD_RUNTIME" "$SPARK_OLD_ICEBERG_VERSION" "$SPARK_OLD_BUNDLE_VERSION"
}

# spark_runtime WHICH ARTIFACT VERSION BUNDLE_VERSION: the jars, named in $home/spark-WHICH.jars
spark_runtime() {
  local dir=$home/spark/$3 bundle=iceberg-aws-bundle-$4.jar
  [ -f "$dir/$2-$3.jar" ] || artifact "org.apache.iceberg:$2:$3" "$dir"
  [ -f "$home/spark/$bundle" ] || artifact "org.apache.iceberg:iceberg-aws-bundle:$4" "$home/spark"
  echo "$dir/$2-$3.jar,$home/spark/$bundle" > "$home/spark-$1.jars"
}

spark_start() { :; }
