#!/usr/bin/env python3
"""The modules on the fleet's hosts, through the real prelude: change needed, dry run, nothing needed,
failure with a clear message. The fleet must be up; it is reset before and after each part.

usage: fleet_test.py [--shell SHELL] [site|supervisor|service|apt|nginx|postgres...]
"""
import subprocess
import sys
import time

import harness
import playfile

problems = []
done = 0
FLEET = harness.FLEET
SITE = {"dir": "/cnhome", "venv": "/srv/venv", "settings": "staging"}
PROGRAMS = ["gunicorn", "celeryworker", "celerybeat"]


def fleet(*words):
    subprocess.run([FLEET, *words], check=True, stdout=subprocess.DEVNULL)


def inside(host, *words, user="root"):
    return subprocess.run([FLEET, "exec", host, "-u", user, *words], capture_output=True, text=True, check=False).stdout


def expect(result, outcome, message="", facts=None):
    global done
    done += 1
    wrong = result.outcome != outcome or message not in result.message
    wrong = wrong or any(result.facts.get(name) != value for name, value in (facts or {}).items())
    wrong = wrong or (outcome == "failed" and "\n" in result.message.strip())
    if wrong:
        problems.append(f"fleet_test.py:{sys._getframe(1).f_lineno}: expected {outcome} {message!r} {facts or ''}\n"
                        f"{result}{result.output[-3000:]}{result.errors[-3000:]}")
    elif outcome == "failed":
        print(f"    {result.message}")
    return result


def true(condition, what):
    global done
    done += 1
    if not condition:
        problems.append(f"fleet_test.py:{sys._getframe(1).f_lineno}: {what}")


