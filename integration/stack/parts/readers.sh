# Python environments of the readers; nothing to start. chdb and PyIceberg want different pyarrow now and then,
# Spark is 500 MB: one environment each. uv resolves in seconds what pip needs minutes for.

# environment NAME PACKAGE...: a venv in $home/venv-NAME, made again when the packages change.
environment() {
  local dir=$home/venv-$1 want="${*:2}"
  [ "$(cat "$dir/.packages" 2> /dev/null)" = "$want" ] && return 0
  need python3 python3
  python3 -c 'import ensurepip, venv' 2> /dev/null || need python3-venv-missing python3-venv
  say "installing readers: $1"
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/pip" install -q "uv==$UV_VERSION" >&2
  UV_CACHE_DIR=$home/uv nice "$dir/bin/uv" pip install -q --python "$dir/bin/python" "${@:2}" >&2
  echo "$want" > "$dir/.packages"
}

readers_install() {
  environment light "pyiceberg[pyarrow,sql-sqlite]==$PYICEBERG_VERSION" "duckdb==$DUCKDB_VERSION" "duckdb-cli==$DUCKDB_VERSION" \
    "duckdb-extension-avro==$DUCKDB_VERSION" "duckdb-extension-httpfs==$DUCKDB_VERSION" "duckdb-extension-iceberg==$DUCKDB_VERSION" \
    "trino==$TRINO_CLIENT_VERSION" "psycopg2-binary==$PSYCOPG_VERSION"
  environment chdb "chdb==$CHDB_VERSION" "chdb-core==$CHDB_CORE_VERSION"
  duckdb_home
}

# A home folder in which DuckDB finds its extensions, so that INSTALL and LOAD work as on a machine with the internet.
duckdb_home() {
  local bin=$home/venv-light/bin platform extensions
  platform=$("$bin/duckdb" -noheader -list -c 'pragma platform')
  extensions=$home/duckdb-home/.duckdb/extensions/v$DUCKDB_VERSION/$platform
  [ -e "$extensions/iceberg.duckdb_extension" ] && return 0
  rm -rf "$home/duckdb-home"
  mkdir -p "$extensions"
  cp -l "$home"/venv-light/lib/python3*/site-packages/duckdb_extension_*/extensions/*/*.duckdb_extension "$extensions/"
}

readers_start() { :; }
