#include "remote/prelude.h"

#include <algorithm>
#include <string>

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
// - `{ made=1; write; } >file` under `set -C` tells apart: made by us and written, made but not
//   written (a full disk), and there already. No fork, in any shell.
// - A fork costs 0.2 ms, a program 1 ms, and `read` a system call for each byte: hosts that share
// cores
//   (containers) pay for that. So what is done on every host, or for every task, goes without.
// - A here-document is a pipe in dash and busybox, and /proc/self/fd opens its other end: two pipes
//   without mkfifo. In bash and mksh it is a file: `-p` says so.
// - A directory of /proc that was opened stays that of one process, whose number may be another's
// by
//   now; that of a zombie is there, but has no command line.
// - A shell whose connection is gone ends by itself: its stdin is at its end. Only what it prints
//   needs a shelter, and that is the two `tee`s.
static constexpr std::string_view kPrelude = R"SH(# shellcheck shell=sh disable=SC2154
unset CDPATH ENV BASH_ENV
# shellcheck disable=SC2123 # where nothing is found but built-ins
PATH=/dev/null
if command -v printf >/dev/null 2>&1; then
  _cn_put() { printf '%s' "$1"; }
else
  # shellcheck disable=SC3018,SC2039
  _cn_put() { print -rn -- "$1"; }
