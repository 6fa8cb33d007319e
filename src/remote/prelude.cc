#include "remote/prelude.h"

namespace cnplay::remote {

// Traps that shaped this text:
// - mksh has no built-in printf: an external one would show facts and the nonce in argv. So all
//   that is said goes through _cn_put, a built-in in every shell.
// - Only redirections of one digit are portable. Descriptor 8 carries what check says to the part
//   that runs apply: through a pipe, because a home need not be writable, and read up to a line
//   `end`, not up to its closing, because children left in the background hold it open.
// - bash reads characters: in UTF-8, `read` loses bytes and even line ends at broken ones. So facts
//   are read in the C locale.
// - `set -e` is ignored inside anything that is tested (`if`, `||`), so stages are run bare.
// - The watcher is ended by KILL: mksh sleeps in a built-in, and heeds TERM only after it.
// - No function's name is a prefix of _cn_run or equal to a word that a torn line may end in.
// - Verdicts go over stderr: `x=$(helper)` captures stdout, and helpers may say `fail`.
static constexpr std::string_view kPrelude = R"SH(# shellcheck shell=sh disable=SC2154
unset CDPATH ENV BASH_ENV
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
if [ -d /usr/lib/locale/C.utf8 ] || [ -d /usr/lib/locale/C.UTF-8 ]; then
  LC_ALL=C.UTF-8
else # 3 ms
  case $(locale -a 2>/dev/null) in *C.UTF-8* | *C.utf8*) LC_ALL=C.UTF-8 ;; esac
fi
export PATH LC_ALL
umask 022
cd "${HOME:-/}" 2>/dev/null || cd /
nl='
'
_cn_r=$(printf '\036')
case $(command -v printf) in
printf) _cn_put() { printf '%s' "$1"; } ;;
*)
  # shellcheck disable=SC3018,SC2039
  _cn_put() { print -rn -- "$1"; }
  ;;
esac
_cn_mark() { _cn_put "$_cn_r$_cn_n $1$nl"; }
_cn_dir="${XDG_STATE_HOME:-${HOME:-}/.local/state}/cnplay/run-$_cn_id"

# A verdict. Traces (set -x) of these lines would forge markers on stderr: off meanwhile.
_cn_say() {
  case $_cn_s:$1 in
  *:fail | check:* | verify:ok | preflight:ok | preflight:skip) ;;
  *) set -- fail "\`$1\` cannot be said in $_cn_s" ;;
  esac
  _cn_put "$_cn_r$_cn_n V $1$nl$2$_cn_r$_cn_n v$nl" >&2
  case $_cn_s in check) _cn_put "v $1$nl" >&8 ;; esac
  case $1 in change) ;; fail) exit 1 ;; *) exit 0 ;; esac
}
ok() { { set +x; } 2>/dev/null; _cn_say ok "${1-}"; }
skip() { { set +x; } 2>/dev/null; _cn_say skip "${1-}"; }
fail() { { set +x; } 2>/dev/null; _cn_say fail "${1-}"; }
change() {
  case $- in
  *x*)
    { set +x; } 2>/dev/null
    _cn_say change "${1-}"
    set -x
    ;;
  *) _cn_say change "${1-}" ;;
  esac
}
fact() {
  case $- in
  *x*)
    { set +x; } 2>/dev/null
    _cn_fact "${1-}" "${2-}"
    set -x
    ;;
  *) _cn_fact "${1-}" "${2-}" ;;
  esac
}
_cn_fact() {
  case $_cn_s in check) ;; *) fail "\`fact\` can be used in check alone, not in $_cn_s" ;; esac
  case $1 in '' | [0-9]* | *[!A-Za-z0-9_]* | _cn_* | IFS | PATH | HOME) fail "\`fact\` needs a name, not '$1'" ;; esac
  [ "${#2}" -le 65536 ] || fail "the fact $1 is larger than 64 KiB"
  _cn_put "$_cn_r$_cn_n F $1$nl$2$_cn_r$_cn_n f$nl"
  _cn_put "f $1$nl$2$nl$_cn_n$nl" >&8
}
diff_lines() {
  _cn_mark D
  cat
  _cn_mark d
}
warn() { _cn_put "${1-}$nl" >&2; }

