"""Programs under supervisor, and units of systemd."""
import time

import harness
from fleet_checks import PROGRAMS, expect, inside, true


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
    expect(run("supervisor.stop", programs=["--help"]), "failed", "not the name of a program")
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
    expect(run("service.restart", name="--version"), "failed", "not the name of a unit")
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


def supervisor_warns(shell):
    """Warnings of Python on stderr, at each call: lines of stderr are no status, and no log."""
    run = harness.Place("web1", "ubuntu", shell).run
    inside("web1", "sh", "-c", "printf '%s\\n' '#!/bin/sh' \"printf '%s\\\\n' 'options.py:13: UserWarning: something is deprecated.' "
           "'  import something' 'gunicorn FATAL x' >&2\" 'exec /usr/bin/supervisorctl \"$@\"' > /usr/local/bin/supervisorctl; "
           "chmod 755 /usr/local/bin/supervisorctl")
    try:
        expect(run("supervisor.start", programs=PROGRAMS), "ok")
        result = expect(run("supervisor.restart", programs=["gunicorn"]), "changed", "restart gunicorn")
        true("UserWarning" in result.errors, f"the warning is not shown: {result.errors}")
        expect(run("supervisor.stop", programs=["gunicorn"]), "changed", "stop gunicorn")
        expect(run("supervisor.stop", programs=["gunicorn"]), "ok")
        inside("web1", "sh", "-c", "sed -i '1i raise RuntimeError(\"the reef is closed\")' /cnhome/config/wsgi.py", user="ubuntu")
        result = expect(run("supervisor.start", programs=["gunicorn"]), "failed", "not running: gunicorn (")
        true("deprecated" not in result.message and "import something" not in result.message, result.message)
        expect(run("supervisor.stop", programs=["gunicorn", "nope"]), "failed", "supervisor knows no program 'nope'")
        expect(run("supervisor.stop", programs=["gunicorn"], config="/etc/hostname"), "failed", "no status for the user ubuntu")
        expect(harness.Place("web1", "plain", shell).run("supervisor.stop", programs=["gunicorn"]), "failed", "may plain use its socket")
    finally:
        inside("web1", "rm", "/usr/local/bin/supervisorctl")


def service_kinds(shell):
    """Units that end, that die at once or a moment later, that are restarted for ever, and ones that are not there."""
    run = harness.Place("web1", "root", shell).run
    units = {"one": "Type=oneshot\nExecStart=/bin/true", "stays": "Type=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true",
             "wrong": "Type=oneshot\nExecStart=/bin/sh -c 'echo no queue >&2; exit 4'",
             "dies": "ExecStart=/bin/sh -c 'echo boom >&2; exit 3'", "dies1": "ExecStart=/bin/sh -c 'sleep 1; echo boom >&2; exit 3'",
             "ends": "ExecStart=/bin/true", "loops": "Restart=always\nExecStart=/bin/sh -c 'echo boom; exit 3'",
             "lives": "ExecStart=/bin/sleep 1000", "inst@": "ExecStart=/bin/sleep 1000"}
    for name, text in units.items():
        inside("web1", "sh", "-c", 'printf "[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\n%s\\n" "$1" > "/run/systemd/system/$2.service"',
               "sh", text, name)
    inside("web1", "systemctl", "daemon-reload")
    try:
        for module in ("service.start", "service.restart"):
            expect(run(module, name="one"), "changed", "one, which is inactive")
            expect(run(module, name="stays"), "changed")
            expect(run(module, name="wrong"), "failed", "no queue")
            expect(run(module, name="dies"), "failed", "exit code 3): boom")
            expect(run(module, name="dies1"), "failed", "exit code 3): boom")
            expect(run(module, name="ends"), "failed", "ends is inactive after the ")
            expect(run(module, name="loops"), "failed", "boom")
            inside("web1", "systemctl", "stop", "loops")
            expect(run(module, name="lives"), "changed")
            expect(run(module, name="inst@"), "failed", "is a template: name an instance of it, such as inst@NAME")
            expect(run(module, name="inst@x"), "changed")
            expect(run(module, name="nope"), "failed", "no unit 'nope'")
            inside("web1", "systemctl", "stop", "lives", "inst@x")
        expect(run("service.start", name="stays"), "ok")
        # Stopping what is not there is nothing to do; what runs though its file is gone is stopped.
        expect(run("service.stop", name="nope"), "ok", "there is no unit 'nope'")
        expect(run("service.start", name="lives"), "changed")
        inside("web1", "sh", "-c", "rm /run/systemd/system/lives.service; systemctl daemon-reload")
        expect(run("service.stop", name="lives"), "changed", "stop lives, which is active")
        expect(run("service.stop", name="lives"), "ok")
    finally:
        inside("web1", "sh", "-c", "systemctl stop loops stays 'inst@*'; cd /run/systemd/system && rm -f "
               + " ".join(f"{name}.service" for name in units) + "; systemctl daemon-reload; systemctl reset-failed")
