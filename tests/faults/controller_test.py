"""The controller is killed at each record of its journal (before, torn, after, after the fsync), and
`cnplay resume` goes on: each task's effect is there exactly once, each result is the true one.

In short: at some of the records. With CNPLAY_WHOLE_MATRIX=1: at each of them, in each way.
Needs CNPLAY (the binary) and DIE (the library that kills it); runs a sshd of its own on loopback."""

import collections
import getpass
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import zlib

WHOLE = "CNPLAY_WHOLE_MATRIX" in os.environ


class Sshd:
    def __init__(self, directory):
        self.directory = directory
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True)
        (directory / "authorized_keys").write_text((directory / "user.pub").read_text())
        (directory / "known_hosts").write_text(f"[127.0.0.1]:{self.port} " + (directory / "host.pub").read_text())
        self.home = directory / "home"
        self.home.mkdir()
        (directory / "config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\n"
            f"AuthorizedKeysFile {directory}/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\n"
            f"PermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\n"
            f"SetEnv HOME={self.home}\nMaxStartups 500\nLogLevel ERROR\n")
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", directory / "config", "-E", directory / "log"])
        for _ in range(500):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.01)
        raise RuntimeError("sshd does not start: " + (directory / "log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Killed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="cnplay-faults-")
        cls.root = pathlib.Path(cls.temporary.name)
        cls.sshd = Sshd(cls.root)
        (cls.root / "two.inv").write_text(f'''inventory two {{
  ssh {{ user: "{getpass.getuser()}", port: {cls.sshd.port}, identity: "{cls.root}/user", known_hosts: "{cls.root}/known_hosts" }}
  group all_of_them {{
    group one {{ host h1 {{ address: "127.0.0.1" }} }}
    host h2 {{ address: "127.0.0.1" }}
  }}
}}
''')

    @classmethod
    def tearDownClass(cls):
        cls.sshd.stop()
        cls.temporary.cleanup()

    def setUp(self):
        self.runs = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        self.effects = self.sshd.home / "effects"
        self.effects.unlink(missing_ok=True)

    def environment(self):
        return {**os.environ, "CNPLAY_RUNS": str(self.runs), "TERM": "dumb"}

    def cnplay(self, *arguments, **die):
        env = self.environment()
        if die:
            env.update(LD_PRELOAD=os.environ["DIE"], DIE_AT=str(die["at"]), DIE_HOW=die["how"])
        return subprocess.run([os.environ["CNPLAY"], *arguments], env=env, cwd=self.root, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)

    def start(self, *arguments, **options):
        """A `cnplay` beside the test, which never outlives it."""
        process = subprocess.Popen([os.environ["CNPLAY"], *arguments], cwd=self.root, text=True,
                                   env=self.environment(),
                                   **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                                      "stderr": subprocess.PIPE, **options})
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def play(self, text):
        path = self.root / "killed.play"
        path.write_text(text)
        return "-i", str(self.root / "two.inv"), str(path)

    def events(self):
        (run,) = self.runs.iterdir()
        lines = (run / "events.jsonl").read_bytes().split(b"\n")
        events = []
        for line in lines:
            try:
                events.append(json.loads(line))
            except ValueError:
                continue  # torn, or the end
        return events

    def until(self, holds, seconds=60):
        """For what no process of ours tells: looks again and again."""
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, "it did not come")
            time.sleep(0.02)

    def counted(self):
        if not self.effects.exists():
            return collections.Counter()
        return collections.Counter(self.effects.read_text().splitlines())


STEPS = '''play killed "Killed at each record" {
  let all = group("all_of_them")
  let first = group("one")
  step begin on all { sh """echo "first" >>"$HOME/effects"; echo out of first; sleep 0.05""" }
  step second on first { sh """echo "second" >>"$HOME/effects"; echo out of second >&2""" }
  step third on all { sh """echo "third" >>"$HOME/effects"; sleep 0.1; echo out of third""" }
}
'''
WANTED = collections.Counter({"first": 2, "second": 1, "third": 2})


