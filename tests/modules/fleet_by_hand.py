"""The `commands` of modules on the fleet's hosts."""
import subprocess

import by_hand
import harness
from fleet_checks import PROGRAMS, SITE, expect, fleet, inside, true


def commands(shell):
    """The `commands` of modules, as docs prints them: after them the module's own check says `ok`."""
    web, root, db = (harness.Place(*words, shell) for words in (("web1", "ubuntu"), ("web1", "root"), ("db1", "ubuntu")))

    def both(place, module, **values):
        by_hand.typed(place, module, **values)
        expect(place.run(module, "check", **values), "ok")

    fleet("publish", "apt-1.1")
    by_hand.typed(root, "apt.update")  # its check knows the module's own refreshes alone
    both(root, "apt.install", packages=["coral-extra"])
    both(root, "apt.upgrade")
    both(root, "apt.install", packages=["coral-tool=1.1", "coral-extra"], recommends=False)
    for module in ("stop", "start"):
        both(root, f"service.{module}", name="nginx")
        both(web, f"supervisor.{module}", programs=PROGRAMS)
    by_hand.typed(root, "service.restart", name="nginx")  # always a change, as are those that follow
    before = inside("web1", "supervisorctl", "pid", "gunicorn")
    by_hand.typed(web, "supervisor.restart", programs=["gunicorn"], config="/cnhome/config/supervisor.conf")
    true(inside("web1", "supervisorctl", "pid", "gunicorn") != before, "same pid")
    base = "http://10.77.0.1:8081/nginx"
    repo = {"name": "nginx", "components": ["nginx"], "url": f"{base}/packages/debian", "key_url": f"{base}/nginx_signing.key"}
    key = subprocess.run(["sh", "-c", f"curl -s {repo['key_url']} | gpg --show-keys --with-colons 2>/dev/null | "
                          "awk -F: '$1 == \"fpr\" { print $10; exit }'"], capture_output=True, text=True, check=False).stdout.strip()
    both(root, "apt.repository", fingerprints=[key], **repo)
    both(root, "nginx.upgrade")
    dump = {"database": "coralnet", "to": "/var/backups/before update.dump"}
    by_hand.typed(db, "postgres.dump", **dump)
    expect(db.run("postgres.dump", "check", max_age=3600, **dump), "ok")
    inside("db1", "psql", "--quiet", "--command", "CREATE ROLE handy LOGIN", user="postgres")
    both(harness.Place("db1", "postgres", shell), "postgres.password", user="handy", password="a'b\\c \"$x", disconnect=True)
    inside("db1", "psql", "--quiet", "--command", "DROP ROLE handy", user="postgres")
    inside("web1", "systemctl", "stop", "redis-server")
    both(root, "redis.ensure")
    inside("web1", "userdel", "-rf", "anna")
    both(root, "group.present", name="reefs", system=True)
    both(root, "user.present", name="anna", groups=["reefs", "adm"], comment="Anna B")
    both(root, "user.present", name="coralbot", system=True, group="reefs", home="/srv/bot")
    both(root, "user.absent", name="coralbot", home=True)
    both(root, "user.password", user="anna", password="a:b\\c'd\"$(id)`id` é")
    public = inside("web1", "sh", "-c", "ssh-keygen -q -t ed25519 -N '' -C 'one two' -f /root/probe && cat /root/probe.pub && rm /root/probe*").strip()
    for exclusive in (False, True):
        both(root, "user.authorized_keys", user="anna", keys=[public], exclusive=exclusive)
    inside("web1", "sh", "-c", "userdel -rf anna; groupdel reefs")
    # The site, from its first version to its second and back.
    fleet("publish", "v2")
    head = inside("web1", "git", "-C", "/cnhome", "rev-parse", "HEAD", user="ubuntu").strip()
    freeze = web.run("pip.install", "check", venv="/srv/venv", requirements="/cnhome/requirements/staging.txt").facts["freeze"]
    both(web, "git.rebase", dir="/cnhome", onto="origin/master")
    both(web, "pip.install", venv="/srv/venv", requirements="/cnhome/requirements/staging.txt", upgrade=True)
    both(web, "django.collectstatic", **SITE)
    both(web, "django.collectstatic", clear=True, **{**SITE, "settings": "config.settings.staging"})
    both(web, "django.migrate", **SITE)
    start = "2031-02-03T04:05:00Z"
    by_hand.typed(web, "django.maintenance_on", start=start, message="It's <short>", **SITE)
    expect(web.run("django.maintenance_on", "check", start=start, message="It's <short>", **SITE), "ok")
    both(web, "django.maintenance_off", **SITE)
    both(web, "django.user", staff=True, password="s3cret'\"$(id) é\\", **SITE)
    by_hand.typed(web, "django.manage", command="maintenancestatus", **SITE)
    both(web, "pip.restore", venv="/srv/venv", freeze=freeze)
    both(web, "git.reset", dir="/cnhome", to=head)
