"""Debian packages, and nginx from its vendor."""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import harness
from fleet_checks import FLEET, expect, fleet, inside, true

FLEET_DIR = Path(os.environ.get("CNPLAY_FLEET_DIR", "/var/tmp/cnplay-fleet"))


def apt(shell):
    run = harness.Place("web1", "root", shell).run
    expect(harness.Place("web1", "ubuntu", shell).run("apt.update"), "failed", "write `as root`")
    expect(run("apt.update", "check"), "would_change", "refresh the package lists")
    expect(run("apt.update"), "changed")
    expect(run("apt.update"), "ok")
    expect(run("apt.upgrade"), "ok")
    fleet("publish", "apt-1.1")
    expect(run("apt.update"), "ok", "min old")
    expect(run("apt.update", max_age=0), "changed")
    plan = expect(run("apt.upgrade", "check"), "would_change", "upgrade coral-data 1.0 -> 1.1, coral-tool 1.0 -> 1.1")
    true(plan.facts["upgraded"] == "coral-data 1.0 -> 1.1\ncoral-tool 1.0 -> 1.1", plan.facts)
    inside("web1", "apt-mark", "hold", "coral-tool")
    plan = expect(run("apt.upgrade", "check"), "would_change", "upgrade coral-data 1.0 -> 1.1", {"kept_back": "coral-tool"})
    inside("web1", "apt-mark", "unhold", "coral-tool")
    expect(run("apt.upgrade"), "changed", "coral-tool 1.0 -> 1.1")
    expect(run("apt.upgrade"), "ok")
    # install
    expect(run("apt.install", packages=["coral-tool"]), "ok")
    expect(run("apt.install", "check", packages=["coral-extra", "coral-tool"]), "would_change", "coral-extra 1.0 (new)")
    expect(run("apt.install", packages=["coral-extra", "coral-tool"]), "changed", "coral-extra 1.0 (new)")
    expect(run("apt.install", packages=["coral-extra", "coral-tool=1.1"]), "ok")
    expect(run("apt.install", packages=["coral-nope"]), "failed", "Unable to locate package coral-nope")
    expect(run("apt.install", packages=["coral-tool=9"]), "failed", "Version '9' for 'coral-tool' was not found")
    expect(run("apt.install", packages=["-o", "x"]), "failed", "not a package")
    expect(run("apt.install", packages=["coral-extra-"]), "failed", "would remove")
    fleet("publish", "apt-1.0")
    expect(run("apt.update", max_age=0), "changed")
    expect(run("apt.install", packages=["coral-tool=1.0"]), "failed", "downgrade: true")
    expect(run("apt.install", packages=["coral-tool=1.0"], downgrade=True), "changed", "coral-tool 1.1 -> 1.0")
    expect(run("apt.install", packages=["coral-tool=1.0"], downgrade=True), "ok")
    fleet("publish", "apt-1.1")
    expect(run("apt.update", max_age=0), "changed")
    expect(run("apt.install", packages=["coral-tool"]), "ok")
    expect(run("apt.install", packages=["coral-tool"], upgrade=True), "changed", "1.0 -> 1.1")
    fleet("publish", "apt-1.0")
    expect(run("apt.update", max_age=0), "changed")
    inside("web1", "apt-mark", "hold", "coral-tool")
    expect(run("apt.install", packages=["coral-tool=1.0"], downgrade=True), "failed", "Held packages")
    inside("web1", "apt-mark", "unhold", "coral-tool")
    # A package that never configures, and the repair of what it left.
    expect(run("apt.install", packages=["coral-broken"]), "failed", "dpkg failed at coral-broken: ")
    plan = expect(run("apt.upgrade", "check"), "would_change", "configure coral-broken")
    expect(run("apt.upgrade"), "failed", "dpkg failed at coral-broken: ")
    inside("web1", "sh", "-c", "printf '#!/bin/sh\\n' > /var/lib/dpkg/info/coral-broken.postinst")
    expect(run("apt.upgrade"), "changed", "configure coral-broken")
    expect(run("apt.upgrade"), "ok")
    fleet("publish", "apt-broken")
    expect(run("apt.update", max_age=0), "changed")
    expect(run("apt.upgrade"), "failed", "dpkg failed at coral-tool: ")
    # Another apt holds the locks.
    holder = subprocess.Popen([FLEET, "exec", "web1", "python3", "-c", "import fcntl, time\n"
                               "file = open('/var/lib/apt/lists/lock', 'w')\n"
                               "fcntl.lockf(file, fcntl.LOCK_EX)\ntime.sleep(8)"])
    time.sleep(1)
    expect(run("apt.update", max_age=0, lock_wait=2), "failed", "another apt has held its lock")
    expect(run("apt.update", max_age=0, lock_wait=60), "changed")
    holder.wait()
    # Sources that cannot be fetched, or are not signed.
    inside("web1", "sh", "-c", "echo 'deb [signed-by=/etc/apt/keyrings/coral.gpg] http://10.77.0.1:1/apt bookworm main' > /etc/apt/sources.list.d/x.list")
    expect(run("apt.update", "check"), "would_change", "the sources or the lists have changed")
    expect(run("apt.update"), "failed", "apt-get update: ")
    inside("web1", "rm", "/etc/apt/sources.list.d/x.list")