def site(shell):
    web = harness.Place("web1", "ubuntu", shell)
    run = web.run
    pip = {"venv": "/srv/venv", "requirements": "/cnhome/requirements/staging.txt", "upgrade": True}
    # Version 1: nothing to do.
    expect(run("git.rebase", dir="/cnhome", onto="origin/master"), "ok")
    expect(run("pip.install", **pip), "ok")
    expect(run("django.collectstatic", **SITE), "ok")
    expect(run("django.collectstatic", clear=True, **SITE), "ok")
    expect(run("django.migrate", **SITE), "ok")
    expect(run("django.maintenance_off", **SITE), "ok")

    # The announcement.
    start = "2031-02-03T04:05:00Z"
    expect(run("django.maintenance_on", "check", start=start, **SITE), "would_change", f"announce a maintenance at {start}")
    expect(run("django.maintenance_on", start=start, **SITE), "changed")
    expect(run("django.maintenance_on", start=start, **SITE), "ok")
    expect(run("django.maintenance_on", start=start, message="It's <short>", **SITE), "changed", "another message")
    expect(run("django.maintenance_on", start=start, message="It's <short>", **SITE), "ok")
    expect(run("django.maintenance_on", start="2031-02-03T04:06:00Z", **SITE), "changed", f"{start} -> 2031")
    expect(run("django.maintenance_off", "check", **SITE), "would_change", "take back")
    expect(run("django.maintenance_off", **SITE), "changed", "take back")
    expect(run("django.maintenance_off", **SITE), "ok")
    expect(run("django.maintenance_on", start=start, **{**SITE, "settings": "nope"}), "failed", "nope")
    expect(run("django.maintenance_off", **{**SITE, "dir": "/srv/www"}), "failed", "no manage.py in /srv/www")

    # Version 2: first a dry run of the whole, then the run. It must name what then happens.
    fleet("publish", "v2")
    code = expect(run("git.rebase", "check", dir="/cnhome", onto="origin/master"), "would_change", "1 commit")
    true("Version 2" in code.diff and "reefs/migrations/0003_reef_depth.py" in code.diff, code.diff)
    preview = {**SITE, "dir": code.preview}
    packages = expect(run("pip.install", "check", **{**pip, "requirements": code.preview + "/requirements/staging.txt"}),
                      "would_change", "coralbase 1.0 -> 1.1, coralgreet 1.0 (new)")
    preview["venv"] = packages.preview
    static = expect(run("django.collectstatic", "check", **preview), "would_change", "1 new")
    true("+ reefs/reefs.css" in static.diff, static.diff)
    schema = expect(run("django.migrate", "check", **preview), "would_change", "reefs.0003_reef_depth",
                    {"migrations": "reefs.0003_reef_depth"})
    true("depth" in schema.diff, schema.diff)
    web.clean()
    true(inside("web1", "git", "-C", "/cnhome", "status", "--porcelain", user="ubuntu") == "", "a dry run changed /cnhome")
    real = expect(run("git.rebase", dir="/cnhome", onto="origin/master"), "changed", code.message)
    back = real.facts
    real = expect(run("pip.install", **pip), "changed", packages.message)
    back = {**back, **real.facts}
    real = expect(run("django.collectstatic", **SITE), "changed", static.message)
    true(real.diff == static.diff, f"{real.diff} was not foretold: {static.diff}")
    real = expect(run("django.migrate", **SITE), "changed", schema.message)
    true(real.diff == schema.diff, f"{real.diff} was not foretold: {schema.diff}")
    expect(run("git.rebase", dir="/cnhome", onto="origin/master"), "ok")
    expect(run("pip.install", **pip), "ok")
    expect(run("django.collectstatic", **SITE), "ok")
    expect(run("django.migrate", **SITE), "ok")

    # Static files are compared by content: a younger copy with other contents is found.
    inside("web1", "sh", "-c", "echo spoiled >> /srv/www/static/reefs/reefs.css; echo old > /srv/www/static/old.css; "
           "mkdir -p /srv/www/static/gone; echo x > /srv/www/static/gone/x.js", user="ubuntu")
    expect(run("django.collectstatic", **SITE), "changed", "1 changed in /srv/www/static", {"files": "1"})
    expect(run("django.collectstatic", **SITE), "ok")
    expect(run("django.collectstatic", "check", clear=True, **SITE), "would_change", "2 obsolete")
    expect(run("django.collectstatic", clear=True, **SITE), "changed", "2 obsolete")
    expect(run("django.collectstatic", clear=True, **SITE), "ok")
    true("gone" not in inside("web1", "ls", "/srv/www/static"), "an empty directory is left")
    inside("web1", "chmod", "555", "/srv/www/static/reefs")
    inside("web1", "sh", "-c", "rm /srv/www/static/reefs/reefs.css")
    expect(run("django.collectstatic", **SITE), "failed", "Permission denied")
    inside("web1", "chmod", "755", "/srv/www/static/reefs")
    expect(run("django.collectstatic", **SITE), "changed", "1 new")

    # A migration that fails.
    fleet("publish", "v3-bad-migration")
    expect(run("git.rebase", dir="/cnhome", onto="origin/master"), "changed")
    expect(run("django.migrate", "check", **SITE), "would_change", "reefs.0004_bad")
    expect(run("django.migrate", **SITE), "failed", "migration reefs.0004_bad failed: ")
    expect(run("git.rebase", "preflight", dir="/cnhome", onto="origin/master"), "ok")

    # The way back.
    expect(run("pip.restore", venv="/srv/venv", freeze=back["freeze"]), "changed", "coralbase 1.1 -> 1.0, coralgreet 1.0 (away)")
    expect(run("pip.restore", venv="/srv/venv", freeze=back["freeze"]), "ok")
    expect(run("git.reset", dir="/cnhome", to=back["before"]), "changed")
    expect(run("git.reset", dir="/cnhome", to=back["before"]), "ok")

    # Any command.
    expect(run("django.manage", command="maintenancestatus", **SITE), "changed")
    expect(run("django.manage", command="maintenanceon", args=["--start", "2033-01-01 00:00", "--message", "a b\tc"], **SITE), "changed")
    true("a b\\tc" in inside("web1", "sh", "-c", "cd /cnhome && /srv/venv/bin/python manage.py maintenancestatus", user="ubuntu"),
         "arguments are not passed as they are")
    expect(run("django.manage", command="nope", **SITE), "failed", "manage.py nope failed: ")
    expect(run("django.manage", command="--version", **SITE), "failed", "no name of a management command")
    fleet("exec", "db1", "systemctl", "stop", "postgresql@15-main")
    expect(run("django.migrate", **SITE), "failed", "cannot be listed")
    expect(run("django.maintenance_off", **SITE), "failed", "refused")
    fleet("exec", "db1", "systemctl", "start", "postgresql@15-main")


