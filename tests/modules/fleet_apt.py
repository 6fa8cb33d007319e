"""apt beside another apt, with packages of several architectures, virtual ones, and ones that leave a daemon behind."""
import subprocess
import time

import by_hand
import harness
from fleet_checks import FLEET, expect, inside, true

# Makes /srv/own, a repository without signatures: NAME VERSION ARCHITECTURE FIELDS POSTINST, each a word.
MAKE = r"""
set -e
rm -rf /srv/own; mkdir -p /srv/own; cd /srv/own
deb() {
  mkdir -p b/DEBIAN
  printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: t <t@t>\nDescription: t\n%b' "$1" "$2" "$3" "$4" > b/DEBIAN/control
  printf '#!/bin/sh\n[ "$1" = configure ] || exit 0\n%s\n' "$5" > b/DEBIAN/postinst
  chmod 755 b/DEBIAN/postinst
  dpkg-deb --root-owner-group -b b "$1_$2_$3.deb" >/dev/null
  { dpkg-deb -f "$1_$2_$3.deb"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$1_$2_$3.deb" "$(stat -c %s "$1_$2_$3.deb")" "$(sha256sum "$1_$2_$3.deb" | cut -d ' ' -f 1)"
  } >> Packages
  rm -rf b
}
deb t-daemon 1.0 all '' 'sleep 300 & echo the daemon is started'
deb t-slow 1.0 all '' 'until [ -e /srv/own/go ]; do sleep 0.2; done'
deb t-slow 1.1 all '' ''
deb t-both 1.0 amd64 'Multi-Arch: same\n' ''
deb t-both 1.0 i386 'Multi-Arch: same\n' ''
deb t-both 1.1 amd64 'Multi-Arch: same\n' ''
deb t-both 1.1 i386 'Multi-Arch: same\n' ''
deb t-one 1.0 all 'Provides: t-some, t-any (= 1)\n' ''
deb t-one 1.1 all 'Provides: t-some, t-any (= 1)\n' ''
deb t-two 1.0 all 'Provides: t-some\n' ''
echo 'deb [trusted=yes] file:/srv/own ./' > /etc/apt/sources.list.d/own.list
dpkg --add-architecture i386
apt-get -q -o Acquire::Languages=none update >/dev/null 2>&1 || :
"""


def version(package):
    return inside("web1", "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}\n", package)


def apt_others(shell):
    run = harness.Place("web1", "root", shell).run
    inside("web1", "sh", "-c", MAKE)
    # Without `upgrade` what is installed is left: for two architectures, and as another package that provides it.
    inside("web1", "apt-get", "-q", "-y", "install", "t-both=1.0", "t-both:i386=1.0", "t-one=1.0")
    true(version("t-both") == "installed 1.0\ninstalled 1.0\n", f"the test itself: {version('t-both')}")
    for name in ("t-both", "t-both:i386", "t-both:amd64", "t-some", "t-any", "t-one", "t-both=1.0"):
        expect(run("apt.install", packages=[name]), "ok", facts={"changes": ""})
    expect(run("apt.install", "check", packages=["t-some"], upgrade=True), "would_change", "t-one 1.0 -> 1.1")
    expect(run("apt.install", packages=["t-any"], upgrade=True), "changed", "t-one 1.0 -> 1.1")
    expect(run("apt.install", packages=["t-any"], upgrade=True), "ok")
    expect(run("apt.install", "check", packages=["t-both"], upgrade=True), "would_change", "t-both 1.0 -> 1.1")
    inside("web1", "dpkg", "--purge", "t-both:amd64", "t-one")
    expect(run("apt.install", "check", packages=["t-both"]), "would_change", "t-both")
    expect(run("apt.install", "check", packages=["t-some"]), "failed", "t-some")
    inside("web1", "dpkg", "--purge", "t-both:i386")

    # A daemon that a package leaves behind keeps its stdout: over when apt-get is.
    begun = time.monotonic()
    result = expect(run("apt.install", packages=["t-daemon"]), "changed", "t-daemon 1.0 (new)")
    true(time.monotonic() - begun < 200 and "the daemon is started" in result.output, f"{time.monotonic() - begun} s: {result.output}")
    true(inside("web1", "pgrep", "-x", "sleep") != "", "the daemon was killed")
    inside("web1", "pkill", "-x", "sleep")

    # Beside another apt, which is configuring a package: waited for, then looked at again.
    def beside(module, outcome, message, go, **values):
        inside("web1", "sh", "-c", "dpkg --purge t-slow; rm -f /srv/own/go")
        other = subprocess.Popen([FLEET, "exec", "web1", "apt-get", "-q", "-y", "install", "t-slow=1.0"], stdout=subprocess.DEVNULL)
        inside("web1", "sh", "-c", "until [ \"$(dpkg-query -W -f '${db:Status-Status}' t-slow 2>/dev/null)\" = half-configured ]; do sleep 0.1; done")
        if go:
            waiter = subprocess.Popen([FLEET, "exec", "web1", "sh", "-c", "until pgrep -f 'DPkg::Lock::[T]imeout'; do sleep 0.1; done; touch /srv/own/go"],
                                      stdout=subprocess.DEVNULL)
        expect(run(module, **values), outcome, message)
        if go:
            waiter.wait()
        inside("web1", "touch", "/srv/own/go")
        other.wait()

    beside("apt.upgrade", "failed", "another apt has held its lock for 1 s", False, lock_wait=1)
    beside("apt.install", "failed", "another apt has held its lock for 1 s", False, packages=["t-slow"], lock_wait=1)
    beside("apt.upgrade", "changed", "configure t-slow", True, lock_wait=300)
    true(version("t-slow") == "installed 1.1\n", version("t-slow"))
    beside("apt.install", "changed", "t-slow", True, packages=["t-slow"], lock_wait=300)
    true(version("t-slow") == "installed 1.0\n", f"upgraded what the other apt has installed: {version('t-slow')}")

    # A dpkg that was interrupted: what it has left is configured.
    inside("web1", "sh", "-c", "dpkg --purge t-slow; dpkg --unpack /srv/own/t-slow_1.0_all.deb; cp /var/lib/dpkg/status /srv/own/s; "
           "printf 'Package: t-daemon\\nStatus: install ok half-configured\\nPriority: optional\\nSection: x\\nMaintainer: t <t@t>\\nArchitecture: all\\n"
           "Version: 1.0\\nConfig-Version: 1.0\\nDescription: t\\n' > /var/lib/dpkg/updates/0001")
    expect(run("apt.upgrade"), "changed", "configure ")
    true(inside("web1", "ls", "/var/lib/dpkg/updates") == "", "dpkg is still interrupted")
    expect(run("apt.upgrade"), "ok")
    inside("web1", "sh", "-c", "pkill -x sleep; dpkg --purge t-slow t-daemon t-two t-one t-both:amd64 t-both:i386; "
           "dpkg --remove-architecture i386; rm -rf /srv/own /etc/apt/sources.list.d/own.list")