def nginx(shell):
    run = harness.Place("web1", "root", shell).run
    base = "http://10.77.0.1:8081/nginx"
    repo = {"name": "nginx", "components": ["nginx"], "url": f"{base}/packages/debian", "key_url": f"{base}/nginx_signing.key"}
    key = subprocess.run(["sh", "-c", f"curl -s {repo['key_url']} | gpg --show-keys --with-colons 2>/dev/null | "
                          "awk -F: '$1 == \"fpr\" { print $10; exit }'"], capture_output=True, text=True, check=False).stdout.strip()
    repo["fingerprints"] = [key]
    expect(run("apt.repository", **{**repo, "fingerprints": []}), "failed", "give its fingerprints")
    expect(run("apt.repository", **{**repo, "fingerprints": ["0" * 40]}), "failed", f"it lacks the key {'0' * 40}, and holds {key}: if")
    expect(run("apt.repository", **{**repo, "fingerprints": ["ABCD1234"]}), "failed", "not 40")
    expect(run("apt.repository", **{**repo, "key_url": f"{base}/none"}), "failed", "cannot be fetched")
    expect(run("apt.repository", **{**repo, "key_url": f"{base}/packages/debian/"}), "failed", "not an OpenPGP key")
    expect(run("apt.repository", "check", **repo), "would_change", f"key {key}, {repo['url']} bookworm nginx")
    true(inside("web1", "ls", "/etc/apt/sources.list.d", "/etc/apt/keyrings").count("nginx") == 0, "a dry run wrote")
    # A suite that is not there: apt refuses, and nothing stays.
    expect(run("apt.repository", **repo, suite="trixie"), "failed", "apt rejects the repository")
    true(inside("web1", "ls", "/etc/apt/sources.list.d", "/etc/apt/keyrings").count("nginx") == 0, "a refused repository stays")
    expect(run("apt.repository", **repo), "changed", f"key {key}")
    expect(run("apt.repository", **repo), "ok")
    text = inside("web1", "cat", "/etc/apt/sources.list.d/nginx.list").strip()
    true(text == f"deb [signed-by=/etc/apt/keyrings/nginx.gpg] {repo['url']} bookworm nginx", text)
    expect(harness.Place("web1", "ubuntu", shell).run("apt.repository", **repo), "failed", "write `as root`")
    # Removed, and back.
    inside("web1", "sh", "-c", "echo 'deb [signed-by=/etc/apt/keyrings/nginx.gpg] http://x y z' > /etc/apt/sources.list.d/other.list")
    expect(run("apt.repository", name="nginx", present=False), "failed", "other.list is signed by /etc/apt/keyrings/nginx.gpg, too")
    inside("web1", "rm", "/etc/apt/sources.list.d/other.list")
    expect(run("apt.repository", "check", name="nginx", present=False), "would_change", "remove /etc/apt/sources.list.d/nginx.list and its keyring")
    expect(run("apt.repository", name="nginx", present=False), "changed")
    expect(run("apt.repository", name="nginx", present=False), "ok")
    true(inside("web1", "ls", "/etc/apt/sources.list.d", "/etc/apt/keyrings").count("nginx") == 0, "a removed repository stays")
    expect(run("apt.repository", **{**repo, "components": []}), "failed", "components: none is named")
    expect(run("apt.repository", **repo), "changed", f"key {key}")

    # upgrade: first with a configuration that is broken, then with one that breaks while it upgrades
    inside("web1", "sh", "-c", "echo 'nonsense;' > /etc/nginx/sites-enabled/bad")
    expect(run("nginx.upgrade"), "failed", "nginx -t refuses the configuration before anything is changed: unknown directive \"nonsense\"")
    inside("web1", "rm", "/etc/nginx/sites-enabled/bad")
    expect(run("nginx.upgrade", "check"), "would_change", "-> 1.26.1-1~bookworm")
    def after_dpkg(script):
        inside("web1", "sh", "-c", f"printf '%s\\n' '#!/bin/sh' '{script}' > /etc/apt/breaks; chmod 755 /etc/apt/breaks; "
               "echo 'DPkg::Post-Invoke { \"/etc/apt/breaks\"; };' > /etc/apt/apt.conf.d/breaks")
    # The new binary takes nothing, and does not run.
    after_dpkg('systemctl stop nginx; rm /usr/sbin/nginx; '
               'printf "#!/bin/sh\\necho \\"nginx: [emerg] too new\\" >&2\\nexit 1\\n" > /usr/sbin/nginx; chmod 755 /usr/sbin/nginx')
    expect(run("nginx.upgrade"), "failed", "the new nginx refuses the configuration: too new; the former version was put back and runs")
    true("active" == inside("web1", "systemctl", "is-active", "nginx").strip(), "nginx is down")
    expect(harness.Place("web1", "ubuntu", shell).run("http.check", url="http://localhost/"), "ok")
    inside("web1", "rm", "/etc/apt/apt.conf.d/breaks")
    # dpkg believes it done: it is installed again all the same. This time the configuration breaks meanwhile.
    expect(run("nginx.upgrade", "check"), "would_change", "1.26.1-1~bookworm")
    after_dpkg("echo nonsense > /etc/nginx/sites-enabled/bad")
    expect(run("nginx.upgrade"), "failed", "the new nginx refuses the configuration: unexpected end of file")
    true("active" == inside("web1", "systemctl", "is-active", "nginx").strip(), "nginx is down")
    inside("web1", "rm", "-f", "/etc/apt/apt.conf.d/breaks", "/etc/apt/breaks", "/etc/nginx/sites-enabled/bad")
    expect(run("nginx.upgrade"), "changed")
    expect(run("nginx.upgrade"), "ok")
    true("1.26.1" in inside("web1", "dpkg", "-s", "nginx"), "not upgraded")
    inside("web1", "systemctl", "stop", "nginx")
    expect(run("nginx.upgrade"), "changed", "start nginx, which is inactive")
    expect(run("nginx.upgrade"), "ok")
    expect(harness.Place("web1", "ubuntu", shell).run("http.check", url="http://localhost/"), "ok")