def supervisor(shell):
    run = harness.Place("web1", "ubuntu", shell).run
    expect(run("supervisor.start", programs=PROGRAMS), "ok")
    expect(run("supervisor.stop", "check", programs=PROGRAMS), "would_change", "stop gunicorn, celeryworker, celerybeat")
    begun = time.monotonic()
    expect(run("supervisor.stop", programs=PROGRAMS), "changed")
    print(f"    stopping took {time.monotonic() - begun:.1f} s")
    true(inside("web1", "supervisorctl", "status").count("STOPPED") == 3, "not all stopped")
    expect(run("supervisor.stop", programs=PROGRAMS, config="/cnhome/config/supervisor.conf"), "ok")
    expect(run("supervisor.start", "check", programs=PROGRAMS), "would_change", "start gunicorn (STOPPED), ")
    begun = time.monotonic()
    expect(run("supervisor.start", programs=PROGRAMS), "changed")
    print(f"    starting took {time.monotonic() - begun:.1f} s")
    expect(run("supervisor.start", programs=PROGRAMS), "ok")
    before = inside("web1", "supervisorctl", "pid", "gunicorn")
    expect(run("supervisor.restart", "check", programs=["gunicorn"]), "would_change", "restart gunicorn")
    expect(run("supervisor.restart", programs=["gunicorn"]), "changed", "restart gunicorn", {"pids": f"gunicorn {before.strip()}"})
    true(inside("web1", "supervisorctl", "pid", "gunicorn") != before, "same pid")
    for module in ("start", "stop", "restart"):
        expect(run(f"supervisor.{module}", programs=["gunicorn", "nope"]), "failed", "supervisor knows no program 'nope'")
    expect(run("supervisor.stop", programs=["--help"]), "failed", "no name of a program")
    expect(run("supervisor.stop", programs=["gunicorn"], config="/nope"), "failed", "/nope")
    expect(harness.Place("web1", "plain", shell).run("supervisor.stop", programs=["gunicorn"]), "failed", "may plain use its socket")
    # A program that does not start: the site's code is broken, in its first line: on a slow machine all else takes longer to
    # load than supervisor watches (startsecs).
    expect(run("supervisor.stop", programs=["gunicorn"]), "changed")
    inside("web1", "sh", "-c", "sed -i '1i raise RuntimeError(\"the reef is closed\")' /cnhome/config/wsgi.py", user="ubuntu")
    expect(run("supervisor.start", programs=PROGRAMS), "failed", "not running: gunicorn (")
    expect(run("supervisor.restart", programs=["gunicorn"]), "failed", "not running: gunicorn (")
    expect(run("supervisor.stop", programs=["gunicorn"]), "changed" if "BACKOFF" in inside("web1", "supervisorctl", "status") else "ok")
    inside("web1", "git", "-C", "/cnhome", "checkout", "-q", ".", user="ubuntu")
    expect(run("supervisor.start", programs=PROGRAMS), "changed")


def service(shell):
    run = harness.Place("web1", "root", shell).run
    expect(run("service.start", name="nginx"), "ok")
    expect(run("service.stop", "check", name="nginx"), "would_change", "stop nginx, which is active")
    expect(run("service.stop", name="nginx"), "changed")
    expect(run("service.stop", name="nginx.service"), "ok")
    expect(run("service.start", "check", name="nginx"), "would_change", "start nginx, which is inactive")
    expect(run("service.start", name="nginx"), "changed")
    expect(run("service.restart", "check", name="nginx"), "would_change", "restart nginx, which is active")
    expect(run("service.restart", name="nginx"), "changed")
    expect(run("service.start", name="nope"), "failed", "no unit 'nope'")
    expect(run("service.restart", name="--version"), "failed", "no name of a unit")
    expect(run("service.restart", name="nope"), "failed", "no unit 'nope'")
    expect(harness.Place("web1", "ubuntu", shell).run("service.restart", name="nginx"), "failed", "as root")
    inside("web1", "sh", "-c", "echo 'nonsense;' > /etc/nginx/sites-enabled/bad")
    expect(run("service.stop", name="nginx"), "changed")
    expect(run("service.start", name="nginx"), "failed", "nginx did not start: ")
    inside("web1", "rm", "/etc/nginx/sites-enabled/bad")
    expect(run("service.start", name="nginx"), "changed", "start nginx, which is failed")
    inside("web1", "systemctl", "stop", "redis-server")
    inside("web1", "systemctl", "mask", "redis-server")
    expect(run("service.start", name="redis-server"), "failed", "is masked")
    inside("web1", "systemctl", "unmask", "redis-server")


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
    expect(run("apt.install", packages=["-o", "x"]), "failed", "no package")
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
    repo = {"url": f"{base}/packages/debian", "key_url": f"{base}/nginx_signing.key"}
    key = subprocess.run(["sh", "-c", f"curl -s {repo['key_url']} | gpg --show-keys --with-colons 2>/dev/null | "
                          "awk -F: '$1 == \"fpr\" { print $10; exit }'"], capture_output=True, text=True, check=False).stdout.strip()
    repo["fingerprints"] = [key]
    expect(run("nginx.repo", **{**repo, "fingerprints": []}), "failed", "give its fingerprints")
    expect(run("nginx.repo", **{**repo, "fingerprints": ["0" * 40]}), "failed", f"it holds the key {key}, which is not expected")
    expect(run("nginx.repo", **{**repo, "fingerprints": ["ABCD1234"]}), "failed", "not 40")
    expect(run("nginx.repo", **{**repo, "key_url": f"{base}/none"}), "failed", "cannot be fetched")
    expect(run("nginx.repo", **{**repo, "key_url": f"{base}/packages/debian/"}), "failed", "no OpenPGP key")
    expect(run("nginx.repo", "check", **repo), "would_change", f"key {key}, {repo['url']} bookworm nginx")
    true(inside("web1", "ls", "/etc/apt/sources.list.d", "/etc/apt/keyrings").count("nginx") == 0, "a dry run wrote")
    # A suite that is not there: apt refuses, and nothing stays.
    expect(run("nginx.repo", **repo, suite="trixie"), "failed", "apt rejects the repository")
    true(inside("web1", "ls", "/etc/apt/sources.list.d", "/etc/apt/keyrings").count("nginx") == 0, "a refused repository stays")
    expect(run("nginx.repo", **repo), "changed", f"key {key}")
    expect(run("nginx.repo", **repo), "ok")
    text = inside("web1", "cat", "/etc/apt/sources.list.d/nginx.list").strip()
    true(text == f"deb [signed-by=/etc/apt/keyrings/nginx.gpg] {repo['url']} bookworm nginx", text)
    expect(harness.Place("web1", "ubuntu", shell).run("nginx.repo", **repo), "failed", "write `as root`")

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


