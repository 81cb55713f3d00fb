# Apicurio registry in memory. The Confluent API is under http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7 .

registry_version() { if [ "$java_major" -ge 21 ]; then echo "$APICURIO_VERSION"; else echo "$APICURIO_JAVA17_VERSION"; fi; }

registry_install() {
  pick_java
  need curl curl
  local version dir
  version=$(registry_version)
  dir=$home/registry/$version
  [ -e "$dir/.done" ] && return 0
  say "fetching registry $version"
  rm -rf "$home/registry"
  artifact "io.apicurio:apicurio-registry-app:$version:tar.gz:all" "$dir"
  tar -xzf "$dir"/apicurio-registry-app-*.tar.gz -C "$dir"
  rm "$dir"/apicurio-registry-app-*.tar.gz
  touch "$dir/.done"
}

registry_start() {
  pick_java
  local dir jar
  dir=$home/registry/$(registry_version)
  jar=$dir/quarkus-run.jar
  [ -f "$jar" ] || jar=$(ls "$dir"/apicurio-registry-app-*-runner.jar)
  # shellcheck disable=SC2046,SC2086
  launch registry "$java" -Xmx256m $java_flags $(archive registry) \
    -Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$REGISTRY_PORT" \
    -Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port="$REGISTRY_MANAGEMENT_PORT" \
    -Dquarkus.http.access-log.enabled=false \
    -Dapicurio.datasource.jdbc.initial-size=1 -Dapicurio.datasource.jdbc.min-size=1 -Dapicurio.datasource.jdbc.max-size=8 \
    -Dregistry.datasource.jdbc.initial-size=1 -Dregistry.datasource.jdbc.min-size=1 \
    -jar "$jar"
  await registry 120 curl -sf "http://127.0.0.1:$REGISTRY_PORT/apis/ccompat/v7/subjects"
}
