"""Whether hosts have drifted from a play: `--check --exit-code`, and the list of `--check --json`. Real shells over sshd.
Needs CNPLAY, as controller_test.py does."""

import json
import os
import unittest

from processes import Processes

SECRET = "dr1ft-S3cret-value"


class Drift(Processes):
    def drift(self, steps, *options, head=""):
        play = self.play('play drift "Drift" {\n  let all = group("all_of_them")\n  let first = group("one")\n' +
                         head + steps + "}\n")
        return self.cnplay(*play, "--check", *options)

    def setUp(self):
        super().setUp()
        (self.root / "page").write_text("new\n")
        self.there = self.sshd.home / "page"
        self.there.write_text("old\n")
        self.copy = f'  step page on first {{ file.template(src: "page", dest: "{self.there}") }}\n'

    def test_the_exit_code_says_whether_a_run_would_change_something(self):
        changed = self.drift(self.copy, "--exit-code")
        self.assertEqual(changed.returncode, 9, changed.stdout + changed.stderr)
        self.assertEqual(self.there.read_text(), "old\n")
        without = self.drift(self.copy)
        self.assertEqual(without.returncode, 0)
        self.there.write_text("new\n")
        same = self.drift(self.copy, "--exit-code")
        self.assertEqual(same.returncode, 0, same.stdout + same.stderr)

    def test_what_depends_counts_as_a_change(self):
        done = self.drift('  ask mode: enum(a, b) "Which mode?"\n'
                          '  step note on first when mode == "a" { sh """:""" }\n', "--exit-code")
        self.assertIn("depends", done.stdout, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\n(?:\S+ )?h1 +note +depends ")
        self.assertEqual(done.returncode, 9, done.stdout + done.stderr)

    def test_an_action_without_a_check_counts_as_a_change(self):
        self.assertEqual(self.drift('  step a on first { sh """:""" }\n', "--exit-code").returncode, 9)

    def test_a_failed_check_is_a_failure_and_no_answer(self):
        steps = '  step user on first { own.fails() }\n' + self.copy
        done = self.drift(steps, "--exit-code", "--json")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["verdict"], "failed")
        self.assertEqual([p["step"] for p in found["problems"]], ["drift/user"])

    def test_a_host_that_cannot_be_reached_is_no_answer(self):
        dead = self.root / "dead.inv"
        dead.write_text((self.root / "two.inv").read_text().replace(f"port: {self.sshd.port}", "port: 1"))
        self.play('play drift "Drift" {\n  let first = group("one")\n' + self.copy + "}\n")
        done = self.cnplay("-i", str(dead), str(self.root / "killed.play"), "--check", "--exit-code", "--json")
        self.assertEqual(done.returncode, 4, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((found["verdict"], found["changes"]), ("unreachable", []))
        self.assertEqual(found["problems"][0]["host"], "h1")
        self.assertIn("refused", found["problems"][0]["message"])

    def test_the_option_belongs_to_a_dry_run(self):
        done = self.cnplay(*self.play('play p "P" {\n  let a = group("one")\n}\n'), "--exit-code")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--check", done.stderr)

    def test_the_list_names_host_step_action_and_diff(self):
        done = self.drift(self.copy, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["version"], 1)
        (change,) = found["changes"]
        self.assertEqual({k: change[k] for k in ("host", "step", "part", "action", "module", "outcome", "reason")},
                         {"host": "h1", "step": "drift/page", "part": "forward", "action": "file.template",
                          "module": "file.template", "outcome": "would_change", "reason": ""})
        self.assertIn("-old", change["diff"])
        self.assertIn("+new", change["diff"])
        self.assertTrue(change["where"].endswith("killed.play:4"), change["where"])
        again = json.loads(self.drift(self.copy, "--json").stdout)
        for one in (change, *again["changes"]):
            one["diff"] = one["diff"].split("@@", 1)[1]  # before it: the times of the files
        self.assertEqual(again["changes"], found["changes"])
        self.there.write_text("new\n")
        self.assertEqual(json.loads(self.drift(self.copy, "--json").stdout)["changes"], [])

    def test_a_secret_is_in_no_diff(self):
        self.there.write_text(f"key={SECRET}\n")
        os.environ["DRIFT_KEY"] = SECRET
        self.addCleanup(os.environ.pop, "DRIFT_KEY")
        done = self.drift(self.copy + '  step key on first { own.say(key: key) }\n', "--json",
                          head='  secret key = env("DRIFT_KEY")\n')
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual([c["step"] for c in found["changes"]], ["drift/page", "drift/key"])
        self.assertNotIn(SECRET, done.stdout + done.stderr)
        self.assertIn("-key=", found["changes"][0]["diff"])

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.root / "modules").mkdir(exist_ok=True)
        (cls.root / "modules" / "own.play").write_text(
            'module own.say "Say it" {\n  param key: secret<string> "it"\n'
            '  check sh """ change "it is $key" """\n  apply sh """ : """\n}\n'
            'module own.fails "Fails" {\n  check sh """ fail "no such user" """\n}\n')


if __name__ == "__main__":
    unittest.main()
