"""The main job on real hosts: update_code.play, as the issue and the handbook tell it."""

import signal
import time
import unittest

from support import FleetTest, fleet, on, page, shell


def head(host):
    return on(host, "git", "-C", "/cnhome", "rev-parse", "HEAD", user="ubuntu").strip()


class UpdateCode(FleetTest):
    def setUp(self):
        super().setUp()
        fleet("reset")
        self.addCleanup(fleet, "publish", "v1", check=False)

    def update(self, *options, **more):
        return self.cnplay("-i", "staging", "update_code.play", "-e", "notice=1s", *options, **more)

    def assert_version(self, wanted):
        for host in ("web1", "web2"):
            status, body = page(host)
            self.assertEqual(status, 200, body)
            self.assertIn(f"version {wanted}", body.lower())
            self.assertEqual(page(host, "/reefs/")[0], 200 if wanted == 2 else 404)

    def test_updates_both_hosts_and_then_finds_nothing_to_do(self):
        self.assert_version(1)
        fleet("publish", "v2")
        result = self.update()
        self.expect(result, 0)
        self.assert_version(2)
        found = self.outcomes(result)
        for host in ("web1", "web2"):
            for step in ("code", "packages", "static"):
                self.assertEqual(found[(step, host)], "changed", result.out)
        self.assertEqual(found[("migrate", "web1")], "changed", result.out)

        # Nothing is announced, nobody waits, the site stays up.
        again = self.update()
        self.expect(again, 0, "the phase `Site down` is skipped: `when todo` does not hold")
        self.assert_version(2)
        found = self.outcomes(again)
        self.assertEqual(set(found), {("todo", "web1"), ("todo", "web2")}, again.out)
        self.assertEqual(set(found.values()), {"ok"}, again.out)
        for word in ("changed", "outage:", "outage begins", "waiting until"):
            self.assertNotIn(word, again.out.split("host  ")[0], again.out)

    def test_what_a_failed_update_left_behind_is_something_to_do(self):
        fleet("publish", "v2")
        self.expect(self.update(), 0)
        # As a run that failed behind its pivot leaves it: the code is new already.
        shell("web2", "touch /srv/www/tmp/maintenance.html", user="ubuntu")
        result = self.update()
        self.expect(result, 0, "there is something to do", "the outage begins")
        self.assertEqual(page("web2")[0], 200)

    def test_a_dry_run_names_what_a_run_then_changes(self):
        fleet("publish", "v2")
        before = {host: head(host) for host in ("web1", "web2")}
        dry = self.update("--check", "--diff")
        self.expect(dry, 0)
        # Nothing was changed.
        self.assertEqual(before, {host: head(host) for host in ("web1", "web2")})
        self.assert_version(1)
        for host in ("web1", "web2"):
            self.assertEqual(shell(host, "ls -A /srv/www/tmp; ls -d /home/ubuntu/.local/state/cnplay/run-* 2>/dev/null || true"), "")
        would = {key for key, outcome in self.outcomes(dry).items() if outcome in ("would change", "would run")}

        real = self.update()
        self.expect(real, 0)
        did = {key for key, outcome in self.outcomes(real).items() if outcome == "changed"}
        # What starts again what the run itself stopped is a change that only a real run can meet.
        within = {(step, host) for step, host in did if step in ("start", "unpage", "open")}
        self.assertEqual(would, did - within, dry.out + real.out)

    def test_a_conflict_on_one_host_undoes_all(self):
        fleet("publish", "v2")
        # The same line that version 2 changes, in a way that leaves the old site working.
        shell("web2", "cd /cnhome && sed -i 's/$/  # local/' config/__init__.py && "
                      "git -c user.name=x -c user.email=x@x commit -qam conflict", user="ubuntu")
        before = {host: head(host) for host in ("web1", "web2")}
        result = self.update()
        self.expect(result, 1, r"web2.*conflict", r"(?i)undo")
        self.assertEqual(before, {host: head(host) for host in ("web1", "web2")})
        for host in ("web1", "web2"):
            self.assertEqual(page(host, "/reefs/")[0], 404)
        self.assertEqual(page("web1")[0], 200)

    def test_a_migration_that_fails_holds_behind_the_maintenance_page(self):
        fleet("publish", "v3-bad-migration")
        result = self.update()
        self.expect(result, 1, "The maintenance page stays up", "(?i)migrat", "outage")
        for host in ("web1", "web2"):
            status, body = page(host)
            self.assertEqual(status, 503, body)
            self.assertIn("maintenance", body.lower())

    def test_one_ctrl_c_finishes_what_is_in_flight_and_starts_nothing_more(self):
        play = self.play("""
  step first on web { sh \"\"\"sleep 3; echo done > /tmp/first\"\"\" }
  step second on web { sh \"\"\"echo done > /tmp/second\"\"\" }
""")
        shell("web1", "rm -f /tmp/first /tmp/second")
        process = self.start("-i", "staging", play)
        self.wait_for(lambda: "sleep 3" in shell("web1", "ps -eo args"))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 6, out + err)
        self.assertEqual(shell("web1", "cat /tmp/first"), "done\n")
        self.assertEqual(shell("web1", "ls /tmp/second", check=False).strip(), "")

    def test_two_ctrl_c_leave_no_orphan(self):
        play = self.play("""
  step long on web { sh \"\"\"sh -c 'sleep 4321 & sleep 4322'\"\"\" }
""")
        process = self.start("-i", "staging", play)
        self.wait_for(lambda: all("sleep 4322" in shell(h, "ps -eo args") for h in ("web1", "web2")))
        process.send_signal(signal.SIGINT)
        self.wait_for(lambda: any("AbortRequested" in path.read_text() for path in self.directory.glob("state/cnplay/runs/*/events.jsonl")))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 6, out + err)
        for host in ("web1", "web2"):
            self.assertNotIn("sleep 432", shell(host, "ps -eo args"))
            self.assertRegex(out + err, rf"{host}.*long.*(unknown|aborted)")

    def wait_for(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.2)


if __name__ == "__main__":
    unittest.main()
