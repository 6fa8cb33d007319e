"""The upgrade to another release of Debian. The fleet's repository gets one that it calls trixie: a base-files of its own, which
says so in os-release, and newer packages. So what apt does is real, and the release is small."""
import os
import subprocess
import tempfile
from pathlib import Path

import by_hand
import harness
from fleet_checks import expect, fleet, inside, true

FLEET_DIR = Path(os.environ.get("CNPLAY_FLEET_DIR", "/var/tmp/cnplay-fleet"))
MAKE = r"""
set -e
mkdir -p tree/DEBIAN tree/usr/lib tree/etc
printf '%s\n' 'Package: base-files' 'Version: 99' 'Architecture: amd64' 'Essential: yes' 'Maintainer: T <t@example.org>' 'Description: a test' > tree/DEBIAN/control
printf '%s\n' 'ID=debian' 'VERSION_CODENAME=trixie' 'VERSION_ID="13"' > tree/usr/lib/os-release
ln -s ../usr/lib/os-release tree/etc/os-release
mkdir -p "$www/pool/trixie"
dpkg-deb --root-owner-group --build tree "$www/pool/trixie/base-files_99_amd64.deb" > /dev/null
cp "$debs"/coral-tool_1.1_all.deb "$debs"/coral-data_1.1_all.deb "$www/pool/trixie/"
release=$www/dists/trixie
mkdir -p "$release/main/binary-amd64"
(cd "$www" && apt-ftparchive packages pool/trixie) > "$release/main/binary-amd64/Packages"
apt-ftparchive -o APT::FTPArchive::Release::Suite=trixie -o APT::FTPArchive::Release::Codename=trixie \
  -o "APT::FTPArchive::Release::Architectures=amd64 all" -o APT::FTPArchive::Release::Components=main release "$release" > Release
mv Release "$release/Release"
cp -a "$gpg/." gpg
chmod 700 gpg
GNUPGHOME=$PWD/gpg gpg --batch --quiet --yes --clearsign --output "$release/InRelease" "$release/Release"
GNUPGHOME=$PWD/gpg gpgconf --kill all
"""


def publish_trixie():
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="cn") as temp:
        image = (FLEET_DIR / "image").read_text(encoding="utf-8").strip()
        subprocess.run(["sh", "-c", MAKE], cwd=temp, check=True,
                       env={**os.environ, "www": str(FLEET_DIR / "www/apt"), "debs": f"{image}/debs", "gpg": str(FLEET_DIR / "gpg/coral")})


def release(shell):
    place = harness.Place("web1", "root", shell)
    run = place.run
    to = {"to": "trixie", "free": 1000}
    sources = inside("web1", "cat", "/etc/apt/sources.list")
    expect(harness.Place("web1", "ubuntu", shell).run("release.upgrade", **to), "failed", "write `as root`")
    result = expect(run("release.upgrade", "check", **to), "would_change", "bookworm -> trixie")
    true(result.facts == {"before": "bookworm"}, result.facts)
    expect(run("release.upgrade", to="bookworm", free=1), "ok")
    expect(run("release.upgrade", to="forky", free=1), "failed", "after bookworm comes trixie, not forky")
    expect(run("release.upgrade", to="13", free=1), "failed", "not the codename of a release")
    expect(run("release.upgrade", to="trixie", free=10**15), "failed", "MiB are needed")
    inside("web1", "apt-mark", "hold", "coral-tool")
    expect(run("release.upgrade", **to), "failed", "packages are held back: coral-tool")
    inside("web1", "apt-mark", "unhold", "coral-tool")
    # There is no such release yet.
    expect(run("release.upgrade", **to), "failed", "apt rejects the sources of trixie, and they are as they were")
    true(inside("web1", "cat", "/etc/apt/sources.list") == sources, "the sources are others")
    publish_trixie()
    expect(run("release.upgrade", **to), "changed", "bookworm -> trixie")
    expect(run("release.upgrade", **to), "ok")
    true("trixie main" in inside("web1", "cat", "/etc/apt/sources.list"), "the sources")
    shown = inside("web1", "dpkg-query", "-W", "-f", "${Package} ${Version}\n", "coral-tool", "base-files")
    true(shown == "base-files 99\ncoral-tool 1.1\n", shown)
    true(inside("web1", "sh", "-c", "ls /var/lib/cnplay; dpkg --audit") == "", "something is left")
    other = harness.Place("web2", "root", shell)
    by_hand.typed(other, "release.upgrade", to="trixie")
    expect(other.run("release.upgrade", **to), "ok")
    fleet("publish", "apt-1.0")