def postgres(shell):
    place = harness.Place("db1", "ubuntu", shell)
    run = place.run
    dump = {"database": "coralnet", "to": "/var/backups/before update.dump"}
    expect(run("postgres.dump", "preflight", **dump), "ok", "MiB free")
    expect(run("postgres.dump", "check", **dump), "would_change", "dump coralnet (")
    true(inside("db1", "ls", "/var/backups") == "", "a dry run wrote")
    expect(run("postgres.dump", **dump), "changed")
    expect(run("postgres.dump", max_age=3600, **dump), "ok")
    expect(run("postgres.dump", **dump), "changed", "in place of one")
    true(inside("db1", "stat", "-c", "%a %U", dump["to"]) == "600 ubuntu\n", "mode")
    true(inside("db1", "ls", "-A", "/var/backups") == "before update.dump\n", "temporary files are left")
    expect(run("postgres.dump", database="nope", to=dump["to"]), "failed", "database \"nope\" does not exist")
    expect(run("postgres.dump", "preflight", database="nope", to=dump["to"]), "failed", "cannot connect to database 'nope'")
    expect(run("postgres.dump", database="dbname=coralnet host=x", to=dump["to"]), "failed", "no name of a database")
    expect(run("postgres.dump", database="coralnet", to="/var/nope/x.dump"), "failed", "no directory /var/nope")
    expect(run("postgres.dump", database="coralnet", to="/etc/x.dump"), "failed", "may not write into /etc")
    inside("db1", "sh", "-c", "mkdir -p /mnt/small && mount -t tmpfs -o size=1m,mode=777 none /mnt/small && head -c 900000 /dev/urandom > /mnt/small/fill")
    expect(run("postgres.dump", "preflight", database="coralnet", to="/mnt/small/x.dump"), "failed", "MiB free")
    inside("db1", "sh", "-c", "head -c 200000 /dev/urandom > /mnt/small/fill2")
    expect(run("postgres.dump", database="coralnet", to="/mnt/small/x.dump"), "failed", "pg_dump of coralnet failed")
    true(inside("db1", "ls", "-A", "/mnt/small") == "fill\nfill2\n", "a torn dump is left")
    inside("db1", "sh", "-c", "umount /mnt/small; rmdir /mnt/small")
    expect(harness.Place("db1", "plain", shell).run("postgres.dump", **dump), "failed", "")


PARTS = {"site": site, "supervisor": supervisor, "service": service, "apt": apt, "nginx": nginx, "postgres": postgres}


def main():
    words = sys.argv[1:]
    shell = "sh"
    if words[:1] == ["--shell"]:
        shell = words[1]
        words = words[2:]
    for name in words or PARTS:
        fleet("reset")
        begun, before = time.monotonic(), len(problems)
        print(f"{name}:", flush=True)
        try:
            PARTS[name](shell)
        finally:
            fleet("publish", "v1")
            fleet("publish", "apt-1.0")
            fleet("reset")
        print(f"  {time.monotonic() - begun:.1f} s, {len(problems) - before} problems", flush=True)
    for problem in problems:
        print(problem)
    print(f"{done} checks, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
