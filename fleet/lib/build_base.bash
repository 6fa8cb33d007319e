# shellcheck shell=bash
# The root file system that all hosts lie on: Debian 12 with the packages of image/packages.
# Sourced by fleet/fleet. What is here is part of the base's hash: a change makes a new base.

base_path() { echo "$fleet_cache/base-$(hash_of image/packages lib/build_base.bash lib/debian_sources.py)"; }

build_base() {
  local base start=$EPOCHREALTIME tmp include
  base=$(base_path)
  [ -d "$base" ] && return 0
  need_tools mmdebstrap python3
  say "building the base from Debian's packages (once, about a minute)"
  stale_builds base "$base"
  tmp=$fleet_cache/base-tmp.$$
  mkdir -p "$tmp"
  python3 "$here/lib/debian_sources.py" > "$tmp/sources.list" || exit 1
  include=$(grep -v '^#' "$here/image/packages" | tr -s ' \n' ',' | sed 's/^,//; s/,$//')
  # Debian's own nginx packages are kept: the vendor's are made from them, reset returns to them.
  # shellcheck disable=SC2016  # mmdebstrap's hook has its own $1
  if ! mmdebstrap --quiet --mode=root --variant=minbase --include="$include" \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='force-unsafe-io' \
    --customize-hook='mkdir -p "$1/var/lib/coral-fleet/debs" && cd "$1/var/lib/coral-fleet/debs" && apt-get -q download nginx nginx-common' \
    bookworm "$tmp/root" "$tmp/sources.list" > "$tmp/log" 2>&1; then
    tail -n 20 "$tmp/log" >&2
    die "mmdebstrap could not make the base; its last lines are above, the whole is $tmp/log" \
      "see that 'apt-get update' works here, and that $fleet_cache has 2 GB free; then run it again"
  fi
  mv "$tmp/root" "$base"
  rm -rf "$tmp"
  say "base built ($(seconds_since "$start")): $base"
}
