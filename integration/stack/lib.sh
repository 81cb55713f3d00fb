# Sourced by stack.sh: where things live, which Java runs them, how a process is started, awaited and stopped.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# A value already in the environment wins over versions.env, so that a port can be moved for one run.
while IFS='=' read -r key value; do
  case $key in '' | \#*) continue ;; esac
  [ -n "${!key:-}" ] || export "$key=$value"
done < "$here/versions.env"

home=${INGESTD_STACK_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/ingestd-stack} # downloads: fetched once, kept
run=${INGESTD_STACK_RUN:-$home/run}                                       # data, logs, pids of one run
mkdir -p "$home" "$run"

say() { printf '%s\n' "stack: $*" >&2; }
die() { say "$*"; exit 1; }

# need COMMAND PACKAGE: the command, installed from Debian when it is missing and we may.
apt_fresh=
need() {
  command -v "$1" > /dev/null 2>&1 && return 0
  command -v apt-get > /dev/null 2>&1 && [ "$(id -u)" = 0 ] || die "$1 is missing: install it (Debian: $2)"
  say "installing $2"
  [ -n "$apt_fresh" ] || { apt-get update -q > /dev/null; apt_fresh=1; }
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$2" > "$home/apt.log" 2>&1 || die "apt-get install $2 failed, see $home/apt.log"
}

# pick_java: the newest JDK on the machine, for everything; Trino and Nessie say when it is too old for them.
pick_java() {
  [ -n "${java:-}" ] && return 0
  need java openjdk-17-jdk-headless
  java=${INGESTD_STACK_JAVA:-}
  java_major=0
  local j v
  for j in ${java:-java /usr/lib/jvm/*/bin/java}; do
    [ -x "$(command -v "$j")" ] || continue
    v=$("$j" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)
    [ "${v:-0}" -gt "$java_major" ] && { java=$j; java_major=$v; }
  done
  [ "$java_major" -ge 17 ] || die "Java 17 or later is needed, found ${java_major}"
  # Serial GC and C1 only: small and quick to start. INGESTD_STACK_JIT=full keeps the default JIT, for benchmarks.
  java_flags="-Djava.net.preferIPv4Stack=true -Xshare:auto"
  [ "${INGESTD_STACK_JIT:-small}" = full ] || java_flags="$java_flags -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
}
# archive NAME: flags for a class-data archive that the first clean exit writes (JDK 19 or later): halves a start.
archive() {
  [ "$java_major" -ge 19 ] && [ "${INGESTD_STACK_JIT:-small}" = small ] &&
    echo "-XX:+AutoCreateSharedArchive -XX:SharedArchiveFile=$home/$1-$java_major.jsa"
  return 0
}

# maven ARGS...: Maven Central into a repository of our own below $home.
maven() {
  need mvn maven
  nice mvn -q -B -Dmaven.repo.local="$home/m2" "$@" >&2
}
# jars NAME STAMP: the dependencies of pom/NAME.xml in $home/NAME/STAMP; properties after the stamp.
jars() {
  local dir=$home/$1/$2
  [ -e "$dir/.done" ] && return 0
  say "fetching $1"
  rm -rf "${home:?}/$1"
  maven -f "$here/pom/$1.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$dir" "${@:3}"
  touch "$dir/.done"
}
# artifact COORDINATES DIR: one file from Maven Central.
artifact() {
  maven org.apache.maven.plugins:maven-dependency-plugin:copy -Dartifact="$1" -DoutputDirectory="$2" -Dmdep.useBaseVersion=true
}

# A pid file holds the pid and the start time of the process, so that a recycled pid is never killed.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2> /dev/null | awk '{ print $20 }'; }
alive() { # NAME
  local pid start
  [ -f "$run/$1/pid" ] && read -r pid start < "$run/$1/pid" && [ "$(started_at "$pid")" = "$start" ]
}
# launch NAME COMMAND...: in the background, in a session of its own, log and pid file below $run/NAME.
launch() {
  local name=$1 pid
  shift
  mkdir -p "$run/$name"
  setsid nohup "$@" > "$run/$name/log" 2>&1 < /dev/null &
  pid=$!
  echo "$pid $(started_at "$pid")" > "$run/$name/pid"
}
# await NAME SECONDS COMMAND...: until the command succeeds; shows the log's end when the process died or time is up.
await() {
  local name=$1 end=$((SECONDS + $2)) began
  began=$(date +%s.%N)
  shift 2
  until "$@" > /dev/null 2>&1; do
    if ! alive "$name" || [ "$SECONDS" -ge "$end" ]; then
      tail -25 "$run/$name/log" >&2
      die "$name did not come up"
    fi
    sleep 0.1
  done
  say "$name up in $(awk -v a="$began" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f s", b - a }')"
}
# halt NAME: TERM, wait, KILL.
halt() {
  alive "$1" || { rm -f "$run/$1/pid"; return 0; }
  local pid
  read -r pid _ < "$run/$1/pid"
  kill -CONT "$pid" 2> /dev/null || true
  kill "$pid" 2> /dev/null || true
  for _ in $(seq 150); do alive "$1" || break; sleep 0.1; done
  if alive "$1"; then kill -9 "$pid" 2> /dev/null || true; fi
  rm -f "$run/$1/pid"
  say "$1 stopped"
}
