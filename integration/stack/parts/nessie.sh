# Project Nessie, the catalog that differs: one runnable jar (245 MB), in memory, Iceberg REST under /iceberg. Java 21 or later.

nessie_install() {
  pick_java
  [ "$java_major" -ge 21 ] || die "nessie needs Java 21 or later, found $java_major"
  local dir=$home/nessie/$NESSIE_VERSION
  [ -e "$dir/.done" ] && return 0
  say "fetching nessie"
  artifact "org.projectnessie.nessie:nessie-quarkus:$NESSIE_VERSION:jar:runner" "$dir"
  touch "$dir/.done"
}

nessie_start() {
  local options=nessie.catalog.service.s3.default-options
  alive s3 || s3_start
  # shellcheck disable=SC2046,SC2086
  launch nessie "$java" -Xmx512m $java_flags $(archive nessie) \
    -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$NESSIE_PORT" \
    -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port="$NESSIE_MANAGEMENT_PORT" \
    -Dnessie.version.store.type=IN_MEMORY -Dnessie.server.authentication.enabled=false \
    -Dnessie.catalog.default-warehouse=wh -Dnessie.catalog.warehouses.wh.location="s3://$S3_BUCKET/nessie" \
    -D$options.endpoint="http://127.0.0.1:$S3_PORT" -D$options.path-style-access=true -D$options.region="$S3_REGION" \
    -D$options.auth-type=STATIC -D$options.access-key=urn:nessie-secret:quarkus:s3creds \
    -Ds3creds.name="$S3_ACCESS_KEY" -Ds3creds.secret="$S3_SECRET_KEY" \
    -jar "$home/nessie/$NESSIE_VERSION/nessie-quarkus-$NESSIE_VERSION-runner.jar"
  await nessie 120 curl -sf "http://127.0.0.1:$NESSIE_PORT/iceberg/v1/config"
}
