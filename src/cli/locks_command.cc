#include "cli/commands.h"

namespace cnplay::cli {
namespace {

// Whether a lock is held is asked of the kernel, who holds it of its file (remote/host_lock.h).
// What the file says is printed as it is: the view shows no control characters of it.
constexpr const char* kScript = R"SH(set -u
d=${HOME:?}/.local/state/cnplay/locks
[ -d "$d" ] || { echo "no lock was ever taken here"; exit 0; }
command -v flock >/dev/null || { echo "there is no flock here: install util-linux"; exit 1; }
now=$(date +%s)
ago() {
  case ${1:-x} in *[!0-9]*|0?*|???????????????*) echo "an unknown time"; return ;; esac
  s=$((now - $1))
  if [ "$s" -lt 120 ]; then echo "$s s"
  elif [ "$s" -lt 7200 ]; then echo "$((s / 60)) min"
  else echo "$((s / 3600)) h"; fi
}
any=
for f in "$d"/*; do
  [ -f "$f" ] || continue
  any=yes
  name=${f##*/}
  if flock -n -s "$f" true; then
    echo "$name: free"
    continue
  fi
  owner= step= since= life=
  first=yes
  while IFS= read -r line; do
    [ -z "$first" ] || owner=$line
    first=
    case $line in
      'step: '*) step=${line#step: } ;;
      'held since: '*) since=${line#held since: } ;;
      'sign of life: '*) life=${line#sign of life: } ;;
    esac
  done <"$f"
  printf '%s: held by %s\n' "$name" "${owner:-somebody whose name is not in its file}"
  [ -z "$step" ] || printf '  at %s\n' "$step"
  printf '  held for %s, last sign of life %s ago\n' "$(ago "$since")" "$(ago "$life")"
done
[ -n "$any" ] || echo "no lock was ever taken here"
)SH";

}  // namespace

int locks_command(const Options& options) {
  Options exec = options;
  exec.command = Command::exec;
  exec.topic = kScript;
  if (exec.limit.empty()) exec.limit = "all";
  return one_command(exec, "who holds the locks");
}

}  // namespace cnplay::cli
