# Trino (the newest trino-server on Maven Central, 821 MB) cut down to the Iceberg plugin, on the REST catalog. Java 24 or later.

trino_install() {
  pick_java
  [ "$java_major" -ge 24 ] || die "trino needs Java 24 or later, found $java_major"
  local dir=$home/trino/$TRINO_VERSION archive=trino-server-$TRINO_VERSION plugin
  [ -e "$dir/.done" ] && return 0
  say "fetching trino (821 MB)"
  rm -rf "$home/trino"
  artifact "io.trino:trino-server:$TRINO_VERSION:tar.gz" "$dir/download"
  # The jars are hard links between plugins: the link targets have to be unpacked as well, and may go afterwards.
  tar -xzf "$dir/download/$archive.tar.gz" -C "$dir" --strip-components=1 "$archive"/bin "$archive"/lib \
    "$archive"/plugin/{bigquery,cassandra,clickhouse,delta-lake,hudi,iceberg}
  for plugin in bigquery cassandra clickhouse delta-lake hudi; do rm -r "$dir/plugin/$plugin"; done
  rm -r "$dir/download"
  rm -rf "$home/m2/io/trino/trino-server"
  touch "$dir/.done"
}

trino_start() {
  pick_java
  local etc=$run/trino/etc
  mkdir -p "$etc/catalog" "$run/trino/data"
  printf 'node.environment=test\nnode.id=it\nnode.data-dir=%s\n' "$run/trino/data" > "$etc/node.properties"
  cat > "$etc/config.properties" << P
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=$TRINO_PORT
discovery.uri=http://127.0.0.1:$TRINO_PORT
query.max-memory=512MB
query.max-memory-per-node=512MB
memory.heap-headroom-per-node=200MB
P
  cat > "$etc/jvm.config" << P
-server
-Xmx1500M
-XX:+UseG1GC
-XX:+ExitOnOutOfMemoryError
-XX:ReservedCodeCacheSize=256M
-Djdk.attach.allowAttachSelf=true
-Dfile.encoding=UTF-8
--enable-native-access=ALL-UNNAMED
--add-modules=jdk.incubator.vector
P
  # file:/ tables need the Hadoop file system: the native local one knows only local:// locations.
  cat > "$etc/catalog/lake.properties" << P
connector.name=iceberg
iceberg.catalog.type=rest
iceberg.rest-catalog.uri=http://127.0.0.1:$REST_PORT
iceberg.security=ALLOW_ALL
fs.hadoop.enabled=true
fs.native-s3.enabled=true
s3.endpoint=http://127.0.0.1:$S3_PORT
s3.region=$S3_REGION
s3.path-style-access=true
s3.aws-access-key=$S3_ACCESS_KEY
s3.aws-secret-key=$S3_SECRET_KEY
P
  local java_home
  java_home=$(cd "$(dirname "$(readlink -f "$(command -v "$java")")")/.." && pwd)
  # "run" replaces itself with java, so the pid is the server's.
  launch trino env JAVA_HOME="$java_home" PATH="$java_home/bin:$PATH" "$home/trino/$TRINO_VERSION/bin/launcher" run --etc-dir="$etc"
  await trino 180 sh -c "curl -s http://127.0.0.1:$TRINO_PORT/v1/info | grep -q '\"starting\":false'"
}
