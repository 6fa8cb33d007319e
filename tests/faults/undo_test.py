"""After a failure with real processes: a failed run continues at the step that failed, a run that was held, aborted or
interrupted is undone, a parked one is cancelled. Needs CNPLAY and DIE, as controller_test.py does."""

import json
import signal
import subprocess
import unittest

from processes import Processes

# `set` can be undone, `told` cannot; `go` fails as long as `mended` is not there.
PLAY = '''play undone "To be undone" {
  hosts all = group("all_of_them")
  hosts first = group("one")
  step set on first {
    let old = mark.set(text: "new")
    undo { mark.set(text: saved.before) }
  }
  step told on all { sh """echo told >>"$HOME/effects" """ }
  step go on first { sh """[ -e "$HOME/mended" ] || exit 4; echo went >>"$HOME/effects" """ }
  always { step closed on first { sh """echo closed >>"$HOME/effects" """ } }
  %s
}
'''
HELD = PLAY % 'on_failure { hold "look at the mark" }'
UNDOING = PLAY % ""
PARKED = HELD.replace("  step told", '  approve sure "Go on?"\n  step told')
WAITING = HELD.replace("  step told", "  wait until now + 1h\n  step told")


class AfterAFailure(Processes):
    def setUp(self):
        super().setUp()
        self.mark = self.marked()
        (self.sshd.home / "mended").unlink(missing_ok=True)

    def mend(self):
        (self.sshd.home / "mended").write_text("")

    def one(self, *arguments, code=0, **die):
        run = self.cnplay(*arguments, **die)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def held(self):
        self.one(*self.play(HELD), code=1)
        self.assertEqual(self.mark.read_text(), "new")
        return self.ids()[0]

    def test_a_held_run_is_undone_once(self):
        name = self.held()
        self.play(HELD.replace("saved.before", '"x"'))  # the recorded plan counts
        undone = self.one("undo", name)
        self.assertEqual(self.mark.read_text(), "old")
        self.assertIn(f"undo of {name}", self.one("runs").stdout)
        self.assertIn(f"undone by {self.ids()[-1]}", self.one("show", name).stdout)
        self.assertIn(f"this run is the undo of {name}", self.one("show", self.ids()[-1]).stdout)
        again = self.one("undo", name, code=3)
        self.assertIn(f"was undone by {self.ids()[-1]}", again.stderr)
        self.assertEqual(self.counted(), {"set new": 1, "told": 2, "closed": 1, "set old": 1}, undone.stdout)
        self.assertIn("is the undo of", self.one("undo", self.ids()[-1], code=3).stderr)
        self.one("report", self.ids()[-1], "-o", "-")

    def test_what_can_not_be_undone_is_refused_with_the_reason(self):
        self.one(*self.play(UNDOING), code=1)
        (name,) = self.ids()
        self.assertEqual(self.mark.read_text(), "old", "the run has undone it itself")
        self.assertIn(f"nothing of {name} is left to undo", self.one("undo", name, code=3).stderr)
        self.mend()
        self.one(*self.play(HELD))
        self.assertIn("has succeeded", self.one("undo", self.ids()[-1], code=3).stderr)
        self.one(*self.play(HELD), "--check")
        self.assertIn("dry run", self.one("undo", self.ids()[-1], code=3).stderr)

    def test_killed_while_it_undoes_it_is_resumed(self):
        name = self.held()
        self.assertGreater(self.killed_everywhere_and_resumed(name, ["undo", name], {"set old": 1}), 1)

    def test_an_interrupted_run_ends_and_is_undone(self):
        self.cnplay(*self.play(HELD), at=14, how="after")
        (name,) = self.ids()
        self.assertFalse((self.runs / name / "run.json").exists(), "it was not killed")
        self.one("undo", name)
        self.assertEqual(self.of_run(name)[-1]["verdict"], "aborted")
        self.assertEqual(self.mark.read_text(), "old")

    def test_a_parked_run_is_cancelled(self):
        for play in (PARKED, WAITING):
            with self.subTest(play=play):
                self.setUp()
                if play is PARKED:
                    self.one(*self.play(play), code=7)
                else:
                    self.waits_and_parks(play)
                (name,) = self.ids()
                self.assertEqual(self.counted(), {"set new": 1})
                self.one("cancel", name)
                self.assertEqual(self.counted(), {"set new": 1, "closed": 1, "set old": 1})
                self.assertEqual(self.of_run(name)[-1]["verdict"], "aborted")
                self.assertIn("has ended: aborted", self.one("cancel", name, code=2).stderr)
                self.assertIn("success", self.one("runs").stdout)

    def waits_and_parks(self, play):
        process = self.start(*self.play(play), stderr=subprocess.STDOUT)
        self.until(lambda: list(self.runs.glob("*/events.jsonl")) and self.of_type("WaitStarted"))
        process.send_signal(signal.SIGINT)
        out = process.communicate(timeout=60)[0]
        self.assertEqual(process.returncode, 7, out)
        self.assertRegex(out, r"(?m)^ *To continue: cnplay resume ")

    def test_ctrl_c_on_a_terminal_offers_it(self):
        play = HELD.replace('[ -e "$HOME/mended" ] || exit 4', 'echo at work; sleep 1')
        for answer, mark in (("y\n", "old"), ("\n", "new")):
            with self.subTest(answer=answer):
                self.setUp()
                code, shown = self.on_a_terminal([*self.play(play), "-v"],
                                                 [("at work", "\x03"), ("Undo what this run has done (`set`)? [y/N]", answer)])
                self.assertEqual(code, 6, shown)
                self.assertEqual(self.mark.read_text(), mark, shown)
                if mark == "new":
                    self.assertIn(f"later: cnplay undo {self.ids()[0]}", shown)

    # ---- a failed run continues

    def test_a_failed_run_continues_where_it_failed_without_a_special_option(self):
        name = self.held()
        effects = self.counted()
        self.mend()
        # Without a person: `always` has changed something, which is to be looked at first.
        asked = self.one("resume", name, code=3)
        self.assertIn("`undone/always/closed` on h1 has changed something", asked.stderr)
        resumed = self.one("resume", name, "-y")
        self.assertEqual(self.counted() - effects, {"went": 1, "closed": 1})
        self.assertEqual(self.mark.read_text(), "new")
        self.assertNotIn("set: mark.set", resumed.stdout, "the history was printed again")
        self.assertIn("set: mark.set", self.one("show", name).stdout)

    def test_what_the_failure_has_undone_is_done_again_if_a_person_says_so(self):
        self.one(*self.play(UNDOING.replace("  always", "  # always").replace("# always { step", "# ")), code=1)
        name = self.ids()[0]
        self.assertEqual(self.mark.read_text(), "old")
        self.mend()
        self.assertIn("`undone/set` was undone", self.one("resume", name, code=3).stderr)
        code, shown = self.on_a_terminal(["resume", name], [("Repeat everything from `undone/set` on? [y/N]", "y\n")])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.mark.read_text(), "new")

    def test_with_the_play_as_it_is_now_if_a_person_says_so(self):
        plain = HELD.replace("always {", "# always {")
        self.one(*self.play(plain), code=1)
        (name,) = self.ids()
        self.play(plain.replace('[ -e "$HOME/mended" ] || exit 4; ', ""))
        refused = self.one("resume", name, code=3)
        self.assertIn("Continue with the play as it is now?", refused.stderr)
        self.one("resume", name, "-y")
        self.assertEqual(self.counted(), {"set new": 1, "told": 2, "went": 1})


