"""Locks and predictions with real processes on a real sshd: two controllers, one that is killed, one that is
stopped in the middle. Needs CNPLAY, as controller_test.py does."""

import json
import os
import re
import signal
import subprocess
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

    def gated(self, *arguments):
        return self.start("-F", "none", "-i", "two.inv", "--limit", "one", "gated.play", *arguments, stderr=subprocess.STDOUT)

    def holder(self):
        """A run that has begun its step, and stays in it until `go` is there."""
        (self.root / "gated.play").write_text(GATED)
        process = self.gated()
        self.until(lambda: self.effects.exists() and self.effects.read_text().count("in") >= 1)
        return process

    def test_two_names_of_one_machine_hold_one_lock(self):
        done = self.cnplay(*self.play(PLAY % 'echo in >>"$HOME/effects"; true'), "-F", "none")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.counted(), {"in": 2})
        self.assertRegex(done.stdout, r"h[12] is the same machine as another host of this run, or shares its home directory")

    def test_another_run_is_refused_and_the_holder_is_shown(self):
        first = self.holder()
        self.until(lambda: "step: locked/down/work" in self.file.read_text())
        second = self.gated()
        out = second.communicate(timeout=60)[0]
        self.assertEqual(second.returncode, 3, out)
        self.assertRegex(out, r'the lock "site" is held by \S+@\S+, run \S+, for .*, at locked/down/work; last sign of life')
        self.assertIn("--take-lock", out)
        shown = self.cnplay("locks", "-F", "none", "-i", "two.inv", "--limit", "one")
        self.assertEqual(shown.returncode, 0, shown)
        self.assertRegex(shown.stdout, r"site: held by \S+@\S+, run \S+")
        self.assertIn("at locked/down/work", shown.stdout)
        taken = self.gated("--take-lock")
        out = taken.communicate(timeout=60)[0]
        self.assertEqual(taken.returncode, 3, out)
        self.assertIn("its controller is alive, so the lock is not taken over", out)
        self.go.touch()
        self.assertEqual(first.wait(timeout=60), 0)
        shown = self.cnplay("locks", "-F", "none", "-i", "two.inv", "--limit", "one")
        self.assertIn("site: free", shown.stdout)

    def test_waiting(self):
        first = self.holder()
        brief = self.gated("--wait-lock", "1s")
        out = brief.communicate(timeout=60)[0]
        self.assertEqual(brief.returncode, 3, out)
        self.assertIn('waits for the lock "site" on h1, held by ', out)
        patient = self.gated("--wait-lock", "2m")
        self.go.touch()
        out = patient.communicate(timeout=100)[0]
        self.assertEqual((first.wait(timeout=60), patient.returncode), (0, 0), out)
        wrong = self.gated("--wait-lock", "soon")
        self.assertEqual((wrong.wait(timeout=60)), 2)

    def test_a_killed_controller_holds_nothing(self):
        first = self.holder()
        first.send_signal(signal.SIGKILL)
        first.wait()
        self.go.touch()
        second = self.gated("--wait-lock", "30s")
        out = second.communicate(timeout=100)[0]
        self.assertEqual(second.returncode, 0, out)

    def test_a_silent_controller_is_taken_over_and_finds_out(self):
        first = self.holder()
        first.send_signal(signal.SIGSTOP)
        text = self.file.read_text()
        self.file.write_text(re.sub(r"sign of life: \d+", "sign of life: 1000000000", text))  # in place
        self.go.touch()
        second = self.gated("--take-lock")
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
        second = self.gated("--take-lock")
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

    # --- a run that a step of another one starts

    INNER = '''play %s "Inside" {
  hosts all = group("all_of_them")
  lock "site"
  step work on all { sh """%s""" }
}
'''
    WAITS = 'echo %s >>"$HOME/effects"; i=0; while [ ! -e "$HOME/%s" ] && [ $i -lt 600 ]; do i=$((i+1)); sleep 0.1; done'

    def nested(self, inner, after="true"):
        """An outer run whose step starts inner.play, and then does `after`."""
        for name in ("inner.out", "inner.pid", "go_inner", "go_outer"):
            (self.sshd.home / name).unlink(missing_ok=True)
        self.inner_runs = self.runs / "inner"
        call = (f"cd {self.root}; CNPLAY_RUNS={self.inner_runs} TERM=dumb sh -c 'echo $$ >\"$HOME/inner.pid\"; exec "
                f"{os.environ['CNPLAY']} -F none -i two.inv --limit one inner.play' >>\"$HOME/inner.out\" 2>&1 ")
        (self.root / "inner.play").write_text(self.INNER % ("inner", inner))
        (self.root / "gated.play").write_text(PLAY % (f'echo outer >>"$HOME/effects"; {call}|| echo "inner failed" '
                                                      f'>>"$HOME/effects"; {after}'))
        return self.gated()

    def began(self, word):
        self.until(lambda: self.effects.exists() and word in self.effects.read_text().split("\n"))

    def inner_out(self):
        return (self.sshd.home / "inner.out").read_text()

    def is_held(self):
        return subprocess.run(["flock", "-n", self.file, "true"], check=False).returncode != 0

    def inside_of(self, runs):
        (run,) = [r for r in runs.iterdir() if (r / "events.jsonl").exists()]
        return run.name, json.loads((run / "events.jsonl").read_text().splitlines()[0]).get("inside")

    def test_a_run_inside_of_another_shares_its_lock_to_any_depth(self):
        innermost = self.runs / "innermost"
        (self.root / "innermost.play").write_text(self.INNER % ("innermost", self.WAITS % ("innermost", "go_inner")))
        outer = self.nested(f'echo inner >>"$HOME/effects"; cd {self.root}; CNPLAY_RUNS={innermost} TERM=dumb '
                            f'{os.environ["CNPLAY"]} -F none -i two.inv --limit one innermost.play')
        self.began("innermost")
        outer_run, nothing = self.inside_of(self.runs)
        inner_run, inside = self.inside_of(self.inner_runs)
        self.assertIsNone(nothing)
        self.assertEqual(inside, outer_run)
        self.assertEqual(self.inside_of(innermost)[1], inner_run)
        self.assertIn(f", run {outer_run}\n", self.file.read_text())
        self.assertTrue(self.is_held())
        (self.sshd.home / "go_inner").touch()
        out = outer.communicate(timeout=100)[0]
        self.assertEqual(outer.returncode, 0, out + self.inner_out())
        self.assertIn('the lock "site" is held by the run around this one', self.inner_out())
        self.assertIn(f"inside the run {outer_run}", self.inner_out())
        self.assertEqual(self.effects.read_text(), "outer\ninner\ninnermost\n")
        self.assertFalse(self.is_held())

    def test_a_stranger_with_the_same_variable_is_refused(self):
        outer = self.nested(self.WAITS % ("inner", "go_inner"))
        self.began("inner")
        outer_run, _ = self.inside_of(self.runs)
        directory = self.sshd.home / ".local/state/cnplay" / f"run-{outer_run}"
        self.assertTrue(directory.is_dir())
        (self.root / "stranger.play").write_text(self.INNER % ("stranger", 'echo stranger >>"$HOME/effects"; true'))
        stranger = subprocess.run(
            [os.environ["CNPLAY"], "-F", "none", "-i", "two.inv", "--limit", "one", "stranger.play"], cwd=self.root,
            env={**os.environ, "CNPLAY_RUNS": str(self.runs / "stranger"), "TERM": "dumb", "CNPLAY_INSIDE": str(directory)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(stranger.returncode, 3, stranger)
        self.assertIn(f"CNPLAY_INSIDE names the run {outer_run}, but none of its running tasks has started this process",
                      stranger.stdout, stranger)
        (self.sshd.home / "go_inner").touch()
        self.assertEqual(outer.wait(timeout=100), 0, self.inner_out())
        self.assertNotIn("stranger", self.effects.read_text())

    def test_an_inner_run_that_is_killed_leaves_the_outers_lock(self):
        outer = self.nested(self.WAITS % ("inner", "go_inner"), after=self.WAITS % ("after", "go_outer"))
        self.began("inner")
        outer_run, _ = self.inside_of(self.runs)
        os.kill(int((self.sshd.home / "inner.pid").read_text()), signal.SIGKILL)
        self.began("after")
        self.assertIn("inner failed", self.effects.read_text())
        self.assertTrue(self.is_held())
        self.assertIn(f", run {outer_run}\n", self.file.read_text())
        (self.sshd.home / "go_inner").touch()  # what it had started goes on
        (self.sshd.home / "go_outer").touch()
        out = outer.communicate(timeout=100)[0]
        self.assertEqual(outer.returncode, 0, out)
        self.assertFalse(self.is_held())

    def test_an_inner_run_whose_outer_one_is_killed_ends_in_peace(self):
        outer = self.nested(self.WAITS % ("inner", "go_inner"))
        self.began("inner")
        outer.send_signal(signal.SIGKILL)
        outer.wait()
        self.until(lambda: not self.is_held())
        (self.sshd.home / "go_inner").touch()
        self.until(lambda: list(self.inner_runs.glob("*/run.json")))
        self.assertIn('"verdict": "success"', next(self.inner_runs.glob("*/run.json")).read_text())

    def test_an_inner_run_stops_when_somebody_takes_the_lock_of_the_outer_one_that_was_killed(self):
        outer = self.nested(self.WAITS % ("inner", "go_inner"))
        self.began("inner")
        outer.send_signal(signal.SIGKILL)
        outer.wait()
        (self.root / "gated.play").write_text(GATED)
        third = self.gated("--wait-lock", "60s")
        self.began("in")
        self.until(lambda: "was lost, the run stops" in self.inner_out())
        self.assertIn("it is not held by the run around this one any more", self.inner_out())
        (self.sshd.home / "go_inner").touch()
        self.until(lambda: list(self.inner_runs.glob("*/run.json")))
        self.assertIn('"verdict": "aborted"', next(self.inner_runs.glob("*/run.json")).read_text())
        self.go.touch()
        self.assertEqual(third.wait(timeout=60), 0)

    # --- predictions

    def test_past_runs_predict(self):
        (self.root / "gated.play").write_text(PLAY % "echo in >>$HOME/effects; sleep 0.2")
        before = self.cnplay("plan", "-i", "two.inv", "gated.play")
        self.assertIn("by `expect`: no run of this play", before.stdout)
        for _ in range(3):
            process = self.gated()
            self.assertEqual(process.wait(timeout=60), 0)
        check = self.gated("--check")
        self.assertEqual(check.wait(timeout=60), 0)
        after = self.cnplay("plan", "-i", "two.inv", "gated.play")
        self.assertEqual(after.returncode, 0, after)
        self.assertRegex(after.stdout, r"3 runs: median \d+ ms, worst \d+ (ms|s)")
        self.assertIn("from the last 3 runs on two", after.stdout)
        self.assertRegex(after.stdout, r"Total outage time, including testing +- +\d")
        reports = [self.cnplay("report", "--format", "jsonl", "-o", "-", run.name).stdout for run in self.runs.iterdir()]
        for n, count in ((0, 2), (1, 1), (2, 1), (3, 0)):  # the dry run compares its times with none
            self.assertEqual(sum(f'"past_runs":{n},' in text for text in reports), count, n)


if __name__ == "__main__":
    unittest.main()
