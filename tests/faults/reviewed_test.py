"""A plan that was reviewed: `cnplay plan -o FILE`, and `cnplay run --plan FILE`, which runs that or nothing. Real shells
over sshd. Needs CNPLAY, as controller_test.py does."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import unittest

from processes import Processes

SECRET = "r3viewed-S3cret-value"
PLAY = '''use "lib.play" as lib
play mine "Mine" {
  let first = group("one")
  secret key = env("REVIEWED_KEY")
  param text: string = "a"
  step page on first { file.template(src: "page", dest: "HOME/page") }
  step copy on first { file.copy(src: "blob", dest: "HOME/blob") }
  step tree on first { file.sync(src: "a.tree", dest: "HOME/tree") }
  step own on first { own.say(text: text, key: key) }
  do lib.more(web: first)
}
'''
LIBRARY = '''procedure more(web: hosts) {
  step more on web { sh """echo more >>"$HOME/effects" """ }
}
'''
MODULE = '''module own.say "Say it" {
  param text: string "it"
  param key: secret<string> "key"
  check sh """ change "it is $text" """
  apply sh """ printf '%s\\n' "$text" >>"$HOME/effects" """
  verify none
}
'''


class Reviewed(Processes):
    def setUp(self):
        super().setUp()
        self.project = pathlib.Path(self.root / "project")
        shutil.rmtree(self.project, ignore_errors=True)
        for folder in ("playbooks", "inventories", "modules", "playbooks/a.tree"):
            (self.project / folder).mkdir(parents=True)
        self.write("playbooks/mine.play", PLAY.replace("HOME", str(self.sshd.home)))
        self.write("playbooks/lib.play", LIBRARY)
        self.write("playbooks/page", "a page\n")
        self.write("playbooks/blob", "a blob\n")
        self.write("playbooks/a.tree/leaf", "a leaf\n")
        self.write("modules/own.play", MODULE)
        self.write("inventories/two.inv", (self.root / "two.inv").read_text())
        for name in ("page", "blob"):
            (self.sshd.home / name).unlink(missing_ok=True)
        shutil.rmtree(self.sshd.home / "tree", ignore_errors=True)

    def write(self, name, text):
        (self.project / name).write_text(text)

    def here(self, *words, cwd=None):
        env = {**self.environment(), "REVIEWED_KEY": SECRET}
        return subprocess.run([os.environ["CNPLAY"], *words], env=env, cwd=cwd or self.project, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)

    def plan(self, *options):
        done = self.here("plan", "-i", "two", "mine.play", "-o", "mine.plan", *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def run_plan(self, *options):
        return self.here("run", "--plan", "mine.plan", *options)

    def refused(self, *wanted):
        done = self.run_plan()
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        for text in wanted:
            self.assertIn(text, done.stderr)
        self.assertIn("help: ", done.stderr)
        self.assertFalse(self.effects.exists(), "nothing ran")
        self.assertEqual(list(self.runs.iterdir()), [])

    def test_what_was_reviewed_runs_with_its_options(self):
        told = self.plan("-e", "text=reviewed", "-l", "h1")
        self.assertIn("own.say", told.stdout)
        self.assertIn("cnplay run --plan mine.plan", told.stderr)
        self.assertEqual(stat.S_IMODE((self.project / "mine.plan").stat().st_mode), 0o600)
        self.assertNotIn(SECRET, (self.project / "mine.plan").read_text())
        done = self.run_plan()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.counted(), {"reviewed": 1, "more": 1})
        self.assertIn("by the reviewed plan of 20", done.stdout)
        (started,) = self.of_type("RunStarted")
        self.assertRegex(started["reviewed"], r"^20\d\d-.*Z by \S+ on \S+$")
        self.assertIn("by the reviewed plan of 20", self.here("show").stdout)
        self.assertNotIn("reviewed", self.of_type("RunEnded")[0])

    def test_a_dry_run_of_it_and_a_play_without_it(self):
        self.plan()
        done = self.run_plan("--check", "--exit-code")
        self.assertEqual(done.returncode, 9, done.stdout + done.stderr)
        self.assertFalse(self.effects.exists())
        shutil.rmtree(next(self.runs.iterdir()))
        self.assertEqual(self.here("-i", "two", "mine.play").returncode, 0)
        self.assertIsNone(self.of_type("RunStarted")[0].get("reviewed"))

    def test_it_is_refused_with_the_name_of_what_has_changed(self):
        for name, change, wanted in (
                ("playbooks/mine.play", lambda t: t + "# a comment\n", "playbooks/mine.play was changed"),
                ("playbooks/mine.play", lambda t: t.replace('= "a"', '= "b"'), "step mine/own would do something else on h1"),
                ("playbooks/lib.play", lambda t: t.replace("echo more", "echo less"), "playbooks/lib.play was changed"),
                ("modules/own.play", lambda t: t.replace("it is", "IT is"), "modules/own.play was changed"),
                ("inventories/two.inv", lambda t: t + "# a comment\n", "the inventory inventories/two.inv was changed"),
                ("inventories/two.inv", lambda t: t.replace("127.0.0.1", "127.0.0.2", 1), "two.inv was changed"),
                ("playbooks/page", lambda t: "another page\n", "page"),
                ("playbooks/blob", lambda t: "another blob\n", "blob"),
                ("playbooks/a.tree/leaf", lambda t: "another leaf\n", "mine/tree would do something else on h1")):
            with self.subTest(name=name, wanted=wanted):
                self.plan()
                before = (self.project / name).read_text()
                self.write(name, change(before))
                self.assertNotEqual((self.project / name).read_text(), before)
                self.refused("mine.plan: not what would run now:", wanted, "cnplay plan -i inventories/two.inv")
                self.write(name, before)
        self.assertEqual(self.run_plan().returncode, 0)

    def test_a_play_that_has_a_mistake_now_is_refused_with_it(self):
        self.plan()
        self.write("playbooks/mine.play", PLAY.replace("file.template", "file.templat"))
        self.refused("file.templat")

    def test_a_file_that_is_not_to_be_trusted_is_refused(self):
        self.plan()
        path = self.project / "mine.plan"
        good = path.read_bytes()
        path.write_bytes(good[:-100])
        self.refused("damaged")
        path.write_bytes(good.replace(b'"cnplay_plan":1', b'"cnplay_plan":9'))
        self.refused("format 9")
        path.write_bytes(good)
        path.chmod(0o660)
        self.refused("other users may write to it")
        path.rename(self.project / "real.plan")
        path.symlink_to("real.plan")
        self.refused("a symbolic link")

    def test_a_forged_file_cannot_make_a_run_do_something_else(self):
        self.plan()
        head, body = (self.project / "mine.plan").read_text().split("\n", 1)
        forged = body.replace("echo more", "echo evil")
        self.assertNotEqual(forged, body)
        head = json.loads(head)
        import hashlib  # pylint: disable=import-outside-toplevel
        head["sha256"] = hashlib.sha256(forged.encode()).hexdigest()
        (self.project / "mine.plan").write_text(json.dumps(head) + "\n" + forged)
        self.refused("not what would run now", "step mine/more/more would do something else on h1")

    def test_another_checkout_runs_it(self):
        self.plan()
        other = self.root / "checkout"
        shutil.rmtree(other, ignore_errors=True)
        shutil.copytree(self.project, other)
        done = self.here("run", "--plan", "mine.plan", cwd=other)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_file_that_was_readable_by_all_is_private_afterwards(self):
        (self.project / "mine.plan").write_text("old\n")
        (self.project / "mine.plan").chmod(0o666)
        self.plan()
        self.assertEqual(stat.S_IMODE((self.project / "mine.plan").stat().st_mode), 0o600)
        self.assertEqual(self.here("plan", "-i", "two", "mine.play", "-o", "none/x.plan").returncode, 2)

    def test_run_without_a_plan_says_how_a_play_is_run(self):
        done = self.here("run", "-i", "two", "mine.play")
        self.assertEqual(done.returncode, 2)
        self.assertIn("cnplay -i staging update_code.play", done.stderr)
        self.assertIn("--plan", self.here("run", "--help").stdout)
        self.assertIn("--plan", self.here("help", "run").stdout)


if __name__ == "__main__":
    unittest.main()
