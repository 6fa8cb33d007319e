"""`--log FILE`: what a bug report needs of a run, and no secret. Real shells over sshd.
Needs CNPLAY, as controller_test.py does."""

import os
import re
import stat
import unittest

from processes import Processes

SECRET = "l0gged-S3cret-value"
PLAY = '''play logged "Logged" {
  let first = group("one")
  secret key = env("LOGGED_KEY")
  step fine on first { sh """echo fine""" }
  step bad on first retry 2 every 1s { own.fails(key: key) }
}
'''
MODULE = '''module own.fails "Fails" {
  param key: secret<string> "key"
  check sh """ fail "no entry for $key" """
}
'''
LINE = re.compile(r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warn |info |debug) \S.*$")


class Log(Processes):
    def setUp(self):
        super().setUp()
        (self.root / "modules").mkdir(exist_ok=True)
        (self.root / "modules" / "own.play").write_text(MODULE)
        os.environ["LOGGED_KEY"] = SECRET
        self.addCleanup(os.environ.pop, "LOGGED_KEY")
        self.log = self.root / "run.log"
        self.log.unlink(missing_ok=True)

    def test_a_run_that_fails_leaves_what_a_report_needs(self):
        done = self.cnplay(*self.play(PLAY), "--log", "run.log", "--log-level", "debug")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        text = self.log.read_text()
        for line in text.splitlines():
            self.assertRegex(line, LINE)
        for wanted in (r"info  h1: connecting\n", r"info  h1: connected as \S+, boot \S+\n",
                       r"debug h1: logged/fine action 0 task \d+ changed, \d+ ms, exit code 0\n",
                       r"warn  h1: logged/bad attempt 2 of 3 in 1000 ms\n", r"info  ended: failed, \d+ ms\n",
                       r"error h1: logged/bad action 0 task \d+ failed, \d+ ms.*: no entry for \[secret key\]\n"):
            self.assertRegex(text, wanted)
        self.assertNotIn(SECRET, text)
        self.assertEqual(stat.S_IMODE(self.log.stat().st_mode), 0o600)

    def test_a_host_that_cannot_be_reached_is_in_it(self):
        (self.root / "dead.inv").write_text((self.root / "two.inv").read_text().replace(f"port: {self.sshd.port}", "port: 1"))
        self.play(PLAY)
        done = self.cnplay("-i", str(self.root / "dead.inv"), str(self.root / "killed.play"), "--log", "run.log",
                           "--log-level", "error")
        self.assertEqual(done.returncode, 4)
        self.assertRegex(self.log.read_text(), r"\A\S+ error h1: unreachable: .*refused")

    def test_a_file_that_cannot_be_written_is_said_before_the_run(self):
        done = self.cnplay(*self.play(PLAY), "--log", "none/run.log")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--log none/run.log: cannot be written", done.stderr)
        self.assertEqual(list(self.runs.iterdir()), [])
        self.assertEqual(self.cnplay(*self.play(PLAY), "--log-level", "debug").returncode, 2)


if __name__ == "__main__":
    unittest.main()