fi
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
_cn_mark() { _cn_put "$_cn_r$_cn_n $1$nl"; }
# The private directory of the run. Some users (www-data, nobody) have no home to write to.
_cn_base=
_cn_dir="${XDG_STATE_HOME:-${HOME:-}/.local/state}/cnplay/run-$_cn_id"
[ -w "${XDG_STATE_HOME:-${HOME:-}}" ] || {
  _cn_base=/var/tmp/cnplay-$(id -u)
  _cn_dir=$_cn_base/run-$_cn_id
}
_cn_mkdir() {
  case $_cn_base in
  '') mkdir -p "$1" ;;
  *)
    [ -d "$_cn_base" ] || mkdir "$_cn_base" || return 1
    if [ -L "$_cn_base" ] || [ ! -O "$_cn_base" ]; then
      _cn_put "$_cn_base belongs to another user$nl" >&2
      return 1
    fi
    mkdir -p "$1"
    ;;
  esac
}
_cn_grave=${_cn_dir%/*}/ended-$_cn_id
# By this a cnplay that a task starts finds out what it is inside of (around.h).
CNPLAY_INSIDE=$_cn_dir
export CNPLAY_INSIDE
_cn_sp=
_cn_b=
{ read -r _cn_b </proc/sys/kernel/random/boot_id; } 2>/dev/null
_cn_b=${_cn_b:-?}

# A verdict. Traces (set -x) of these lines would forge markers on stderr: off meanwhile.
_cn_say() {
  case $_cn_s:$1 in
  *:fail | check:* | verify:ok | preflight:ok | preflight:skip) ;;
  *) set -- fail "\`$1\` is not allowed in $_cn_s" ;;
  esac
  _cn_put "$_cn_r$_cn_n V $1$nl$2$_cn_r$_cn_n v$nl" >&2
  case $_cn_s:$1 in
  check:*) _cn_put "v $1$nl" >&8 ;;
  *:fail) case $_cn_sp in '') ;; *) : >"$_cn_sp/f" ;; esac ;; # said in a pipe, its exit code may be lost
  esac
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
  case $_cn_s in check) ;; *) fail "\`fact\` is allowed only in check, not in $_cn_s" ;; esac
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
# Of a tree: stdin says the numbers of the lines of its list whose files are wanted.
wanted() {
  _cn_mark W
  cat
  _cn_mark w
}
# FILE, or nothing: room for what a look at a tree notes for the next ones of its task. False if there is none.
noting() {
  case ${1-} in '') return 1 ;; esac
  (umask 077 && _cn_mkdir "$_cn_dir" && : >>"$1") 2>/dev/null
}
warn() { _cn_put "${1-}$nl" >&2; }
put() { _cn_put "${1-}"; }

# NAME KIND TEXT: one stage. KIND is what the verdict functions go by.
_cn_stage() {
  _cn_put "$_cn_first$_cn_r$_cn_n B $1$nl"
  _cn_put "$_cn_first$_cn_r$_cn_n B $1$nl" >&2
  _cn_first=
  (
    _cn_s=$2 _cn_t=$3
    set --
    set -eu
    eval "$_cn_t"
  ) </dev/null
  _cn_c=$?
  _cn_mark "X $1 $_cn_c"
}
# Reads what check said: facts become variables. _cn_v: its verdict, if that was the only one and it
# ended well; else `no`, or nothing. True if it is change.
_cn_listen() {
  _cn_v=
  _cn_lc=$LC_ALL
  LC_ALL=C
  while IFS= read -r _cn_l; do
    case $_cn_l in
    'v '*)
      case $_cn_v:$_cn_l in
      :'v fail') _cn_v=no ;;
      :* | 'change:v change') _cn_v=${_cn_l#v } ;;
      *) _cn_v=no ;;
      esac
      ;;
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
# Those that follow exit with 0 if the run continues after them.
_cn_apply() {
  _cn_stage apply apply "$7"
  case $_cn_c:$4 in
  0:check) _cn_heard verify "$6" ok ;;
  0:script)
    _cn_stage verify verify "$8"
    return "$_cn_c"
    ;;
  *) return "$_cn_c" ;;
  esac
}
# STAGE SCRIPT WORDS: a stage whose verdict must be one of the words.
_cn_heard() {
  exec 7>&1
  {
    _cn_stage "$1" check "$2" 8>&1 >&7 7>&-
    _cn_put "end $_cn_c$nl"
  } | {
    exec 7>&-
    _cn_listen
    case " $3 " in *" ${_cn_v:-none} "*) ;; *) false ;; esac
  }
}
_cn_preview() {
  # shellcheck disable=SC2034
  preview=$_cn_dir/preview-$1
  if (umask 077 && _cn_mkdir "$_cn_dir" && _cn_mkdir "$preview") && chmod 700 "$_cn_dir"; then
    _cn_put "$_cn_r$_cn_n P$nl$preview$_cn_r$_cn_n p$nl"
    _cn_stage preview preview "$9"
  else
    # shellcheck disable=SC2016
    _cn_stage preview preview 'fail "no private directory can be made at $preview"'
  fi
}
_cn_after() {
  _cn_first=
  if _cn_listen; then
    case $2 in apply) _cn_apply "$@" ;; *) _cn_preview "$@" ;; esac </dev/null
  else
    case $_cn_v in ok | skip) ;; *) return 1 ;; esac
  fi
}
_cn_steps() {
  _cn_first="$_cn_r$_cn_n S $1$nl" # in one breath with the first stage's mark
  case $2:${6:+c}${7:+a}${9:+p} in
  preflight:*) _cn_stage preflight preflight "${10}" ;;
  apply:ca* | check:c*p)
    exec 7>&1
    {
      _cn_stage check check "$6" 8>&1 >&7 7>&-
      _cn_put "end $_cn_c$nl"
    } | _cn_after "$@" 7>&-
    ;;
  apply:c*) _cn_heard check "$6" 'ok skip' ;;
  *:c*) _cn_stage check check "$6" 8>/dev/null ;;
  apply:a*) _cn_apply "$@" ;;
  *) _cn_put "$_cn_first" ;;
  esac
}
# ID: the run has ended. Its directory is removed, and this shell ends.
_cn_tidy() {
  if [ -d "$_cn_dir" ]; then
    _cn_bury "$1" || exit 90
  fi
  exec rm -rf -- "$_cn_dir"
}
# ID: with the claims gone, a request of a dead controller that arrives late would start its task a
# second time. So a tombstone comes first: tasks up to ID are never started. A full disk: the spools
# make room for it. Tombstones are removed after a day, once there are 32.
_cn_bury() {
  umask 077
  { _cn_put "$1$nl" >"$_cn_grave"; } 2>/dev/null || {
    rm -rf -- "${_cn_dir:?}"/*/
    { _cn_put "$1$nl" >"$_cn_grave"; } 2>/dev/null || return 1
  }
  set -- "${_cn_grave%/*}"/ended-*
  [ "$#" -lt 32 ] || find "$@" -prune -type f -mtime +0 -exec rm -f -- {} + 2>/dev/null
  return 0
}
# ID: whether its run has ended.
_cn_buried() {
  _cn_x=
  { read -r _cn_x <"$_cn_grave"; } 2>/dev/null
  [ "$1" -le "${_cn_x:-0}" ] 2>/dev/null || return 1
  _cn_refuse "the run has ended here: the request came too late"
}
# From here on all that this shell and its tasks print goes through two pipes to a `tee` each, which
# keeps it in a file and passes it on; only to the file, when nobody listens any more. They heed no
# TERM: they end when the last of their writers has.
_cn_spool() {
  command -v tee >/dev/null || {
    _cn_se='there is no tee'
    return 1
  }
  umask 077
  case $_cn_base in
  '') _cn_se=$(mkdir -p "$_cn_dir/$_cn_k" 2>&1) ;;
  *) _cn_se=$(_cn_mkdir "$_cn_dir/$_cn_k" 2>&1) ;;
  esac && _cn_around && _cn_pipes "$_cn_dir/$_cn_k"
  set -- $?
  umask 022
  case $1 in 0) ;; *) return 1 ;; esac
  _cn_sp=$_cn_dir/$_cn_k
  _cn_since "$$"
  # The writing ends first: who opens a pipe to read that nobody writes to is at its end.
  exec 5>&1 6>&2 >"$_cn_po"
  case ${_cn_tty-} in
  1) # one stream; and a hangup follows the connection's end
    trap '' HUP
    exec 2>&1
    ;;
  *) exec 2>"$_cn_pe" ;;
  esac
  _cn_tee out <"$_cn_po" >&5 2>/dev/null 3<&- 4<&- 5>&- 6>&- &
  _cn_t1=$!
  case ${_cn_tty-} in
  1) ;;
  *) _cn_tee err <"$_cn_pe" >&6 2>/dev/null 3<&- 4<&- 5>&- 6>&- & ;;
  esac
  _cn_t2=$!
  exec 3<&- 4<&- 5>&- 6>&-
  _cn_claims="$_cn_k $$ ${_cn_at:-?} $_cn_b $_cn_n $_cn_t1 $_cn_t2"
}
# What this run is inside of: for one that a task of it starts.
_cn_around() {
  case ${_cn_in-} in '') return 0 ;; esac
  { _cn_put "$_cn_in$nl" >"$_cn_dir/around"; } 2>/dev/null && return 0
  _cn_se="nothing can be written to $_cn_dir: is the disk full?"
  return 1
}
# DIRECTORY: its two files; and the names of two pipes, which 3 and 4 hold open.
_cn_pipes() {
  if { _cn_put '' >"$1/out" && _cn_put '' >"$1/err"; } 2>/dev/null; then :; else
    _cn_se="nothing can be written to $1: is the disk full?"
    return 1
  fi
  case ${BASH_VERSION-}${KSH_VERSION-} in '') exec 3<<E 4<<E ;; esac
