#!/usr/bin/env bash
# The real components of the integration tests, without containers. README.md beside this file has the details.
#   stack.sh install [PART...]   fetch what is missing into $INGESTD_STACK_HOME
#   stack.sh start [PART...]     install and start; data, logs and pids are below $INGESTD_STACK_RUN
#   stack.sh stop [--wipe] [PART...]  stop what a former start left running (all of it without PART); --wipe removes its data
#   stack.sh status              what runs
# Parts: kafka registry s3 rest postgres readers (the default, also called "default"); hive; spark thrift trino nessie ("full": all of these);
# azure gcs, which make stores starts for itself; connect sparkjob flink, for the public benchmark.
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/lib.sh"
for part in "$here"/parts/*.sh; do . "$part"; done

default_parts="s3 kafka registry rest postgres readers"
full_parts="$default_parts hive spark thrift trino nessie"

parts() {
  local p
  for p in "${@:-default}"; do
    case $p in
      default) echo "$default_parts" ;;
      full) echo "$full_parts" ;;
      *) declare -F "${p}_install" > /dev/null || die "unknown part: $p"; echo "$p" ;;
    esac
  done
}

started() { # names with a pid file
  local f
  for f in "$run"/*/pid; do if [ -e "$f" ]; then basename "$(dirname "$f")"; fi; done
}

command=${1:-}
[ $# -gt 0 ] && shift
case $command in
  install)
    for p in $(parts "$@"); do "${p}_install"; done
    ;;
  start)
    for p in $(parts "$@"); do
      "${p}_install"
      alive "$p" || "${p}_start"
    done
    ;;
  stop)
    wipe=
    [ "${1:-}" = --wipe ] && { wipe=1; shift; }
    for p in ${*:-$full_parts $(started)}; do
      halt "$p"
      [ -z "$wipe" ] || rm -rf "${run:?}/$p"
    done
    ;;
  status)
    for p in $(started); do if alive "$p"; then echo "$p up"; else echo "$p dead"; fi; done
    ;;
  *)
    sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
