"""The matrix of tests/run/simulation_test.cc in small, over real sshd: the controller is killed at a record, a resume is
refused for each reason in turn, and then one is not. The witness is one counter a task.

In short: at some of the records. With CNPLAY_WHOLE_MATRIX=1: at each of them."""

import collections
import contextlib
import os
import pathlib
import signal
import unittest

from controller_test import WHOLE
from endings_test import Endings

PLAY = '''play killed "Killed, refused, resumed" {
  let all = group("all_of_them")
  lock "x"
  secret key = env("MATRIX_KEY")
  step first on all { sh(key: key) """[ "$key" = matrix-key ]; echo first >>"$HOME/effects" """ }
  step again on all retry 1 every 100ms {
    sh """echo again >>"$HOME/effects"; [ -e "$HOME/tried" ] || { : >"$HOME/tried"; exit 1; }"""
  }
  step second on all { sh """sleep 0.1; echo second >>"$HOME/effects" """ }
  step third on all { sh """echo third >>"$HOME/effects" """ }
}
'''
WANTED = collections.Counter({"first": 1, "again": 2, "second": 1, "third": 1})


class Matrix(Endings):
    def setUp(self):
        super().setUp()
        for home in self.homes:
            (home / "tried").unlink(missing_ok=True)
        os.environ["MATRIX_KEY"] = "matrix-key"
        self.addCleanup(os.environ.pop, "MATRIX_KEY", None)

    # --- why a resume is refused: each restores what it has changed

    @contextlib.contextmanager
    def host_down(self):
        self.second.stop()
        yield
        self.start_second_again()

    @contextlib.contextmanager
    def secret_missing(self):
        key = os.environ.pop("MATRIX_KEY")
        yield
        os.environ["MATRIX_KEY"] = key

    @contextlib.contextmanager
    def another_host_key(self):
        file = self.second.directory / "known_hosts"
        known = file.read_text()
        file.write_text(known.split(" ")[0] + " " + (self.sshd.directory / "host.pub").read_text())
        yield
        file.write_text(known)

    @contextlib.contextmanager
    def damaged_record(self):
        file = self.run.joinpath("events.jsonl")
        whole = file.read_bytes()
        lines = whole.splitlines(keepends=True)
        file.write_bytes(b"".join(lines[:2] + lines[3:]))
        yield
        file.write_bytes(whole)

    def refuse_for_each_reason(self):
        for reason in (self.host_down, self.lock_held, self.secret_missing, self.another_host_key, self.damaged_record):
            before = self.effects_and_claims()
            with reason():
                result = self.cnplay("resume", "-y", self.run.name)
            text = f"{reason.__name__}: {result.stdout}{result.stderr}"
            self.assertNotIn(result.returncode, (0, 70, 74), text)
            self.assertEqual(self.effects_and_claims(), before, text)
            self.refused[reason.__name__] += 1
        # These may send something before they end: only nothing may start twice, or be forgotten.
        for how, at in (("full", 1), ("before", 2), ("torn", 3), ("after", 4)):
            self.cnplay("resume", "-y", self.run.name, at=at, how=how)
            self.nothing_twice(how)

    def settled(self):
        """What was at work on the hosts when its controller died has ended, what was on its way to them, too."""
        return not any(self.at_work(home) for home in self.homes) and all(
            claim.read_text().endswith("ended\n") for home in self.homes for claim in self.directory(home).glob("t-*"))

    @staticmethod
    def at_work(home):
        """Whether a process of a session is left. The shells of a dead controller end with their input."""
        for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if f"HOME={home}\0".encode() in environment.read_bytes():
                    return True
        return False

    def effects_and_claims(self):
        return [(self.effects_of(home), self.claims(home)) for home in self.homes]

    def nothing_twice(self, why):
        for home in self.homes:
            self.assertEqual(self.effects_of(home) - WANTED, collections.Counter(), why)

    def test_killed_then_refused_for_each_reason_then_resumed(self):
        whole = self.cnplay(*self.play(PLAY))
        self.assertEqual(whole.returncode, 0, whole.stdout + whole.stderr)
        count = len(self.events())
        self.refused = collections.Counter()
        began = next(i for i, e in enumerate(self.events(), 1) if e["type"] == "PreflightEnded")
        step = 1 if WHOLE else max(1, (count - began) // 3)
        resumed = 0
        for at in range(began + 1, count, step):
            with self.subTest(at=at):
                resumed += self.one(at)
        self.assertGreaterEqual(resumed, 3)
        self.assertGreaterEqual(min(self.refused.values()), 3)

    def one(self, at):
        self.doCleanups()
        self.setUp()
        first = self.cnplay(*self.play(PLAY), at=at, how="after")
        self.assertEqual(first.returncode, -signal.SIGKILL, first.stdout + first.stderr)
        (self.run,) = self.runs.iterdir()
        self.until(self.settled, "a task does not end")
        self.refuse_for_each_reason()
        result = self.cnplay("resume", "-y", self.run.name)
        text = result.stdout + result.stderr
        if result.returncode == 2 and "has ended" in text:  # a resume that was killed had ended it
            return 0
        self.assertEqual(result.returncode, 0, text)
        self.assertEqual([self.effects_of(home) for home in self.homes], [WANTED, WANTED], text)
        self.assertEqual([self.directory(home).exists() for home in self.homes], [False, False], text)
        return 1


if __name__ == "__main__":
    unittest.main()
