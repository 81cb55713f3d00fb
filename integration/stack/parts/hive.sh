# A Hive Metastore without Hive: its own distribution (78 MB) on the stack's PostgreSQL, and Hadoop's client for S3, since
# it makes a directory for every table. Hadoop's client does not run on Java 24 or later.

hive_install() {
  peer_java
  postgres_install
  local dir=$home/hive/$HIVE_VERSION
  [ -e "$dir/metastore/.done" ] && return 0
  jars hive "$HIVE_VERSION" -Dhive.version="$HIVE_VERSION" -Dhadoop.version="$HADOOP_VERSION" -Dawssdk.version="$AWSSDK_VERSION"
  artifact "org.apache.hive:hive-standalone-metastore-server:$HIVE_VERSION:tar.gz:bin" "$dir/metastore"
  (cd "$dir/metastore" && tar xzf ./*.tar.gz --strip-components=1 && rm -f ./*.tar.gz)
  touch "$dir/metastore/.done"
}

# hive_program CLASS ARGS...: one of its programs.
hive_program() {
  local dir=$home/hive/$HIVE_VERSION
  # shellcheck disable=SC2086
  METASTORE_HOME=$dir/metastore exec "$peer" -Xmx256m $java_flags -cp "$run/hive/conf:$dir/metastore/lib/*:$dir/*" "$@"
}

# hive_settings NAME=VALUE...: its configuration file.
hive_settings() {
  local s
  echo '<configuration>'
  for s in "$@"; do echo "  <property><name>${s%%=*}</name><value>${s#*=}</value></property>"; done
  echo '</configuration>'
}

hive_start() {
  local conf=$run/hive/conf
  peer_java
  alive s3 || s3_start
  alive postgres || postgres_start
  mkdir -p "$conf"
  hive_settings metastore.thrift.port="$HIVE_PORT" metastore.thrift.bind.host=127.0.0.1 \
    metastore.warehouse.dir="s3://$S3_BUCKET/managed" metastore.warehouse.external.dir="s3://$S3_BUCKET/external" \
    javax.jdo.option.ConnectionURL="jdbc:postgresql://127.0.0.1:$POSTGRES_PORT/postgres" javax.jdo.option.ConnectionDriverName=org.postgresql.Driver \
    javax.jdo.option.ConnectionUserName="$POSTGRES_USER" javax.jdo.option.ConnectionPassword="$POSTGRES_PASSWORD" \
    datanucleus.connectionPool.maxPoolSize=5 metastore.stats.autogather=false metastore.thread.pool.size=10 \
    metastore.expression.proxy=org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy \
    metastore.task.threads.always= metastore.task.threads.remote= \
    fs.s3.impl=org.apache.hadoop.fs.s3a.S3AFileSystem fs.s3a.endpoint="http://127.0.0.1:$S3_PORT" fs.s3a.endpoint.region="$S3_REGION" \
    fs.s3a.path.style.access=true fs.s3a.access.key="$S3_ACCESS_KEY" fs.s3a.secret.key="$S3_SECRET_KEY" > "$conf/metastore-site.xml"
  if [ ! -e "$run/hive/schema" ]; then
    (hive_program org.apache.hadoop.hive.metastore.tools.schematool.MetastoreSchemaTool -dbType postgres -initOrUpgradeSchema) > "$run/hive/schema.log" 2>&1 ||
      die "schematool failed, see $run/hive/schema.log"
    touch "$run/hive/schema"
  fi
  export peer java_flags home run HIVE_VERSION
  launch hive bash -c "$(declare -f hive_program)"'; hive_program org.apache.hadoop.hive.metastore.HiveMetaStore'
  await hive 60 bash -c "exec 3<> /dev/tcp/127.0.0.1/$HIVE_PORT"
}
