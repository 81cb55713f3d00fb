# What the public benchmark compares with: Kafka Connect with Iceberg's sink, Spark Structured Streaming, Flink. Nothing to start.
# Hadoop's client inside all three does not run on Java 24 or later, so they have a JDK of their own, named in $home/peer-java.

# peer_java: the newest JDK from 17 to 23, with a compiler.
peer_java() {
  [ -n "${peer:-}" ] && return 0
  pick_java
  local j v best=0
  for j in ${INGESTD_PEER_JAVA:-java /usr/lib/jvm/*/bin/java}; do
    j=$(readlink -f "$(command -v "$j")") && [ -x "${j%java}javac" ] || continue
    v=$("$j" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)
    [ "${v:-0}" -ge 17 ] && [ "$v" -le 23 ] && [ "$v" -gt "$best" ] && { peer=$j; best=$v; }
  done
  [ -n "${peer:-}" ] || die "the peers need a JDK from 17 to 23 (Debian: openjdk-17-jdk-headless)"
  echo "$peer" > "$home/peer-java"
}

connect_install() {
  peer_java
  jars connect "$CONNECT_ICEBERG_VERSION" -Dkafka.version="$KAFKA_VERSION" -Diceberg.version="$CONNECT_ICEBERG_VERSION" \
    -Dhadoop.version="$HADOOP_VERSION" -Dconverter.version="$CONVERTER_VERSION"
}

sparkjob_install() {
  peer_java
  environment sparkjob "pyspark==$SPARKJOB_VERSION"
  jars sparkjob "$SPARKJOB_VERSION" -Dspark.version="$SPARKJOB_VERSION" -Dspark.runtime="$SPARK_NEW_RUNTIME" \
    -Diceberg.version="$SPARK_NEW_ICEBERG_VERSION" -Dclients.version="$SPARKJOB_CLIENTS_VERSION"
}

# Flink's own jars are whole in a Python wheel; flink-dist is not on Maven Central for this version.
flink_install() {
  peer_java
  environment flink "apache-flink-libraries==$FLINK_VERSION"
  jars flink "$FLINK_VERSION" -Dflink.version="$FLINK_VERSION" -Dflink.runtime="$FLINK_RUNTIME" -Diceberg.version="$FLINK_ICEBERG_VERSION" \
    -Dconnector.version="$FLINK_CONNECTOR_VERSION" -Dhadoop.version="$HADOOP_VERSION"
}

connect_start() { :; }
sparkjob_start() { :; }
flink_start() { :; }
