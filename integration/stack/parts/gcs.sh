# fake-gcs-server, an emulator of Google Cloud Storage, in memory. One Go binary, built outside of our module.

gcs_install() {
  local bin=$home/fakegcs/$FAKE_GCS_VERSION/fake-gcs-server
  [ -x "$bin" ] && return 0
  say "building fake-gcs-server $FAKE_GCS_VERSION (about one CPU minute, once)"
  need curl curl
  rm -rf "$home/fakegcs"
  (cd / && GOFLAGS='' CGO_ENABLED=0 GOBIN=$(dirname "$bin") nice go install -trimpath -ldflags '-s -w' "github.com/fsouza/fake-gcs-server@$FAKE_GCS_VERSION") >&2
}

gcs_start() {
  local at=http://127.0.0.1:$GCS_PORT
  launch gcs "$home/fakegcs/$FAKE_GCS_VERSION/fake-gcs-server" -backend memory -scheme http -host 127.0.0.1 -port "$GCS_PORT" \
    -external-url "$at" -log-level error
  await gcs 20 curl -sf "$at/storage/v1/b?project=ingestd"
  curl -sf -H 'Content-Type: application/json' -d "{\"name\": \"$GCS_BUCKET\"}" "$at/storage/v1/b?project=ingestd" > /dev/null
}
