"""What the fleet tests share: the fleet, the binary under test, and looks at the hosts.

Everything runs against the hosts that fleet/fleet makes; nothing leaves this machine.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CNPLAY = pathlib.Path(os.environ.get("CNPLAY", ROOT / "build/release/cnplay"))
FLEET = ROOT / "fleet/fleet"
WEB = {"web1": "10.77.0.11", "web2": "10.77.0.12"}  # of staging


def fleet(*arguments, check=True):
    done = subprocess.run([str(FLEET), *arguments], capture_output=True, text=True, timeout=600)
    if check and done.returncode != 0:
        raise AssertionError(f"fleet {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def on(host, *command, user="root", check=True):
    """Runs a command inside a host, not over ssh."""
    return fleet("exec", host, "-u", user, *command, check=check)


def shell(host, script, user="root", check=True):
    return on(host, "sh", "-c", script, user=user, check=check)


def page(host, path="/"):
    """(status, body) of a page of the site, as a visitor gets it."""
    done = subprocess.run(
        ["curl", "-s", "-m", "10", "-w", "\n%{http_code}", f"http://10.77.0.1{host.removeprefix('web')}{path}"],
        capture_output=True, text=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out + self.err


class FleetTest(unittest.TestCase):
    """A test with a project directory of its own and its own record of runs."""

    HOSTS = "web1,web2,db1"

    @classmethod
    def setUpClass(cls):
        # A test before this one may have been broken off, and have left the site down.
        try:
            fleet("up", "--hosts", cls.HOSTS)
        except AssertionError:
            fleet("reset")
            fleet("up", "--hosts", cls.HOSTS)

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cnplay-test-"))
        self.addCleanup(shutil.rmtree, self.directory)
        self.project = self.directory / "project"
        for part in ("playbooks", "inventories"):
            shutil.copytree(ROOT / part, self.project / part)
        self.environment = dict(os.environ, XDG_STATE_HOME=str(self.directory / "state"), NO_COLOR="1")
        self.environment.pop("SSH_AUTH_SOCK", None)

    def start(self, *arguments, **more):
        environment = dict(self.environment, **more.pop("env", {}))
        return subprocess.Popen([str(CNPLAY), *map(str, arguments)], cwd=self.project, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, errors="replace", start_new_session=True, **more)

    def cnplay(self, *arguments, timeout=180, **more):
        process = self.start(*arguments, **more)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"cnplay {' '.join(map(str, arguments))} hangs:\n{out}{err}")
        return Result(process.returncode, out, err)

    def play(self, body, name="t"):
        """Writes a play around the statements, with hosts web and db, and returns its name."""
        head = f'play {name} {{\n  hosts web = group("web")\n  hosts db = group("db")\n'
        (self.project / f"playbooks/{name}.play").write_text(head + body + "\n}\n")
        return f"{name}.play"

    def inventory(self, change, name="changed"):
        """A copy of the staging inventory, changed by a function from text to text."""
        text = (self.project / "inventories/staging.inv").read_text()
        changed = change(text)
        self.assertNotEqual(text, changed, "the change changed nothing")
        (self.project / f"inventories/{name}.inv").write_text(changed)
        return name

    def expect(self, result, code, *texts):
        self.assertEqual(result.code, code, result.text)
        for text in texts:
            self.assertRegex(result.text, text)

    def outcomes(self, result):
        """{(step or action text, host): outcome} of the plain lines of a run."""
        found = {}
        for line in result.out.splitlines():
            match = re.match(r"^\d\d:\d\d:\d\d (\S+)\s+(\S+?): (\S+)\s+(\w[\w ]*?)(?:  |$)", line)
            if match:
                found[(match[2], match[1])] = match[4]
        return found
