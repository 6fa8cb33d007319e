#!/usr/bin/env python3
"""`scripts/test --changed`: each pattern that tests/support/changed.py can print names a test that is there, each
test is named by some path, and what is not known runs everything. BUILD is the build directory, for ctest."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from changed import broken_by, dependants  # noqa: E402


def names_of(text):
    """Names of ctest without the number of a shard."""
    return {re.sub(r"_\d+$", "", name) for name in re.findall(r"^ *Test +#\d+: (\S+)$", text, re.M)}


class Changed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lanes = {}
        for label in ("unit", "scripts", "fleet"):
            listed = subprocess.run(["ctest", "-N", "-L", label], cwd=os.environ["BUILD"], capture_output=True, text=True, check=True)
            cls.lanes[label] = names_of(listed.stdout)
            assert cls.lanes[label], listed.stdout
        done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        cls.paths = done.stdout.splitlines()

    def lines(self, *paths):
        return [line.split(" ", 1) for line in broken_by(paths)]

    def names(self, *paths):
        return {name for lane, pattern in self.lines(*paths) if lane != "lint"
                for name in self.lanes[lane] if re.fullmatch(pattern, name)}

    def test_every_pattern_matches_a_test(self):
        for path in self.paths:
            if broken_by([path]) is None:
                continue
            for lane, pattern in self.lines(path):
                if lane != "lint":
                    with self.subTest(path=path, pattern=pattern):
                        self.assertTrue([name for name in self.lanes[lane] if re.fullmatch(pattern, name)])

    def test_every_test_is_run_for_some_path(self):
        known = [path for path in self.paths if broken_by([path]) is not None]
        self.assertEqual(self.names(*known), set().union(*self.lanes.values()))

    def test_a_change_of_a_test_runs_that_test(self):
        for path, name in (("tests/run/run_test.cc", "run"), ("tests/faults/locks_test.py", "faults_locks"),
                           ("tests/report/notify_test.py", "report_notify"), ("tests/fleet/exec_test.py", "fleet_exec_test"),
                           ("tests/house/rooms_test.py", "house_rooms")):
            self.assertIn(name, self.names(path), path)
        self.assertEqual(self.names("tests/run/run_test.cc"), {"run"})

    def test_dependants_are_found_through_others(self):
        self.assertEqual(dependants("report"), ["cli", "report"])
        self.assertIn("run", dependants("ssh"))  # through remote
        self.assertIn("run", self.names("src/ssh/transport.h"))
        self.assertNotIn("syntax", self.names("src/ssh/transport.h"))
        self.assertIn("faults_controller", self.names("src/ssh/transport.h"))

    def test_an_unknown_path_runs_everything(self):
        for path in ("CMakeLists.txt", "cmake/rooms.cmake", "scripts/build", "scripts/test", ".ci/run", "something/new",
                     "tests/support/timed.py", "src/nowhere/x.cc"):
            self.assertIsNone(broken_by(["docs/plan.md", path]), path)

    def test_documents_run_no_fleet(self):
        self.assertEqual({lane for lane, _ in self.lines("docs/protocol.md")}, {"unit", "scripts"})


if __name__ == "__main__":
    unittest.main()
