# shellcheck shell=bash
# Starting, stopping and resetting the running fleet. Sourced by fleet/fleet.

namespace_of() { echo "cnplay-$1"; }
host_dir() { echo "$fleet_dir/hosts/$1"; }
up_hosts() { cat "$fleet_dir/up" 2>/dev/null; }

need_up() {
  [ -e "$fleet_dir/up" ] || die "no fleet is up in $fleet_dir" "start it: $0 up"
}

need_host() { # HOST
  need_up
  grep -qxF -- "$1" <(tr ' ' '\n' < "$fleet_dir/up") ||
    die "no host '$1' in the running fleet" "its hosts are: $(up_hosts)"
}

leader_of() { # HOST: pid of the first process inside, waiting a little, as a host may be rebooting
  local pid child i
  for ((i = 0; i < 100; i++)); do
    if pid=$(recorded_pid "$(host_dir "$1")/nspawn.pid"); then
      read -r child _ < "/proc/$pid/task/$pid/children" 2>/dev/null || true
      # Before it has become systemd it is not inside yet.
      if [ -n "${child:-}" ] && [ "$(cat "/proc/$child/comm" 2>/dev/null)" = systemd ]; then
        echo "$child"
        return 0
      fi
    fi
    recorded_pid "$(host_dir "$1")/loop.pid" >/dev/null || break
    sleep 0.1
  done
  return 1
}

inside() { # HOST USER COMMAND...
  local leader
  leader=$(leader_of "$1") || die "host $1 is not running" \
    "start it: $0 start $1; its console is in $(host_dir "$1")/console.log"
  # setpriv changes user as login would, without PAM or a shell of the user's that may not run commands.
  # shellcheck disable=SC2016  # for the inner shell
  nsenter --target "$leader" --mount --uts --ipc --net --pid -- \
    /usr/bin/setpriv --reuid="$2" --regid="$2" --init-groups --reset-env \
    /usr/bin/env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    /bin/sh -c 'cd "$HOME" 2>/dev/null || cd /; exec "$@"' sh "${@:3}"
}

# --- what is published ------------------------------------------------------------------------------

publish_site() { # VERSION
  local remote=$fleet_dir/remote/coralnet.git
  git -C "$remote" rev-parse --quiet --verify "refs/fleet/$1" >/dev/null ||
    die "no version '$1' of the site" "there are: $(git -C "$remote" for-each-ref --format='%(refname:lstrip=2)' refs/fleet | tr '\n' ' ')"
  git -C "$remote" update-ref refs/heads/master "refs/fleet/$1"
}

with_gpg() { # HOME COMMAND...: the agent's socket wants a short path, and the agent is not left behind
  local short code=0
  short=$(mktemp -d /tmp/cnfleet.XXXXXX)
  cp -a "$1/." "$short/"
  GNUPGHOME=$short "${@:2}" || code=$?
  GNUPGHOME=$short gpgconf --kill all
  rm -rf "$short/"S.*
  cp -a "$short/." "$1/"
  rm -rf "$short"
  return "$code"
}

make_key() { # HOME NAME
  mkdir -p -m 700 "$1"
  with_gpg "$1" gpg --batch --quiet --pinentry-mode loopback --passphrase '' \
    --quick-generate-key "$2" ed25519 sign never 2>/dev/null ||
    die "gpg could not make the key '$2'" "see that gpg works here and that /tmp has space"
}

