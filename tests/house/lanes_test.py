#!/usr/bin/env python3
"""`scripts/test` itself, in a made-up tree whose builds, tests and fleet only leave notes: its lanes run side by side,
a lane that fails stops the others, and the fleet is taken down."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

NOTE = '#!/bin/sh\necho "$(basename "$0") $*" >>notes\n'
# The fleet's test says who it is, and then waits for ever, in a session of its own.
TESTS = '''add_test(run "/bin/sh" "-c" "echo run; {run}")
set_tests_properties(run PROPERTIES LABELS unit)
add_test(faults "/bin/true")
set_tests_properties(faults PROPERTIES LABELS scripts)
add_test(fleet_x "/bin/sh" "-c" "{fleet}")
set_tests_properties(fleet_x PROPERTIES LABELS fleet_modules)
add_test(fleet_y "/bin/true")
set_tests_properties(fleet_y PROPERTIES LABELS fleet_plays)
'''


def is_gone(pid):
    """A zombie is: who is to wait for it has nothing to do with this test."""
    try:
        return pathlib.Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


class Lanes(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-lanes-")
        self.addCleanup(temporary.cleanup)
        self.tree = pathlib.Path(temporary.name)
        for directory in ("scripts", "fleet", "bin", "docs", "tests/house"):
            (self.tree / directory).mkdir(parents=True)
        shutil.copy(ROOT / "scripts/test", self.tree / "scripts/test")
        for name in ("tests/house/rooms_test.py", "docs/architecture.md"):
            shutil.copy(ROOT / name, self.tree / name)
        shutil.copytree(ROOT / "tests/support", self.tree / "tests/support")
        for name in ("scripts/setup", "scripts/build", "scripts/lint", "fleet/fleet"):
            self.program(name, NOTE)
        self.program("fleet/apart", "#!/bin/bash\necho apart >>notes\nexec \"$@\"\n")
        self.program("bin/id", "#!/bin/sh\necho 0\n")
        self.environment = {**os.environ, "PATH": f"{self.tree}/bin:{os.environ['PATH']}"}
        self.environment.pop("CNPLAY_FLEET_KEEP", None)
        self.fifo = self.tree / "fifo"
        os.mkfifo(self.fifo)
        self.ctest_of("release")
        self.ctest_of("sanitize")

    def program(self, name, text):
        path = self.tree / name
        path.write_text(text)
        path.chmod(0o755)

    def ctest_of(self, build, run="true", fleet="true"):
        directory = self.tree / "build" / build
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "CTestTestfile.cmake").write_text(TESTS.format(run=run, fleet=fleet))

    def hangs(self):
        """The fleet's test writes its process id into the fifo, and does not end."""
        self.ctest_of("release", fleet=f"exec setsid sh -c 'echo \\$\\$ >{self.fifo}; exec sleep 1000'")

    def start(self, *arguments):
        process = subprocess.Popen([self.tree / "scripts/test", *arguments], env=self.environment, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        return process

    def run_it(self, *arguments, code=0):
        process = self.start(*arguments)
        out = process.communicate(timeout=120)[0]
        self.assertEqual(process.returncode, code, out)
        return out

    def notes(self):
        return (self.tree / "notes").read_text().splitlines()

    def test_all_lanes_pass(self):
        out = self.run_it()
        self.assertEqual(out.splitlines()[-1], "100% tests passed, 0 tests failed out of 5")
        for lane in ("units", "sanitized", "scripts", "fleet_modules", "fleet_plays"):
            self.assertRegex(out, rf"(?m)^{lane} +passed in .* 100% tests passed, 0 tests failed out of 1$")
        self.assertRegex(out, r"(?m)^ +\d+\.\d s  sanitized +run$")
        self.assertEqual(sorted(self.notes()), sorted([
            "setup ", "build --tests cnplay test_tools", "build --tests unit_tests", "build --sanitize unit_tests", "lint ",
            "fleet up", "apart", "fleet up", "fleet down"]))
        self.assertEqual(self.notes()[-1], "fleet down")

    def test_the_parts_of_a_test_are_listed_as_slow_tests(self):
        self.ctest_of("release", fleet="echo 'one sh: 12.5 s'; echo two:; echo x: y; echo '  7.25 s, 0 problems'")
        self.assertRegex(self.run_it(), r"slowest tests:\n +12\.5 s  fleet_modules +fleet_x: one sh\n +7\.2 s  fleet_modules +fleet_x: two\n")

    def test_units_alone(self):
        self.assertIn("out of 1\n", self.run_it("--units"))
        self.assertEqual(self.notes(), ["setup ", "build --tests cnplay test_tools", "build --tests unit_tests"])

    def test_a_lane_that_fails_stops_the_others(self):
        self.hangs()
        self.program("scripts/lint", f"#!/bin/sh\nread -r pid <{self.fifo}; echo $pid >pid; echo first line; echo bad form; exit 1\n")
        out = self.run_it(code=1)
        self.assertIn("== lint failed; the whole of build/test/lint.log:\nfirst line\nbad form\n", out)
        self.assertIn("fleet_modules was stopped", out)
        self.assertNotIn("100% tests passed, 0 tests failed out of 5", out)
        self.assertTrue(is_gone((self.tree / "pid").read_text().strip()))
        self.assertEqual(self.notes()[-1], "fleet down")

    def test_a_test_that_fails_is_shown(self):
        self.ctest_of("release", run="echo what went wrong; exit 1")
        out = self.run_it("--no-fleet", code=1)
        self.assertIn("what went wrong", out)
        self.assertIn("0% tests passed, 1 tests failed out of 1", out)

    def test_a_signal_stops_all_lanes(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(signal=number):
                self.hangs()
                process = self.start()
                pid = subprocess.run(["cat", self.fifo], stdout=subprocess.PIPE, text=True, timeout=60).stdout.strip()
                process.send_signal(number)
                self.assertEqual(process.wait(timeout=60), code)
                self.assertTrue(is_gone(pid))
                self.assertEqual(self.notes()[-1], "fleet down")

    def git(self, *words):
        subprocess.run(["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *words], cwd=self.tree, check=True,
                       capture_output=True, env={**self.environment, "GIT_CONFIG_GLOBAL": "/dev/null"})

    def test_what_a_change_can_have_broken(self):
        (self.tree / ".gitignore").write_text("/build\n/notes\n/fifo\n/bin\n__pycache__\n")
        self.git("init", "-q", "-b", "main")
        for n in range(2):
            (self.tree / "docs/a.md").write_text(f"{n}\n")
            self.git("add", "-A")
            self.git("commit", "-qm", "x")
        self.assertIn("unit cli\n", self.run_it("--changed", code=1))  # no test here has such a name
        self.assertNotIn("fleet up", self.notes())
        self.git("checkout", "-qb", "other")
        (self.tree / "scripts/lint").write_text(NOTE + "echo committed\n")
        self.git("commit", "-qam", "x")
        (self.tree / "scripts/demo").write_text("not committed\n")
        out = self.run_it("--changed")
        self.assertIn("what the change since", out)
        self.assertIn("\nlint .\n", out)
        self.assertEqual(out.splitlines()[-1], "100% tests passed, 0 tests failed out of 0")
        (self.tree / "new").write_text("")
        self.assertIn("the change reaches everything", self.run_it("--changed"))

    def test_wrong_options(self):
        self.assertIn("usage: ", self.run_it("--unit", code=2))


if __name__ == "__main__":
    sys.exit(unittest.main())
