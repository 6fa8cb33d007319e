"""Ways back with real processes: offered on a terminal and without one, taken later as runs of their own, killed on
the way and resumed, for a deadline that has passed. Needs CNPLAY and DIE, as controller_test.py does."""

import datetime
import unittest

from processes import Processes

PLAY = '''play launch "Launch" {
  hosts all = group("all_of_them")
  hosts first = group("one")
  step set on first { let old = mark.set(text: "new") }
  pivot "people write to it"
  step go on all { sh """%s""" }
  on_failure after pivot { offer back offer other }
  rollback back "Back to what it was" {
    step unset on first { mark.set(text: set.old.before) }
    barrier
    step told on all { sh """echo told >>"$HOME/effects"; sleep 0.05""" }
  }
  rollback other "Something else" { step other on all { sh """echo other >>"$HOME/effects" """ } }
}
'''.replace("offer back offer other", "\n    offer back\n    offer other\n  ")
LATE = '''play late "Late" {
  hosts all = group("all_of_them")
  phase sync "Sync" {
    deadline "%s" else rollback back
    step copy on all { sh """sleep 2.2""" }
    step more on all { sh """echo more >>"$HOME/effects" """ }
  }
  rollback back { step back on all { sh """echo back >>"$HOME/effects" """ } }
}
'''


class WaysBack(Processes):
    def setUp(self):
        super().setUp()
        self.mark = self.marked()

    def succeeded(self):
        run = self.cnplay(*self.play(PLAY % "true"))
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(self.mark.read_text(), "new")
        return self.ids()[0]

    def failed(self):
        """Failed, and nobody wants to go back: its id, and what was said in the end."""
        run = self.cnplay(*self.play(PLAY % "exit 1"))
        self.assertEqual(run.returncode, 7, run.stdout + run.stderr)
        (name,) = self.ids()
        self.assertEqual(self.cnplay("answer", name, "offer", "none").returncode, 0)
        resumed = self.cnplay("resume", name)
        self.assertEqual(resumed.returncode, 1, resumed.stdout + resumed.stderr)
        return name, resumed.stdout

    def test_on_a_terminal(self):
        code, shown = self.on_a_terminal(self.play(PLAY % "exit 1"), [("one of back, other or none", "back\n")])
        self.assertEqual(code, 1, shown)
        self.assertIn("<< rollback back: Back to what it was <<", shown)
        self.assertEqual(self.mark.read_text(), "old")
        self.assertEqual(self.counted(), {"set new": 1, "set old": 1, "told": 2})

    def test_parked_answered_and_resumed(self):
        run = self.cnplay(*self.play(PLAY % "exit 1"))
        self.assertEqual(run.returncode, 7, run.stdout + run.stderr)
        (name,) = self.ids()
        refused = self.cnplay("rollback", name, "back")
        self.assertEqual(refused.returncode, 3, refused.stdout)
        self.assertIn("it waits for people", refused.stderr)
        answered = self.cnplay("answer", name, "offer", "back")
        self.assertEqual(answered.returncode, 0, answered.stderr)
        resumed = self.cnplay("resume", name)
        self.assertEqual(resumed.returncode, 1, resumed.stdout + resumed.stderr)
        self.assertEqual(self.counted(), {"set new": 1, "set old": 1, "told": 2})
        again = self.cnplay("rollback", name, "back")
        self.assertEqual(again.returncode, 3, again.stdout)
        self.assertIn("was already rolled back this way, by the run itself", again.stderr)

    def test_none_holds_and_it_is_taken_later(self):
        name, said = self.failed()
        self.assertIn(f"cnplay rollback {name} back", said)
        self.assertEqual(self.counted(), {"set new": 1})
        later = self.cnplay("rollback", name, "back")
        self.assertEqual(later.returncode, 0, later.stdout + later.stderr)
        self.assertEqual(self.mark.read_text(), "old")

    def test_later(self):
        name = self.succeeded()
        which = self.cnplay("rollback", name)
        self.assertEqual(which.returncode, 2)
        self.assertIn("back (Back to what it was); other (Something else)", which.stderr)
        self.assertIn("name one: back", self.cnplay("rollback", name, "bakc").stderr)
        rehearsed = self.cnplay("rollback", name, "back", "--check")
        self.assertEqual(rehearsed.returncode, 0, rehearsed.stdout + rehearsed.stderr)
        self.assertIn("new -> old", rehearsed.stdout)
        self.assertEqual(self.counted(), {"set new": 1})
        taken = self.cnplay("rollback", name, "back")
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)
        self.assertEqual(self.counted(), {"set new": 1, "set old": 1, "told": 2})
        back = self.ids()[-1]
        began = self.of_run(back)[0]
        self.assertEqual((began["rollback"], began["rollback_of"]), ("back", name))
        runs = self.cnplay("runs").stdout
        self.assertIn(f"rollback `back` of {name}", runs)
        self.assertIn(f"rolled back by {back} (back)", runs)
        self.assertIn(f"rolled back by {back}, `back`", self.cnplay("show", name).stdout)
        self.assertIn(f"this run is the rollback `back` of {name}", self.cnplay("show", back).stdout)
        once_more = self.cnplay("rollback", name, "back")
        self.assertEqual(once_more.returncode, 3)
        self.assertIn(f"was already rolled back this way, by {back}", once_more.stderr)
        self.assertIn(f"is the rollback `back` of {name} itself", self.cnplay("rollback", back).stderr)
        self.assertEqual(self.cnplay("rollback", name, "back", "--again").returncode, 0)
        self.assertEqual(self.counted(), {"set new": 1, "set old": 1, "told": 4})  # the mark was found as it should be
        self.assertEqual(self.cnplay("rollback", name, "other").returncode, 0)
        report = self.cnplay("report", back, "-o", "-")
        self.assertIn("the rollback <code>back</code>", report.stdout)

    def test_killed_on_the_way_back_it_is_resumed(self):
        name = self.succeeded()
        effects = {"set old": 1, "told": 2}
        self.assertGreater(self.killed_everywhere_and_resumed(name, ["rollback", name, "back"], effects), 3)

    def test_of_a_run_whose_play_was_changed_in_its_middle(self):
        """The way back is the changed play's, with what the first of them has found on the hosts."""
        name, _ = self.failed()
        changed = (PLAY % "true").replace("echo told", "echo changed")
        self.play(changed)
        taken = self.cnplay("resume", name, "--take-changes")
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)
        self.play(PLAY % "true")  # what the file says now is no matter
        rehearsed = self.cnplay("rollback", name, "back", "--check")
        self.assertIn("new -> old", rehearsed.stdout, rehearsed.stderr)
        self.assertEqual(self.counted(), {"set new": 1})
        self.cnplay("rollback", name, "back", at=9, how="after")
        back = self.ids()[-1]
        self.assertFalse((self.runs / back / "run.json").exists(), "it was not killed")
        again = self.cnplay("resume", back, "-y")  # by the recorded plan, not by the file
        self.assertEqual(again.returncode, 0, again.stdout + again.stderr)
        self.assertEqual(self.mark.read_text(), "old")
        self.assertEqual(self.counted(), {"set new": 1, "set old": 1, "changed": 2})
        self.assertIn(f"rolled back by {back}", self.cnplay("show", name).stdout)

    def test_a_deadline(self):
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
        run = self.cnplay(*self.play(LATE % soon.strftime("%Y-%m-%d %H:%M:%S UTC")))
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIn("too late", run.stdout)
        self.assertEqual(self.counted(), {"back": 2})
        over = self.cnplay(*self.play(LATE % "2020-01-01 00:00 UTC"))
        self.assertEqual(over.returncode, 3, over.stdout + over.stderr)
        self.assertEqual(self.counted(), {"back": 2})


