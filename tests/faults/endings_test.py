"""Endings that are no crash: a resume that is refused, a full disk, a person who stops. None of them may make a host
forget a task whose result is not on record: each task's effect is there exactly once.

In short: at some of the records. With CNPLAY_WHOLE_MATRIX=1: at each of them."""

import collections
import contextlib
import fcntl
import getpass
import pathlib
import subprocess
import tempfile
import time
import unittest

from controller_test import STEPS, WANTED, WHOLE, Killed, Sshd

PLAY = '''play killed "Killed in the second step" {
  let all = group("all_of_them")
%s
  step first on all { sh """echo first >>"$HOME/effects" """ }
  step second on all {
    sh """echo second >>"$HOME/effects"
      i=0
      while [ $i -lt 400 ] && [ ! -e "$HOME/go" ]; do sleep 0.05; i=$((i+1)); done
      echo end of second >>"$HOME/effects" """
  }
  step third on all { sh """echo third >>"$HOME/effects" """ }
%s}
'''
ONCE = collections.Counter(["first", "second", "end of second", "third"])


class Endings(Killed):
    """Two hosts with a home each. The controller is killed while the second step is at work on both."""

    def setUp(self):
        super().setUp()
        self.sshd.process.poll()
        other = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        self.second = Sshd(other)
        self.addCleanup(self.stop_second)
        self.homes = [self.sshd.home, self.second.home]
        for home in self.homes:
            for name in ("go", "effects"):
                (home / name).unlink(missing_ok=True)
        self.write_inventory()

    def write_inventory(self):
        def ssh(sshd):
            return (f'user: "{getpass.getuser()}", port: {sshd.port}, identity: "{sshd.directory}/user", '
                    f'known_hosts: "{sshd.directory}/known_hosts"')
        (self.root / "two.inv").write_text(f'''inventory two {{
  group all_of_them {{
    host h1 {{ address: "127.0.0.1", ssh {{ {ssh(self.sshd)} }} }}
    host h2 {{ address: "127.0.0.1", ssh {{ {ssh(self.second)} }} }}
  }}
}}
''')

    def stop_second(self):
        if self.second.process.poll() is None:
            self.second.stop()

    def start_second_again(self):
        self.second.process = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-f", self.second.directory / "config", "-E", self.second.directory / "log"])
        self.until(lambda: subprocess.run(
            ["ssh-keyscan", "-T", "1", "-p", str(self.second.port), "127.0.0.1"], capture_output=True,
            check=False).stdout, "the second sshd does not start")

    def until(self, holds, why):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.02)
        self.fail(why)

    def effects_of(self, home):
        effects = home / "effects"
        return collections.Counter(effects.read_text().splitlines() if effects.exists() else [])

    def interrupt(self, before="", after=""):
        process = self.start(*self.play(PLAY % (before, after)))
        self.until(lambda: all(self.effects_of(home)["second"] for home in self.homes), "the second step did not begin")
        process.kill()
        process.communicate()
        (self.run,) = self.runs.iterdir()

    def directory(self, home):
        return home / ".local/state/cnplay" / f"run-{self.run.name}"

    def claims(self, home):
        return sorted(path.name for path in self.directory(home).glob("t-*"))

    @contextlib.contextmanager
    def lock_held(self):
        """By somebody else, once the connections of the killed controller are closed."""
        lock = self.second.home / ".local/state/cnplay/locks/x"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with open(lock, "a", encoding="utf-8") as file:
            def taken():
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return False
                return True
            self.until(taken, "the lock of the killed controller stays")
            yield

    def refuse(self, code, *words):
        """A resume that is refused leaves the claims as they are."""
        before = [self.claims(home) for home in self.homes]
        self.assertTrue(all(before), before)
        result = self.cnplay("resume", "-y", *words)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertEqual([self.claims(home) for home in self.homes], before, result.stdout + result.stderr)
        return result

    def resume(self, at_work=False):
        """To the end; with `at_work` the second step ends only after the resumed run has begun."""
        if not at_work:
            for home in self.homes:
                (home / "go").touch()
        process = self.start("resume", "-y")
        if at_work:
            self.until(lambda: sum(e["type"] == "PreflightEnded" for e in self.events()) > 1, "no second preflight")
            for home in self.homes:
                (home / "go").touch()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertEqual([self.effects_of(home) for home in self.homes], [ONCE, ONCE], out + err)
        self.assertEqual([self.directory(home).exists() for home in self.homes], [False, False], out + err)