E
E
  if [ -p /proc/self/fd/3 ] && [ -w /proc/self/fd/3 ]; then
    _cn_po=/proc/self/fd/3 _cn_pe=/proc/self/fd/4
  else
    _cn_po=$1/o _cn_pe=$1/e
    _cn_se=$(mkfifo "$_cn_po" "$_cn_pe" 2>&1) || return 1
    exec 3<>"$_cn_po" 4<>"$_cn_pe"
  fi
}
# At most 256 MiB: the host's disk is not ours to fill.
_cn_tee() {
  trap '' TERM HUP PIPE XFSZ
  ulimit -f 524288
  exec tee -a "$_cn_sp/$1"
}
# PID: when it was started goes into _cn_at. False if there is no such process.
_cn_since() {
  _cn_at=
  { read -r _cn_at <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -f
  # shellcheck disable=SC2086
  set -- ${_cn_at##*) }
  set +f
  _cn_at=${20-}
  case $1 in [ZX]) return 1 ;; esac
}
# ID: makes the task ours to start. False if it is not: then it has been followed, or refused.
_cn_claim() {
  if [ -e "$_cn_dir/t-$1" ]; then
    _cn_flush
    (_cn_follow "$1") </dev/null
    return 1
  fi
  if _cn_buried "$1"; then return 1; fi
  case $_cn_sp in
  '')
    _cn_spool || {
      _cn_refuse "${_cn_se:-no private directory can be made: $_cn_dir}"
      return 1
    }
    ;;
  esac
  _cn_o=
  set -C
  if {
    _cn_o=1
    _cn_put "$_cn_claims$nl"
  } 2>/dev/null >"$_cn_dir/t-$1"; then
    set +C
    # The claim of the first start may have been removed after the look above: never without a
    # tombstone.
    if _cn_buried "$1"; then return 1; fi
    return 0
  fi
  set +C
  case $_cn_o in
  1) _cn_refuse "nothing can be written to $_cn_dir: is the disk full?" ;;
  *)
    if [ -e "$_cn_dir/t-$1" ]; then
      _cn_flush
      (_cn_follow "$1") </dev/null
    else
      _cn_refuse "no file can be made in $_cn_dir: is the disk full?"
    fi
    ;;
  esac
  return 1
}
_cn_refuse() {
  _cn_flush
  _cn_put "$_cn_r$_cn_n N$nl$1$_cn_r$_cn_n n$nl"
}
_cn_nap() { sleep "0.$1" 2>/dev/null || sleep 1; }
# ID: what another shell has claimed: all that its spool holds, as long as that grows, then its state.
_cn_follow() {
  _cn_i=0
  while
    _cn_fn=
    { read -r _cn_fk _cn_fp _cn_fs _cn_fb _cn_fn _cn_f1 _cn_f2 <"$_cn_dir/t-$1"; } 2>/dev/null
    case $_cn_fn in '') ;; *) false ;; esac
  do
    _cn_i=$((_cn_i + 1))
    [ "$_cn_i" -lt 20 ] || {
      _cn_mark "Q $1 unclaimed"
      return 0
    }
    _cn_nap 05
  done
  case $_cn_fk in
  withdrawn)
    _cn_mark "Q $1 withdrawn"
    return 0
    ;;
  esac
  case $_cn_fn in
  "$_cn_n") # a copy of what this very shell prints would have no end
    _cn_mark "Q $1 own"
    return 0
    ;;
  esac
  if [ ! -r "$_cn_dir/$_cn_fk/out" ] || [ ! -r "$_cn_dir/$_cn_fk/err" ]; then
    _cn_mark "Q $1 gone"
    return 0
  fi
  _cn_mark "A $1 $_cn_fn $_cn_fp"
  _cn_mark "A $1 $_cn_fn $_cn_fp" >&2
  exec 3<"$_cn_dir/$_cn_fk/out" 4<"$_cn_dir/$_cn_fk/err"
  while
    _cn_gone=
    _cn_since "$_cn_fp" && [ "${_cn_at:-?}" = "$_cn_fs" ] || _cn_gone=dead
    # After that look: what it has added to its claim before it went is there now.
    _cn_q=
    { read -r _cn_x && read -r _cn_q; } <"$_cn_dir/t-$1"
    case $_cn_q in
    '') if [ "$_cn_fb" != "$_cn_b" ]; then _cn_q=restarted; else _cn_q=${_cn_gone:-running}; fi ;;
    esac
    cat <&3
    cat <&4 >&2
    [ "$_cn_q" = running ]
  do
    _cn_nap 2
  done
  case $_cn_q in
  restarted) ;;
  *) # its tees may lag behind it
    _cn_i=0
    while [ "$_cn_i" -lt 40 ] && { _cn_since "$_cn_f1" || _cn_since "$_cn_f2"; }; do
      _cn_i=$((_cn_i + 1))
      _cn_nap 05
    done
    cat <&3
    cat <&4 >&2
    ;;
  esac
  _cn_mark "Q $1 $_cn_q"
}
# SECONDS ID: kills this shell's process group when the controller has not done so in time.
_cn_watch() {
  _cn_i=0
  _cn_p=2
  [ "$1" -gt 1 ] || _cn_p=1
  while [ "$_cn_i" -lt "$1" ]; do
    sleep "$_cn_p"
    _cn_i=$((_cn_i + _cn_p))
    kill -0 "$$" 2>/dev/null || exit 0
  done
  [ ! -e "$_cn_dir/t-$2" ] || _cn_put "killed$nl" >>"$_cn_dir/t-$2"
  trap '' TERM
  kill -TERM "-$$"
  sleep 2
  kill -KILL "-$$"
}
# What this shell has just done, if it ended well: the next may be begun that was sent after it.
_cn_well=
_cn_judge() {
  _cn_well=
  case $_cn_sp in
  '') ;;
  *)
    if [ -e "$_cn_sp/f" ]; then
      rm -f -- "$_cn_sp/f"
      return
    fi
    ;;
  esac
  case $_cn_z in 0) _cn_well=$1 ;; esac
}
# How much our `tee`s have read so far goes into _cn_x: at most a pipe's length less than was printed.
_cn_printed() {
  _cn_x=0
  case $_cn_sp in '') return ;; esac
  { read -r _cn_l _cn_i </proc/"$_cn_t1"/io; } 2>/dev/null && _cn_x=$_cn_i
  { read -r _cn_l _cn_i </proc/"$_cn_t2"/io; } 2>/dev/null && _cn_x=$((_cn_x + _cn_i))
}
# What is printed from here on counts against what was sent ahead.
_cn_count_from_here() {
  _cn_printed
  _cn_pb=$_cn_x
}
# ID PID SINCE: whether what was sent ahead is to be begun: the task before it has ended well, the
# sshd of the connection is there, and at most 128 KiB were printed since the last task that was not
# sent ahead. With more, the controller would keep what is printed now: the end of the task before
# comes on stderr too, which shares the channel's window with all that.
_cn_due() {
  [ "$_cn_well" = "$1" ] || return 1
  _cn_printed
  [ "$((_cn_x - _cn_pb))" -le 131072 ] || return 1
  case $_cn_up in
  "$2 $3") ;;
  *)
    [ -d "/proc/$2" ] || return 1
    exec 9<"/proc/$2"
    _cn_since self/fd/9 && [ "$_cn_at" = "$3" ] || return 1
    _cn_up="$2 $3"
    ;;
  esac
  _cn_x=
  { read -r _cn_x </proc/self/fd/9/cmdline; } 2>/dev/null
  case $_cn_x in '') return 1 ;; esac
}
_cn_up=
_cn_pb=0
# ID: nobody is to begin it any more. If somebody has, it is followed.
_cn_withdraw() {
  _cn_flush
  _cn_se=$({ umask 077 && _cn_mkdir "$_cn_dir"; } 2>&1)
  _cn_o=
  set -C
  if {
    _cn_o=1
    _cn_put "withdrawn - - - - - -$nl"
  } 2>/dev/null >"$_cn_dir/t-$1"; then :; fi
  set +C
  case $_cn_o in
  1) _cn_mark "Q $1 withdrawn" ;;
  *)
    if [ -e "$_cn_dir/t-$1" ]; then
      (_cn_follow "$1") </dev/null
    else
      _cn_refuse "no file can be made in $_cn_dir: ${_cn_se:-is the disk full?}"
    fi
    ;;
  esac
}
# ID MODE SECONDS VERIFY VARIABLES CHECK APPLY VERIFY-SCRIPT PREVIEW PREFLIGHT CLAIM FILE end-ID: a
# request. CLAIM: once; ahead, and FILE says after what; withdraw; or nothing. FILE is the checksum of a file that apply needs: if it is not here yet, and the task not
# claimed, only the check is run, and the file is asked for. The last word is the proof that it came whole: a shell executes a line that ends with its input.
_cn_run() {
  case $#:${13-} in
  "13:end-$1") ;;
  *)
    _cn_flush
    exit 91
    ;;
  esac
  case ${11} in
  once)
    if [ -n "${12}" ] && [ ! -e "$_cn_dir/t-$1" ] && [ ! -e "$_cn_dir/u-${12}.$1" ]; then
      _cn_work "$1" check "$3" none "$5" "$6" '' '' '' ''
      _cn_tail="${_cn_tail-}$_cn_r$_cn_n U $1$nl"
      _cn_end "$1"
    else
      _cn_count_from_here
      _cn_once "$@"
    fi
    ;;
  ahead)
    # shellcheck disable=SC2086
    if [ ! -e "$_cn_dir/t-$1" ] && ! _cn_due ${12}; then
      _cn_tail="$_cn_r$_cn_n K $1$nl"
      _cn_end "$1"
    else
      case $7 in
      '') _cn_free "$@" ;;
      *) _cn_once "$@" ;;
      esac
    fi
    ;;
  withdraw)
    _cn_withdraw "$1"
    _cn_end "$1"
    ;;
  *)
    _cn_count_from_here
    _cn_free "$@"
    ;;
  esac
}
_cn_once() {
  if _cn_claim "$1"; then
    _cn_work "$@"
    _cn_judge "$1"
    _cn_over=$1
    _cn_end "$1"
  else
    _cn_well=
    _cn_end "$1"
  fi
}
_cn_free() {
  _cn_work "$@"
  _cn_judge "$1"
  _cn_end "$1"
}
# BYTES: the checksum of stdin goes into _cn_x. With openssl, where it is, large ones go faster.
_cn_digest() {
  case $1 in
  ????????*) command -v openssl >/dev/null && _cn_x=$(openssl dgst -sha256 -r 2>/dev/null) || _cn_x=$(sha256sum) ;;
  *) _cn_x=$(sha256sum) ;;
  esac
  _cn_x=${_cn_x%% *}
}
# ID SHA256 SIZE end-ID: takes a file that comes as our stdin, from where it was left off. Arithmetic is
# not for its size: mksh's ends at 2 GiB.
_cn_take() {
  case $#:${4-} in "4:end-$1") ;; *) exit 91 ;; esac
  _cn_f=$_cn_dir/u-$2.$1
  _cn_p=$_cn_f.$$
  if _cn_se=$({ umask 077 && _cn_mkdir "$_cn_dir" && : >"$_cn_p"; } 2>&1); then
    # What another shell has got of it, which may still be writing.
    for _cn_o in "$_cn_f".*; do
      case $_cn_o in "$_cn_p") continue ;; esac
      if kill -0 "${_cn_o##*.}" 2>/dev/null; then
        cat <"$_cn_o" >"$_cn_p"
        rm -f -- "$_cn_o"
      else
        mv -f -- "$_cn_o" "$_cn_p"
      fi
    done 2>/dev/null
    _cn_i=$(wc -c <"$_cn_p")
    _cn_i=${_cn_i##* }
    _cn_l=$3
    case $_cn_i in
    0) ;;
    *)
      if [ "$(expr "$_cn_i" \> "$3")" = 1 ]; then
        : >"$_cn_p"
        _cn_i=0
      else
        # shellcheck disable=SC2003
        _cn_l=$(expr "$3" - "$_cn_i")
      fi
      ;;
    esac
    _cn_mark "G $1 $_cn_i"
    _cn_se=$(head -c "$_cn_l" 2>&1 >>"$_cn_p")
    _cn_i=$(wc -c <"$_cn_p")
    _cn_i=${_cn_i##* }
    if [ "$_cn_i" != "$3" ]; then
      # Without a word of head the line is broken: another shell continues from here.
      case $_cn_se in '') ;; *) rm -f -- "$_cn_p" ;; esac
      _cn_refuse "the file cannot be written to $_cn_dir: ${_cn_se:-only $_cn_i of $3 bytes were written}"
      _cn_end "$1"
      exit 92 # what is still to come of it is not a command
    fi
    case $2 in
    t*) _cn_x=$2 ;; # an archive: the size was right, and apply compares what is in it
    *) _cn_digest "$3" <"$_cn_p" ;;
    esac
    if [ "$_cn_x" = "$2" ]; then
      mv -f -- "$_cn_p" "$_cn_f"
    else
      rm -f -- "$_cn_p"
      case $_cn_x in
      '') _cn_refuse "the checksum of the file cannot be computed: is sha256sum installed?" ;;
      *) _cn_refuse "the host received other bytes than expected: was the file changed here since the run began?" ;;
      esac
    fi
  else
    _cn_refuse "nothing can be written to $_cn_dir: $_cn_se"
  fi
  _cn_end "$1"
}
# ID OFFSET SIZE PATH end-ID: gives the first SIZE bytes of a file away, from OFFSET on. SIZE is `-` where none was
# agreed on yet: then it is what the file has now. A log grows meanwhile, and may be renamed: it is opened once for all.
_cn_give() {
  case $#:${5-} in "5:end-$1") ;; *) exit 91 ;; esac
  case $4 in \~/*) set -- "$1" "$2" "$3" "${HOME%/}/${4#??}" "$5" ;; esac
  if [ -f "$4" ] && [ -r "$4" ]; then
    {
      _cn_i=$3
      case $3 in
      -)
        _cn_i=$(wc -c <"$4")
        _cn_i=${_cn_i##* }
        ;;
      esac
      _cn_mark "H $1 $_cn_i"
      # shellcheck disable=SC2003
      case $2 in
      0) head -c "$_cn_i" <&3 ;;
      *) tail -c "+$(expr "$2" + 1)" <&3 | head -c "$(expr "$_cn_i" - "$2")" ;;
      esac
      _cn_x=$(head -c "$_cn_i" <&4 | { _cn_digest "$_cn_i" && _cn_put "$_cn_x"; })
      _cn_mark "h $1 $_cn_x"
    } 3<"$4" 4<"$4"
  else
    _cn_refuse "$4 cannot be read"
  fi
  _cn_end "$1"
}
# Where the next task follows on the same line (_cn_m), the end of one is said in one breath with the
# beginning of the next: _cn_lo and _cn_le hold it until then.
_cn_m=
_cn_lo=
_cn_le=
_cn_over=
_cn_end() {
  _cn_lo="$_cn_lo${_cn_tail-}$_cn_r$_cn_n E $1 out$nl"
  _cn_le="$_cn_le$_cn_r$_cn_n E $1 err$nl"
  _cn_tail=
  case $_cn_m in '') _cn_flush ;; esac
}
_cn_flush() {
  case $_cn_lo in '') return ;; esac
  _cn_put "$_cn_lo"
  _cn_put "$_cn_le" >&2
  _cn_lo=
  _cn_le=
  case $_cn_over in '') return ;; esac
  _cn_put "ended$nl" >>"$_cn_dir/t-$_cn_over"
  _cn_over=
}
_cn_work() {
  case $3 in
  0) ;;
  *)
    _cn_watch "$3" "$1" </dev/null >/dev/null 2>&1 &
    _cn_w=$!
    ;;
  esac
  case $2:${6:+c}${7:+a}:$4 in
  apply:a:none) # one stage alone, as most are: one subshell does for it, and its end is one write
    case $5 in
    '')
      _cn_x="$_cn_r$_cn_n S $1$nl$_cn_r$_cn_n B apply$nl"
      _cn_lo=$_cn_lo$_cn_x
      _cn_le=$_cn_le$_cn_x
      _cn_flush
      ;;
    *) _cn_flush ;;
    esac
    (
      case $5 in
      '') ;;
      *)
        eval "$5"
        _cn_put "$_cn_r$_cn_n S $1$nl$_cn_r$_cn_n B apply$nl"
        _cn_put "$_cn_r$_cn_n S $1$nl$_cn_r$_cn_n B apply$nl" >&2
        ;;
      esac
      _cn_s=apply _cn_t=$7
      set --
      set -eu
      eval "$_cn_t"
    ) </dev/null 9<&-
    _cn_z=$?
    _cn_tail="$_cn_r$_cn_n X apply $_cn_z$nl"
    ;;
  *)
    _cn_flush
    (
      eval "$5"
      _cn_steps "$@"
    ) </dev/null 9<&-
    _cn_z=$?
    ;;
  esac
  case $3 in 0) ;; *) { kill -KILL "$_cn_w" && wait "$_cn_w"; } 2>/dev/null ;; esac
}
)SH";

namespace {

// Without comments and indentation: a third less to send, and to read byte by byte. No line of the
// text is part of a quoted word or a here-document but in its first column.
std::string without_comments() {
  std::string out;
  std::string_view rest = kPrelude;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (line.empty() || line.front() == '#') continue;
    out.append(line) += '\n';
  }
  return out;
}

}  // namespace

std::string_view prelude_source() { return kPrelude; }

std::string_view prelude_text() {
  static const std::string text = without_comments();
  return text;
}

}  // namespace cnplay::remote
