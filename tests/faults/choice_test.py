"""What of a play is carried out, with real processes: tags, a later beginning, step by step on a
terminal, incidents and rehearsals, a play that has changed when its run is resumed, and `resume
--from`. Needs CNPLAY and DIE, as controller_test.py does."""

import getpass
import json
import unittest

from processes import Processes

ME = getpass.getuser()

PLAY = '''play choice "A release" {
  hosts all = group("all_of_them")
  step stop on all tags ["site"] { sh """echo "stop" >>"$HOME/effects" """ }
  phase data tags ["data"] {
    step dump on all { sh """echo "dump" >>"$HOME/effects" """ }
    step load on all { sh """echo "load" >>"$HOME/effects" """ }
  }
  step start on all tags ["site"] { sh """echo "start" >>"$HOME/effects" """ }
}
'''

PARKED = '''play parked "A release with a question" {
  hosts all = group("all_of_them")
  step one on all { sh """echo "one" >>"$HOME/effects" """ }
  step two on all { sh """echo "two" >>"$HOME/effects" """ }
  approve go "Go on?"
  step three on all { sh """echo "three" >>"$HOME/effects" """ }
}
'''

REHEARSED = '''play rehearsed "Needs a rehearsal" {
  hosts all = group("all_of_them")
  %s
  require rehearsed(on: "staging", within: 7d)
  step one on all { sh """echo "%s" >>"$HOME/effects" """ }
  step two on all { sh """true""" }
}
'''


