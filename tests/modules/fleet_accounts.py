"""Users of the hosts, and of the site."""
import subprocess
import tempfile
from pathlib import Path

import harness
from fleet_checks import SITE, expect, inside, true


def passwords(shell):
    run = harness.Place("web1", "root", shell).run
    new = "a:b\\c'd\"$(id)`id` é"
    inside("web1", "sh", "-c", "userdel -rf anna; useradd -m anna")
    expect(run("user.password", "check", user="anna", password=new), "would_change", "anna, whose password is locked")
    result = expect(run("user.password", user="anna", password=new), "changed", "anna, whose password is locked")
    true(new not in result.output + result.errors + str(result), "the password is shown")
    expect(run("user.password", user="anna", password=new), "ok")
    expect(run("user.password", user="anna", password="other"), "changed", "set another password for anna")
    expect(run("user.password", user="ops", password="ops-password"), "ok")
    inside("web1", "usermod", "-L", "anna")
    expect(run("user.password", user="anna", password="other"), "changed", "locked")
    expect(run("user.password", user="nobody-here", password="x"), "failed", "there is no user nobody-here")
    expect(run("user.password", user="-x", password="x"), "failed", "not the name of a user")
    expect(run("user.password", user="anna", password=""), "failed", "empty")
    expect(run("user.password", user="anna", password="a\nb:c"), "failed", "several lines")
    expect(harness.Place("web1", "ubuntu", shell).run("user.password", user="anna", password="x"), "failed", "write `as root`")
    inside("web1", "userdel", "-rf", "anna")