# A signed repository of the packages given; it takes the old one's place in one step.
make_apt_repository() { # DIR COMPONENT GPG-HOME ORIGIN DEB...
  local dir=$1 component=$2 gpg=$3 origin=$4 new=$1.new release now
  shift 4
  rm -rf "$new"
  mkdir -p "$new/pool/$component" "$new/dists/bookworm/$component/binary-amd64"
  cp "$@" "$new/pool/$component/"
  release=$new/dists/bookworm
  (cd "$new" && apt-ftparchive packages "pool/$component") > "$release/$component/binary-amd64/Packages"
  gzip -k -n "$release/$component/binary-amd64/Packages"
  apt-ftparchive -o "APT::FTPArchive::Release::Origin=$origin" -o "APT::FTPArchive::Release::Label=$origin" \
    -o APT::FTPArchive::Release::Suite=bookworm -o APT::FTPArchive::Release::Codename=bookworm \
    -o "APT::FTPArchive::Release::Architectures=amd64 all" \
    -o "APT::FTPArchive::Release::Components=$component" release "$release" > "$new/Release"
  # apt ignores a list that is not newer than the one it has: the date always moves on.
  now=$(date +%s)
  if [ -e "$fleet_dir/apt-date" ] && [ "$now" -le "$(cat "$fleet_dir/apt-date")" ]; then
    now=$(($(cat "$fleet_dir/apt-date") + 1))
  fi
  echo "$now" > "$fleet_dir/apt-date"
  sed -i "s/^Date: .*/Date: $(LC_ALL=C date -u -d "@$now" '+%a, %d %b %Y %H:%M:%S +0000')/" "$new/Release"
  mv "$new/Release" "$release/Release"
  with_gpg "$gpg" gpg --batch --quiet --yes --clearsign --output "$release/InRelease" "$release/Release"
  with_gpg "$gpg" gpg --batch --quiet --yes --detach-sign --armor --output "$release/Release.gpg" "$release/Release"
  rm -rf "$dir.old"
  [ ! -d "$dir" ] || mv "$dir" "$dir.old"
  mv "$new" "$dir"
  rm -rf "$dir.old"
}

publish_apt() { # 1.0, 1.1 or broken
  local debs
  debs=$(image_in_use)/debs
  local files=("$debs"/coral-{extra,broken}_1.0_all.deb)
  case $1 in
    1.0) files+=("$debs"/coral-{tool,data}_1.0_all.deb) ;;
    1.1) files+=("$debs"/coral-{tool,data}_1.1_all.deb) ;;
    broken) files+=("$debs"/coral-tool_1.2_all.deb "$debs"/coral-data_1.1_all.deb) ;;
    *) die "no version '$1' of the apt repository" "there are: apt-1.0 apt-1.1 apt-broken" ;;
  esac
  make_apt_repository "$fleet_dir/www/apt" main "$fleet_dir/gpg/coral" Coral "${files[@]}"
  echo "$1" > "$fleet_dir/published-apt"
}

image_in_use() { cat "$fleet_dir/image"; }

# --- stopping ----------------------------------------------------------------------------------------

stop_host() { # HOST DIR: at once, as a power cut does; its files stay
  local dir=$2 pid child i
  [ -d "$dir" ] || return 0
  touch "$dir/stop"
  if pid=$(recorded_pid "$dir/nspawn.pid"); then
    # Its first process takes the whole host with it; then nspawn ends by itself.
    for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null || true); do
      kill -KILL "$child" 2>/dev/null || true
    done
    for ((i = 0; i < 60; i++)); do
      recorded_pid "$dir/nspawn.pid" >/dev/null || break
      sleep 0.05
    done
    stop_recorded "$dir/nspawn.pid" KILL
  fi
  rm -f "$dir/nspawn.pid"
  stop_recorded "$dir/loop.pid" TERM
  clear_cgroup "$1"
  rmdir "/run/systemd/nspawn/propagate/$1" 2>/dev/null || true
}

clear_cgroup() { # HOST: whatever is still in the host's control groups is ours and goes
  local top group pid i
  for top in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do
    group=$top/$cgroup_name/$1
    [ -d "$group" ] || continue
    for ((i = 0; i < 40; i++)); do
      while read -r pid; do
        [ "$pid" = 0 ] || kill -KILL "$pid" 2>/dev/null || true
      done < <(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null)
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ -d "$group" ] || break
      sleep 0.05
    done
    rmdir "$top/$cgroup_name" 2>/dev/null || true
  done
}

unmount_under() { # DIR
  local path
  # The last mounted first; blanks are written \040 in mountinfo.
  while read -r path; do
    umount "$path" 2>/dev/null || umount --lazy "$path" ||
      die "cannot unmount $path" "see who uses it: fuser -vm $path"
  done < <(awk '{ print $5 }' /proc/self/mountinfo | sed 's/\\040/ /g' | awk -v d="$1/" 'index($0, d) == 1' | tac)
}

