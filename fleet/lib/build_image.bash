# shellcheck shell=bash
# The layer on top of the base: users, services, the site at version 1, and beside it what the
# controller serves (git remote, wheels, packages). Sourced by fleet/fleet.

image_path() {
  echo "$fleet_cache/image-$(echo "$(base_path) $(hash_of image site packages \
    lib/build_image.bash lib/build_wheels.py lib/common.bash)" | sha256sum | cut -c1-16)"
}

# Fixed names and times: the same source gives the same commits.
fleet_git() {
  GIT_AUTHOR_NAME='Coral Web Team' GIT_AUTHOR_EMAIL=web@example.org GIT_AUTHOR_DATE="$1 +0000" \
    GIT_COMMITTER_NAME='Coral Web Team' GIT_COMMITTER_EMAIL=web@example.org GIT_COMMITTER_DATE="$1 +0000" \
    GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null git "${@:2}"
}

build_remote() { # DIR: a bare repository coralnet.git; each version under refs/fleet/, master at v1
  local bare=$1/coralnet.git work=$1/work version i=0
  local -A title=([v1]='Version 1' [v2]='Version 2: reefs by depth' [v3-bad-migration]='Version 3: survey year')
  mkdir -p "$1"
  fleet_git 0 init --quiet --initial-branch=master "$work"
  fleet_git 0 init --quiet --bare --initial-branch=master "$bare"
  for version in v1 v2 v3-bad-migration; do
    cp -R "$here/site/$version/." "$work/"
    find "$work" -name __pycache__ -prune -exec rm -rf {} +
    fleet_git 0 -C "$work" add -A
    fleet_git "$((1600000000 + 86400 * i))" -C "$work" commit --quiet -m "${title[$version]}"
    fleet_git 0 -C "$work" push --quiet "$bare" "HEAD:refs/fleet/$version"
    i=$((i + 1))
  done
  fleet_git 0 -C "$bare" update-ref refs/heads/master refs/fleet/v1
  touch "$bare/git-daemon-export-ok"
  rm -rf "$work"
}

build_deb() { # OUT NAME VERSION DEPENDS POSTINST
  local tree
  tree=$(mktemp -d)
  mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/usr/share/$2"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Coral Web Team <web@example.org>\n' "$2" "$3"
    [ -z "$4" ] || echo "Depends: $4"
    printf 'Section: misc\nPriority: optional\nDescription: %s of the fleet\n A small package to install, upgrade and break.\n' "$2"
  } > "$tree/DEBIAN/control"
  printf '#!/bin/sh\necho "%s %s"\n' "$2" "$3" > "$tree/usr/bin/$2"
  echo "$3" > "$tree/usr/share/$2/version"
  [ -z "$5" ] || printf '#!/bin/sh\n%s\n' "$5" > "$tree/DEBIAN/postinst"
  chmod -R u=rwX,go=rX "$tree"
  chmod 755 "$tree/usr/bin/$2"
  [ -z "$5" ] || chmod 755 "$tree/DEBIAN/postinst"
  dpkg-deb --root-owner-group -Zgzip --build "$tree" "$1/$2_$3_all.deb" >/dev/null
  rm -rf "$tree"
}

# The vendor's nginx is Debian's with a higher version: it really serves, and nothing is compiled.
build_vendor_nginx() { # OUT
  local deb tree version=1.26.1-1~bookworm
  for deb in "$(base_path)"/var/lib/coral-fleet/debs/nginx*.deb; do
    tree=$(mktemp -d)
    dpkg-deb -R "$deb" "$tree/t"
    sed -i -e "s/^Version: .*/Version: $version/" \
      -e "s/nginx-common (<<[^,]*, nginx-common (>=[^,]*)/nginx-common (= $version)/" \
      "$tree/t/DEBIAN/control"
    dpkg-deb --root-owner-group -Zgzip --build "$tree/t" \
      "$1/$(dpkg-deb -f "$deb" Package)_${version}_$(dpkg-deb -f "$deb" Architecture).deb" >/dev/null
    rm -rf "$tree"
  done
  ls "$1"/nginx_*.deb "$1"/nginx-common_*.deb >/dev/null
}

# Runs in namespaces of its own, so that nothing is left mounted however it ends.
image_chroot() { # BASE IMAGE-TMP
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
  mkdir -p "$2/root/build"
  mount --bind "$2/build" "$2/root/build"
  mount -t proc proc "$2/root/proc"
  mount --rbind /dev "$2/root/dev"
  mount -t tmpfs tmpfs "$2/root/run"
  mount -t tmpfs tmpfs "$2/root/tmp"
  mkdir -p "$2/root/run/postgresql"
  chmod 1777 "$2/root/tmp"
  chroot "$2/root" chown postgres: /run/postgresql
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$2/root" /bin/bash /build/image/setup
}

build_image() {
  local image base start=$EPOCHREALTIME tmp
  image=$(image_path)
  [ -d "$image" ] && return 0
  base=$(base_path)
  need_tools git dpkg-deb unshare python3
  say "building the image: users, services, the site at version 1 (once)"
  stale_builds image "$image"
  tmp=$fleet_cache/image-tmp.$$
  mkdir -p "$tmp"/{upper,work,root,build,debs,vendor}
  build_remote "$tmp/remote"
  python3 "$here/lib/build_wheels.py" "$here/packages" "$tmp/wheels" "$tmp/simple"
  build_deb "$tmp/debs" coral-data 1.0 '' ''
  build_deb "$tmp/debs" coral-data 1.1 '' ''
  build_deb "$tmp/debs" coral-tool 1.0 'coral-data (>= 1.0)' ''
  build_deb "$tmp/debs" coral-tool 1.1 'coral-data (>= 1.1)' ''
  build_deb "$tmp/debs" coral-tool 1.2 'coral-data (>= 1.1)' 'echo "coral-tool: the reef index is damaged" >&2; exit 1'
  build_deb "$tmp/debs" coral-extra 1.0 '' ''
  build_deb "$tmp/debs" coral-broken 1.0 '' 'echo "coral-broken: this package never configures" >&2; exit 1'
  build_vendor_nginx "$tmp/vendor"

  cp -R "$here/image" "$tmp/build/image"
  cp -R "$tmp/remote" "$tmp/wheels" "$tmp/debs" "$tmp/build/"
  printf 'CONTROLLER=%s\nWWW_PORT=%s\nDB=%s\n' "$controller" "$www_port" "$(address_of db1)" > "$tmp/build/settings"
  export -f image_chroot
  if ! unshare --mount --net --pid --fork --kill-child \
    bash -euo pipefail -c 'image_chroot "$@"' image_chroot "$base" "$tmp" > "$tmp/log" 2>&1; then
    tail -n 20 "$tmp/log" >&2
    die "image/setup failed; its last lines are above, the whole is $tmp/log"
  fi
  rmdir "$tmp/upper/build"
  rm -rf "$tmp"/{work,root,build}
  mv "$tmp" "$image"
  say "image built ($(seconds_since "$start")): $image"
}
