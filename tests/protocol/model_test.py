#!/usr/bin/env python3
"""The checker finds no fault in the model of the promise, and finds each fault that a switch puts in.

CNPLAY_PROTOCOL=large checks with larger bounds (minutes, 3 GiB).
"""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "docs/protocol/promise.pml"
LARGE = os.environ.get("CNPLAY_PROTOCOL") == "large"

# Everything may happen, to one task a host.
FAULTS = {"ATTEMPTS": 1}
# Two tasks a host, in every order, and a death.
ORDER = {"ATTEMPTS": 2, "REFUSALS": 0, "REBOOTS": 0, "FULL": 0, "BREAKS": 0}


def check(bounds, switch=None, large=False):
    """What the checker says: the text of the assertion that fails, or "" if it has seen all states and none does."""
    defines = [f"-D{name}={value}" for name, value in bounds.items()] + ([f"-D{switch}"] if switch else [])
    with tempfile.TemporaryDirectory() as directory:
        run = lambda *command: subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout
        run("spin", "-a", *defines, str(MODEL))
        compact = ["-DCOLLAPSE"] if large else []
        run("gcc", "-w", "-O2", "-DSAFETY", *compact, "-DMEMLIM=3000", "-o", "pan", "pan.c")
        said = run("./pan", "-m100000")
    if violated := re.search(r"assertion violated (.*)\(at depth", said):
        return violated[1]
    if "errors: 0" not in said or re.search(r"Search not completed|max search depth too small", said):
        raise AssertionError("the checker has not seen all states:\n" + said)
    return ""


class Model(unittest.TestCase):
    def test_no_task_starts_twice_whatever_happens(self):
        self.assertEqual(check(FAULTS), "")

    def test_every_record_can_be_replayed(self):
        self.assertEqual(check(ORDER), "")

    def test_the_checker_reaches_the_end_after_every_kind_of_fault(self):
        self.assertIn("deaths", check(FAULTS, "VISIT"))

    def test_the_former_rules_have_the_three_faults(self):
        self.assertIn("started", check(FAULTS, "OLD_REFUSED"))
        self.assertIn("started", check(FAULTS, "OLD_FULL"))
        self.assertIn("tie", check(ORDER, "OLD_CLOCK"))

    def test_no_rule_can_go(self):
        for switch, assertion in {
            "NO_SYNC": "started",
            "NO_BOOT": "started",
            "NO_CLAIM": "started",
            "EARLY_SPOOL": "spool",
            "NO_TOMBSTONE": "started",
        }.items():
            with self.subTest(switch):
                self.assertIn(assertion, check(FAULTS, switch))

    @unittest.skipUnless(LARGE, "CNPLAY_PROTOCOL=large")
    def test_no_task_starts_twice_within_larger_bounds(self):
        self.assertEqual(check({"ATTEMPTS": 1, "DEATHS": 2, "REFUSALS": 2, "REBOOTS": 2, "FULL": 1}, large=True), "")

    @unittest.skipUnless(LARGE, "CNPLAY_PROTOCOL=large")
    def test_every_record_can_be_replayed_within_larger_bounds(self):
        self.assertEqual(check({**ORDER, "DEATHS": 2, "FULL": 1}, large=True), "")


class Names(unittest.TestCase):
    """A rule that no code carries out is a wish."""

    def test_every_rule_names_a_function_that_exists(self):
        named = re.findall(r"code: (src/\S+) (\S+)", MODEL.read_text(encoding="utf-8"))
        self.assertGreater(len(named), 15)
        for file, function in named:
            with self.subTest(f"{file} {function}"):
                text = (ROOT / file).read_text(encoding="utf-8")
                # A definition: at the beginning of a line, a type before its name; no call, no declaration.
                definition = rf"^(?:[\w:<>,*&\s]+[\s*&])?{re.escape(function)}\((?:[^;{{}}]|\n)*\{{"
                self.assertRegex(text, re.compile(definition, re.M))

    def test_every_switch_is_in_the_documents(self):
        switches = set(re.findall(r"^#ifn?def ([A-Z_]+)$", MODEL.read_text(encoding="utf-8"), re.M))
        bounds = set(re.findall(r"^#ifndef ([A-Z_]+)\n#define \1 ", MODEL.read_text(encoding="utf-8"), re.M))
        text = (MODEL.parent / "README.md").read_text(encoding="utf-8")
        self.assertEqual({s for s in switches - bounds if f"`{s}`" not in text}, set())


if __name__ == "__main__":
    unittest.main()
