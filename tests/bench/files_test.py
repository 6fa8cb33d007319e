"""What bench/files.py says of W7: the bytes that a process has read, that what came is what was sent, and that a
round begins where it should."""

import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import files  # noqa: E402


class FilesTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-files-")
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        hosts = types.SimpleNamespace(key="key", known_hosts="known", port=1)
        work = types.SimpleNamespace(directory=self.directory, hosts=hosts, env={})
        self.calls = []
        self.files = files.Files(work, lambda command, **_: self.calls.append(command) or (0, 0, 0, 0), lambda n: [f"h{i}" for i in range(n)], "cnplay", True)

    def test_bytes_read_are_those_of_the_process_and_of_whom_it_has_waited_for(self):
        path = self.directory / "file"
        path.write_bytes(bytes(3 * files.MIB))
        for command in (["cat", path], ["sh", "-c", 'cat "$1"; :', "sh", path]):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            read = files.bytes_read(process.pid) / files.MIB
            process.wait()
            self.assertGreaterEqual(read, 3)
            self.assertLess(read, 3.2)
        self.assertEqual(files.bytes_read(process.pid), 0)

    def test_what_came_is_compared(self):
        self.files.fresh("h0")
        with self.assertRaises(SystemExit):
            self.files.copy()  # nobody brought it
        self.files.fresh("h0")
        (self.files.there / "h0/big").write_bytes((self.files.top / "big").read_bytes())
        self.files.checked((0, 0, 0, 0), "big", "h0/big")

    def test_a_tree_is_there_and_two_files_differ(self):
        self.files.placed()
        tree, there = self.files.top / "tree", self.files.there / "h0/tree"
        self.assertEqual(len([p for p in there.rglob("*") if p.is_file()]), self.files.count)
        before = there.stat().st_ino
        self.files.placed()
        self.assertEqual(there.stat().st_ino, before, "copied again though it was the same")
        self.files.two()
        differ = [p for p in tree.rglob("*") if p.is_file() and p.read_bytes() != (there / p.relative_to(tree)).read_bytes()]
        self.assertEqual(len(differ), 2)
        self.files.fresh("h0")
        self.assertEqual(list((self.files.there / "h0").iterdir()), [])

    def test_the_table_without_peers_is_cnplay_and_ssh_alone(self):
        who = {name for _, _, runs in self.files.table(False) for name in runs}
        self.assertEqual(who, {"cnplay", "scp", "scp -O"})


if __name__ == "__main__":
    unittest.main()