class RefusedResume(Endings):
    def test_a_host_is_down(self):
        self.interrupt()
        self.second.stop()
        self.refuse(3)
        self.start_second_again()
        self.resume()

    def test_a_host_is_down_and_the_tasks_are_still_at_work(self):
        self.interrupt()
        self.second.stop()
        self.refuse(3)
        self.refuse(3)
        self.start_second_again()
        self.resume(at_work=True)

    def test_somebody_else_holds_the_lock(self):
        self.interrupt(before='  lock "x"\n')
        with self.lock_held():
            self.refuse(3)
        self.resume()

    def test_other_commands_meanwhile(self):
        self.interrupt()
        before = [self.claims(home) for home in self.homes]
        for words in (("preflight",), ("--check",)):
            result = self.cnplay(*words, *self.play(PLAY % ("", "")))
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertEqual([self.claims(home) for home in self.homes], before, words)
        self.assertEqual(self.cnplay("runs").returncode, 0)
        self.resume_by_name()

    def resume_by_name(self):
        for home in self.homes:
            (home / "go").touch()
        result = self.cnplay("resume", "-y", self.run.name)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertEqual([self.effects_of(home) for home in self.homes], [ONCE, ONCE])


class Forgotten(Endings):
    def test_runs_names_the_directories_and_forget_removes_them(self):
        self.interrupt()
        listed = self.cnplay("runs").stdout
        self.assertIn(f"its directory is on h1, h2; to remove it: cnplay runs --forget {self.run.name}", listed)
        before = [self.claims(home) for home in self.homes]
        asked = self.cnplay("runs", "--forget", self.run.name)
        self.assertEqual(asked.returncode, 3, asked.stdout + asked.stderr)
        # The result of the first step may still have been on its way: then the second was sent ahead.
        self.assertRegex(asked.stderr, "`killed/second` on h1 was (started|sent), and its result is not recorded")
        for text in ("on h2", "may still be running", "cannot be resumed", "nobody is at a terminal"):
            self.assertIn(text, asked.stderr)
        self.assertEqual([self.claims(home) for home in self.homes], before)
        forgotten = self.cnplay("runs", "--forget", self.run.name, "-y")
        self.assertEqual(forgotten.returncode, 0, forgotten.stdout + forgotten.stderr)
        self.assertEqual([self.directory(home).exists() for home in self.homes], [False, False])
        for home in self.homes:
            (home / "go").touch()
        for words in ((), ("--take-changes",), ("--from", "first")):
            result = self.cnplay("resume", "-y", self.run.name, *words)
            self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
            self.assertIn("was forgotten", result.stderr)
        self.assertNotIn("its directory is on", self.cnplay("runs").stdout)
        self.assertEqual(self.cnplay("show", self.run.name).returncode, 0)

    def test_a_host_that_is_down_is_named_and_cleaned_later(self):
        self.interrupt()
        self.second.stop()
        first = self.cnplay("runs", "--forget", self.run.name, "-y")
        self.assertEqual(first.returncode, 4, first.stdout + first.stderr)
        self.assertIn("h2 keeps its files of the run", first.stderr)
        self.assertEqual([self.directory(home).exists() for home in self.homes], [False, True])
        self.start_second_again()
        second = self.cnplay("runs", "--forget", self.run.name, "-y")
        self.assertEqual(second.returncode, 0, second.stdout + second.stderr)
        self.assertFalse(self.directory(self.second.home).exists())

    def test_a_run_that_is_at_work_is_not_forgotten(self):
        process = self.start(*self.play(PLAY % ("", "")))
        self.until(lambda: all(self.effects_of(home)["second"] for home in self.homes), "the second step did not begin")
        (self.run,) = self.runs.iterdir()
        result = self.cnplay("runs", "--forget", self.run.name, "-y")
        self.assertEqual(result.returncode, 3, result.stdout + result.stderr)
        self.assertIn("is working on this run", result.stderr)
        for home in self.homes:
            (home / "go").touch()
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, out + err)


class FullDisk(Killed):
    """From some line on the record cannot be written. Room is made, and the run is resumed."""

    def test_every_effect_is_there_exactly_once(self):
        whole = self.cnplay(*self.play(STEPS))
        self.assertEqual(whole.returncode, 0, whole.stdout + whole.stderr)
        count = len(self.events())
        resumed = 0
        for at in range(2, count + 1, 1 if WHOLE else 3):
            with self.subTest(at=at):
                resumed += self.fill_and_resume(at)
        self.assertGreater(resumed, 5)

    def fill_and_resume(self, at):
        self.setUp()
        first = self.cnplay(*self.play(STEPS), at=at, how="full")
        self.assertNotEqual(first.returncode, 0, first.stdout + first.stderr)
        self.assertIn("cannot be written", first.stderr)
        (run,) = self.runs.iterdir()
        self.assertFalse((run / "run.json").exists())
        second = self.cnplay("resume", "-y")
        text = f"the disk is full from record {at} on:\n{first.stdout}{first.stderr}\n{second.stdout}{second.stderr}"
        self.assertEqual(second.returncode, 0, text)
        self.assertEqual(self.counted(), WANTED, text)
        tasks = collections.Counter(e["task"] for e in self.events() if e["type"] == "ActionStarted")
        self.assertEqual(set(tasks.values()), {1}, text)
        self.assertFalse((self.sshd.home / ".local/state/cnplay" / f"run-{run.name}").exists(), text)
        return 1


if __name__ == "__main__":
    unittest.main()
