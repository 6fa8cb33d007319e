"""Human steps with real processes: asked on a terminal, parked without one, answered by another user,
resumed, and killed on the way. Needs CNPLAY and DIE, as controller_test.py does."""

import datetime
import json
import os
import pty
import pwd
import getpass
import subprocess
import time
import unittest

from processes import Processes, TwoUsers, is_terminal_left

ME = getpass.getuser()

PLAY = '''play people "A disk is replaced" {
  hosts all = group("all_of_them")
  step begin on all { sh """echo "first" >>"$HOME/effects" """ }
  manual disk "Replace the disk" {
    item "the old disk is out"
    evidence slot: int "the slot it was in"
  }
  ask how: enum(fast, slow) "How is it brought up?"
  step end on all when how == "fast" { sh(slot: disk.slot) """echo "slot $slot" >>"$HOME/effects" """ }
}
'''


class People(Processes):
    def test_on_a_terminal(self):
        code, shown = self.on_a_terminal(self.play(PLAY), [
            ("done? [yes/no/later] ", "yes\n"), ("slot it was in", "seven\n"), ("should be an int", "7\n"),
            ("one of fast or slow", "fast\n")])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.counted(), {"first": 2, "slot 7": 2})
        first, second = self.of_type("HumanAnswered")
        self.assertEqual((first["user"], first["values"]), (ME, [{"name": "slot", "value": "7"}]))
        self.assertEqual(second["values"], [{"name": "how", "value": "fast"}])

    def test_the_live_view_leaves_the_prompt_alone(self):
        code, shown = self.on_a_terminal(self.play(PLAY), [
            ("done? [yes/no/later] ", "yes\n"), ("slot it was in", "7\n"), ("one of fast or slow", "fast\n")],
            term="xterm")
        self.assertEqual(code, 0, shown)
        begin = shown.index("done? ")
        asked = shown[begin:shown.index("done by", begin)]
        self.assertNotIn("\x1b[J", asked[:asked.index("slot it was in")])
        self.assertEqual(self.counted(), {"first": 2, "slot 7": 2})

    def test_a_wait_is_left_and_gone_on_with(self):
        play = self.play('''play waits "It waits" {
  hosts all = group("all_of_them")
  step begin on all { sh """echo "first" >>"$HOME/effects" """ }
  wait until now + 4s, late_by 1h
  step end on all { sh """echo "second" >>"$HOME/effects" """ }
}
''')
        code, shown = self.on_a_terminal(play, [("waiting until", "\x03")])
        self.assertEqual(code, 7, shown)
        self.assertIn("left while it waits until", shown)
        self.assertEqual(self.counted(), {"first": 2})
        name = self.run_id()
        self.assertIn("left while it waits", self.cnplay("runs").stdout)
        self.assertIn("is parked (left while it waits", self.cnplay("show", name).stdout)
        last = self.cnplay("resume", name)
        self.assertEqual(last.returncode, 0, last.stdout + last.stderr)
        self.assertEqual(self.counted(), {"first": 2, "second": 2})

    def test_a_refusal_and_ctrl_c(self):
        code, shown = self.on_a_terminal(self.play(PLAY), [("done? ", "no\n"), ("correct the answer? ", "stop\n"), ("why? ", "it is locked\n")])
        self.assertEqual(code, 1, shown)
        self.assertIn(f"cannot be done by {ME}", shown)
        self.setUp()
        code, shown = self.on_a_terminal(self.play(PLAY), [("done? ", "\x03")])
        self.assertEqual(code, 6, shown)
        self.assertEqual(self.counted(), {"first": 2})

    def test_who_is_told_that_it_waits_and_of_its_end(self):
        told = self.runs.with_name(self.runs.name + "-told")
        page = self.root / "page"
        page.write_text(f'#!/bin/sh\ncat >>"{told}"\n')
        page.chmod(0o700)
        inventory = (self.root / "two.inv").read_text()
        (self.root / "told.inv").write_text(inventory.replace(
            "inventory two {", f'inventory two {{\n  notify {{ on: ["parked", "finish"], command: ["{page}"] }}'))
        _, _, play = self.play(PLAY)
        run = self.cnplay("-i", str(self.root / "told.inv"), play)
        self.assertEqual(run.returncode, 7, run.stdout + run.stderr)
        name = self.run_id()
        (first,) = [json.loads(line) for line in told.read_text().splitlines()]
        self.assertEqual((first["event"], first["waits_for"], first["run"]), ("parked", "people/disk", name))
        self.assertIn("cnplay answer", first["advice"])
        self.assertEqual(self.cnplay("answer", name, "disk", "--done", "slot=7").returncode, 0)
        self.assertEqual(self.cnplay("resume", name).returncode, 7)
        self.assertEqual(self.cnplay("answer", name, "how", "slow").returncode, 0)
        self.assertEqual(self.cnplay("resume", name).returncode, 0)
        events = [json.loads(line) for line in told.read_text().splitlines()]
        self.assertEqual([(e["event"], e["verdict"], e.get("waits_for")) for e in events],
                         [("parked", "parked", "people/disk"), ("parked", "parked", "people/how"),
                          ("finished", "success", None)])

    def test_parked_answered_and_resumed(self):
        run = self.cnplay(*self.play(PLAY))
        self.assertEqual(run.returncode, 7, run.stdout + run.stderr)
        self.assertIn("parked at Replace the disk: nobody is at a terminal", run.stdout)
        name = self.run_id()
        self.assertIn(f"cnplay answer {name} disk --done slot=...", run.stdout)
        self.assertEqual(self.of_type("RunEnded"), [])
        self.assertIn("waits for `disk`", self.cnplay("runs").stdout)
        self.assertIn("the run waits for people", self.cnplay("show", name).stdout)
        for wrong, code, why in ((["disk", "--done"], 3, "`slot` is missing"),
                                 (["disk", "--done", "slot=x"], 3, "should be an int"),
                                 (["disk", "--approve"], 2, "does not answer"),
                                 (["disk"], 2, "does not answer"),
                                 (["how", "fast"], 3, "does not wait at `how`")):
            answer = self.cnplay("answer", name, *wrong)
            self.assertEqual(answer.returncode, code, answer.stderr)
            self.assertIn(why, answer.stderr)
        self.assertEqual(self.of_type("HumanAnswered"), [])
        answer = self.cnplay("answer", name, "disk", "--done", "slot=7")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        twice = self.cnplay("answer", name, "disk", "--done", "slot=8")
        self.assertEqual(twice.returncode, 3)
        self.assertIn("answered already", twice.stderr)
        self.assertIn("is answered: resume it", self.cnplay("runs").stdout)
        again = self.cnplay("resume", name)
        self.assertEqual(again.returncode, 7, again.stdout + again.stderr)
        self.assertEqual(self.cnplay("answer", name, "how", "fast").returncode, 0)
        last = self.cnplay("resume")
        self.assertEqual(last.returncode, 0, last.stdout + last.stderr)
        self.assertEqual(self.counted(), {"first": 2, "slot 7": 2})
        late = self.cnplay("answer", name, "how", "fast")
        self.assertEqual(late.returncode, 3)
        seqs = [e["seq"] for e in self.events()]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))

    def test_the_time_to_answer_is_over(self):
        run = self.cnplay(*self.play('''play late "Too late" {
  hosts all = group("all_of_them")
  approve go "Go on?" timeout 1s default approve
  step end on all { sh """echo "last" >>"$HOME/effects" """ }
}
'''))
        self.assertEqual(run.returncode, 7, run.stdout + run.stderr)
        until = self.of_type("HumanStarted")[0]["until"]["at"].replace("Z", "+00:00")
        while time.time() < datetime.datetime.fromisoformat(until).timestamp():
            time.sleep(0.05)  # it is the time itself that is waited for
        answer = self.cnplay("answer", self.run_id(), "go", "--refuse", "no")
        self.assertEqual(answer.returncode, 3)
        self.assertIn("the time to answer was over", answer.stderr)
        self.assertIn("then it counts as approved", answer.stderr)
        last = self.cnplay("resume")
        self.assertEqual(last.returncode, 0, last.stdout + last.stderr)
        self.assertIn("its default is taken, approve", last.stdout)
        self.assertEqual(self.counted(), {"last": 2})

    def test_later_and_an_answer_typed_to_the_command(self):
        code, shown = self.on_a_terminal(self.play(PLAY), [("done? ", "later\n")])
        self.assertEqual(code, 7, shown)
        name = self.run_id()
        code, shown = self.on_a_terminal(["answer", name, "disk"], [("done? ", "yes\n"), ("slot it was in", "3\n")])
        self.assertEqual(code, 0, shown)
        code, shown = self.on_a_terminal(["resume", name], [("one of fast or slow", "slow\n")])
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.counted(), {"first": 2})

    def test_a_run_that_is_at_work_is_not_answered_beside_it(self):
        def answer_from_outside(name):
            return self.cnplay("answer", name, "disk", "--done", "slot=7")

        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.root)
            env = {**os.environ, "CNPLAY_RUNS": str(self.runs), "TERM": "dumb", "NO_COLOR": "1"}
            os.execve(os.environ["CNPLAY"], [os.environ["CNPLAY"], *self.play(PLAY)], env)
        shown, until = "", time.monotonic() + 60
        while "done? " not in shown and is_terminal_left(fd, until):
            shown += os.read(fd, 65536).decode(errors="replace")
        answer = answer_from_outside(self.run_id())
        self.assertEqual(answer.returncode, 3, shown)
        self.assertIn("is working on this run", answer.stderr)
        os.write(fd, b"later\n")
        while is_terminal_left(fd, until):
            try:
                os.read(fd, 65536)
            except OSError:
                break
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)
        self.assertEqual(answer_from_outside(self.run_id()).returncode, 0)

    def test_killed_at_its_records_and_resumed(self):
        whole = self.cnplay(*self.play(PLAY))
        self.assertEqual(whole.returncode, 7)
        count = len(self.events())
        for at in range(count - 6, count + 1):
            for how in ("torn", "after"):
                with self.subTest(at=at, how=how):
                    self.setUp()
                    self.cnplay(*self.play(PLAY), at=at, how=how)
                    parked = self.cnplay("resume")
                    if parked.returncode != 7:
                        self.assertIn("has ended", parked.stderr)
                        continue
                    name = self.run_id()
                    self.assertEqual(self.cnplay("answer", name, "disk", "--done", "slot=7").returncode, 0)
                    self.assertEqual(self.cnplay("resume", name).returncode, 7)
                    self.assertEqual(self.cnplay("answer", name, "how", "fast").returncode, 0)
                    self.assertEqual(self.cnplay("resume", name).returncode, 0)
                    self.assertEqual(self.counted(), {"first": 2, "slot 7": 2})