tear_down() { # removes all that an `up` made, whole or interrupted, of this or an earlier boot
  local dir path name jobs=()
  for dir in "$fleet_dir"/hosts/*/; do
    [ -d "$dir" ] || continue
    name=$(basename "$dir")
    stop_host "$name" "${dir%/}" &
    jobs+=($!)
  done
  for path in "$fleet_dir"/*.pid; do
    [ -e "$path" ] && stop_recorded "$path" TERM
  done
  [ "${#jobs[@]}" -eq 0 ] || wait "${jobs[@]}"
  for path in /sys/fs/cgroup/{systemd/,unified/,}"$cgroup_name"/*/; do
    [ -d "$path" ] && clear_cgroup "$(basename "$path")"
  done
  rmdir /sys/fs/cgroup/{systemd/,unified/,}"$cgroup_name" 2>/dev/null || true
  unmount_under "$fleet_dir"
  for path in /run/netns/cnplay-*; do
    [ -e "$path" ] && ip netns delete "$(basename "$path")"
  done
  # Removing a namespace removes its links, but a moment later: then they are gone by themselves.
  for path in /sys/class/net/cnp-*; do
    [ ! -e "$path" ] || ip link delete "$(basename "$path")" 2>/dev/null || true
  done
  [ ! -e "/sys/class/net/$bridge" ] || ip link delete "$bridge"
  if [ -d "$fleet_dir" ]; then
    find "$fleet_dir" -xdev -mindepth 1 -delete
    rmdir "$fleet_dir" 2>/dev/null || mountpoint --quiet "$fleet_dir"
  fi
}

# A directory that is not a fleet's is never emptied, whatever CNPLAY_FLEET_DIR says.
check_fleet_dir() {
  case $fleet_dir in
    /*) ;;
    *) die "CNPLAY_FLEET_DIR=$fleet_dir is no absolute path" "give one that begins with /" ;;
  esac
  case $fleet_dir in
    *[!A-Za-z0-9._/-]*) die "CNPLAY_FLEET_DIR=$fleet_dir has characters that mount options and ssh do not bear" \
      "use letters, digits and . _ / - only" ;;
  esac
  if [ -d "$fleet_dir" ] && [ ! -e "$fleet_dir/.fleet" ] && [ -n "$(ls -A "$fleet_dir")" ]; then
    die "$fleet_dir holds something that is not a fleet" "move it away, or name another place in CNPLAY_FLEET_DIR"
  fi
  local owner
  owner=$(sed -n 's/^fleet //p' "/sys/class/net/$bridge/ifalias" 2>/dev/null || true)
  if [ -n "$owner" ] && [ "$owner" != "$fleet_dir" ] && [ -e "$owner/.fleet" ]; then
    die "another fleet is up, in $owner; a machine has one (its addresses are fixed)" \
      "use it with CNPLAY_FLEET_DIR=$owner, or stop it: CNPLAY_FLEET_DIR=$owner $0 down"
  fi
}

# --- starting ----------------------------------------------------------------------------------------

make_network() { # HOSTS...
  local host namespace
  if ip -o -4 address show to "$network.0/24" | grep -qv " $bridge "; then
    die "this machine already has an address in $network.0/24: $(ip -o -4 address show to "$network.0/24" | awk '{ print $2, $4 }')" \
      "the fleet needs that range: take the address off, or run it on another machine"
  fi
  ip link add "$bridge" type bridge
  ip link set "$bridge" alias "fleet $fleet_dir"
  ip address add "$controller/24" dev "$bridge"
  ip link set "$bridge" up
  for host in "$@"; do
    namespace=$(namespace_of "$host")
    ip netns add "$namespace"
    ip link add "cnp-$host" type veth peer name host0 netns "$namespace"
    ip link set "cnp-$host" master "$bridge" up
    ip -n "$namespace" link set lo up
    ip -n "$namespace" address add "$(address_of "$host")/24" dev host0
    ip -n "$namespace" link set host0 up
  done
}

# The host's own files, as a layer between the image and what it writes: they outlive `reset --fresh`.
make_seed() { # HOST HOSTS...
  local host=$1 dir seed name uid shell kind other services
  shift
  dir=$(host_dir "$host")
  seed=$dir/seed
  mkdir -p "$dir"/{upper,work,root} "$seed"/etc/{ssh,apt/keyrings,systemd/system/multi-user.target.wants} "$seed/home"
  echo "$host" > "$seed/etc/hostname"
  tr -d '-' < /proc/sys/kernel/random/uuid > "$seed/etc/machine-id"
  {
    echo '127.0.0.1 localhost'
    echo '::1 localhost'
    echo "$controller controller"
    for other in "$@"; do echo "$(address_of "$other") $other"; done
    echo "$(address_of "$(database_of "$host" "$@")") database"
  } > "$seed/etc/hosts"
  for kind in ed25519 ecdsa; do
    ssh-keygen -q -t "$kind" -N '' -C "root@$host" -f "$seed/etc/ssh/ssh_host_${kind}_key"
    awk -v names="$host,$(address_of "$host")" '{ print names, $1, $2 }' \
      "$seed/etc/ssh/ssh_host_${kind}_key.pub" >> "$fleet_dir/known_hosts"
  done
  while IFS=: read -r name uid shell; do
    case $name in '#'* | '') continue ;; esac
    install -d -m 755 -o "$uid" -g "$uid" "$seed/home/$name"
    install -d -m 700 -o "$uid" -g "$uid" "$seed/home/$name/.ssh"
    install -m 600 -o "$uid" -g "$uid" "$fleet_dir/id_ed25519.pub" "$seed/home/$name/.ssh/authorized_keys"
  done < "$here/image/users"
  cp "$fleet_dir/www/coral.gpg" "$seed/etc/apt/keyrings/coral.gpg"
  case $(role_of "$host") in
    web) services='nginx supervisor' ;;
    db) services='postgresql redis-server' ;;
  esac
  for name in $services; do
    ln -s "/lib/systemd/system/$name.service" "$seed/etc/systemd/system/multi-user.target.wants/$name.service"
  done
}

start_host() { # HOST
  local dir
  dir=$(host_dir "$1")
  rm -f "$dir/stop"
  grep -qF " $dir/root " /proc/self/mountinfo ||
    mount -t overlay overlay -o "lowerdir=$dir/seed:$(image_in_use)/upper:$(cat "$fleet_dir/base"),upperdir=$dir/upper,workdir=$dir/work" "$dir/root" ||
    die "cannot mount the overlay of $1 on $dir/root" "see dmesg; the file system of $fleet_dir must bear overlayfs (ext4 or xfs do)"
  spawn "$dir/loop.pid" "$dir/console.log" \
    "$here/lib/host_loop" "$1" "$dir" "$(namespace_of "$1")" "$cgroup_name"
}

await_hosts() { # SECONDS HOSTS...
  local seconds=$1 host targets=()
  shift
  for host in "$@"; do
    targets+=("$host:$(address_of "$host"):ssh")
    [ "$(role_of "$host")" = db ] || targets+=("$host:$(address_of "$host"):http")
  done
  python3 "$here/lib/wait_ready.py" "$seconds" "${targets[@]}" ||
    die "the hosts above did not answer in $seconds s" "their consoles are in $fleet_dir/hosts/*/console.log; '$0 exec HOST journalctl -b' shows more"
}

