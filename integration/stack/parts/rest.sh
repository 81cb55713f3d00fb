# Apache Iceberg's own REST catalog test server on SQLite, warehouse in the object store.

rest_install() {
  pick_java
  need curl curl
  jars rest "$ICEBERG_VERSION" -Diceberg.version="$ICEBERG_VERSION" -Djetty.version="$JETTY_VERSION" -Djunit.version="$JUNIT_VERSION" \
    -Dsqlite.version="$SQLITE_JDBC_VERSION" -Dhadoop.version="$HADOOP_VERSION" -Dawssdk.version="$AWSSDK_VERSION" -Dslf4j.version="$REST_SLF4J_VERSION"
}

rest_start() {
  pick_java
  local dir=$run/rest
  mkdir -p "$dir"
  # In the environment CATALOG_X_Y is the catalog property x.y and CATALOG_X__Y is x-y.
  # shellcheck disable=SC2046,SC2086
  launch rest env CATALOG_WAREHOUSE="s3://$S3_BUCKET/warehouse" CATALOG_REST_PORT="$REST_PORT" CATALOG_JDBC_SCHEMA__VERSION=V1 \
    CATALOG_URI="jdbc:sqlite:file:$dir/catalog.db?journal_mode=WAL&synchronous=NORMAL&busy_timeout=10000" \
    CATALOG_IO__IMPL=org.apache.iceberg.aws.s3.S3FileIO CATALOG_S3_ENDPOINT="http://127.0.0.1:$S3_PORT" \
    CATALOG_S3_PATH__STYLE__ACCESS=true CATALOG_HTTP__CLIENT_TYPE=urlconnection \
    AWS_REGION="$S3_REGION" AWS_ACCESS_KEY_ID="$S3_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$S3_SECRET_KEY" \
    "$java" -Xmx256m $java_flags $(archive rest) -cp "$home/rest/$ICEBERG_VERSION/*" org.apache.iceberg.rest.RESTCatalogServer
  await rest 60 curl -sf "http://127.0.0.1:$REST_PORT/v1/config"
}
