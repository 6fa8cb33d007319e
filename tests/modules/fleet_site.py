"""The site: its code, packages, static files, migrations and announcements."""
import time

import harness
from fleet_checks import SITE, expect, fleet, inside, true


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
    expect(run("django.maintenance_off", "check", **SITE), "would_change", "withdraw")
    expect(run("django.maintenance_off", **SITE), "changed", "withdraw")
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

    # The rollback.
    expect(run("pip.restore", venv="/srv/venv", freeze=back["freeze"]), "changed", "coralbase 1.1 -> 1.0, coralgreet 1.0 (removed)")
    expect(run("pip.restore", venv="/srv/venv", freeze=back["freeze"]), "ok")
    expect(run("git.reset", dir="/cnhome", to=back["before"]), "changed")
    expect(run("git.reset", dir="/cnhome", to=back["before"]), "ok")

    # Any command.
    expect(run("django.manage", command="maintenancestatus", **SITE), "changed")
    expect(run("django.manage", command="maintenanceon", args=["--start", "2033-01-01 00:00", "--message", "a b\tc"], **SITE), "changed")
    true("a b\\tc" in inside("web1", "sh", "-c", "cd /cnhome && /srv/venv/bin/python manage.py maintenancestatus", user="ubuntu"),
         "arguments are not passed as they are")
    expect(run("django.manage", command="nope", **SITE), "failed", "manage.py nope failed: ")
    expect(run("django.manage", command="--version", **SITE), "failed", "not the name of a management command")
    fleet("exec", "db1", "systemctl", "stop", "postgresql@15-main")
    expect(run("django.migrate", **SITE), "failed", "cannot be listed")
    expect(run("django.maintenance_off", **SITE), "failed", "refused")
    fleet("exec", "db1", "systemctl", "start", "postgresql@15-main")


def settings(name, text):
    """Settings of the site beside its own."""
    inside("web1", "python3", "-c", "import sys; open(sys.argv[1], 'w').write(sys.argv[2])",
           f"/cnhome/config/settings/{name}.py", f"from .staging import *\n{text}", user="ubuntu")


def site_prints(shell):
    """What a site prints is not the answer of a module: on stdout or stderr, at its start or its end."""
    run = harness.Place("web1", "ubuntu", shell).run
    settings("noisy", "import atexit, sys\n"
             "for line in ('settings: noisy', '---- loaded ----', '+ a.css', '~ b', '- c', '= d', '    Add field x', '{\"announced\": 1', '{}', "
             "'Applying x.0001_y...'):\n    print(line)\n    print('ValueError: ' + line, file=sys.stderr)\n"
             "atexit.register(print, 'good {bye}')\n")
    noisy = {**SITE, "settings": "noisy"}
    expect(run("django.migrate", **noisy), "ok", facts={"migrations": ""})
    expect(run("django.collectstatic", clear=True, **noisy), "ok", facts={"files": "0"})
    expect(run("django.maintenance_off", **noisy), "ok")
    expect(run("django.maintenance_on", start="2031-02-03T04:05:00Z", message="{x}", **noisy), "changed", "announce")
    expect(run("django.maintenance_on", start="2031-02-03T04:05:00Z", message="{x}", **noisy), "ok")
    expect(run("django.maintenance_off", **noisy), "changed", "withdraw")
    fleet("publish", "v2")
    expect(run("git.rebase", dir="/cnhome", onto="origin/master"), "changed")
    expect(run("django.migrate", **noisy), "failed", "failed before the first migration: ModuleNotFoundError")
    expect(run("pip.install", venv="/srv/venv", requirements="/cnhome/requirements/staging.txt", upgrade=True), "changed")
    expect(run("django.migrate", **noisy), "changed", "reefs.0003_reef_depth", {"migrations": "reefs.0003_reef_depth"})
    expect(run("django.migrate", **noisy), "ok")
    result = expect(run("django.collectstatic", **noisy), "changed", "1 new", {"files": "1"})
    true(result.diff == "+ reefs/reefs.css\n", result.diff)
    expect(run("django.manage", command="maintenancestatus", **noisy), "changed")
    # A process that a migration leaves behind keeps its output open: the module does not wait for it.
    inside("web1", "python3", "-c", "import pathlib\np = pathlib.Path('/cnhome/reefs/migrations')\n"
           "p.joinpath('0004_daemon.py').write_text('import subprocess\\nfrom django.db import migrations\\n"
           "def start(*_):\\n    subprocess.Popen([\"sleep\", \"300\"])\\n"
           "class Migration(migrations.Migration):\\n    dependencies = [(\"reefs\", \"0003_reef_depth\")]\\n"
           "    operations = [migrations.RunPython(start, start)]\\n')", user="ubuntu")
    begun = time.monotonic()
    result = expect(run("django.migrate", **SITE), "changed", "reefs.0004_daemon")
    true("Applying reefs.0004_daemon... OK" in result.output, f"the output is lost: {result.output!r}")
    true(time.monotonic() - begun < 200, "it waited for a process that the migration has left behind")
    inside("web1", "pkill", "-x", "sleep")


