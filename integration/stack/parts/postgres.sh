# PostgreSQL for the SQL catalog: the binaries that embedded databases on the JVM use (15 MB), nothing installed.

postgres_install() {
  local dir=$home/postgres/$POSTGRES_VERSION machine
  [ -e "$dir/.done" ] && return 0
  pick_java
  need xz xz-utils
  need python3 python3
  need openssl openssl
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
  # It answers with TLS who asks for it; the certificate is its own authority.
  if [ ! -e "$data/server.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=stack postgres" \
      -addext "subjectAltName=IP:127.0.0.1,DNS:localhost" -keyout "$data/server.key" -out "$data/server.pem" 2> /dev/null
    chmod 600 "$data/server.key"
  fi
  # shellcheck disable=SC2016
  launch postgres bash -c "$(declare -f postgres_as)"'; postgres_as "$@"' postgres "$bin/postgres" -D "$data" -p "$POSTGRES_PORT" -h 127.0.0.1 \
    -c unix_socket_directories= -c max_connections=60 \
    -c ssl=on -c ssl_cert_file=server.pem -c ssl_key_file=server.key
  await postgres 30 python3 -c "
import socket, struct
s = socket.create_connection(('127.0.0.1', $POSTGRES_PORT), 1)
s.sendall(struct.pack('!ii', 8, 80877103))
assert s.recv(1) in b'NS'"
}
