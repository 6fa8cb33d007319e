"""What hosts keep for the next boot and for their packages: mounts, the firewall, answers for debconf, programs of supervisor,
the checks of the site; with their `commands`, as docs prints them."""
import by_hand
import harness
from fleet_checks import SITE, expect, inside, true


def mount(shell):
    place = harness.Place("web1", "root", shell)
    run = place.run
    former = inside("web1", "cat", "/etc/fstab")
    data = {"path": "/srv/some data", "src": "tmpfs", "type": "tmpfs", "options": "size=1m,mode=755"}
    expect(harness.Place("web1", "ubuntu", shell).run("mount.present", **data), "failed", "write `as root`")
    expect(run("mount.present", "check", **data), "would_change", "/srv/some data: mount tmpfs, also at the next boot")
    true(inside("web1", "cat", "/etc/fstab") == former, "a dry run wrote")
    expect(run("mount.present", **data), "changed")
    expect(run("mount.present", **data), "ok")
    shown = inside("web1", "findmnt", "--raw", "--noheadings", "--output", "TARGET,OPTIONS", "/srv/some data")
    true(shown.startswith("/srv/some\\x20data ") and "size=1024k" in shown, shown)
    true("tmpfs /srv/some\\040data tmpfs size=1m,mode=755 0 0\n" in inside("web1", "cat", "/etc/fstab"), "the line")
    # Other options are applied at once, in the same line.
    other = {**data, "options": "size=2m,mode=755"}
    expect(run("mount.present", "check", **other), "would_change", "/srv/some data: size=1m,mode=755 -> size=2m,mode=755")
    expect(run("mount.present", **other), "changed")
    true("size=2048k" in inside("web1", "findmnt", "--raw", "--noheadings", "--output", "OPTIONS", "/srv/some data"), "not remounted")
    inside("web1", "umount", "/srv/some data")
    expect(run("mount.present", **other), "changed", "/srv/some data: mount tmpfs")
    expect(run("mount.present", **other), "ok")
    # What cannot be mounted leaves all as it was.
    before = inside("web1", "cat", "/etc/fstab")
    bad = {"path": "/srv/not there", "src": "/dev/nope", "type": "ext4"}
    expect(run("mount.present", **bad), "failed", "/srv/not there cannot be mounted, and /etc/fstab is as it was")
    true(inside("web1", "cat", "/etc/fstab") == before and "not there" not in inside("web1", "ls", "/srv"), "a failure left something")
    expect(run("mount.present", **{**data, "type": "ext4"}), "failed", "another file system is mounted: tmpfs (tmpfs)")
    for values, message in (({"path": "/"}, "the boot loader"), ({"src": ""}, "not a file system"), ({"type": "-x"}, "not the type"), ({"options": "a b"}, "words with commas"),
                            ({"pass": 3}, "not 0, 1 or 2"), ({"path": "/etc/fstab"}, "not a directory")):
        expect(run("mount.present", **{**data, **values}), "failed", message)
    bind = {"path": "/mnt/log", "src": "/var/log", "type": "none", "options": "bind"}
    by_hand.typed(place, "mount.present", **bind)
    expect(run("mount.present", **bind), "ok")
    by_hand.typed(place, "mount.present", path="/mnt/log", present=False)
    expect(run("mount.present", path="/mnt/log", present=False), "ok")
    expect(run("mount.present", "check", path="/srv/some data", present=False), "would_change", "unmount, also at the next boot")
    expect(run("mount.present", path="/srv/some data", present=False), "changed")
    expect(run("mount.present", path="/srv/some data", present=False), "ok")
    true(inside("web1", "cat", "/etc/fstab") == former, inside("web1", "cat", "/etc/fstab"))
    inside("web1", "rmdir", "/srv/some data", "/mnt/log")


def debconf(shell):
    place = harness.Place("web1", "root", shell)
    run = place.run

    def answer(question):
        return inside("web1", "sh", "-c", f"printf 'GET {question}\\n' | debconf-communicate coral")

    one = {"package": "coral-mail", "question": "coral-mail/mailname", "value": "it's \"a\" $(b) \\x é"}
    expect(harness.Place("web1", "ubuntu", shell).run("apt.debconf", **one), "failed", "write `as root`")
    expect(run("apt.debconf", "check", **one), "would_change", "answer coral-mail/mailname")
    true("10 " in answer(one["question"]), "a dry run answered")
    expect(run("apt.debconf", **one), "changed")
    expect(run("apt.debconf", **one), "ok")
    true(answer(one["question"]) == f"0 {one['value']}\n", answer(one["question"]))
    expect(run("apt.debconf", **{**one, "value": "x"}), "changed", "another answer to coral-mail/mailname")
    secret = {**one, "question": "coral-mail/password", "type": "password", "value": "s3cret of ours"}
    result = expect(run("apt.debconf", **secret), "changed")
    true("s3cret" not in str(result) + result.output + result.errors, "the answer is shown")
    expect(run("apt.debconf", **{**one, "question": "coral-mail/on", "type": "boolean", "value": "true"}), "changed")
    for values, message in (({"question": "mailname"}, "not the name of a question"), ({"package": "-x"}, "not a package"), ({"value": "a\nb"}, "several lines"), ({"value": "a\\nb"}, "a new line of its"),
                            ({"type": "boolean", "value": "yes"}, "true or false")):
        expect(run("apt.debconf", **{**one, **values}), "failed", message)
    by_hand.typed(place, "apt.debconf", **{**one, "question": "coral-mail/by_hand"})
    expect(run("apt.debconf", "check", **{**one, "question": "coral-mail/by_hand"}), "ok")
    inside("web1", "sh", "-c", "echo PURGE | debconf-communicate coral-mail")


