"""What cnplay prints of a project that means harm, and what it does where it cannot print.

Needs CNPLAY (the binary)."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

CNPLAY = os.environ.get("CNPLAY", "cnplay")

# Control characters, C1, directions: whatever a terminal obeys.
HARMFUL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def evil(mark):
    """A text with a mark that is shown, and with what no terminal may see."""
    return f"\x1b[2J{mark}\x1b]0;title\x07\x1b]52;c;UFdORUQ=\x07\x1b[8m\u202e\x7f\x08\u009b31m"


PLAY = f'''# {evil("comment")}
play p "{evil("TITLE")}" {{
  owner "{evil("OWNER")}"
  hosts web = group("web")
  param which: enum(a, b) = "a" "{evil("PARAM")}"
  param text: string = "{evil("TEXT")}"
  let path = "/tmp/{evil("PATH")}"
  step first "{evil("FIRST")}" on web {{
    sh(text: text) """echo "{evil("SCRIPT")}" """
    undo {{ sh """echo {evil("UNDO")}""" }}
  }}
  phase change "{evil("PHASE")}" {{
    manual look "{evil("MANUAL")}" {{ item "{evil("ITEM")}" }}
    step second on web {{ sh(path: path) """echo "$path" """ }}
    pivot "{evil("PIVOT")}"
  }}
  step own on web {{ own.thing(text: "{evil("ARGUMENT")}") }}
  on_failure before pivot {{ undo all }}
  on_failure after pivot {{ hold "{evil("HOLD")}" }}
}}
'''
MODULE = f'''module own.thing "{evil("MODULE")}" {{
  param text: string "{evil("DOC")}"
  check sh """ ok "{evil("OK")}" """
}}
'''
INVENTORY = f'''inventory prod {{
  ssh {{ user: "me{evil("USER")}" }}
  vars {{ note: "{evil("VAR")}" }}
  group web {{ host web1 {{ address: "{evil("ADDRESS")}" }} }}
}}
'''
BROKEN = f'''play p "{evil("TITLE")}" {{
  hosts web = group("{evil("GROUP")}")
  step a on web {{ no.such(x: "{evil("CALL")}") }}
  lock "{evil("LOCK")}"
  step b on web tags ["{evil("TAG")}"] {{ sh """:""" }}
  manual look "look" by ["{evil("BY")}"] {{ item "x" }}
}}
'''


class Output(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-output-")
        self.addCleanup(temporary.cleanup)
        self.base = pathlib.Path(temporary.name)
        self.root = self.base / "project"
        for folder in ("playbooks", "inventories", "modules"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "playbooks/p.play").write_text(PLAY)
        (self.root / "playbooks/broken.play").write_text(BROKEN)
        (self.root / "modules/own.play").write_text(MODULE)
        (self.root / "inventories/prod.inv").write_text(INVENTORY)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("CNPLAY_")}
        self.env["CNPLAY_RUNS"] = str(self.base / "runs")

    def cnplay(self, *words, **more):
        return subprocess.run([CNPLAY, *words], cwd=self.root, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, **more)

    def shown(self, *words):
        done = self.cnplay(*words)
        text = (done.stdout + done.stderr).decode()
        self.assertIsNone(HARMFUL.search(text), f"{words}: {text!r}")
        self.assertNotEqual(done.returncode, 70, text)
        return text

    def test_no_field_of_a_project_reaches_the_terminal_as_it_is(self):
        play = ("-i", "prod", "p.play")
        text = "".join(self.shown(*words) for words in (
            ("check", *play), ("check", *play, "--json"), ("plan", *play), ("plan", *play, "--json"),
            ("plan", *play, "--pipeline"), ("docs", *play), ("docs", *play, "--format", "html"), ("hosts", "-i", "prod"),
            ("hosts", "-i", "prod", "--json"), ("modules",), ("modules", "own.thing"), ("locks", "-i", "prod"),
            ("check", "-i", "prod", "broken.play"), ("check", "-i", "prod", "broken.play", "--json"), ("runs",),
            ("check", "-i", evil("INVENTORY"), "p.play"), ("check", "-i", "prod", evil("FILE")), ("explain", evil("CODE")),
            ("check", *play, "-e", "text=" + evil("EXTRA")), ("check", *play, "-e", evil("WHICH") + "=x"),
            ("check", *play, "-l", evil("LIMIT")), ("show", evil("RUN")), ("modules", evil("WORD")),
            (evil("COMMAND"), "--" + evil("OPTION")), play,
        ))
        for mark in ("TITLE", "OWNER", "TEXT", "PATH", "FIRST", "SCRIPT", "PHASE", "MANUAL", "ITEM", "PIVOT", "MODULE",
                     "DOC", "HOLD", "GROUP", "FILE", "INVENTORY", "ADDRESS", "ARGUMENT"):
            self.assertIn(mark, text, f"{mark}: this field was not printed at all, so nothing is proved of it")

    def test_output_that_cannot_be_written_is_an_error(self):
        for words in (("explain",), ("check", "-i", "prod", "p.play"), ("plan", "-i", "prod", "p.play"), ("--help",),
                      ("hosts", "-i", "prod", "--json"), ("docs", "-i", "prod", "p.play")):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([CNPLAY, *words], cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, stdout=full,
                                      stderr=subprocess.PIPE, text=True, check=False)
            self.assertIn("the output could not be written: No space left on device", done.stderr, words)
            self.assertIn("help: ", done.stderr)
            self.assertIn(done.returncode, (1, 74), words)

    def test_a_reader_that_has_gone_away_is_no_error_of_ours(self):
        done = subprocess.run(f"'{CNPLAY}' explain | head -n 1", shell=True, cwd=self.root, env=self.env,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")

    def test_a_library_outside_of_the_project_is_refused_and_not_printed(self):
        (self.base / "outside.txt").write_text("root:x:0:0:root\nkim:x:1000:1000\nsecret line\n")
        (self.root / "playbooks/link.play").symlink_to(self.base / "outside.txt")
        for path in ("../../outside.txt", str(self.base / "outside.txt"), "link.play"):
            (self.root / "playbooks/u.play").write_text(f'use "{path}" as lib\nplay u "u" {{ hosts web = group("web") }}\n')
            text = self.shown("check", "-i", "prod", "u.play")
            self.assertIn("E0108", text)
            self.assertIn("outside the project", text)
            self.assertNotIn("root:x", text)

    def test_of_a_file_that_is_no_program_one_line_is_printed_at_most(self):
        (self.root / "playbooks/data.txt").write_text("root:x:0:0:root\nkim:x:1000:1000\nlast \" line {\n" * 9)
        (self.root / "playbooks/u.play").write_text('use "data.txt" as lib\nplay u "u" { hosts web = group("web") }\n')
        for text in (self.shown("check", "-i", "prod", "u.play"), self.shown("check", "-i", "prod", "data.txt")):
            self.assertLessEqual(text.count("root:x") + text.count("kim:x") + text.count("last"), 1, text)

    def test_a_library_in_the_project_is_read_from_anywhere(self):
        (self.root / "lib").mkdir()
        (self.root / "lib/l.play").write_text('procedure nothing(web: hosts) {\n  step a on web { sh """:""" }\n}\n')
        (self.root / "playbooks/u.play").write_text(
            'use "../lib/l.play" as lib\nplay u "u" {\n  hosts web = group("web")\n  do lib.nothing(web: web)\n}\n')
        inside = self.cnplay("check", "-i", "prod", "u.play")
        self.assertEqual(inside.returncode, 0, inside.stderr)
        elsewhere = subprocess.run([CNPLAY, "check", "-i", self.root / "inventories/prod.inv", self.root / "playbooks/u.play"],
                                   cwd="/", env=self.env, capture_output=True, text=True, check=False)
        self.assertEqual(elsewhere.returncode, 0, elsewhere.stderr)

    def test_runs_that_everybody_may_write_are_refused(self):
        runs = self.base / "runs"
        runs.mkdir()
        runs.chmod(0o777)
        for words in (("runs",), ("show",), ("resume",), ("plan", "-i", "prod", "p.play"), ("-i", "prod", "p.play")):
            done = self.cnplay(*words)
            self.assertIn(f"chmod o-w {runs}", done.stderr.decode(), words)
            self.assertEqual(done.returncode, 2)
        runs.chmod(0o2770)
        self.assertEqual(self.cnplay("runs").returncode, 0)

    def test_the_process_leaves_no_core_and_shows_no_memory(self):
        key = self.base / "key"
        key.write_text("correct horse battery\n")
        key.chmod(0o600)
        for words, value in ((("init",), ""), (("set", "x"), "the value")):
            done = subprocess.run([CNPLAY, "vault", words[0], "-i", "prod", "--vault-key-file", key, *words[1:]], cwd=self.root,
                                  env=self.env, input=value, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        # Looks at the process that waits for the password.
        (self.root / "look").write_text(f'grep "core file" /proc/$PPID/limits >limits\ncat {key}\n')
        done = self.cnplay("vault", "get", "-i", "prod", "x", "--vault-key-command", "/bin/sh look")
        self.assertEqual(done.stdout, b"the value\n", done.stderr)
        self.assertRegex((self.root / "limits").read_text(), r"^Max core file size +0 ")


if __name__ == "__main__":
    unittest.main()