class AtEachRecord(Killed):
    def test_every_effect_is_there_exactly_once(self):
        whole = self.cnplay(*self.play(STEPS))
        self.assertEqual(whole.returncode, 0, whole.stdout + whole.stderr)
        self.assertEqual(self.counted(), WANTED)
        count = len(self.events())
        self.assertGreater(count, 25)
        step = 1 if WHOLE else 4
        self.resumed = 0
        for offset, how in enumerate(("before", "torn", "after")):
            for at in range(1 + offset, count + 1, step):
                self.kill_and_resume(at, how)
        syncs = 8
        for at in range(1, syncs, 1 if WHOLE else 2):
            self.kill_and_resume(at, "synced")
        self.assertGreater(self.resumed, 20)

    def kill_and_resume(self, at, how):
        with self.subTest(at=at, how=how):
            self.setUp()
            first = self.cnplay(*self.play(STEPS), at=at, how=how)
            if first.returncode != -signal.SIGKILL:
                self.assertEqual(how, "synced", first.stdout + first.stderr)  # there are fewer of them
                return
            (run,) = self.runs.iterdir()
            before = (run / "events.jsonl").read_bytes()
            second = self.cnplay("resume")
            text = f"killed {how} record {at}:\n{second.stdout}{second.stderr}"
            if second.returncode == 2:
                # Cut off before the first line was whole, or after the last: nothing to go on with.
                self.assertRegex(text, "no recorded run was interrupted or is parked in a way")
                self.assertRegex(self.cnplay("resume", run.name).stderr, "nothing was done|has ended")
                self.assertIn(self.counted(), (collections.Counter(), WANTED), text)
                return
            self.assertEqual(second.returncode, 0, text)
            self.assertEqual(self.counted(), WANTED, text)
            after = (run / "events.jsonl").read_bytes()
            self.assertTrue(after.startswith(before), "the record was rewritten")
            ended = collections.Counter(
                (e["node"], e["host"], e["outcome"]) for e in self.events() if e["type"] == "StepEnded")
            self.assertEqual(set(ended.values()), {1}, text)
            self.assertEqual({outcome for _, _, outcome in ended}, {"changed"}, text)
            self.assertEqual(sum(ended.values()), 5, text)
            shown = self.cnplay("show")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertFalse((self.sshd.home / ".local/state/cnplay" / f"run-{run.name}").exists(), text)
            self.resumed += 1


class InTheMiddle(Killed):
    LONG = '''play killed "Killed in a long task" {
  let first = group("one")
  step long on first {
    sh """echo begun >>"$HOME/effects"
      i=0
      while [ $i -lt 200 ] && [ ! -e "$HOME/go" ]; do sleep 0.05; i=$((i+1)); done
      echo ended >>"$HOME/effects"; echo said after the kill"""
  }
}
'''

    def setUp(self):
        super().setUp()
        (self.sshd.home / "go").unlink(missing_ok=True)

    def begin(self):
        process = self.start(*self.play(self.LONG))
        self.until(lambda: self.counted()["begun"])
        return process

    def test_the_task_goes_on_and_its_result_is_read(self):
        process = self.begin()
        process.kill()
        process.communicate()
        (self.sshd.home / "go").touch()
        result = self.cnplay("resume", "-v")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("said after the kill", result.stdout)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1, "ended": 1}))
        again = self.cnplay("resume")
        self.assertEqual(again.returncode, 2)
        self.assertIn("no recorded run was interrupted or is parked", again.stderr)

    def test_a_second_controller_is_refused_with_the_name_of_the_first(self):
        process = self.begin()
        (run,) = self.runs.iterdir()
        second = self.cnplay("resume")
        self.assertEqual(second.returncode, 2, second.stdout)
        self.assertIn(f"{getpass.getuser()} on {socket.gethostname()}", second.stderr)
        self.assertIn("is working on this run", second.stderr)
        (self.sshd.home / "go").touch()
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1, "ended": 1}))

    def test_what_was_no_run_is_not_gone_on_with(self):
        for words, why in ((("preflight",), "a preflight alone"), (("--check",), "a dry run")):
            self.setUp()
            before = self.cnplay(*words, *self.play(STEPS), at=6, how="after")
            self.assertEqual(before.returncode, -signal.SIGKILL, before.stdout + before.stderr)
            self.assertEqual(self.cnplay("resume").returncode, 2)
            (run,) = self.runs.iterdir()
            result = self.cnplay("resume", run.name)
            self.assertEqual(result.returncode, 2)
            self.assertIn(why, result.stderr)
            self.assertEqual(self.counted(), collections.Counter())

    def test_a_run_of_long_ago_must_be_named(self):
        first = self.cnplay(*self.play(STEPS), at=12, how="before")
        self.assertEqual(first.returncode, -signal.SIGKILL)
        (run,) = self.runs.iterdir()
        lines, last = [], ""
        for line in (run / "events.jsonl").read_text().splitlines():
            text = re.sub(r'"at":"20(..)', '"at":"19\\1', line.rsplit(',"chain":', 1)[0], count=1)
            last = f"{zlib.crc32((last + text).encode()):08x}"
            lines.append(f'{text},"chain":"{last}"}}\n')
        (run / "events.jsonl").write_text("".join(lines))
        result = self.cnplay("resume")
        self.assertEqual(result.returncode, 2, result.stdout)
        self.assertIn(f"cnplay resume {run.name}", result.stderr)
        self.assertEqual(self.cnplay("resume", run.name).returncode, 0)

    def test_killed_again_and_again(self):
        process = self.begin()
        process.kill()
        process.communicate()
        for _ in range(3):
            recorded = len(self.events())
            process = self.start("resume")
            self.until(lambda: len(self.events()) > recorded)
            process.kill()
            process.communicate()
        (self.sshd.home / "go").touch()
        result = self.cnplay("resume")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1, "ended": 1}))

    def test_the_session_is_killed_under_it(self):
        process = self.begin()
        # The sshd of the connection, not the listener.
        out = subprocess.run(["pgrep", "-P", str(self.sshd.process.pid)], capture_output=True, text=True, check=True)
        for pid in out.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        (self.sshd.home / "go").touch()
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1, "ended": 1}))
        self.assertIn("HostReconnected", [e["type"] for e in self.events()])


if __name__ == "__main__":
    unittest.main()