class Listed(Processes):
    def test_one_command_is_not_the_newest_run_of_show_and_report(self):
        done = self.cnplay(*self.play('play here "H" {\n  hosts all = group("all_of_them")\n'
                                      '  step a on all { sh """true""" }\n}\n'))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        name = self.run_id()
        for command in (["exec", "-i", "two.inv", "one", "true"], ["locks", "-i", "two.inv"]):
            self.assertEqual(self.cnplay(*command).returncode, 0)
        self.assertIn(f"run {name}", self.cnplay("show").stdout)
        self.assertIn(name, self.cnplay("report", "-o", "-").stdout)
        newest = max(run.name for run in self.runs.iterdir() if run.name != name)
        self.assertIn(newest, self.cnplay("show", newest).stdout, "by its name it is shown")

    def test_runs_are_filtered(self):
        here = 'play %s "H" {\n  hosts all = group("all_of_them")\n  step a on all { sh """%s""" }\n}\n'
        for name, script in (("good", "true"), ("bad", "false")):
            self.cnplay(*self.play(here % (name, script)))

        def listed(*arguments):
            done = self.cnplay("runs", "--json", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            return [run["play"] for run in json.loads(done.stdout)["runs"]]

        self.assertEqual(sorted(listed()), ["bad", "good"])
        self.assertEqual(listed("--play", "good"), ["good"])
        self.assertEqual(listed("--state", "failed"), ["bad"])
        self.assertEqual(sorted(listed("-i", "two")), ["bad", "good"])
        self.assertEqual(listed("-i", "other"), [])
        self.assertEqual(sorted(listed("--since", "1h")), ["bad", "good"])
        self.assertEqual(listed("--since", "2999-01-01"), [])
        self.assertEqual(self.cnplay("runs", "--since", "soon").returncode, 2)
        self.assertEqual(self.cnplay("runs", "--state", "bad").returncode, 2)
        self.assertIn("no such recorded run", self.cnplay("runs", "--play", "nobody").stdout)


if __name__ == "__main__":
    unittest.main()
