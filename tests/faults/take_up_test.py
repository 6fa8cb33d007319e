"""A run fails because of a mistake in its play; the play is fixed, and `cnplay resume --take-changes`
goes on where it failed: each effect is there exactly once, wherever the controller is killed on the way.
Needs CNPLAY and DIE, as controller_test.py does."""

import collections
import signal
import unittest

from controller_test import WHOLE
from processes import Processes

WRONG = '''play killed "With a mistake" {
  hosts all = group("all_of_them")
  step one on all { sh """echo "one" >>"$HOME/effects" """ }
  barrier
  step two on all {
    sh """echo "two" >>"$HOME/effects" """
    sh """no-such-command; echo "more" >>"$HOME/effects" """
  }
  step three on all { sh """echo "three" >>"$HOME/effects" """ }
}
'''
MENDED = WRONG.replace("no-such-command; ", "")
WANTED = collections.Counter({"one": 2, "two": 2, "more": 2, "three": 2})


class TakeUp(Processes):
    def one(self, *arguments, code=0, **die):
        run = self.cnplay(*arguments, **die)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def fails(self, play=WRONG):
        self.one(*self.play(play), code=1)
        self.assertEqual(self.counted(), collections.Counter({"one": 2, "two": 2}))
        return self.run_id()

    def record(self):
        return (self.runs / self.run_id() / "events.jsonl").read_bytes()

    def test_the_mended_play_goes_on_where_it_failed(self):
        name = self.fails()
        before = self.record()
        # As long as there are mistakes nothing is done, or written.
        self.play(MENDED.replace("step three on all", "step three on nobody"))
        self.assertIn("nobody", self.one("resume", name, "--take-changes", code=3).stderr)
        self.assertEqual(self.record(), before)
        self.play(MENDED)
        run = self.one("resume", name, "--take-changes")
        self.assertIn("step killed/two would do something else on h1, h2", run.stderr)
        self.assertIn("with the changed play from here on", run.stdout)
        self.assertEqual(self.counted(), WANTED)
        self.assertTrue(self.record().startswith(before), "the record was rewritten")
        (taken,) = self.of_type("PlanTaken")
        self.assertEqual(taken["file"], "plan-2.json")
        self.assertNotEqual(taken["before"], taken["after"])
        shown = self.one("show", name).stdout
        self.assertIn("with the changed play from here on", shown)
        self.assertIn("success", self.one("runs").stdout)
        self.one("report", name, "-o", str(self.root / "r.html"))
        self.assertIn("Resumed", (self.root / "r.html").read_text())
        tasks = [e["task"] for e in self.of_type("ActionStarted")]
        self.assertEqual(len(tasks), len(set(tasks)), "an id was used twice")
        self.assertIn("has ended", self.one("resume", name, "--take-changes", code=2).stderr)

    def test_what_is_done_and_was_changed_is_named(self):
        name = self.fails()
        before = self.record()
        self.play(MENDED.replace('"one"', '"uno"'))
        refused = self.one("resume", name, "--take-changes", code=3)
        self.assertIn("the step `killed/one` on h1 has begun or is done already", refused.stderr)
        self.assertIn("--from killed/one", refused.stderr)
        self.play(MENDED.replace("  barrier", '  step new on all { sh """true""" }\n  barrier'))
        refused = self.one("resume", name, "--take-changes", code=3)
        self.assertIn("`killed/new`", refused.stderr)
        self.assertIn("it would come too late", refused.stderr)
        self.assertEqual(self.record(), before)
        self.assertEqual(self.counted(), collections.Counter({"one": 2, "two": 2}))
        # Behind what is done it is welcome; and what is not wanted any more may go.
        self.play(MENDED.replace("  step three", '  step new on all { sh """echo new >>"$HOME/effects" """ }\n'
                                                 "  step three").replace("  step two", "  step zwei"))
        self.one("resume", name, "--take-changes")
        self.assertEqual(self.counted(),
                         collections.Counter({"one": 2, "two": 4, "more": 2, "new": 2, "three": 2}))

    def test_a_step_that_is_done_is_done_again_if_somebody_says_so(self):
        name = self.fails()
        self.play(MENDED.replace('"one"', '"uno"'))
        self.one("resume", name, "--take-changes", "--from", "one")
        self.assertEqual(self.counted(), WANTED + collections.Counter({"uno": 2, "two": 2}))

    def test_after_a_failure_from_an_earlier_step_on(self):
        play = WRONG.replace("no-such-command; ", '[ -e "$HOME/mended" ]; ')
        (self.sshd.home / "mended").unlink(missing_ok=True)
        name = self.fails(play)
        (self.sshd.home / "mended").write_text("")
        self.one("resume", name, "--from", "two")
        self.assertEqual(self.counted(), WANTED + collections.Counter({"two": 2}))

    def test_it_fails_once_more_and_is_mended_once_more(self):
        name = self.fails()
        self.play(WRONG.replace("no-such", "still-no"))
        self.one("resume", name, "--take-changes", code=1)
        self.play(MENDED)
        self.one("resume", name, "--take-changes")
        self.assertEqual(self.counted(), WANTED)
        self.assertEqual([e["file"] for e in self.of_type("PlanTaken")], ["plan-2.json", "plan-3.json"])
        self.one("show", name)
        self.one("report", name, "-o", "-")

    def test_on_a_terminal_it_is_asked(self):
        self.one(*self.play(WRONG.replace("  step two", '  approve go "Go on?"\n  step two')), code=7)
        name = self.run_id()
        self.play(MENDED.replace("  step two", '  approve go "Go on?"\n  step two'))
        self.one("answer", name, "go", "--approve")
        code, shown = self.on_a_terminal(["resume", name], [("as it was recorded?", "c\n")])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.counted(), WANTED)

    def test_killed_at_each_record_of_it(self):
        killed = 0
        for offset, how in enumerate(("before", "torn", "after", "synced")):
            for at in range(1, 5 if how == "synced" else 30, 1 if WHOLE else 5) if offset else (1, 2, 3, 9):
                with self.subTest(at=at, how=how):
                    self.setUp()
                    name = self.fails()
                    self.play(MENDED)
                    run = self.cnplay("resume", name, "--take-changes", at=at, how=how)
                    if run.returncode != -signal.SIGKILL:
                        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
                        continue
                    killed += 1
                    before = self.record()
                    second = self.cnplay("resume", name)
                    if not self.of_type("PlanTaken"):  # nobody is there to say whether with the changes
                        self.assertEqual(second.returncode, 3, second.stdout + second.stderr)
                        second = self.cnplay("resume", name, "--take-changes")
                    text = f"killed {how} record {at}:\n{second.stdout}{second.stderr}"
                    if "has ended" not in text:
                        self.assertEqual(second.returncode, 0, text)
                    self.assertEqual(self.counted(), WANTED, text)
                    self.assertTrue(self.record().startswith(before), "the record was rewritten")
                    self.assertEqual(self.of_type("RunEnded")[-1]["verdict"], "success", text)
                    self.assertEqual(self.cnplay("show", name).returncode, 0)
        self.assertGreater(killed, 8)


if __name__ == "__main__":
    unittest.main()