class WindowThatCloses(Processes):
    PLAY = '''play closing "Longer than its window" {
  hosts all = group("one")
  window from now - 1h to now + 2s
  step first on all {
    sh """echo first >>"$HOME/effects"; sleep 2.2"""
    undo { sh """echo undone >>"$HOME/effects" """ }
  }
  step second on all { sh """echo second >>"$HOME/effects" """ }
}
'''

    def parked(self):
        done = self.cnplay("-F", "none", *self.play(self.PLAY))
        self.assertEqual(done.returncode, 7, done)
        self.assertIn("the window is over since", done.stdout)
        self.assertIn("no step begins before somebody has decided", done.stdout)
        self.assertEqual(self.counted(), {"first": 1})
        self.assertIn("the window is over, nobody is at a terminal: resume it", self.cnplay("runs").stdout)
        return self.run_id()

    def test_without_a_terminal_it_parks_and_a_person_decides_later(self):
        run = self.parked()
        code, shown = self.on_a_terminal(["resume", run], [("or later): ", "go_on\n")])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.counted(), {"first": 1, "second": 1})
        self.assertEqual(self.of_type("WindowAnswered")[0]["choice"], "go_on")

    def test_it_is_taken_back(self):
        run = self.parked()
        code, shown = self.on_a_terminal(["resume", run], [("or later): ", "roll_back\n")])
        self.assertEqual(code, 1, shown)
        self.assertEqual(self.counted(), {"first": 1, "undone": 1})

    def test_yes_goes_on(self):
        run = self.parked()
        done = self.cnplay("resume", "--yes", run)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(self.counted(), {"first": 1, "second": 1})


if __name__ == "__main__":
    unittest.main()