def static_manifest(shell):
    """A storage that makes hashed and compressed copies: one run is enough, whatever has become obsolete."""
    run = harness.Place("web1", "ubuntu", shell).run
    inside("web1", "sh", "-c", "mkdir -p /cnhome/reefs/static/reefs && echo 'a { color: red }' > /cnhome/reefs/static/reefs/own.css", user="ubuntu")
    settings("man", 'STATIC_ROOT = "/srv/www/man"\nSTATICFILES_STORAGE = "config.settings.man.Compressed"\n'
             "from django.contrib.staticfiles.storage import ManifestStaticFilesStorage\n"
             "class Compressed(ManifestStaticFilesStorage):\n"
             "    def post_process(self, *args, **kwargs):\n"
             "        for name, hashed, done in super().post_process(*args, **kwargs):\n"
             "            for one in (name, hashed) if hashed else ():\n"
             "                open(self.path(one) + '.gz', 'w').close()\n"
             "            yield name, hashed, done\n")
    man = {**SITE, "settings": "man", "clear": True}
    inside("web1", "sh", "-c", "rm -rf /srv/www/man; install -d -o ubuntu /srv/www/man")
    expect(run("django.collectstatic", **man), "changed", "new in /srv/www/man")
    expect(run("django.collectstatic", **man), "ok")
    files = inside("web1", "ls", "/srv/www/man/reefs")
    true("own.css.gz\n" in files and files.count(".css") == 8, f"the compressed copies are gone: {files}")
    inside("web1", "sh", "-c", "echo 'a { color: blue }' > /cnhome/reefs/static/reefs/own.css", user="ubuntu")
    expect(run("django.collectstatic", **man), "changed", "1 changed")
    expect(run("django.collectstatic", **man), "ok")
    true(inside("web1", "ls", "/srv/www/man/reefs").count(".css") == 8, "former hashed names stay")
    # A hashed copy or the manifest is gone: the pages need them.
    inside("web1", "sh", "-c", "rm /srv/www/man/reefs/own.*.css")
    expect(run("django.collectstatic", **man), "changed", "1 new")
    expect(run("django.collectstatic", **man), "ok")
    inside("web1", "sh", "-c", "rm /srv/www/man/staticfiles.json")
    expect(run("django.collectstatic", **man), "changed", "new")
    expect(run("django.collectstatic", **man), "ok")
    # collectstatic copies, then fails while it makes the hashed copies: the next run does not take that for done.
    inside("web1", "sh", "-c", "echo 'a { background: url(nowhere.png) }' > /cnhome/reefs/static/reefs/own.css", user="ubuntu")
    expect(run("django.collectstatic", **man), "failed", "nowhere.png")
    expect(run("django.collectstatic", **man), "failed", "nowhere.png")
    inside("web1", "sh", "-c", "echo > /cnhome/reefs/static/reefs/nowhere.png", user="ubuntu")
    expect(run("django.collectstatic", **man), "changed", "1 new")
    expect(run("django.collectstatic", **man), "ok")
    settings("only", "from .man import *\nWHITENOISE_KEEP_ONLY_HASHED_FILES = True\n")
    expect(run("django.collectstatic", **{**man, "settings": "only"}), "failed", "WHITENOISE_KEEP_ONLY_HASHED_FILES")
    inside("web1", "rm", "-rf", "/srv/www/man")