on_host() { # HOST MODE: runs lib/reset_host inside
  inside "$1" root bash -s "$2" "$(role_of "$1")" < "$here/lib/reset_host"
}

note_programs() { # HOSTS...: waits for the programs of the site and notes their pids, for reset
  local host jobs=() failed=0 job
  for host in "$@"; do
    on_host "$host" record &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  [ "$failed" -eq 0 ] || die "not all programs of the site run, see above" \
    "their logs are in /srv/www/log of the host: $0 exec HOST tail /srv/www/log/*.log"
}

is_up() { # HOSTS...: the same hosts, from the same image, all running
  local host
  [ "$(up_hosts)" = "$*" ] && [ "$(image_in_use)" = "$(image_path)" ] || return 1
  [ -e "/sys/class/net/$bridge" ] || return 1
  recorded_pid "$fleet_dir/www.pid" >/dev/null && recorded_pid "$fleet_dir/git.pid" >/dev/null || return 1
  for host in "$@"; do
    recorded_pid "$(host_dir "$host")/loop.pid" >/dev/null || return 1
  done
}

bring_up() { # HOSTS...
  local start=$EPOCHREALTIME host vendor image
  image=$(image_path)
  need_tools ip nsenter systemd-nspawn gpg apt-ftparchive ssh-keygen git python3 setsid awk
  if is_up "$@"; then
    await_hosts 60 "$@"
    say "already up: $*"
    return 0
  fi
  if [ -e "$fleet_dir/.fleet" ] || [ -e "/sys/class/net/$bridge" ]; then
    say "clearing away what an earlier fleet left"
    tear_down
  fi
  mkdir -p "$fleet_dir/hosts" "$fleet_dir/gpg" "$fleet_dir/www/nginx/packages"
  touch "$fleet_dir/.fleet"
  chmod 755 "$fleet_dir"
  chmod 700 "$fleet_dir/gpg"
  echo "$image" > "$fleet_dir/image"
  base_path > "$fleet_dir/base"

  say "making keys, package repositories and the git remote"
  ssh-keygen -q -t ed25519 -N '' -C fleet -f "$fleet_dir/id_ed25519"
  make_key "$fleet_dir/gpg/coral" 'Coral Archive <archive@example.org>'
  make_key "$fleet_dir/gpg/vendor" 'nginx Vendor Signing Key <signing-key@example.org>'
  with_gpg "$fleet_dir/gpg/coral" gpg --batch --export > "$fleet_dir/www/coral.gpg"
  with_gpg "$fleet_dir/gpg/vendor" gpg --batch --armor --export > "$fleet_dir/www/nginx/nginx_signing.key"
  cp -R "$image/remote" "$fleet_dir/remote"
  cp -R "$image/simple" "$fleet_dir/www/simple"
  publish_apt 1.0
  vendor=$fleet_dir/www/nginx/packages/debian
  make_apt_repository "$vendor" nginx "$fleet_dir/gpg/vendor" nginx "$image"/vendor/*.deb

  say "starting the network and its servers on $controller"
  make_network "$@"
  spawn "$fleet_dir/www.pid" "$fleet_dir/www.log" \
    python3 "$here/lib/serve.py" "$controller" "$www_port" "$fleet_dir/www"
  spawn "$fleet_dir/git.pid" "$fleet_dir/git.log" \
    env -u GIT_DIR HOME=/nonexistent "$(git --exec-path)/git-daemon" --listen="$controller" --port="$git_port" --reuseaddr \
    --base-path="$fleet_dir/remote" --informative-errors "$fleet_dir/remote"

  say "starting $*"
  : > "$fleet_dir/known_hosts"
  for host in "$@"; do make_seed "$host" "$@"; done
  for host in "$@"; do start_host "$host"; done
  await_hosts 120 "$@"
  echo "$*" > "$fleet_dir/up"
  note_programs "$@"
  say "up ($(seconds_since "$start")): $*"
}

start_afresh() { # HOST: from an untouched file system; its keys are in the seed, and stay
  local dir
  dir=$(host_dir "$1")
  stop_host "$1" "$dir"
  unmount_under "$dir"
  rm -rf --one-file-system "${dir:?}"/{upper,work}
  mkdir "$dir"/{upper,work}
  start_host "$1"
}

# In place, a host is back in about a second if no program has to be restarted. Where that does not
# do (other packages, not running, anything that fails), it is started afresh, which always does.
reset_one() { # HOST "" or --fresh
  ip link set "cnp-$1" up
  if [ "$2" != --fresh ] && recorded_pid "$(host_dir "$1")/nspawn.pid" >/dev/null &&
    (on_host "$1" reset) >> "$fleet_dir/reset.log" 2>&1; then
    return 0
  fi
  start_afresh "$1"
  touch "$(host_dir "$1")/fresh"
}

reset_fleet() { # "" or --fresh
  local start=$EPOCHREALTIME host hosts fresh=() jobs=() job failed=0
  need_up
  read -r -a hosts < "$fleet_dir/up"
  publish_site v1
  [ "$(cat "$fleet_dir/published-apt")" = 1.0 ] || publish_apt 1.0
  : > "$fleet_dir/reset.log"
  rm -f "$fleet_dir"/hosts/*/fresh
  for host in "${hosts[@]}"; do
    reset_one "$host" "$1" &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  [ "$failed" -eq 0 ] || die "a host could not be started afresh, see above" "start over: $0 down && $0 up"
  await_hosts 120 "${hosts[@]}"
  for host in "${hosts[@]}"; do
    [ ! -e "$(host_dir "$host")/fresh" ] || fresh+=("$host")
  done
  [ "${#fresh[@]}" -eq 0 ] || note_programs "${fresh[@]}"
  say "reset to version 1 ($(seconds_since "$start"))${fresh[*]:+; started afresh: ${fresh[*]}}"
}
