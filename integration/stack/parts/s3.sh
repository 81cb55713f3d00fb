# versitygw over a folder: a folder below it is a bucket. One Go binary; its build takes four CPU minutes, so it is kept.

s3_install() {
  local bin=$home/versitygw/$VERSITYGW_VERSION/versitygw
  [ -x "$bin" ] && return 0
  say "building versitygw $VERSITYGW_VERSION (about four CPU minutes, once)"
  need curl curl
  rm -rf "$home/versitygw"
  # The module is built outside ours, with symbols left out: a third of the size, a little less linking.
  (cd / && GOFLAGS='' CGO_ENABLED=0 GOBIN=$(dirname "$bin") nice go install -trimpath -ldflags '-s -w' "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW_VERSION") >&2
}

s3_start() {
  local dir=$run/s3
  mkdir -p "$dir/data/$S3_BUCKET"
  launch s3 "$home/versitygw/$VERSITYGW_VERSION/versitygw" --access "$S3_ACCESS_KEY" --secret "$S3_SECRET_KEY" \
    --region "$S3_REGION" --port "127.0.0.1:$S3_PORT" posix "$dir/data"
  await s3 20 curl -s "http://127.0.0.1:$S3_PORT/"
}
