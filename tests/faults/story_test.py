"""The whole story: a move that takes three days, with people, an approval by two of them, a wait, a point of no return
and two ways back; its controller killed again and again, in each phase; failed after the point of no return and
taken back. What was done was done once, and the report tells all of it. Needs CNPLAY and DIE, as controller_test.py
does, and root, for the second person."""

import collections
import getpass
import json
import os
import signal
import unittest

from processes import TwoUsers

ME = getpass.getuser()

PLAY = '''play move "Move the site in three days" {
  hosts all = group("all_of_them")
  hosts first = group("one")

  phase copying "The first day: copies" expect 1m {
    step copy on all { sh """echo copied >>"$HOME/effects"; sleep 0.05""" }
    step compare on all { sh """echo compared >>"$HOME/effects" """ }
    manual tell "Tell the users" {
      item "the mail is sent"
      evidence ticket: string "its ticket"
    }
  }
  approve go "Is the second day on?" by ["%(me)s", "nobody"] count 2
  phase rehearsing "The second day: a last look" {
    step look on all { sh(ticket: tell.ticket) """echo "looked for $ticket" >>"$HOME/effects" """ }
    wait until now + 1s, late_by 24h
  }
  phase cutover "The third day: the site is down" outage expect 2m {
    step stop on all { sh """echo stopped >>"$HOME/effects"; sleep 0.05""" }
    step point on first { let old = mark.set(text: "new") }
    step close on all { sh """echo closed >>"$HOME/effects" """ }
    pivot "people write to the new one"
    step open on all { sh """echo opened >>"$HOME/effects"; exit 1""" }
    on_failure before pivot { undo all }
    on_failure after  pivot {
      offer dns
      offer restore
      hold "Fix it forward."
    }
  }
  rollback dns "Point back to the old one" {
    step unpoint on first { mark.set(text: point.old.before) }
    barrier
    step told on all { sh """echo told >>"$HOME/effects"; sleep 0.05""" }
  }
  rollback restore "Restore the old one from the copies" {
    step restored on all { sh """echo restored >>"$HOME/effects" """ }
  }
}
'''

BEFORE = {"copied": 2, "compared": 2, "looked for T-7": 2, "stopped": 2, "set new": 1, "closed": 2}


class Story(TwoUsers):
    def setUp(self):
        super().setUp()
        self.mark = self.marked()
        self.killed_in = collections.Counter()

    def phase(self):
        place = "before"
        for e in self.events():
            if e["type"] == "PhaseStarted":
                place = e["phase"].rsplit("/", 1)[-1]
            elif e["type"] in ("Pivoted", "RollbackStarted"):
                place = e["type"]
        return place

    def answer(self, name, offer):
        step = self.waiting(self.events())[-1]
        if step == "tell":
            given = [self.cnplay("answer", name, "tell", "--done", "ticket=T-7")]
        elif step == "go":
            given = [self.cnplay("answer", name, "go", "--approve"), self.other("answer", name, "go", "--approve")]
        else:
            given = [self.cnplay("answer", name, step, offer)]
        for one in given:
            self.assertEqual(one.returncode, 0, one.stdout + one.stderr)

    def through(self, every, offer):
        """Runs it to its end; each controller is killed after it has written so many records."""
        die = {"at": every, "how": "after"} if every else {}
        last = self.cnplay(*self.play(PLAY % {"me": ME}), **die)
        name = self.run_id()
        for _ in range(60):
            text = last.stdout + last.stderr
            if last.returncode == -signal.SIGKILL:
                self.killed_in[self.phase()] += 1
            elif last.returncode == 7:
                self.answer(name, offer)
            else:
                return name, last
            if self.events()[-1]["type"] == "RunEnded":
                return name, last  # killed after its last word
            last = self.cnplay("resume", name, **die)
        self.fail("it has no end: " + text)

    def test_killed_in_each_phase_and_taken_back(self):
        seen = collections.Counter()
        for every in (None, 10, 11, 12, 14, 18):  # a resumed run has 8 records before its first own
            with self.subTest(every=every):
                self.setUp()
                name, last = self.through(every, "dns")
                text = last.stdout + last.stderr
                self.assertIn(last.returncode, (1, -signal.SIGKILL), text)
                done = self.counted()
                self.assertIn("opened", done, text)
                opened = done.pop("opened")
                self.assertIn(opened, (1, 2), text)  # the failure of one host stops the other, if it has not begun
                self.assertEqual(done, {**BEFORE, "set old": 1, "told": 2}, text)
                self.assertEqual(self.mark.read_text(), "old")
                self.tells_the_story(name, sum(self.killed_in.values()), opened)
                seen += self.killed_in
        for place in ("copying", "rehearsing", "cutover", "Pivoted", "RollbackStarted"):
            self.assertGreater(seen[place], 0, f"never killed in {place}: {seen}")

    def tells_the_story(self, name, kills, opened):
        rows = [json.loads(line) for line in self.cnplay("report", name, "--format", "jsonl", "-o", "-").stdout.splitlines()]
        (run,) = [row for row in rows if row["type"] == "run"]
        self.assertEqual((run["state"], run["verdict"], run["play"]), ("ended", "failed", "move"))
        # Parked three times: for who tells, for the two that approve, for the way back.
        self.assertGreaterEqual(len([row for row in rows if row["type"] == "resume"]), max(3, kills))
        results = collections.Counter(
            (row["step"].rsplit("/", 1)[-1], row["outcome"]) for row in rows if row["type"] == "result")
        for step, count in (("copy", 2), ("look", 2), ("stop", 2), ("point", 1), ("unpoint", 1), ("told", 2)):
            self.assertEqual(results[step, "changed"], count, results)
        self.assertEqual(results["open", "failed"], opened, results)
        answers = [(row["step"].rsplit("/", 1)[-1], row["user"], row["values"]) for row in rows if row["type"] == "answer"]
        self.assertEqual(answers[:3], [("tell", ME, {"ticket": "T-7"}), ("go", ME, {}), ("go", self.OTHER, {})])
        page = self.cnplay("report", name, "-o", "-")
        self.assertEqual(page.returncode, 0, page.stderr)
        for words in ("Move the site in three days", "ticket: T-7", f"approved by {ME}", f"approved by {self.OTHER}",
                      "people write to the new one", "Point back to the old one"):
            self.assertTrue(words in page.stdout, words)

    def test_the_other_way_back_later(self):
        name, last = self.through(None, "none")
        self.assertEqual(last.returncode, 1, last.stdout + last.stderr)
        self.assertIn("Fix it forward.", last.stdout)
        self.assertEqual(self.mark.read_text(), "new")
        later = self.cnplay("rollback", name, "restore")
        self.assertEqual(later.returncode, 0, later.stdout + later.stderr)
        done = self.counted()
        del done["opened"]
        self.assertEqual(done, {**BEFORE, "restored": 2})
        self.assertEqual(self.mark.read_text(), "new")


del TwoUsers  # it tests nothing by itself

if __name__ == "__main__":
    unittest.main()