def supervisor_program(shell):
    place = harness.Place("web1", "root", shell)
    run = place.run

    def given(command, section="program:echo"):
        return {"given": {"src_text": f"[{section}]\ncommand={command}\nstartsecs=0\n", "src_mode": "644"}}

    one = {"name": "one", "src": "one.conf"}
    sleeps = given("/bin/sleep 1000")
    gunicorn = inside("web1", "supervisorctl", "pid", "gunicorn")
    expect(run("supervisor.program", "check", **one, **sleeps), "would_change", "place /etc/supervisor/conf.d/one.conf")
    true("one.conf" not in inside("web1", "ls", "/etc/supervisor/conf.d"), "a dry run wrote")
    expect(run("supervisor.program", **one, **sleeps), "changed")
    expect(run("supervisor.program", **one, **sleeps), "ok")
    pid = inside("web1", "supervisorctl", "pid", "echo")
    expect(run("supervisor.program", **one, **given("/bin/sleep 2000")), "changed", "one.conf: content")
    true(inside("web1", "supervisorctl", "pid", "echo") not in (pid, "0\n"), "not restarted")
    expect(run("supervisor.program", **one, **given("/bin/sleep 2000")), "ok")
    # Placed by somebody, and not applied.
    inside("web1", "sh", "-c", "sed -i s/2000/3000/ /etc/supervisor/conf.d/one.conf")
    expect(run("supervisor.program", "check", **one, **given("/bin/sleep 3000")), "would_change", "have supervisor apply echo")
    expect(run("supervisor.program", **one, **given("/bin/sleep 3000")), "changed")
    before = inside("web1", "cat", "/etc/supervisor/conf.d/one.conf")
    expect(run("supervisor.program", **one, **given("x\nstdout_logfile=/nope/x.log")), "failed", "supervisor refuses one.conf, and the former file was put back: CANT_REREAD")
    true(inside("web1", "cat", "/etc/supervisor/conf.d/one.conf") == before, "what was refused stays")
    expect(run("supervisor.program", **one, **given("/bin/sleep 3000")), "ok")
    expect(run("supervisor.program", **one, **given("x", "unix_http_server")), "failed", "it has no section")
    expect(run("supervisor.program", **{**one, "name": ".x"}, **sleeps), "failed", "not the name of a file")
    expect(run("supervisor.program", **one, folder="/etc/nope", **sleeps), "failed", "is supervisor installed")
    expect(harness.Place("web1", "plain", shell).run("supervisor.program", **{**one, "name": "two"}, **sleeps), "failed", "write `as root`")
    by_hand.typed(place, "supervisor.program", beside={"one.conf": "[program:echo]\ncommand=/bin/sleep 4000\nstartsecs=0\n"}, **one)
    expect(run("supervisor.program", **one, **given("/bin/sleep 4000")), "ok")
    expect(run("supervisor.program", **one, present=False, **sleeps), "changed", "remove /etc/supervisor/conf.d/one.conf")
    expect(run("supervisor.program", **one, present=False, **sleeps), "ok")
    true("echo" not in inside("web1", "supervisorctl", "status"), "its program runs")
    true(inside("web1", "supervisorctl", "pid", "gunicorn") == gunicorn, "another program was restarted")