def nginx_keys(shell):
    """The vendor prolongs a key, adds one, drops one: the keyring holds the keys that were asked for, as they are now."""
    run = harness.Place("web1", "root", shell).run
    base = "http://10.77.0.1:8081/nginx"
    served = FLEET_DIR / "www/nginx/nginx_signing.key"
    former = served.read_bytes()
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        shutil.copytree(FLEET_DIR / "gpg/vendor", home, dirs_exist_ok=True)
        os.chmod(home, 0o700)

        def gpg(*words):
            return subprocess.run(["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *words],
                                  check=True, capture_output=True).stdout

        def primary():
            lines = gpg("--list-keys", "--with-colons").decode().splitlines()
            return [after.split(":")[9] for line, after in zip(lines, lines[1:]) if line.startswith("pub:")]

        try:
            one, = primary()
            repo = {"name": "nginx", "components": ["nginx"], "url": f"{base}/packages/debian", "key_url": f"{base}/nginx_signing.key", "fingerprints": [one]}
            expect(run("apt.repository", **repo), "changed", f"key {one}")
            gpg("--quick-set-expire", one, "2040-01-01")
            served.write_bytes(gpg("--armor", "--export"))
            expect(run("apt.repository", "check", **repo), "would_change", f"the key {one} as it is now")
            expect(run("apt.repository", **repo), "changed", f"the key {one} as it is now")
            expect(run("apt.repository", **repo), "ok")
            gpg("--quick-generate-key", "two <b@example.org>", "ed25519", "sign", "never")
            two, = [key for key in primary() if key != one]
            for form in (["--armor"], []):
                served.write_bytes(gpg(*form, "--export"))
                expect(run("apt.repository", **repo), "ok")
            both = {**repo, "fingerprints": [two, one]}
            expect(run("apt.repository", **both), "changed", "another key")
            expect(run("apt.repository", **both), "ok")
            shown = subprocess.run(["gpg", "--show-keys", "--with-colons"], input=subprocess.run(
                [FLEET, "exec", "web1", "cat", "/etc/apt/keyrings/nginx.gpg"], capture_output=True, check=True).stdout, capture_output=True, check=True).stdout.decode()
            true(one in shown and two in shown, shown)
            # The vendor cannot be asked.
            expect(run("apt.repository", **{**both, "key_url": f"{base}/none"}), "ok")
            expect(run("apt.repository", **{**repo, "key_url": f"{base}/none"}), "failed", "cannot be fetched")
            # It no longer has the one, and the play still asks for it.
            served.write_bytes(gpg("--armor", "--export", two))
            expect(run("apt.repository", **both), "failed", f"it lacks the key {one}, and holds {two}")
        finally:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
            served.write_bytes(former)
