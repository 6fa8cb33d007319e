"""The story of story.play on the fleet: three days, two people, a true restart of every web host, a point of no
return, a migration that fails after it, and both rollbacks. The controller is killed in each phase of it, and continues
each time: what was done on the hosts was done once, the site is as it was, and the report tells all of it."""

import collections
import getpass
import json
import os
import pathlib
import signal
import sys
import time
import unittest

from support import CNPLAY, FleetTest, fleet, on, page, shell

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
from processes import SecondPerson  # noqa: E402

ME = getpass.getuser()
HERE = pathlib.Path(__file__).resolve().parent
HOSTS = ("web1", "web2", "db1")
WEB = ("web1", "web2")

# The moments at which the controller is killed, in their order: each once, as soon as its record says so.
# (What it is called, the event, and of which step and host.)
MOMENTS = (
    ("preparing", "ActionStarted", "prepare", "web1"),
    ("waiting", "WaitStarted", None, None),
    ("a host restarts", "ActionStarted", "restart[1]", "web1"),
    ("another restarts", "ActionStarted", "restart[2]", "web2"),
    ("the site is stopped", "ActionEnded", "stop", "web2"),
    ("the code is new", "ActionEnded", "code", "web2"),
    ("before the pivot", "ActionEnded", "packages", "web1"),
    ("behind the pivot", "Pivoted", None, None),
    ("migrating", "ActionStarted", "migrate", "web1"),
    ("in the rollback", "ActionEnded", "old_code", "web1"),
    # Not its end: the rest may be over before the kill arrives.
    ("nearly back", "ActionStarted", "start", "web1"),
)


def is_moment(event, moment):
    _, kind, step, host = moment
    return event["type"] == kind and (not step or (last(event["node"]), event["host"]) == (step, host))


def last(path):
    return path.rsplit("/", 1)[-1]


def boots(host):
    return shell(host, "last -x reboot | grep -c ^reboot")


def head(host):
    return on(host, "git", "-C", "/cnhome", "rev-parse", "HEAD", user="ubuntu").strip()


@unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
class Story(SecondPerson, FleetTest):
    def setUp(self):
        super().setUp()
        fleet("reset")
        fleet("publish", "v3-bad-migration")
        self.addCleanup(fleet, "reset", check=False)
        self.addCleanup(fleet, "publish", "v1", check=False)
        for host in HOSTS:
            shell(host, "rm -f /home/ubuntu/effects")
        self.root, self.runs = self.directory, self.directory / "runs"
        self.runs.mkdir()
        self.share_runs()
        self.environment["CNPLAY_RUNS"] = str(self.runs)
        os.environ.setdefault("CNPLAY", str(CNPLAY))
        (self.project / "playbooks/story.play").write_text((HERE / "story.play").read_text())
        self.heads = {host: head(host) for host in WEB}
        self.boots = {host: boots(host) for host in WEB}

    def events(self):
        runs = list(self.runs.iterdir())
        if not runs or not (runs[0] / "events.jsonl").exists():
            return []
        lines = (runs[0] / "events.jsonl").read_bytes().split(b"\n")
        return [json.loads(line) for line in lines[:-1] if line.startswith(b"{") and line.endswith(b"}")]

    def until(self, moment, *arguments):
        """Runs it, and kills it at the moment. The result; and whether it was killed."""
        seen = len(self.events())
        process = self.start(*arguments)
        deadline = time.monotonic() + 240
        while process.poll() is None:
            self.assertLess(time.monotonic(), deadline, f"hangs, before: {moment}")
            events = self.events()
            # One that has passed while another was waited for is made up for as soon as there is something new.
            if moment and len(events) > seen and any(is_moment(e, moment) for e in events):
                process.kill()
            time.sleep(0.002)
        out, err = process.communicate()
        return process.returncode, out + err

    def answer(self, name, offer):
        step = self.waiting(self.events())[-1]
        if step == "tell":
            self.expect(self.cnplay("answer", name, "tell", "--done", "ticket=T-7"), 0)
        elif step == "go":
            self.expect(self.cnplay("answer", name, "go", "--approve"), 0)
            given = self.other("answer", name, "go", "--approve")
            self.assertEqual(given.returncode, 0, given.stdout + given.stderr)
        else:
            self.expect(self.cnplay("answer", name, step, offer), 0)

    def through(self, moments, offer):
        """To its end; killed at each of the moments. Its name, its exit code, its last words."""
        left = collections.deque(moments)
        killed = []
        arguments = ["-i", "staging", "story.play", "-e", f"others={json.dumps([ME, self.OTHER])}"]
        for _ in range(60):
            code, text = self.until(left[0] if left else None, *arguments)
            (run,) = self.runs.iterdir()
            if code == -signal.SIGKILL:
                killed.append(left.popleft()[0])
            elif code == 7:
                self.answer(run.name, offer)
            else:
                self.assertEqual([moment[0] for moment in left], [], f"never came to it; killed: {killed}\n{text}")
                return run.name, code, text
            arguments = ["resume", run.name]
        self.fail("it has no end: " + text)

    def effects(self, host):
        done = shell(host, "cat /home/ubuntu/effects 2>/dev/null || true").splitlines()
        return collections.Counter(done)

    def assert_done_once(self, *, web, db):
        for host in WEB:
            self.assertEqual(self.effects(host), dict.fromkeys(web, 1), host)
            self.assertEqual(int(boots(host)) - int(self.boots[host]), 1, f"{host} has restarted once")
            self.assertEqual(head(host), self.heads[host], f"{host} has its old code")
        self.assertEqual(self.effects("db1"), dict.fromkeys(db, 1))

    def assert_site_is_up(self):
        for host in WEB:
            status, body = page(host)
            self.assertEqual(status, 200, body)
            self.assertIn("version 1", body.lower())

    def rows(self, name):
        told = self.cnplay("report", name, "--format", "jsonl", "-o", "-")
        self.expect(told, 0)
        return [json.loads(line) for line in told.out.splitlines()]

    def tells_the_story(self, name, kills):
        rows = self.rows(name)
        (run,) = [row for row in rows if row["type"] == "run"]
        self.assertEqual((run["state"], run["verdict"], run["play"]), ("ended", "failed", "three_days"))
        # Resumed after each kill, and for who tells, for the two that approve, for the rollback.
        self.assertEqual(len([row for row in rows if row["type"] == "resume"]), kills + 3)
        results = collections.Counter(
            (last(row["step"]), row["host"], row["outcome"]) for row in rows if row["type"] == "result")
        for host in WEB:
            for step in ("prepare", "restarted", "stop", "page", "code", "packages", "stopped", "old_code", "old_packages", "turned", "start", "unpage"):
                self.assertEqual(results[step, host, "changed"], 1, (step, host, results))
        self.assertEqual(results["migrate", "web1", "failed"], 1, results)
        for one, outcome in ((key[0], key[2]) for key in results):
            self.assertIn(outcome, ("changed", "ok", "failed", "skipped"), one)
        answers = [(last(row["step"]), row["user"], row["values"]) for row in rows if row["type"] == "answer"]
        self.assertEqual(answers[:3], [("tell", ME, {"ticket": "T-7"}), ("go", ME, {}), ("go", self.OTHER, {})])
        html = self.cnplay("report", name, "-o", "-")
        self.expect(html, 0)
        for words in ("New code and restarted hosts, in three days", "ticket: T-7", f"approved by {ME}",
                      f"approved by {self.OTHER}", "the schema may change", "The old code, the data as they are"):
            self.assertIn(words, html.out)

    def test_killed_in_each_phase_and_taken_back(self):
        name, code, text = self.through(MOMENTS, "old_site")
        self.assertEqual(code, 1, text)
        self.assert_done_once(web=("prepared", "restarted for T-7", "stopped", "turned"), db=("prepared", "changing"))
        self.assert_site_is_up()
        self.tells_the_story(name, len(MOMENTS))

    def test_the_other_way_back_later(self):
        name, code, text = self.through((), "none")
        self.assertEqual(code, 1, text)
        self.assertIn("The maintenance page stays up.", text)
        for host in WEB:
            status, body = page(host)
            self.assertEqual((status, "T-7" in body), (503, True), body)
        later = self.cnplay("rollback", name, "old_data")
        self.expect(later, 0)
        self.assert_done_once(web=("prepared", "restarted for T-7", "stopped"), db=("prepared", "changing", "restored"))
        self.assert_site_is_up()


del FleetTest, SecondPerson  # they test nothing by themselves

if __name__ == "__main__":
    unittest.main()
