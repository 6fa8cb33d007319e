"""Intake's launch on the fleet: the tools of its clouds are stand-ins on db1, its name server is in this program, and people
answer by `cnplay answer`. What was done is read from the stand-ins' own record."""

import json
import os
import pathlib
import sys
import unittest

from support import FleetTest, fleet, on, shell

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from name_server import serving  # noqa: E402
from run_record import step_that_waits  # noqa: E402

CONTROLLER = "10.77.0.1"
SITE = "www.staging.clearmyrecord.org"
LAMBDA, REDIRECT = "staging.lambda.example.org", "redirect.s3-website-us-east-1.amazonaws.com"


def cloud():
    return json.loads(shell("db1", "cat /var/tmp/cloud/state.json"))


def calls():
    return [" ".join(line.split()[:3]) for line in shell("db1", "cat /var/tmp/cloud/calls").splitlines()]


@unittest.skipUnless(os.geteuid() == 0, "the name server has a port of root")
class Launch(FleetTest):
    def setUp(self):
        super().setUp()
        fleet("reset")
        text = (HERE / "cloud_standin.py").read_text(encoding="utf-8")
        for tool in ("aws", "heroku", "zappa"):
            on("db1", "sh", "-c", f'printf %s "$1" > /usr/local/bin/{tool}; chmod 755 /usr/local/bin/{tool}', "sh", text)
        shell("db1", "rm -rf /var/tmp/cloud; install -d -o ubuntu /srv/intake")
        self.addCleanup(shell, "db1", "rm -rf /var/tmp/cloud /srv/intake /usr/local/bin/aws /usr/local/bin/heroku /usr/local/bin/zappa", check=False)
        self.enterContext(serving({SITE: lambda: [(5, cloud()["names"][SITE])]}, CONTROLLER, 5353))
        self.runs = self.directory / "runs"
        self.environment["CNPLAY_RUNS"] = str(self.runs)

    def through(self, *arguments, answers=()):
        """A run to its end. People say yes to all, but ANSWERS gives the words for a step. (Result, its name, who was asked.)"""
        before = set(self.runs.iterdir()) if self.runs.exists() else set()
        asked = []
        result = self.cnplay(*arguments)
        (directory,) = set(self.runs.iterdir()) - before
        while result.code == 7:
            self.assertLess(len(asked), 40, result.text)
            step = step_that_waits(directory)
            asked.append(step)
            words = dict(answers).get(step) or (["--approve"] if step in ("sure", "off", "lose") else ["--done"])
            self.expect(self.cnplay("answer", directory.name, step, *words), 0)
            result = self.cnplay("resume", directory.name)
        return result, directory.name, asked

    def launch(self, **answers):
        soon = ["-e", f'name_servers=["{CONTROLLER}"]', "-e", "name_port=5353"]
        now = shell("db1", "date -u '+%Y-%m-%d %H:%M:%S UTC'").strip()
        return self.through("-i", "staging", "launch.play", *soon, "-e", f"lunch={now}", "-e", f"day2={now}", answers=answers)

    def test_the_site_moves_in_two_days(self):
        result, _, asked = self.launch()
        self.expect(result, 0)
        self.assertEqual(asked, ["before", "heroku_s3", "heroku_works", "uat", "hooks", "sure", "redirect", "pingdom", "tell", "audit", "off", "change", "user_off"])
        state = cloud()
        self.assertEqual(sorted(name.rsplit("-", 3)[0] for name in state["snapshots"]), ["launch-lunch", "launch-morning"])
        self.assertEqual(set(state["snapshots"].values()), {"intake-staging-r1-database"})
        self.assertEqual(state["encrypted"], ["intake-staging-media"])
        self.assertEqual((state["public"], state["ports"]), (False, []))
        self.assertEqual((state["processes"], state["maintenance"]), ({"web": 0, "clock": 0}, "on"))
        self.assertEqual(state["names"], {SITE: LAMBDA})
        # Each once, and the port, which was open, and the second copy not at all.
        self.assertEqual(calls(), [
            "aws rds create-db-snapshot", "aws s3api put-bucket-encryption", "aws s3 sync", "aws rds create-db-snapshot", "heroku ps:scale clock=0",
            "zappa deploy staging", "zappa certify staging", "zappa manage staging", "heroku maintenance:on --app", "heroku ps:scale web=0",
            "aws rds modify-db-instance", "aws ec2 revoke-security-group-ingress"])

    def test_before_the_redirect_a_refusal_turns_the_scheduled_tasks_on_again(self):
        result, _, _ = self.launch(uat=["--refuse", "no pdf"])
        self.expect(result, 1, "no pdf")
        state = cloud()
        self.assertEqual((state["processes"], state["maintenance"], state["public"]), ({"web": 2, "clock": 1}, "off", True))

    def test_a_call_that_fails_stops_the_launch_with_its_message(self):
        shell("db1", "mkdir -p /var/tmp/cloud; echo s3 sync > /var/tmp/cloud/fails; chown -R ubuntu /var/tmp/cloud")
        library = self.project / "playbooks/lib/intake.play"
        library.write_text(library.read_text(encoding="utf-8").replace("retry 2 every 1m", "retry 2 every 1s"), encoding="utf-8")
        result, _, asked = self.launch()
        self.expect(result, 1, r"sync.*failed", "InternalFailure")
        self.assertEqual(asked, ["before"])
        self.assertNotIn("zappa", " ".join(calls()))

    def test_after_the_redirect_the_names_are_rolled_back(self):
        result, _, asked = self.launch(redirect=["--refuse", "Namecheap is down"], offer=["--approve"])
        self.expect(result, 1, "Namecheap is down")
        self.assertEqual(asked[-2:], ["namecheap", "hooks_back"])
        state = cloud()
        self.assertEqual(state["names"], {SITE: REDIRECT})
        self.assertEqual(state["processes"], {"web": 2, "clock": 1})

    def test_after_day_2_all_goes_back_to_heroku_and_to_a_former_database(self):
        result, run, asked = self.launch(user_off=["--refuse", "it is in use"], offer=["after_day2"])
        self.expect(result, 1, "it is in use")
        self.assertEqual(asked[-5:], ["credentials", "code", "quick_uat", "namecheap", "hooks_back"])
        state = cloud()
        self.assertEqual((state["public"], state["ports"]), (True, ["5432"]))
        self.assertEqual((state["processes"], state["maintenance"], state["names"]), ({"web": 2, "clock": 1}, "off", {SITE: REDIRECT}))
        clean = next(name for name in state["snapshots"] if name.startswith("launch-lunch"))
        before = calls()
        result, _, asked = self.through("rollback", run, "corrupted", answers={"clean": [clean]})
        self.expect(result, 0)
        self.assertEqual(asked[:3], ["lose", "clean", "rename"])
        self.assertEqual(cloud()["instances"], ["intake-staging-restored"])
        # All but the database is back already.
        self.assertEqual(calls()[len(before):], ["aws rds restore-db-instance-from-db-snapshot"])


if __name__ == "__main__":
    unittest.main()
