#!/usr/bin/env python3
"""The plays of the documents. Those of docs/tutorial.md have no mistakes. The first play of the README is run against
a sshd on loopback, and its commands print what the README shows, but for times and ids: with CNPLAY_UPDATE_GOLDEN=1
the README is written again from what they print. CNPLAY is the binary."""

import getpass
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/faults"))
from controller_test import Sshd  # noqa: E402

MARKS = re.compile(r"(<!-- hello -->\n)(.*?)(<!-- /hello -->)", re.S)
FENCED = re.compile(r"^```\n(.*?)^```$", re.S | re.M)


def stable(text):
    """Without what differs from run to run."""
    text = re.sub(r"\b\d{8}-\d{6}-(\w+)-[0-9a-f]{4}\b", r"RUN-\1", text)
    text = re.sub(r"^\d\d:\d\d:\d\d ", "TIME ", text, flags=re.M)
    text = re.sub(r"\bup [\d\w, ]+$", "up SOME TIME", text, flags=re.M)
    text = re.sub(r"  \(\d[\d.]* m?s\)$", "", text, flags=re.M)
    text = re.sub(r"\b1 hosts?\b", "1 host", text)
    return re.sub(r"\b\d+(\.\d+)? m?s\b", "LENGTH", text)


class Readme(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-readme-")
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.sshd = Sshd(self.root)
        self.addCleanup(self.sshd.stop)
        (self.root / "ssh_config").write_text(
            f"Host web1\n  HostName 127.0.0.1\n  Port {self.sshd.port}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {self.root}/user\n  UserKnownHostsFile {self.root}/known_hosts\n")

    def run_as_shown(self, words):
        if words[1] not in ("check", "plan"):  # these connect to nothing
            words = [words[0], "-F", str(self.root / "ssh_config"), *words[1:]]
        env = {**os.environ, "XDG_STATE_HOME": str(self.root / "state"), "NO_COLOR": "1"}
        env.pop("SSH_AUTH_SOCK", None)
        env.pop("CNPLAY_RUNS", None)
        done = subprocess.run([os.environ["CNPLAY"], *words[1:]], cwd=self.root, env=env, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return (done.stdout + done.stderr).replace(str(self.root / "state"), "~/.local/state")

    def test_the_first_play_prints_what_the_readme_shows(self):
        readme = (ROOT / "README.md").read_text(encoding="utf-8")
        part = MARKS.search(readme)[2]
        names = re.findall(r"`((?:playbooks|inventories)/\S+)`", part)
        blocks = FENCED.findall(part)
        self.assertEqual((len(names), len(blocks)), (2, 3))
        for name, text in zip(names, blocks):
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text)
        shown = re.findall(r"^\$ (.*)$", blocks[2], re.M)
        self.assertEqual(len(shown), 3)
        printed = "\n".join(f"$ {line}\n{self.run_as_shown(line.split())}" for line in shown)
        if os.environ.get("CNPLAY_UPDATE_GOLDEN") == "1":
            (ROOT / "README.md").write_text(readme.replace(blocks[2], printed), encoding="utf-8")
        else:
            self.assertEqual(stable(blocks[2]), stable(printed))


class Tutorial(unittest.TestCase):
    def test_its_plays_have_no_mistakes(self):
        blocks = FENCED.findall((ROOT / "docs/tutorial.md").read_text(encoding="utf-8"))
        plays = [block for block in blocks if block.startswith("play ")]
        self.assertGreater(len(plays), 5)
        with tempfile.TemporaryDirectory(prefix="cnplay-tutorial-") as temporary:
            root = pathlib.Path(temporary)
            for folder in ("playbooks", "inventories"):
                (root / folder).mkdir()
            (root / "inventories/prod.inv").write_text(next(block for block in blocks if block.startswith("inventory ")))
            for play in plays:
                (root / "playbooks/release.play").write_text(play)
                done = subprocess.run([os.environ["CNPLAY"], "check", "-i", "prod", "release.play"], cwd=root, text=True,
                                      timeout=120, stdin=subprocess.DEVNULL, capture_output=True, check=False)
                with self.subTest(play=play):
                    self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                    self.assertNotIn("warning", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