def django_check(shell):
    place = harness.Place("web1", "ubuntu", shell)
    run = place.run
    result = expect(run("django.check", "check", **SITE), "ok", "no message")
    true(result.facts == {"errors": "0", "warnings": "0", "ids": ""}, result.facts)
    result = expect(run("django.check", "check", deploy=True, **SITE), "ok", "messages below error: security.W0")
    true("security.W0" in result.output and "Hint:" not in result.facts["ids"], result.output)
    expect(run("django.check", "check", deploy=True, fail_level="warning", **SITE), "failed", "messages of level warning or above, the first: security.W0")
    inside("web1", "sh", "-c", "printf '\\nSTATIC_URL = \"x\"\\nTEMPLATES = [{\"BACKEND\": \"django.template.backends.django.DjangoTemplates\", \"APP_DIRS\": True, "
           "\"OPTIONS\": {\"loaders\": []}}]\\nimport nothing_of_that_name\\n' >> /cnhome/config/settings/staging.py")
    expect(run("django.check", "check", **SITE), "failed", "the checks of /cnhome cannot be run: ModuleNotFoundError: No module named 'nothing_of_that_name'")
    inside("web1", "sed", "-i", "/nothing_of_that_name/d", "/cnhome/config/settings/staging.py")
    expect(run("django.check", "check", **SITE), "failed", "of level error or above")
    inside("web1", "git", "-C", "/cnhome", "checkout", "-q", "config", user="ubuntu")
    expect(run("django.check", "check", **{**SITE, "venv": "/nope"}), "failed", "no virtual environment")
    expect(run("django.check", "check", **{**SITE, "settings": "a b"}), "failed", "not a Python module")
    true("no issues" in by_hand.typed(place, "django.check", **SITE), "the commands")


def firewall(shell):
    """As another host sees the ports."""
    place = harness.Place("web1", "root", shell)
    run = place.run
    other = harness.Place("web2", "ubuntu", shell).run
    conf = inside("web1", "cat", "/etc/nftables.conf")

    def sees(open_):
        expect(other("host.wait_port", "check", address="10.77.0.11", port=80, open=open_, within=0), "ok")

    try:
        expect(run("firewall.close", port=80), "failed", "nftables is not started at boot")
        inside("web1", "systemctl", "enable", "nftables")
        expect(harness.Place("web1", "ubuntu", shell).run("firewall.close", port=80), "failed", "write `as root`")
        expect(run("firewall.close", "check", port=80), "would_change", "close tcp 80")
        true("cnplay" not in inside("web1", "nft", "list", "ruleset") + inside("web1", "ls", "/etc"), "a dry run wrote")
        sees(True)
        expect(run("firewall.close", port=80), "changed")
        expect(run("firewall.close", port=80), "ok")
        sees(False)
        expect(harness.Place("web1", "ubuntu", shell).run("host.wait_port", "check", port=22), "ok")
        # As at a boot.
        inside("web1", "nft", "flush", "ruleset")
        expect(run("firewall.close", "check", port=80), "would_change")
        inside("web1", "systemctl", "restart", "nftables")
        expect(run("firewall.close", port=80), "ok")
        sees(False)
        expect(run("firewall.open", port=80, **{"from": ["10.77.0.12"]}), "changed", "open tcp 80 for 10.77.0.12/32")
        expect(run("firewall.open", port=80, **{"from": ["10.77.0.12/32"]}), "ok")
        sees(True)
        expect(run("firewall.open", port=80, **{"from": ["10.77.0.20", "::1"]}), "changed")
        sees(False)
        expect(run("firewall.open", port=80), "changed", "open tcp 80")
        expect(run("firewall.open", port=80), "ok")
        sees(True)
        # A chain that drops what it does not know.
        inside("web1", "sh", "-c", "printf '%s\\n' 'table inet filter {' 'chain input {' 'type filter hook input priority filter; policy drop;' "
               "'ct state established,related accept' 'iif lo accept' 'tcp dport 22 accept' '}' '}' > /tmp/t && cat /tmp/t >> /etc/nftables.conf && nft -f /tmp/t")
        sees(False)
        expect(run("firewall.open", port=80), "changed")
        expect(run("firewall.open", port=80), "ok")
        sees(True)
        expect(run("firewall.close", port=80), "changed")
        sees(False)
        true("dport 80 accept" not in inside("web1", "nft", "list", "ruleset"), "a rule that accepts it stays")
        expect(run("firewall.close", port=22), "failed", "sshd listens on port 22: closing it would lock everybody out")
        expect(run("firewall.open", port=0), "failed", "not one of 1 to 65535")
        expect(run("firewall.open", port=80, **{"from": ["10.0.0.300"]}), "failed", "not an address or a network")
        for module, values in (("open", {"from": ["10.77.0.0/24"]}), ("close", {})):
            inside("web1", "sh", "-c", "rm -r /etc/nftables.d; nft flush ruleset")
            by_hand.typed(place, f"firewall.{module}", port=80, **values)
            expect(run(f"firewall.{module}", port=80, **values), "ok")
            sees(module == "open")
        inside("web1", "sh", "-c", "mkdir -p /etc/ufw; echo ENABLED=yes > /etc/ufw/ufw.conf")
        expect(run("firewall.open", port=80), "failed", "ufw makes the rules of this host: run `ufw allow 80/tcp` there")
    finally:
        inside("web1", "sh", "-c", "nft flush ruleset; rm -rf /etc/nftables.d /etc/ufw; systemctl disable nftables")
        inside("web1", "sh", "-c", 'printf %s "$1" > /etc/nftables.conf', "sh", conf)