class Choice(Processes):
    def one(self, *arguments, code=0):
        run = self.cnplay(*arguments)
        self.assertEqual(run.returncode, code, run.stdout + run.stderr)
        return run

    def newest(self):
        return sorted(self.runs.iterdir(), key=lambda run: (run / "plan.json").stat().st_mtime_ns)[-1]

    def test_tags_and_a_later_beginning(self):
        play = self.play(PLAY)
        run = self.one(*play, "--tags", "data")
        self.assertEqual(self.counted(), {"dump": 2, "load": 2})
        self.assertIn("a part of it: --tags data", run.stdout)
        self.assertIn("skipped  --tags data", run.stdout)
        self.assertEqual(json.loads((self.newest() / "run.json").read_text())["partial"], True)
        self.assertIn("(a part)", self.cnplay("runs").stdout)
        self.setUp()
        self.one(*play, "--start-at", "load", "--skip-tags", "site")
        self.assertEqual(self.counted(), {"load": 2})
        plan = self.one("plan", *play, "--start-at", "load")
        self.assertIn("left out: --start-at load", plan.stdout)
        self.setUp()
        for wrong, why in ((("--tags", "dat"), "did you mean `data`"), (("--start-at", "laod"), "did you mean `load`")):
            run = self.one(*play, *wrong, code=3)
            self.assertIn(why, run.stderr)
        self.assertEqual(list(self.runs.iterdir()), [])

    def test_step_by_step(self):
        play = self.play(PLAY)
        self.assertIn("nobody is at a terminal", self.one(*play, "--step", code=3).stderr)
        self.assertEqual(self.counted(), {})
        code, shown = self.on_a_terminal([*play, "--step"], [
            ("stop on h1, h2", ""), ("abort: ", "yes\n"), ("data/dump on h1, h2", ""), ("abort: ", "no\n"),
            ("data/load on h1, h2", ""), ("abort: ", "all\n")], term="xterm")
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.counted(), {"stop": 2, "load": 2, "start": 2})
        self.assertEqual([(e["node"], e["choice"], e["user"]) for e in self.of_type("StepChosen")],
                         [("choice/stop", "run", ME), ("choice/data/dump", "skip", ME),
                          ("choice/data/load", "run_all", ME)])
        self.setUp()
        code, shown = self.on_a_terminal([*play, "--step"], [("abort: ", "yes\n"), ("abort: ", "\x03")])
        self.assertEqual(code, 6, shown)
        self.assertEqual(self.counted(), {"stop": 2})

    def test_from_a_step_on_and_a_play_that_has_changed(self):
        play = self.play(PARKED)
        self.one(*play, code=7)
        name = self.run_id()
        again = self.one("resume", name, "--from", "two", code=7)
        self.assertIn("from two on again", again.stdout)
        self.assertEqual(self.counted(), {"one": 2, "two": 4})
        self.assertIn("has no step `four`", self.one("resume", name, "--from", "four", code=2).stderr)
        # The same record once more, without --from: nothing is done twice.
        self.one("resume", name, code=7)
        self.assertEqual(self.counted(), {"one": 2, "two": 4})
        self.play(PARKED.replace('"three"', '"drei"'))
        refused = self.one("resume", name, code=3)
        self.assertIn("killed.play was changed", refused.stderr)
        self.assertIn("step parked/three would do something else on h1, h2", refused.stderr)
        code, shown = self.on_a_terminal(["resume", name], [("as it was recorded? [y/N; c: with the play as it is now] ", "n\n")])
        self.assertEqual(code, 3, shown)
        self.one("answer", name, "go", "--approve")
        run = self.one("resume", name, "-y")
        self.assertIn("though the play has changed", run.stdout)
        self.assertEqual(self.counted(), {"one": 2, "two": 4, "three": 2})
        resumed = self.of_type("RunResumed")
        self.assertEqual(resumed[0]["from"], "parked/two")
        self.assertTrue(any("was changed" in line for line in resumed[-1]["changed"]))

    def test_yes_is_never_the_answer_of_a_person(self):
        self.one(*self.play(PARKED), "-y", code=7)
        self.assertEqual(self.of_type("HumanAnswered"), [])

    def staging(self):
        text = (self.root / "two.inv").read_text().replace("inventory two", "inventory staging")
        (self.root / "staging.inv").write_text(text)
        return str(self.root / "staging.inv")

    def test_a_rehearsal_and_what_makes_it_void(self):
        play = self.play(REHEARSED % ("", "one"))
        staging = ["-i", self.staging(), *play[2:]]
        refused = self.one(*play, code=3)
        self.assertIn("no complete run of it on `staging`", refused.stdout)
        self.one(*staging, "--start-at", "two")
        self.assertIn("left steps out", self.one(*play, code=3).stdout)
        self.one(*staging)
        rehearsal = [run.name for run in self.runs.iterdir()
                     if (json.loads((run / "run.json").read_text())["inventory"], ) == ("staging",)
                     and "partial" not in json.loads((run / "run.json").read_text())]
        run = self.one(*play)
        self.assertIn(f"holds by run {rehearsal[0]}", run.stdout)
        self.play(REHEARSED % ("", "uno"))
        void = self.one(*play, code=3).stdout
        self.assertIn(f"{rehearsal[0]}", void)
        self.assertIn("is void: since then", void)
        self.assertIn("killed.play was changed", void)

    def test_an_incident(self):
        play = self.play(REHEARSED % ("", "one"))
        run = self.one(*play, "--incident", "INC-7")
        self.assertIn("is waived: incident INC-7", run.stdout)
        self.assertIn("incident INC-7", self.cnplay("runs").stdout)
        self.assertIn("incident INC-7", self.cnplay("show").stdout)
        self.cnplay("report", "-o", str(self.root / "r.html"))
        self.assertIn("INC-7", (self.root / "r.html").read_text())
        for ticket, code in (("", 2), ("  ", 2), ("a\nb", 3)):
            self.assertEqual(self.cnplay(*play, "--incident", ticket).returncode, code)
        self.setUp()
        play = self.play(REHEARSED % ("mode incident", "one"))
        refused = self.one(*play, code=3)
        self.assertIn("no ticket was given", refused.stdout)
        self.assertEqual(self.counted(), {})
        self.setUp()
        code, shown = self.on_a_terminal(play, [("(its ticket)? ", "INC-8\n")])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.of_type("RunStarted")[0]["incident"], "INC-8")
        self.setUp()
        code, shown = self.on_a_terminal([*play, "-y"], [("(its ticket)? ", "\n")])
        self.assertEqual(code, 3, shown)
        self.assertEqual(self.counted(), {})
        self.one(*play, "--check")


if __name__ == "__main__":
    unittest.main()
