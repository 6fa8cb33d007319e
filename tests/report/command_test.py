#!/usr/bin/env python3
"""`cnplay report` as people call it: on the record of a run that reached nobody (so it needs no host), one that
still runs, one that was interrupted, and damaged ones; and what it does to the file that it writes.
Needs CNPLAY (the binary)."""

import fcntl
import json
import os
import pathlib
import resource
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
import unittest
import xml.etree.ElementTree
import zlib

PLAY = '''play nowhere "Reaches <nobody>" {
  hosts web = group("web")
  step look on web { sh """true""" }
}
'''


def sealed(event, before):
    body = json.dumps(event, separators=(",", ":"))[:-1]
    return f'{body},"chain":"{zlib.crc32((before + body).encode()):08x}"}}\n'


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-report-")
        cls.addClassCleanup(temporary.cleanup)
        cls.root = pathlib.Path(temporary.name)
        with socket.socket() as s:  # bound and never listening: nobody is there
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            (cls.root / "none.inv").write_text(
                'inventory none {\n'
                f'  ssh {{ user: "nobody", port: {port}, known_hosts: "{cls.root}/known_hosts" }}\n'
                '  group web { host h1 { address: "127.0.0.1" } }\n}\n')
            (cls.root / "known_hosts").write_text("")
            (cls.root / "nowhere.play").write_text(PLAY)
            run = subprocess.run([os.environ["CNPLAY"], "-F", "none", "-i", cls.root / "none.inv", cls.root / "nowhere.play"],
                                 env={**os.environ, "CNPLAY_RUNS": str(cls.root / "first"), "TERM": "dumb"},
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 4, run
        (cls.record,) = (cls.root / "first").iterdir()

    def setUp(self):
        self.place = pathlib.Path(tempfile.mkdtemp(dir=self.root))
        self.runs = self.place / "runs"
        self.run_path = self.runs / self.record.name
        shutil.copytree(self.record, self.run_path)
        self.here = self.place / "here"
        self.here.mkdir()

    def report(self, *arguments, **how):
        return subprocess.run([os.environ["CNPLAY"], "report", *arguments], cwd=self.here, text=True,
                              env={**os.environ, "CNPLAY_RUNS": str(self.runs), "TZ": "UTC"},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, **how)

    def events(self):
        return self.run_path / "events.jsonl"

    def interrupt(self):
        """As if the controller had died right before the run's end."""
        lines = self.events().read_text().splitlines(keepends=True)
        self.events().write_text("".join(line for line in lines if '"RunEnded"' not in line))
        (self.run_path / "run.json").unlink()

    def refused(self, done, *words):
        self.assertEqual(done.returncode, 2, done)
        self.assertTrue(done.stderr.startswith("cnplay: "), done.stderr)
        self.assertIn("help: ", done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(list(self.here.iterdir()), [])

    # --- what is written

    def test_html_is_named_by_the_run(self):
        done = self.report()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"{self.record.name}.html\n")
        (file,) = self.here.iterdir()
        page = file.read_text(encoding="utf-8")
        self.assertIn("<strong>unreachable</strong>", page)
        self.assertIn("<h1>Reaches &lt;nobody&gt;</h1>", page)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)

    def test_junit_and_json_lines(self):
        self.assertEqual(self.report("--format", "junit", "-o", "x.xml").returncode, 0)
        root = xml.etree.ElementTree.parse(self.here / "x.xml").getroot()
        self.assertGreaterEqual(int(root.get("errors")), 2)
        done = self.report(self.record.name[:15], "--format", "jsonl", "-o", "-")
        self.assertEqual(done.returncode, 0)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual((lines[0]["type"], lines[0]["verdict"]), ("run", "unreachable"))
        self.assertTrue(all(line["v"] == 1 for line in lines))
        self.assertTrue(lines[0]["plan_matches"])

    def test_a_run_that_goes_on(self):
        self.interrupt()
        with open(self.run_path / "controller", "r+", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write("kim on desk")
            lock.flush()
            page = self.report("-o", "-").stdout
            self.assertIn("<strong>still running</strong>", page)
            self.assertIn("still running, by kim on desk", page)
        self.assertEqual((self.run_path / "controller").read_text(), "kim on desk", "a report leaves the record as it is")
        self.assertIn("<strong>interrupted</strong>", self.report("-o", "-").stdout)

    def test_a_line_that_a_crash_has_torn(self):
        self.interrupt()
        with open(self.events(), "ab") as events:
            events.write(b'{"v":1,"seq":99,"at":"2026')
        self.assertIn("<strong>interrupted</strong>", self.report("-o", "-").stdout)

    # --- what is not

    def test_damaged_records(self):
        whole = self.events().read_bytes()
        flipped = bytearray(whole)
        flipped[len(whole) // 2] ^= 1
        self.events().write_bytes(flipped)
        self.refused(self.report(), "events.jsonl:", "the line is damaged")
        lines = whole.splitlines(keepends=True)
        self.events().write_bytes(b"".join(lines[:2] + lines[3:]))
        self.refused(self.report(), "events.jsonl:3: event 4 comes where event 3 was expected: lines are missing")
        self.events().write_bytes(b"")
        self.refused(self.report(), "the end is missing: run.json says that the run has ended")
        stranger = json.loads(lines[1])
        del stranger["chain"]
        stranger["type"] = "NoSuchEvent"
        self.events().write_bytes(lines[0] + sealed(stranger, json.loads(lines[0])["chain"]).encode() + b"".join(lines[2:]))
        self.refused(self.report(), "events.jsonl:2: an event of unknown type")
        self.events().write_bytes(whole)
        (self.run_path / "plan.json").write_text("{")
        self.refused(self.report(), "plan.json")
        (self.run_path / "plan.json").unlink()
        self.refused(self.report(), "plan.json")

    def test_usage(self):
        self.refused(self.report("2031"), "there is no run `2031`")
        self.assertEqual(self.report("--format", "pdf").returncode, 2)
        self.refused(self.report("-o", "none/x.html"), "none/x.html", "make its directory first")
        self.refused(self.report("-o", str(self.place)), "is a directory")

    # --- the file

    def test_a_file_is_replaced_whole_or_not_at_all(self):
        file = self.here / "x.html"
        file.write_text("what was before")
        file.chmod(0o644)
        # No room: a limit on the size of files does as well as a full disk.
        done = self.report("-o", "x.html", restore_signals=False,
                           preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("x.html: cannot be written", done.stderr)
        self.assertEqual(file.read_text(), "what was before")
        self.assertEqual(list(self.here.iterdir()), [file])
        self.assertEqual(self.report("-o", "x.html").returncode, 0)
        self.assertTrue(file.read_text().startswith("<!doctype html>"))
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o644)
        self.assertEqual(list(self.here.iterdir()), [file])

    def test_a_link_is_followed(self):
        (self.place / "real.html").write_text("")
        (self.here / "x.html").symlink_to(self.place / "real.html")
        self.assertEqual(self.report("-o", "x.html").returncode, 0)
        self.assertTrue((self.here / "x.html").is_symlink())
        self.assertTrue((self.place / "real.html").read_text().startswith("<!doctype html>"))

    def test_a_pipe_stays_a_pipe(self):
        pipe = self.here / "pipe"
        os.mkfifo(pipe)
        read = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
        reader.start()
        self.assertEqual(self.report("-o", "pipe").returncode, 0)
        reader.join(30)
        self.assertTrue(read[0].startswith("<!doctype html>"))
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))

    def test_a_full_device_is_an_error(self):
        done = self.report("-o", "/dev/full")
        self.assertEqual(done.returncode, 2)
        self.assertIn("/dev/full: cannot be written", done.stderr)
        with open("/dev/full", "wb") as full:
            done = subprocess.run([os.environ["CNPLAY"], "report", "-o", "-"], stdout=full, stderr=subprocess.PIPE, check=False,
                                  env={**os.environ, "CNPLAY_RUNS": str(self.runs)}, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot be written to stdout", done.stderr)


if __name__ == "__main__":
    unittest.main()