class AnotherUser(TwoUsers):
    def approval(self, words):
        return self.play(f'''play people "Approved" {{
  hosts all = group("all_of_them")
  step begin on all {{ sh """echo "first" >>"$HOME/effects" """ }}
  approve go "Go on?" {words}
  step end on all {{ sh """echo "last" >>"$HOME/effects" """ }}
}}
''')

    def test_two_people_approve_and_none_counts_twice(self):
        code, shown = self.on_a_terminal(self.approval(f'by ["{ME}", "{self.OTHER}"] count 2'),
                                         [("[approve/refuse/later] ", "approve\n")])
        self.assertEqual(code, 7, shown)
        name = self.run_id()
        twice = self.cnplay("answer", name, "go", "--approve")
        self.assertEqual(twice.returncode, 3)
        self.assertIn("has answered already", twice.stderr)
        self.assertEqual(self.cnplay("resume", name).returncode, 7)
        second = self.other("answer", name, "go", "--approve")
        self.assertEqual(second.returncode, 0, second.stderr)
        last = self.cnplay("resume", name)
        self.assertEqual(last.returncode, 0, last.stdout + last.stderr)
        self.assertEqual(self.counted(), {"first": 2, "last": 2})
        self.assertEqual([e["user"] for e in self.of_type("HumanAnswered")], [ME, self.OTHER])

    def test_who_may_not_is_refused(self):
        self.assertEqual(self.cnplay(*self.approval(f'by ["{self.OTHER}"]')).returncode, 7)
        name = self.run_id()
        answer = self.cnplay("answer", name, "go", "--approve")
        self.assertEqual(answer.returncode, 3)
        self.assertIn(f"{ME} may not answer here: it is for {self.OTHER}", answer.stderr)
        self.assertEqual(self.other("answer", name, "go", "--refuse", "not today").returncode, 0)
        last = self.cnplay("resume", name)
        self.assertEqual(last.returncode, 1, last.stdout + last.stderr)
        self.assertIn(f"refused by {self.OTHER}", last.stdout)
        self.assertIn("not today", last.stdout)

    def test_a_group(self):
        self.assertEqual(self.cnplay(*self.approval('by ["@nogroup"]')).returncode, 7)
        name = self.run_id()
        self.assertEqual(self.cnplay("answer", name, "go", "--approve").returncode, 3)
        self.assertEqual(self.other("answer", name, "go", "--approve").returncode, 0)
        self.assertEqual(self.cnplay("resume", name).returncode, 0)

    def test_another_of_the_group_goes_on(self):
        self.assertEqual(self.cnplay(*self.approval("")).returncode, 7)
        name = self.run_id()
        os.chown(self.root / "user", pwd.getpwnam(self.OTHER).pw_uid, -1)
        self.addCleanup(os.chown, self.root / "user", 0, -1)
        self.assertEqual(self.other("answer", name, "go", "--approve").returncode, 0)
        last = self.other("resume", name)
        self.assertEqual(last.returncode, 0, last.stdout + last.stderr)
        self.assertEqual(self.counted(), {"first": 2, "last": 2})
        self.assertEqual([e["user"] for e in self.of_type("RunResumed")], [self.OTHER])
        self.assertEqual(self.of_type("RunStarted")[0]["user"], ME)
        self.assertIn("success", self.cnplay("runs").stdout)

    def test_elsewhere_a_run_is_its_owners_alone(self):
        os.chmod(self.runs, 0o700)
        self.assertEqual(self.cnplay(*self.approval("")).returncode, 7)
        name = self.run_id()
        self.assertEqual(self.runs.joinpath(name).stat().st_mode & 0o077, 0)
        self.assertEqual(self.other("answer", name, "go", "--approve").returncode, 2)


del Processes, TwoUsers  # they test nothing by themselves

if __name__ == "__main__":
    unittest.main()
