#!/usr/bin/env python3
"""The modules on the fleet's hosts, through the real prelude: change needed, dry run, nothing needed,
failure with a clear message. The fleet must be up; it is reset before and after each part.

usage: fleet_test.py [--shell SHELL] [PART...]   PARTS below; by default all of them
"""
import sys
import time

import fleet_checks as checks
from fleet_accounts import django_user, keys, passwords
from fleet_apt import apt_marks, apt_others
from fleet_by_hand import commands
from fleet_checks import fleet
from fleet_database import postgres, postgres_password
from fleet_hosts import debconf, django_check, firewall, mount, supervisor_program
from fleet_packages import apt, nginx, nginx_keys
from fleet_release import release
from fleet_restore import database, restore
from fleet_services import service, service_kinds, supervisor, supervisor_warns
from fleet_site import site, site_prints, static_manifest
from fleet_units import cron, nginx_site, sshd_second, sysctl, units, units_by_hand
from fleet_users import users


PARTS = {"commands": commands, "site": site, "site_prints": site_prints, "static_manifest": static_manifest, "supervisor": supervisor,
         "supervisor_warns": supervisor_warns, "service": service, "service_kinds": service_kinds,
         "apt": apt, "apt_others": apt_others, "apt_marks": apt_marks, "nginx": nginx, "nginx_keys": nginx_keys, "postgres": postgres, "postgres_password": postgres_password,
         "database": database, "restore": restore, "release": release, "mount": mount, "firewall": firewall, "debconf": debconf, "supervisor_program": supervisor_program, "django_check": django_check, "passwords": passwords, "keys": keys, "django_user": django_user, "users": users,
         "units": units, "nginx_site": nginx_site, "cron": cron, "sysctl": sysctl, "sshd_second": sshd_second, "units_by_hand": units_by_hand}


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
