# shellcheck shell=bash
# Names, numbers and small helpers of all parts of the fleet. Sourced by fleet/fleet.

# These names are for the parts that source this file.
# shellcheck disable=SC2034
{
  fleet_cache=${CNPLAY_FLEET_CACHE:-/var/cache/cnplay-fleet}
  fleet_dir=${CNPLAY_FLEET_DIR:-/var/tmp/cnplay-fleet}
  bridge=cnplay0
  network=10.77.0
  controller=$network.1
  www_port=8081
  git_port=9418
  cgroup_name=${CNPLAY_FLEET_CGROUP:-cnplay-fleet}
  default_hosts=web1,web2,db1
}

say() { echo "fleet: $*"; }

die() { # WHAT-AND-WHERE [REMEDY]
  echo "fleet: error: $1" >&2
  [ $# -lt 2 ] || echo "       $2" >&2
  exit 1
}

need_root() {
  [ "$(id -u)" -eq 0 ] || die "only root can make containers, mounts and network namespaces" \
    "run it as root: sudo $0 ${command:-}"
}

need_tools() {
  local tool missing=()
  for tool in "$@"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [ "${#missing[@]}" -eq 0 ] || die "not found on this machine: ${missing[*]}" \
    "run scripts/setup as root: it installs them"
}

seconds_since() { # START, a value of EPOCHREALTIME
  awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }'
}

role_of() { # HOST: web or db
  case $1 in
    web[1-9]) echo web ;;
    db[12]) echo db ;;
    *) die "no such host: $1" "the fleet knows web1 to web9, db1 and db2" ;;
  esac
}

address_of() { # HOST
  case $1 in
    web[1-9]) echo "$network.$((10 + ${1#web}))" ;;
    db[12]) echo "$network.$((19 + ${1#db}))" ;;
    *) role_of "$1" ;;
  esac
}

# Two sites, as staging and production have one each: web1, web2 and db1; web3 to web9 and db2. Without db2 all
# hosts are of one site.
database_of() { # HOST HOSTS...
  local host=$1
  shift
  case "$host $* " in
    web[3-9]*' db2 '* | db2*) echo db2 ;;
    *) echo db1 ;;
  esac
}

# --- processes, by pid and the moment they started: a pid alone may belong to another by now ---------

process_identity() { # PID
  local stat boot
  { read -r stat < "/proc/$1/stat"; } 2>/dev/null || return 1
  read -r boot < /proc/sys/kernel/random/boot_id
  # The name in parentheses may hold blanks: count the fields behind it.
  # shellcheck disable=SC2086
  set -- "$1" ${stat##*) }
  case $2 in Z | X) return 1 ;; esac
  echo "$1 ${21} $boot"
}

record_process() { # FILE PID
  process_identity "$2" > "$1.tmp" && mv "$1.tmp" "$1"
}

recorded_pid() { # FILE: prints the pid if that very process still lives
  local line pid
  { read -r line < "$1"; } 2>/dev/null || return 1
  pid=${line%% *}
  [ "$(process_identity "$pid")" = "$line" ] && echo "$pid"
}

stop_recorded() { # FILE SIGNAL: signal, wait up to 5 s, then kill
  local pid i
  pid=$(recorded_pid "$1") || { rm -f "$1"; return 0; }
  kill "-$2" "$pid" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    recorded_pid "$1" >/dev/null || break
    sleep 0.05
  done
  if pid=$(recorded_pid "$1"); then kill -KILL "$pid" 2>/dev/null || true; fi
  rm -f "$1"
}

spawn() { # PIDFILE LOG COMMAND...: a daemon of its own session, holding nothing of ours open
  local pidfile=$1 log=$2
  shift 2
  (
    exec </dev/null >>"$log" 2>&1
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    exec setsid "$@"
  ) &
  record_process "$pidfile" $! ||
    die "$1 ended at once" "$(tail -n 3 "$log" 2>/dev/null)"
  disown
}

hash_of() { # FILES AND DIRECTORIES, under the fleet's directory
  (cd "$here" && find "$@" -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) |
    sha256sum | cut -c1-16
}

# A directory made under a temporary name and renamed when whole; an interrupted one is never used.
stale_builds() { # PREFIX KEEP: removes other versions and what was left by interrupted builds
  local path
  for path in "$fleet_cache/$1"-*; do
    if [ ! -d "$path" ] || [ "$path" = "$2" ]; then continue; fi
    # A running fleet may still lie on it; one in namespaces of its own (fleet/apart), of another tree, is not seen here.
    grep -qF "$path" /proc/self/mountinfo || [ -z "$(find "$path" -maxdepth 0 -mmin +1440)" ] ||
      rm -rf --one-file-system "$path"
  done
}
