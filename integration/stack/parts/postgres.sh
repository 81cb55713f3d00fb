# PostgreSQL for the SQL catalog: the binaries that embedded databases on the JVM use (15 MB), nothing installed.

postgres_install() {
  local dir=$home/postgres/$POSTGRES_VERSION machine
  [ -e "$dir/.done" ] && return 0
  pick_java
  need xz xz-utils
  need python3 python3
  case $(uname -m) in aarch64 | arm64) machine=arm64v8 ;; *) machine=amd64 ;; esac
  say "fetching postgres"
  rm -rf "$home/postgres"
  artifact "io.zonky.test.postgres:embedded-postgres-binaries-linux-$machine:$POSTGRES_VERSION" "$dir"
  (cd "$dir" && python3 -m zipfile -e ./*.jar . && tar xf ./*.txz && rm -f ./*.jar ./*.txz)
  touch "$dir/.done"
}

# PostgreSQL does not run as root. Root is somebody else in a user namespace, and the files stay root's outside.
postgres_as() {
  if [ "$(id -u)" = 0 ]; then exec unshare --user --map-user=1000 --map-group=1000 "$@"; fi
  exec "$@"
}

postgres_start() {
  local bin=$home/postgres/$POSTGRES_VERSION/bin data=$run/postgres/data
  if [ ! -e "$data/PG_VERSION" ]; then
    mkdir -p "$data"
    chmod 700 "$data"
    printf '%s\n' "$POSTGRES_PASSWORD" > "$run/postgres/password"
    (postgres_as "$bin/initdb" -D "$data" -U "$POSTGRES_USER" --pwfile="$run/postgres/password" -A scram-sha-256 -E UTF8 --locale=C --no-sync) > "$run/postgres/initdb.log" 2>&1 ||
      die "initdb failed, see $run/postgres/initdb.log"
  fi
  # shellcheck disable=SC2016
  launch postgres bash -c "$(declare -f postgres_as)"'; postgres_as "$@"' postgres "$bin/postgres" -D "$data" -p "$POSTGRES_PORT" -h 127.0.0.1 \
    -c unix_socket_directories= -c max_connections=60
  await postgres 30 python3 -c "
import socket, struct
s = socket.create_connection(('127.0.0.1', $POSTGRES_PORT), 1)
s.sendall(struct.pack('!ii', 8, 80877103))
assert s.recv(1) in b'NS'"
}