def apt_marks(shell):
    """hold, autoremove"""
    run = harness.Place("web1", "root", shell).run
    plain = harness.Place("web1", "ubuntu", shell).run
    expect(plain("apt.hold", packages=["coral-tool"]), "failed", "write `as root`")
    expect(run("apt.hold", "check", packages=["coral-tool", "coral-data"]), "would_change", "hold coral-tool coral-data")
    true(inside("web1", "apt-mark", "showhold") == "", "a dry run changed")
    expect(run("apt.hold", packages=["coral-tool", "coral-data"]), "changed", "hold coral-tool coral-data")
    expect(run("apt.hold", packages=["coral-tool", "coral-data"]), "ok")
    true(inside("web1", "apt-mark", "showhold") == "coral-data\ncoral-tool\n", "holds")
    expect(run("apt.hold", packages=["coral-tool", "coral-extra"], hold=False), "changed", "no longer hold coral-tool")
    expect(run("apt.hold", packages=["coral-data"], hold=False), "changed")
    expect(run("apt.hold", packages=["coral-data"], hold=False), "ok")
    expect(run("apt.hold", packages=["coral-extra"]), "failed", "not installed")
    expect(run("apt.hold", packages=["-x"]), "failed", "not a package")
    expect(run("apt.hold", packages=[]), "failed", "none is named")
    # Their `commands`, as docs prints them.
    root = harness.Place("web1", "root", shell)
    for hold in (True, False):
        by_hand.typed(root, "apt.hold", packages=["coral-tool"], hold=hold)
        expect(run("apt.hold", "check", packages=["coral-tool"], hold=hold), "ok")

    expect(plain("apt.autoremove"), "failed", "write `as root`")
    inside("web1", "apt-mark", "auto", "coral-tool", "coral-data")
    plan = expect(run("apt.autoremove", "check"), "would_change", "remove ")
    true("coral-tool" in plan.facts["removed"] and "coral-data\n" in plan.diff, plan)
    true("installed" in inside("web1", "dpkg-query", "-W", "-f", "${Status}", "coral-tool"), "a dry run removed")
    expect(run("apt.autoremove"), "changed", plan.message)
    expect(run("apt.autoremove"), "ok")
    true("installed" not in inside("web1", "dpkg-query", "-W", "-f", "${Status}", "coral-tool").split(), "coral-tool is there")
    by_hand.typed(root, "apt.autoremove")
