"""Steps on `local`, the controller: the controller killed at its records and in the middle of a task, a task killed under
it, a full disk, another machine, another user, a person's Ctrl-C. As over SSH: no task is started twice.

Its claims are in the home of who runs the test, under the run's id: they are gone once a run has ended."""

import collections
import json
import os
import pathlib
import pwd
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from controller_test import WHOLE, Killed
from processes import Processes, SecondPerson

HOME = pathlib.Path(pwd.getpwuid(os.getuid()).pw_dir)
STATE = HOME / ".local/state/cnplay"
NAMESPACES = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


class OnLocal(Processes):
    """Without a sshd: no play here has an inventory."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="cnplay-local-")
        cls.root = pathlib.Path(cls.temporary.name)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def setUp(self):
        self.runs = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        self.effects = self.root / "effects"
        self.go = self.root / "go"
        for file in (self.effects, self.go):
            file.unlink(missing_ok=True)

    def play(self, text):
        path = self.root / "local.play"
        path.write_text(text.replace("@", str(self.root)))
        return (str(path),)

    def traces(self):
        return [run for run in self.ids() if (STATE / f"run-{run}").exists()]

    def elsewhere(self, *words):
        """The same on another machine."""
        other = self.root / "machine-id"
        other.write_text("0123456789abcdef0123456789abcdef\n")
        bound = f'mount --bind {other} /etc/machine-id && exec "$0" "$@"'
        return subprocess.run(["unshare", "--mount", "sh", "-c", bound, os.environ["CNPLAY"], *words],
                              env=self.environment(), cwd=self.root, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False)

    def succeeds(self, *words, **die):
        result = self.cnplay(*words, **die)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result


STEPS = '''play local_steps "Steps on the controller" {
  step first on local { sh """echo first >>@/effects; echo out of first""" }
  step second on local { sh """echo second >>@/effects; sleep 0.05; echo err of second >&2""" }
  step third on local { sh """echo third >>@/effects""" }
}
'''
WANTED = collections.Counter({"first": 1, "second": 1, "third": 1})


class KilledAtEachRecord(OnLocal):
    def test_every_effect_is_there_exactly_once(self):
        self.succeeds(*self.play(STEPS))
        self.assertEqual(self.counted(), WANTED)
        self.assertEqual(self.traces(), [])
        count = len(self.events())
        resumed = 0
        for offset, how in enumerate(("before", "torn", "after")):
            for at in range(2 + offset, count + 1, 1 if WHOLE else 4):
                with self.subTest(at=at, how=how):
                    resumed += self.kill_and_resume(at, how)
        self.assertGreater(resumed, 10)

    def kill_and_resume(self, at, how):
        self.setUp()
        first = self.cnplay(*self.play(STEPS), at=at, how=how)
        self.assertEqual(first.returncode, -signal.SIGKILL)
        second = self.cnplay("resume")
        text = f"killed {how} record {at}:\n{second.stdout}{second.stderr}"
        if second.returncode == 2:
            self.assertIn(self.counted(), (collections.Counter(), WANTED), text)
            return 0
        self.assertEqual(second.returncode, 0, text)
        self.assertEqual(self.counted(), WANTED, text)
        ended = [(e["node"], e["host"], e["outcome"]) for e in self.events() if e["type"] == "StepEnded"]
        self.assertEqual(len(ended), 3, text)
        self.assertEqual({host for _, host, _ in ended}, {"local"}, text)
        self.assertEqual({outcome for _, _, outcome in ended}, {"changed"}, text)
        self.assertEqual(self.traces(), [], text)
        return 1


LONG = '''play local_long "A long step on the controller" {
  step long on local {
    sh """echo begun >>@/effects
      i=0
      while [ $i -lt 400 ] && [ ! -e @/go ]; do sleep 0.05; i=$((i+1)); done
      echo ended >>@/effects; echo said after the kill"""
  }
}
'''
ONCE = collections.Counter({"begun": 1, "ended": 1})


class Begun(OnLocal):
    def begin(self):
        process = self.start(*self.play(LONG))
        self.until(lambda: self.counted()["begun"])
        return process


class InTheMiddle(Begun):
    def shell_of_the_task(self):
        (run,) = self.runs.iterdir()
        (claim,) = (STATE / f"run-{run.name}").glob("t-*")
        return int(claim.read_text().split()[1])

    def test_a_task_goes_on_without_its_controller_and_its_result_is_read(self):
        process = self.begin()
        process.kill()
        process.communicate()
        self.go.touch()
        result = self.succeeds("resume", "-v")
        self.assertIn("said after the kill", result.stdout)
        self.assertEqual(self.counted(), ONCE)
        self.assertEqual(self.traces(), [])

    def test_killed_again_and_again_it_is_started_once(self):
        process = self.begin()
        for _ in range(3):
            process.kill()
            process.communicate()
            recorded = len(self.events())
            process = self.start("resume")
            self.until(lambda: len(self.events()) > recorded)
        self.go.touch()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual(self.counted(), ONCE)

    def test_a_task_whose_shell_is_killed_is_unknown(self):
        process = self.begin()
        os.kill(self.shell_of_the_task(), signal.SIGKILL)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 5, out + err)
        self.assertIn("the shell ended under the task", out + err)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1}))

    def test_a_task_that_dies_while_there_is_no_controller_is_unknown(self):
        process = self.begin()
        process.kill()
        process.communicate()
        os.killpg(self.shell_of_the_task(), signal.SIGKILL)
        result = self.cnplay("resume")
        self.assertEqual(result.returncode, 5, result.stdout + result.stderr)
        self.assertIn("its process is gone without a result", result.stdout + result.stderr)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1}))

    def test_a_timeout_kills_the_whole_task(self):
        text = LONG.replace("step long on local {", "step long on local timeout 1s {")
        result = self.cnplay(*self.play(text))
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertIn("timeout", result.stdout)
        self.assertEqual(self.counted(), collections.Counter({"begun": 1}))
        self.assertEqual(self.traces(), [])

    def test_ctrl_c_ends_the_run_after_the_task(self):
        pid, fd = os.forkpty()
        if pid == 0:
            os.chdir(self.root)
            os.execve(os.environ["CNPLAY"], [os.environ["CNPLAY"], *self.play(LONG)], self.environment())
        self.until(lambda: self.counted()["begun"])
        os.write(fd, b"\x03")
        self.until(lambda: b"AbortRequested" in (next(self.runs.iterdir()) / "events.jsonl").read_bytes())
        self.go.touch()
        shown = b""
        try:
            while part := os.read(fd, 65536):
                shown += part
        except OSError:
            pass
        os.close(fd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(code, 6, shown.decode())
        self.assertEqual(self.counted(), ONCE)
        self.assertEqual([e["outcome"] for e in self.of_type("StepEnded")], ["changed"])

    @unittest.skipUnless(NAMESPACES, "needs a mount namespace")
    def test_another_machine_does_not_resume_it(self):
        process = self.begin()
        process.kill()
        process.communicate()
        (run,) = self.ids()
        before = (self.runs / run / "events.jsonl").read_bytes()
        for words in (("resume",), ("cancel", run)):
            refused = self.elsewhere(*words)
            self.assertEqual(refused.returncode, 3, refused.stdout + refused.stderr)
            self.assertIn("`local_long/long` may be running on `local`, which is ", refused.stderr)
            self.assertIn("this is another machine", refused.stderr)
        self.assertIn("--without local", refused.stderr)
        self.assertEqual((self.runs / run / "events.jsonl").read_bytes(), before)
        self.go.touch()
        self.succeeds("resume")
        self.assertEqual(self.counted(), ONCE)

    @unittest.skipUnless(NAMESPACES, "needs a mount namespace")
    def test_another_machine_continues_without_it(self):
        process = self.begin()
        process.kill()
        process.communicate()
        result = self.elsewhere("resume", "--without", "local")
        self.assertEqual(result.returncode, 5, result.stdout + result.stderr)
        self.go.touch()
        self.until(lambda: self.counted() == ONCE)

    @unittest.skipUnless(NAMESPACES, "needs a mount namespace")
    def test_on_a_full_disk_nothing_is_started(self):
        full = ["unshare", "--mount", "sh", "-c",
                f'mkdir -p {STATE} && mount -t tmpfs -o size=4k none {STATE} && echo x >{STATE}/x && exec "$0" "$@"',
                os.environ["CNPLAY"], *self.play(STEPS)]
        result = subprocess.run(full, env=self.environment(), cwd=self.root, text=True, capture_output=True,
                                stdin=subprocess.DEVNULL, check=False, timeout=60)
        self.assertNotEqual(result.returncode, 0)
        self.assertRegex(result.stdout + result.stderr, "is the disk full|No space left")
        self.assertEqual(self.counted(), collections.Counter())


@unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
class AnotherUser(SecondPerson, Begun):
    def test_another_user_does_not_resume_it(self):
        self.share_runs()
        process = self.begin()
        process.kill()
        process.communicate()
        refused = self.other("resume", *self.ids())
        self.assertEqual(refused.returncode, 3, refused.stdout + refused.stderr)
        self.assertIn("was started on `local` by root", refused.stderr)
        self.go.touch()
        self.succeeds("resume")
        self.assertEqual(self.counted(), ONCE)

    @unittest.skipUnless(shutil.which("sudo"), "needs sudo")
    def test_a_step_becomes_another_user(self):
        self.succeeds("-v", *self.play('''play p "P" {
  step whoami on local as nobody { sh """id -un >&2; [ -t 0 ] || echo no terminal""" }
}
'''))
        output = "".join(e["bytes"] for e in self.of_type("Output"))
        self.assertIn("nobody", output)
        self.assertIn("no terminal", output)


class WhatATaskSees(OnLocal):
    def test_neither_secrets_nor_descriptors_nor_a_terminal(self):
        os.environ["SECRET_OF_THE_CONTROLLER"] = "swordfish"
        self.addCleanup(os.environ.pop, "SECRET_OF_THE_CONTROLLER")
        self.succeeds(*self.play('''play p "P" {
  secret word = env("SECRET_OF_THE_CONTROLLER")
  step look on local { sh(word: word) """
    [ "${#word}" = 9 ]
    env >@/seen
    ls -l /proc/$$/fd >>@/seen
    (: </dev/tty) 2>/dev/null && echo terminal >>@/seen
    tr '\\\\0' ' ' </proc/$PPID/cmdline >>@/seen || true
  """ }
}
'''))
        seen = (self.root / "seen").read_text()
        self.assertNotIn("swordfish", seen)
        self.assertNotIn("SECRET_OF_THE_CONTROLLER", seen)
        self.assertNotIn("\nterminal", seen)
        self.assertNotIn("events.jsonl", seen)
        self.assertNotIn("socket:", seen)
        for file in self.runs.rglob("*"):
            if file.is_file():
                self.assertNotIn(b"swordfish", file.read_bytes(), file)

    def test_ten_megabytes_of_output_are_recorded_in_little_memory(self):
        self.succeeds(*self.play('''play p "P" {
  step much on local { sh """head -c 10000000 /dev/zero | tr '\\\\0' x; echo the end""" }
}
'''))
        self.assertEqual(sum(len(e["bytes"]) for e in self.of_type("Output")), 10_000_008)
        self.assertEqual(self.traces(), [])
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        self.assertLess(used, 200, "MiB")


class OneWholePlay(OnLocal):
    PLAY = '''play whole "Files on the controller" {
  step made on local {
    file.copy(src: "text", dest: "@/copied")
    undo { sh """rm -f @/copied; echo undone >>@/effects""" }
  }
  step rendered on local { file.template(src: "letter", dest: "@/letter.out") }
  step brought on local { file.fetch(src: "@/copied", to: "@/fetched") }
}
'''

    def setUp(self):
        super().setUp()
        (self.root / "text").write_text("a text\n")
        (self.root / "letter").write_text("from ${local.name}\n")
        for name in ("copied", "letter.out", "fetched"):
            (self.root / name).unlink(missing_ok=True)

    HELD = PLAY.replace("  step brought", '''  step bad on local { sh """[ -e @/mended ]""" }
  on_failure { hold "look at it" }
  step brought''')

    def test_a_dry_run_changes_nothing_and_a_second_run_neither(self):
        dry = self.succeeds("--check", *self.play(self.PLAY))
        self.assertIn("would change", dry.stdout)
        self.assertFalse((self.root / "copied").exists())
        self.assertEqual(self.traces(), [])
        self.succeeds(*self.play(self.PLAY))
        self.assertEqual((self.root / "copied").read_text(), "a text\n")
        self.assertEqual((self.root / "letter.out").read_text(), "from local\n")
        self.assertEqual((self.root / "fetched").read_text(), "a text\n")
        second = self.succeeds(*self.play(self.PLAY))
        self.assertRegex(second.stdout, r"local +3 +- +-")

    def held(self):
        run = self.cnplay(*self.play(self.HELD))
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertTrue((self.root / "copied").exists())
        return self.ids()[-1]

    def test_what_was_done_there_is_undone_there(self):
        self.succeeds("undo", self.held())
        self.assertFalse((self.root / "copied").exists())
        self.assertEqual(self.counted(), collections.Counter({"undone": 1}))
        self.assertEqual(self.traces(), [])

    @unittest.skipUnless(NAMESPACES, "needs a mount namespace")
    def test_another_machine_does_not_undo_it(self):
        refused = self.elsewhere("undo", self.held())
        self.assertEqual(refused.returncode, 3, refused.stdout + refused.stderr)
        self.assertIn("this is another machine", refused.stderr)
        self.assertTrue((self.root / "copied").exists())

    def test_it_stands_as_local_everywhere(self):
        play = self.play(self.PLAY)
        self.assertRegex(self.succeeds("plan", *play).stdout, r"\bmade\b.*\blocal\b")
        self.assertIn("local", self.succeeds("docs", *play).stdout)
        self.succeeds("check", *play)
        self.succeeds("preflight", *play)
        self.succeeds("plan", *play, "-o", str(self.root / "reviewed"))
        self.setUp()
        self.assertIn("local", self.succeeds("run", "--plan", str(self.root / "reviewed")).stdout)
        self.assertIn("local", self.succeeds("show").stdout)
        started = self.of_type("RunStarted")[0]
        self.assertEqual(started["hosts"], ["local"])
        self.assertEqual(started["machine"], pathlib.Path("/etc/machine-id").read_text().strip())
        report = json.loads(self.succeeds("report", "--format", "jsonl", "-o", "-").stdout.splitlines()[0])
        self.assertEqual(report["inventory"], "local")


if __name__ == "__main__":
    unittest.main()