# NAME KIND TEXT: one stage. KIND is what the verdict functions go by.
_cn_stage() {
  _cn_mark "B $1"
  _cn_mark "B $1" >&2
  (
    _cn_s=$2 _cn_t=$3
    set --
    set -eu
    eval "$_cn_t"
  ) </dev/null
  _cn_c=$?
  _cn_mark "X $1 $_cn_c"
}
# Reads what check said: facts become variables. True if it said change, and nothing else, and
# ended well.
_cn_listen() {
  _cn_v=
  _cn_lc=$LC_ALL
  LC_ALL=C
  while IFS= read -r _cn_l; do
    case $_cn_l in
    'v change') case $_cn_v in '') _cn_v=change ;; esac ;;
    v*) _cn_v=no ;;
    f*)
      _cn_k=${_cn_l#f }
      _cn_x=
      _cn_i=
      while IFS= read -r _cn_l; do
        case $_cn_l in "$_cn_n") break ;; esac
        _cn_x=$_cn_x$_cn_i$_cn_l
        _cn_i=$nl
      done
      eval "$_cn_k=\$_cn_x"
      ;;
    'end 0') break ;;
    end*)
      _cn_v=no
      break
      ;;
    esac
  done
  LC_ALL=$_cn_lc
  case $_cn_v in change) return 0 ;; *) return 1 ;; esac
}
_cn_apply() {
  _cn_stage apply apply "$7"
  case $_cn_c:$4 in
  0:check) _cn_stage verify check "$6" 8>/dev/null ;;
  0:script) _cn_stage verify verify "$8" ;;
  esac
}
_cn_preview() {
  # shellcheck disable=SC2034
  preview=$_cn_dir/preview-$1
  if (umask 077 && mkdir -p "$_cn_dir" "$preview") && chmod 700 "$_cn_dir"; then
    _cn_put "$_cn_r$_cn_n P$nl$preview$_cn_r$_cn_n p$nl"
    _cn_stage preview preview "$9"
  else
    # shellcheck disable=SC2016
    _cn_stage preview preview 'fail "no private directory can be made at $preview"'
  fi
}
_cn_after() {
  if _cn_listen; then
    case $2 in apply) _cn_apply "$@" ;; *) _cn_preview "$@" ;; esac </dev/null
  fi
}
_cn_steps() {
  _cn_mark "S $1"
  case $2:${6:+c}${7:+a}${9:+p} in
  preflight:*) _cn_stage preflight preflight "${10}" ;;
  apply:ca* | check:c*p)
    exec 7>&1
    {
      _cn_stage check check "$6" 8>&1 >&7 7>&-
      _cn_put "end $_cn_c$nl"
    } | _cn_after "$@" 7>&-
    ;;
  *:c*) _cn_stage check check "$6" 8>/dev/null ;;
  apply:a*) _cn_apply "$@" ;;
  esac
}
# SECONDS: kills this shell's process group when the controller has not done so in time.
_cn_watch() {
  _cn_i=0
  _cn_p=2
  [ "$1" -gt 1 ] || _cn_p=1
  while [ "$_cn_i" -lt "$1" ]; do
    sleep "$_cn_p"
    _cn_i=$((_cn_i + _cn_p))
    kill -0 "$$" 2>/dev/null || exit 0
  done
  trap '' TERM
  kill -TERM "-$$"
  sleep 2
  kill -KILL "-$$"
}
# ID MODE SECONDS VERIFY VARIABLES CHECK APPLY VERIFY-SCRIPT PREVIEW PREFLIGHT end-ID: a shipment.
# The last word is the proof that it came whole: a shell executes a line that ends with its input.
_cn_run() {
  case $#:${11-} in "11:end-$1") ;; *) exit 91 ;; esac
  case $3 in
  0) ;;
  *)
    _cn_watch "$3" </dev/null >/dev/null 2>&1 &
    _cn_w=$!
    ;;
  esac
  (
    eval "$5"
    _cn_steps "$@"
  ) </dev/null
  case $3 in 0) ;; *) { kill -KILL "$_cn_w" && wait "$_cn_w"; } 2>/dev/null ;; esac
  _cn_mark "E $1 out"
  _cn_mark "E $1 err" >&2
}
)SH";

std::string_view prelude_text() { return kPrelude; }

}  // namespace cnplay::remote
