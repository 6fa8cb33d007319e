"""A controller that is talked to on a terminal; and one that two people share."""

import json
import os
import pathlib
import pty
import pwd
import select
import shutil
import subprocess
import sys
import time
import unittest

from controller_test import Killed

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import run_record  # noqa: E402

# Remembers what was there before: for ways back.
MARK_SET = '''module mark.set "Set a mark" {
  param text: string
  returns { before: string }
  check sh """
    before=$(cat "$HOME/mark" 2>/dev/null || echo none)
    fact before "$before"
    [ "$before" = "$text" ] && ok
    change "$before -> $text"
  """
  apply sh """printf '%s' "$text" >"$HOME/mark"; echo "set $text" >>"$HOME/effects" """
}
'''


def is_terminal_left(fd, until):
    return select.select([fd], [], [], max(0, until - time.monotonic()))[0]


class Processes(Killed):
    def run_id(self):
        (run,) = self.runs.iterdir()
        return run.name

    def marked(self):
        """The file that `mark.set` writes, with `old` in it; the module is the project's own."""
        (self.root / "modules").mkdir(exist_ok=True)
        (self.root / "modules" / "mark.play").write_text(MARK_SET)
        mark = self.sshd.home / "mark"
        mark.write_text("old")
        return mark

    def of_type(self, kind):
        return [e for e in self.events() if e["type"] == kind]

    def ids(self):
        """Of all runs on record, oldest first."""
        return sorted((run.name for run in self.runs.iterdir()), key=lambda name: (self.runs / name).stat().st_ctime_ns)

    def of_run(self, name):
        return [json.loads(line) for line in (self.runs / name / "events.jsonl").read_text().splitlines()]

    def killed_everywhere_and_resumed(self, name, words, effects):
        """`cnplay WORDS` takes the run `name` back; killed at one record after another it is resumed, to the same
        effects. How often."""
        taken = self.cnplay(*words)
        self.assertEqual(taken.returncode, 0, taken.stdout + taken.stderr)
        whole = len(self.of_run(self.ids()[-1]))
        shutil.rmtree(self.runs / self.ids()[-1])
        resumed = 0
        for at in range(2, whole, 3):
            with self.subTest(at=at):
                self.effects.unlink(missing_ok=True)
                self.mark.write_text("new")
                self.cnplay(*words, at=at, how="after")
                (run,) = [r for r in self.ids() if r != name]
                if not (self.runs / run / "run.json").exists():
                    blocked = self.cnplay(*words)
                    self.assertEqual(blocked.returncode, 3)
                    self.assertIn(f"cnplay resume {run}", blocked.stderr)
                    again = self.cnplay("resume", run)
                    self.assertEqual(again.returncode, 0, again.stdout + again.stderr)
                    resumed += 1
                self.assertEqual(self.counted(), effects)
                self.assertEqual(self.mark.read_text(), "old")
                shutil.rmtree(self.runs / run)
        return resumed

    def on_a_terminal(self, arguments, talk, term="dumb"):
        """Each (what is waited for, what is typed then). Returns the exit code and all that was shown."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.root)
            env = {**os.environ, "CNPLAY_RUNS": str(self.runs), "TERM": term, "NO_COLOR": "1"}
            os.execve(os.environ["CNPLAY"], [os.environ["CNPLAY"], *arguments], env)
        shown, seen, until = "", 0, time.monotonic() + 60
        talk = list(talk)
        while is_terminal_left(fd, until):
            try:
                shown += os.read(fd, 65536).decode(errors="replace")
            except OSError:
                break
            while talk and talk[0][0] in shown[seen:]:
                seen = shown.index(talk[0][0], seen) + len(talk[0][0])
                os.write(fd, talk.pop(0)[1].encode())
        os.close(fd)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self.assertEqual(talk, [], shown)
        return code, shown


class SecondPerson:
    """Somebody else who shares the record: of a test that has `root`, a directory, and `runs`, below it."""

    OTHER = "nobody"

    waiting = staticmethod(run_record.waiting)

    def share_runs(self):
        os.chmod(self.root, 0o711)
        os.chown(self.runs, 0, pwd.getpwnam(self.OTHER).pw_gid)
        os.chmod(self.runs, 0o2770)

    def other(self, *arguments):
        user = pwd.getpwnam(self.OTHER)
        binary = self.root / "cnplay"
        if not binary.exists():
            shutil.copy(os.environ["CNPLAY"], binary)
        env = {**os.environ, "CNPLAY_RUNS": str(self.runs), "HOME": "/", "TERM": "dumb"}
        return subprocess.run([binary, *arguments], env=env, cwd="/", text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False, user=user.pw_uid, group=user.pw_gid,
                              extra_groups=[])


@unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
class TwoUsers(SecondPerson, Processes):
    def setUp(self):
        super().setUp()
        self.share_runs()
