#!/usr/bin/env python3
"""The modules on the fleet's hosts, through the real prelude: change needed, dry run, nothing needed,
failure with a clear message. The fleet must be up; it is reset before and after each part.

usage: fleet_test.py [--shell SHELL] [PART...]   PARTS below; by default all of them
"""
import sys
import time

import fleet_checks as checks
import harness
from fleet_apt import apt_others
from fleet_checks import expect, fleet, inside, true
from fleet_packages import apt, nginx, nginx_keys
from fleet_services import service, service_kinds, supervisor, supervisor_warns
from fleet_site import site, site_prints, static_manifest


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
    expect(run("postgres.dump", database="dbname=coralnet host=x", to=dump["to"]), "failed", "not the name of a database")
    expect(run("postgres.dump", database="coralnet", to="/var/nope/x.dump"), "failed", "no directory /var/nope")
    expect(run("postgres.dump", database="coralnet", to="/etc/x.dump"), "failed", "may not write into /etc")
    inside("db1", "sh", "-c", "mkdir -p /mnt/small && mount -t tmpfs -o size=1m,mode=777 none /mnt/small && head -c 900000 /dev/urandom > /mnt/small/fill")
    expect(run("postgres.dump", "preflight", database="coralnet", to="/mnt/small/x.dump"), "failed", "MiB free")
    inside("db1", "sh", "-c", "head -c 200000 /dev/urandom > /mnt/small/fill2")
    expect(run("postgres.dump", database="coralnet", to="/mnt/small/x.dump"), "failed", "pg_dump of coralnet failed")
    true(inside("db1", "ls", "-A", "/mnt/small") == "fill\nfill2\n", "a torn dump is left")
    inside("db1", "sh", "-c", "umount /mnt/small; rmdir /mnt/small")
    expect(harness.Place("db1", "plain", shell).run("postgres.dump", **dump), "failed", "")


PARTS = {"site": site, "site_prints": site_prints, "static_manifest": static_manifest, "supervisor": supervisor,
         "supervisor_warns": supervisor_warns, "service": service, "service_kinds": service_kinds,
         "apt": apt, "apt_others": apt_others, "nginx": nginx, "nginx_keys": nginx_keys, "postgres": postgres}


def main():
    words = sys.argv[1:]
    shell = "sh"
    if words[:1] == ["--shell"]:
        shell = words[1]
        words = words[2:]
    for name in words or PARTS:
        fleet("reset")
        begun, before = time.monotonic(), len(checks.problems)
        print(f"{name}:", flush=True)
        try:
            PARTS[name](shell)
        finally:
            fleet("publish", "v1")
            fleet("publish", "apt-1.0")
            fleet("reset")
        print(f"  {time.monotonic() - begun:.1f} s, {len(checks.problems) - before} problems", flush=True)
    for problem in checks.problems:
        print(problem)
    print(f"{checks.done} checks, {len(checks.problems)} problems")
    return 1 if checks.problems else 0


if __name__ == "__main__":
    sys.exit(main())
