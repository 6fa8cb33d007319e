#!/usr/bin/env python3
"""scripts/hooks, in a clone of this repository: the hook refuses a commit of unformatted sources or against a house
rule, lets every other one pass, and leaves a hook of somebody else alone."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Hooks(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.clone = pathlib.Path(directory.name) / "clone"
        self.run_in(ROOT, "git", "clone", "-q", "--shared", str(ROOT), str(self.clone))
        shutil.copy(ROOT / "scripts/hooks", self.clone / "scripts/hooks")
        for name in ("rooms", "readme", "prose"):  # the rules have tests of their own
            (self.clone / f"tests/house/{name}_test.py").write_text(
                f"import pathlib, sys\nsys.exit(pathlib.Path('{name}.broken').exists())\n")
        self.hook = self.clone / ".git/hooks/pre-commit"

    def run_in(self, where, *words, code=0):
        done = subprocess.run(words, cwd=where, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def commit(self, code=0):
        return self.run_in(self.clone, "git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x", code=code)

    def stage(self, name, text):
        (self.clone / name).write_text(text)
        self.run_in(self.clone, "git", "add", name)

    def test_unformatted_staged_sources_are_refused(self):
        self.run_in(self.clone, "scripts/hooks")
        self.stage("src/base/new.cc", "int  x ;\n")
        (self.clone / "src/base/new.cc").write_text("int x;\n")  # not staged
        self.assertIn("src/base/new.cc: not formatted", self.commit(code=1))
        self.stage("src/base/new.cc", "int x;\n")
        self.commit()

    def test_a_broken_house_rule_is_refused(self):
        self.run_in(self.clone, "scripts/hooks")
        self.stage("note", "x\n")
        for name in ("rooms", "readme", "prose"):
            broken = self.clone / f"{name}.broken"
            broken.touch()
            self.assertIn(f"tests/house/{name}_test.py", self.commit(code=1))
            broken.unlink()
        self.commit()

    def test_a_second_installation_changes_nothing_and_a_foreign_hook_is_kept(self):
        self.run_in(self.clone, "scripts/hooks")
        installed = self.hook.read_text()
        self.run_in(self.clone, "scripts/hooks")
        self.assertEqual(installed, self.hook.read_text())
        self.hook.write_text("#!/bin/sh\nexit 0\n")
        self.assertIn("left as it is", self.run_in(self.clone, "scripts/hooks", code=1))
        self.assertEqual("#!/bin/sh\nexit 0\n", self.hook.read_text())


if __name__ == "__main__":
    unittest.main()