def keys(shell):
    run = harness.Place("web1", "root", shell).run
    own = harness.Place("web1", "anna", shell).run
    with tempfile.TemporaryDirectory() as top:
        lines = []
        for name in ("one two", "three"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", f"{top}/{name}"], check=True)
            lines.append((Path(top) / f"{name}.pub").read_text().strip())
    one, three = lines
    file = "/home/anna/.ssh/authorized_keys"

    def text():
        return inside("web1", "cat", file)

    inside("web1", "sh", "-c", "userdel -rf anna; useradd -m anna")
    expect(run("user.authorized_keys", "check", user="anna", keys=[one]), "would_change", "the keys of anna: add 1")
    true(inside("web1", "ls", "-A", "/home/anna").count("ssh") == 0, "a dry run wrote")
    result = expect(run("user.authorized_keys", user="anna", keys=[one]), "changed", "the keys of anna: add 1")
    true(result.diff == f"+ {one}\n", result.diff)
    true(inside("web1", "stat", "-c", "%a %U:%G", "/home/anna/.ssh", file) == "700 anna:anna\n600 anna:anna\n", "modes and owners")
    expect(run("user.authorized_keys", user="anna", keys=[one]), "ok", facts={"added": "", "removed": ""})
    expect(own("user.authorized_keys", user="anna", keys=[one]), "ok")
    # another is added; comments stay; the same key with options takes its place
    inside("web1", "sh", "-c", f"echo '# mine' >> {file}")
    limited = f'from="10.0.0.0/8",command="echo \\"a b\\"" {one}'
    expect(own("user.authorized_keys", user="anna", keys=[three]), "changed", "add 1")
    true(text() == f"{one}\n# mine\n{three}\n", text())
    expect(own("user.authorized_keys", user="anna", keys=[limited]), "changed", "add 1")
    true(text() == f"# mine\n{three}\n{limited}\n", text())
    # exclusive: these alone
    result = expect(run("user.authorized_keys", "check", user="anna", keys=[one], exclusive=True), "would_change", "add 1, remove 1")
    true(f"- {three}\n" in result.diff and "- # mine\n" in result.diff and f"+ {one}\n" in result.diff, result.diff)
    expect(run("user.authorized_keys", user="anna", keys=[one], exclusive=True), "changed", "add 1, remove 1")
    true(text() == f"{one}\n", text())
    expect(run("user.authorized_keys", user="anna", keys=[one], exclusive=True), "ok")
    # a file that others may write is not read by sshd
    inside("web1", "chmod", "666", file)
    expect(run("user.authorized_keys", user="anna", keys=[one]), "changed", "mode 666 -> 600")
    expect(run("user.authorized_keys", user="anna", keys=[one]), "ok")
    # failures
    inside("web1", "sh", "-c", f"echo '{three}' > /home/anna/.ssh/authorized_keys2")
    expect(run("user.authorized_keys", user="anna", keys=[one], exclusive=True), "failed", "authorized_keys2 has keys too")
    inside("web1", "rm", "/home/anna/.ssh/authorized_keys2")
    expect(run("user.authorized_keys", user="anna", keys=["nonsense"]), "failed", "is not a line with a public key")
    expect(run("user.authorized_keys", user="anna", keys=[], exclusive=True), "failed", "nobody could log in as anna")
    expect(run("user.authorized_keys", user="nobody-here", keys=[one]), "failed", "there is no user nobody-here")
    expect(harness.Place("web1", "ubuntu", shell).run("user.authorized_keys", user="anna", keys=[one]), "failed", "write `as root`")
    # root does not follow where a user's link leads
    inside("web1", "sh", "-c", f"mv {file} /root/stolen; ln -s /root/stolen {file}")
    expect(run("user.authorized_keys", user="anna", keys=[three]), "failed", "is a link")
    inside("web1", "sh", "-c", "userdel -rf anna; rm /root/stolen")


def django_user(shell):
    run = harness.Place("web1", "ubuntu", shell).run

    def site(code):
        return inside("web1", "env", "DJANGO_SETTINGS_MODULE=config.settings.staging", "sh", "-c", 'cd /cnhome && /srv/venv/bin/python -c "$1"', "sh",
                      "import django; django.setup(); from django.utils import timezone as t; from datetime import timedelta as d; "
                      f"from django.contrib.auth import get_user_model; m = get_user_model().objects; {code}", user="ubuntu").strip()

    site("m.create_user('user'); m.create_superuser('chief', password='old', last_login=t.now()); "
         "m.create_user('idle', is_staff=True, is_superuser=True, date_joined=t.now() - d(days=900)); "
         "m.create_user('new', is_staff=True, password='old')")
    new = "s3cret'\"$(id) é\\"
    admins = {**SITE, "staff": True, "password": new}
    result = expect(run("django.user", "check", revoke_after=365 * 86400, **admins), "would_change", "a new password of chief, idle, new, no longer staff: idle")
    true(result.facts == {"changed": "chief\nidle\nnew", "revoked": "idle"} and "idle: no longer staff\n" in result.diff, result)
    true(site("print(m.get(username='idle').is_staff)") == "True", "a dry run wrote")
    result = expect(run("django.user", revoke_after=365 * 86400, **admins), "changed", "no longer staff: idle")
    true(new not in result.output + result.errors + str(result), "the password is shown")
    true(site(f"print([(u.username, u.is_staff, u.is_superuser, u.check_password({new!r})) for u in m.order_by('username')])") ==
         "[('chief', True, True, True), ('idle', False, False, True), ('new', True, False, True), ('user', False, False, False)]", "users")
    expect(run("django.user", revoke_after=365 * 86400, **admins), "ok")
    expect(run("django.user", users=["user"], password=new, **SITE), "changed", "a new password of user")
    expect(run("django.user", users=["user"], password=new, **SITE), "ok")
    # nobody would be left; a name that is not there; nothing asked for
    expect(run("django.user", revoke_after=0, **SITE), "failed", "no member of staff would be left")
    expect(run("django.user", users=["chief", "none"], password="x", **SITE), "failed", "the site has no user none")
    expect(run("django.user", users=["chief"], **SITE), "failed", "password: none is given")
    expect(run("django.user", **SITE), "failed", "users: none is named")
    expect(run("django.user", **{**admins, "settings": "nope"}), "failed", "No module named 'config.settings.nope'")
    inside("web1", "python3", "-c", "import sys; open(sys.argv[1], 'w').write(sys.argv[2])", "/cnhome/config/settings/strict.py",
           "from .staging import *\nprint('noise')\nAUTH_PASSWORD_VALIDATORS = [{'NAME': 'django.contrib.auth.password_validation.MinimumLengthValidator',"
           " 'OPTIONS': {'min_length': 20}}]\n", user="ubuntu")
    strict = {**SITE, "settings": "strict"}
    expect(run("django.user", users=["chief"], password="short", **strict), "failed", "not accepted for chief: This password is too short")
    expect(run("django.user", users=["chief"], password="long enough for all of that", **strict), "changed", "chief")
