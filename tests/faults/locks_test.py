"""Locks and predictions with real processes on a real sshd: two controllers, one that is killed, one that is
stopped in the middle. Needs CNPLAY, as controller_test.py does."""

import os
import re
import signal
import subprocess
import time
import unittest

from controller_test import Killed

PLAY = '''play locked "One at a time" {
  hosts all = group("all_of_them")
  lock "site"
  phase down "Site down" outage {
    step work on all { sh """%s""" }
  }
}
'''
GATED = PLAY % 'echo in >>"$HOME/effects"; i=0; while [ ! -e "$HOME/go" ] && [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; done'


class Locks(Killed):
    def setUp(self):
        super().setUp()
        self.go = self.sshd.home / "go"
        self.go.unlink(missing_ok=True)
        self.file = self.sshd.home / ".local/state/cnplay/locks/site"

    def start(self, *arguments):
        process = subprocess.Popen(
            [os.environ["CNPLAY"], "-F", "none", "-i", "two.inv", "--limit", "one", "gated.play", *arguments], cwd=self.root,
            env={**os.environ, "CNPLAY_RUNS": str(self.runs), "TERM": "dumb"}, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def holder(self):
        """A run that has begun its step, and stays in it until `go` is there."""
        (self.root / "gated.play").write_text(GATED)
        process = self.start()
        self.until(lambda: self.effects.exists() and self.effects.read_text().count("in") >= 1)
        return process

    def until(self, holds):
        for _ in range(1200):
            if holds():
                return
            time.sleep(0.05)
        self.fail("it did not come")

    def test_another_run_is_refused_and_the_holder_is_shown(self):
        first = self.holder()
        self.until(lambda: "step: locked/down/work" in self.file.read_text())
        second = self.start()
        out = second.communicate(timeout=60)[0]
        self.assertEqual(second.returncode, 3, out)
        self.assertRegex(out, r'the lock "site" is held by \S+@\S+, run \S+, for .*, at locked/down/work; last sign of life')
        self.assertIn("--take-lock", out)
        shown = self.cnplay("locks", "-F", "none", "-i", "two.inv", "--limit", "one")
        self.assertEqual(shown.returncode, 0, shown)
        self.assertRegex(shown.stdout, r"site: held by \S+@\S+, run \S+")
        self.assertIn("at locked/down/work", shown.stdout)
        taken = self.start("--take-lock")
        out = taken.communicate(timeout=60)[0]
        self.assertEqual(taken.returncode, 3, out)
        self.assertIn("its controller is at work, so it is not taken over", out)
        self.go.touch()
        self.assertEqual(first.wait(timeout=60), 0)
        shown = self.cnplay("locks", "-F", "none", "-i", "two.inv", "--limit", "one")
        self.assertIn("site: free", shown.stdout)

    def test_waiting(self):
        first = self.holder()
        brief = self.start("--wait-lock", "1s")
        out = brief.communicate(timeout=60)[0]
        self.assertEqual(brief.returncode, 3, out)
        self.assertIn('waits for the lock "site" on h1, held by ', out)
        patient = self.start("--wait-lock", "2m")
        self.go.touch()
        out = patient.communicate(timeout=100)[0]
        self.assertEqual((first.wait(timeout=60), patient.returncode), (0, 0), out)
        wrong = self.start("--wait-lock", "soon")
        self.assertEqual((wrong.wait(timeout=60)), 2)

    def test_a_killed_controller_holds_nothing(self):
        first = self.holder()
        first.send_signal(signal.SIGKILL)
        first.wait()
        self.go.touch()
        second = self.start("--wait-lock", "30s")
        out = second.communicate(timeout=100)[0]
        self.assertEqual(second.returncode, 0, out)

    def test_a_silent_controller_is_taken_over_and_finds_out(self):
        first = self.holder()
        first.send_signal(signal.SIGSTOP)
        text = self.file.read_text()
        self.file.write_text(re.sub(r"sign of life: \d+", "sign of life: 1000000000", text))  # in place
        self.go.touch()
        second = self.start("--take-lock")
        out = second.communicate(timeout=100)[0]
        self.assertEqual(second.returncode, 0, out)
        self.assertIn("was taken over from ", out)
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=100)

    def test_a_silent_controller_that_comes_back_while_another_works_stops(self):
        first = self.holder()
        first.send_signal(signal.SIGSTOP)
        text = self.file.read_text()
        self.file.write_text(re.sub(r"sign of life: \d+", "sign of life: 1000000000", text))
        second = self.start("--take-lock")
        self.until(lambda: self.effects.read_text().count("in") >= 2)
        first.send_signal(signal.SIGCONT)
        said = ""
        while "the run stops" not in said:
            line = first.stdout.readline()
            self.assertNotEqual(line, "", said)
            said += line
        self.assertRegex(said, r'the lock "site" on h1 was lost, the run stops')
        self.go.touch()
        self.assertEqual(first.wait(timeout=100), 6)
        out = second.communicate(timeout=100)[0]
        self.assertEqual(second.returncode, 0, out)

    # --- predictions

    def test_past_runs_predict(self):
        (self.root / "gated.play").write_text(PLAY % "echo in >>$HOME/effects; sleep 0.2")
        before = self.cnplay("plan", "-i", "two.inv", "gated.play")
        self.assertIn("by `expect`: no run of this play", before.stdout)
        for _ in range(3):
            process = self.start()
            self.assertEqual(process.wait(timeout=60), 0)
        check = self.start("--check")
        self.assertEqual(check.wait(timeout=60), 0)
        after = self.cnplay("plan", "-i", "two.inv", "gated.play")
        self.assertEqual(after.returncode, 0, after)
        self.assertRegex(after.stdout, r"3 runs: median \d+ ms, worst \d+ (ms|s)")
        self.assertIn("from the last 3 runs on two", after.stdout)
        self.assertRegex(after.stdout, r"Total outage time, including testing +- +\d")
        reports = [self.cnplay("report", "--format", "jsonl", "-o", "-", run.name).stdout for run in self.runs.iterdir()]
        for n in range(3):
            self.assertEqual(sum(f'"past_runs":{n},' in text for text in reports), 1, n)


if __name__ == "__main__":
    unittest.main()
