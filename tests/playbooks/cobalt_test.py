"""Cobalt's upgrade from blue to green, its fail-back and its tidying up. Everything runs on `local`: Debian's awscli against a
stand-in of the services, and a stand-in of `eb`. What was done is read from the services' own state.

Needs CNPLAY (the binary)."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CNPLAY = os.environ.get("CNPLAY", str(ROOT / "build/release/cnplay"))
sys.path[:0] = [str(ROOT / "tests/support/cloud"), str(ROOT / "tests/support")]
import aws_server  # noqa: E402  (found by the line above)
from name_server import serving  # noqa: E402
from run_record import step_that_waits  # noqa: E402

SPACE, GROUP = "aws:elasticbeanstalk:application:environment", "aws:autoscaling:asg"
DOMAIN, ZONE = "staging.myabf.com.au", "Z0000COBALTSTAGING"


def environment(mode, **more):
    variables = {"MAINTENANCE_MODE": mode, **more}
    options = {(SPACE, name): value for name, value in variables.items()}
    return {"status": "Ready", "version": "v1", "options": {**options, (GROUP, "MinSize"): "2", (GROUP, "MaxSize"): "2"}}


class Cobalt(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-cobalt-")
        self.addCleanup(temporary.cleanup)
        self.top = pathlib.Path(temporary.name)
        self.cloud = cloud = aws_server.Cloud()
        cloud.delay = 0
        cloud.databases["staging-blue"] = {"status": "available", "class": "db.t3.medium", "public": False, "password": "old"}
        cloud.environments = {
            "cobalt-staging-blue": environment("OFF", STRIPE_SECRET_KEY="sk-1234567890", RDS_HOSTNAME="old"),
            "cobalt-staging-green": environment("ON", RDS_HOSTNAME="test", MP_USE_DJANGO="YES"),
            "cobalt-ses-staging-green": environment("OFF"), "cobalt-ses-staging-blue": environment("ON")}
        blue = self.name("cobalt-staging-blue")
        cloud.zones[ZONE] = {(f"{DOMAIN}.", "A"): ("alias of Z2PCDNR3VC2G1N", [f"{blue}."]), (f"www.{DOMAIN}.", "CNAME"): (60, [blue]),
                             (f"ses.{DOMAIN}.", "CNAME"): (60, [self.name("cobalt-ses-staging-green")])}
        server = aws_server.start(cloud)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

        tools = self.top / "bin"
        tools.mkdir()
        (tools / "aws").symlink_to(ROOT / "tests/support/cloud/tape.py")
        (tools / "eb").symlink_to(ROOT / "tests/support/cloud/tools.py")
        self.state = self.top / "state.json"
        self.state.write_text(json.dumps({"calls": [], "codes": {}, "prints": '[{"model": "notifications.unregisteredblockedemail"}]'}))
        for folder in ("playbooks", "inventories"):
            shutil.copytree(ROOT / folder, self.top / folder)
        inventory = self.top / "inventories/staging.inv"
        here = (f'inventory staging {{\n  path ["{tools}"]\n  env {{ CLOUD_URL: "http://127.0.0.1:{server.server_port}", CLOUD_TAPE: "{self.top}/tape", '
                f'CLOUD_STATE: "{self.state}", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_DEFAULT_REGION: "us-east-1", '
                'AWS_EC2_METADATA_DISABLED: "true", AWS_PAGER: "" }\n')
        inventory.write_text(inventory.read_text(encoding="utf-8").replace("inventory staging {\n", here, 1), encoding="utf-8")
        key = self.top / "key"
        key.write_text("a password of the test\n")
        key.chmod(0o600)
        self.runs = self.top / "runs"
        self.environ = {**os.environ, "CNPLAY_VAULT_KEY_FILE": str(key), "CNPLAY_RUNS": str(self.runs)}
        self.succeeds("vault", "init", "-i", "staging")
        for path, value in (("stripe/secret_key", "sk-1234567890"), ("rds/password", "pw-1234567890")):
            self.succeeds("vault", "set", "-i", "staging", path, given=value)

    @staticmethod
    def name(of):
        return f"{of}.elasticbeanstalk.example"

    def cnplay(self, *words, given=""):
        return subprocess.run([CNPLAY, *words], cwd=self.top, env=self.environ, input=given, text=True, capture_output=True, timeout=300, check=False)

    def succeeds(self, *words, given=""):
        done = self.cnplay(*words, given=given)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def through(self, *words, **answers):
        """A run to its end; people say yes, but ANSWERS gives the words for a step. (Result, its name, who was asked.)"""
        before = set(self.runs.iterdir()) if self.runs.exists() else set()
        asked = []
        done = self.cnplay(*words)
        (run,) = set(self.runs.iterdir()) - before
        while done.returncode == 7:
            self.assertLess(len(asked), 20, done.stdout + done.stderr)
            step = step_that_waits(run)
            asked.append(step)
            self.succeeds("answer", run.name, step, *answers.get(step, ["--approve"] if step in ("go", "offer") else ["--done"]))
            done = self.cnplay("resume", run.name)
        return done, run.name, asked

    def upgrade(self, **answers):
        return self.through("-i", "staging", "mpc_upgrade.play", "-e", "version=v2", "-e", f"copy={self.top}/copy.json", **answers)

    def variables(self, of):
        return {name: value for (space, name), value in self.cloud.environments[of]["options"].items() if space == SPACE}

    def names(self):
        return {name: kept[1][0].rstrip(".") for (name, _), kept in self.cloud.zones[ZONE].items()}

    def in_no_file(self, secret):
        for file in self.runs.rglob("*"):
            if file.is_file():
                self.assertNotIn(secret.encode(), file.read_bytes(), str(file))

    def test_green_takes_over_and_can_fail_back(self):
        plan = self.succeeds("plan", "-i", "staging", "mpc_upgrade.play", "-e", "version=v2").stdout
        self.assertRegex(plan, r"Outage time excluding testing +1 h 31 min\n +Total outage time, including testing +2 h 31 min\n")
        done, run, asked = self.upgrade()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(asked, ["login", "go", "refused", "test"])
        cloud = self.cloud
        self.assertEqual([cloud.environments[name]["version"] for name in ("cobalt-staging-green", "cobalt-ses-staging-blue")], ["v2", "v2"])
        self.assertEqual(list(cloud.snapshots.values()), ["staging-blue"])
        self.assertEqual(cloud.databases["cobalt-staging-green"]["class"], "db.t3.small")
        self.assertEqual(self.variables("cobalt-staging-green"), {
            "MAINTENANCE_MODE": "OFF", "STRIPE_SECRET_KEY": "sk-1234567890", "RDS_DB_NAME": "ebdb", "RDS_PASSWORD": "pw-1234567890",
            "RDS_HOSTNAME": "cobalt-staging-green.cluster.rds.example", "RDS_USERNAME": "postgres"})
        self.assertNotIn("STRIPE_SECRET_KEY", self.variables("cobalt-ses-staging-blue"))
        self.assertEqual(self.variables("cobalt-staging-blue"), {"MAINTENANCE_MODE": "ON", "RDS_HOSTNAME": "old"})
        self.assertEqual(cloud.environments["cobalt-staging-blue"]["options"][GROUP, "MaxSize"], "1")
        green = self.name("cobalt-staging-green")
        self.assertEqual(self.names(), {f"{DOMAIN}.": green, f"www.{DOMAIN}.": green, f"ses.{DOMAIN}.": self.name("cobalt-ses-staging-blue")})
        commands = [call[-1] for call in json.loads(self.state.read_text())["calls"]]
        self.assertEqual([next(word for word in ("dumpdata", "'migrate'", "temp_copy_unreg_to_user", "loaddata") if word in line) for line in commands],
                         ["dumpdata", "'migrate'", "temp_copy_unreg_to_user", "loaddata"])
        self.assertIn("RDS_HOSTNAME='cobalt-staging-green.cluster.rds.example'", commands[1])
        for secret in ("sk-1234567890", "pw-1234567890"):
            self.in_no_file(secret)

        done, _, asked = self.through("rollback", run, "fail_back")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(asked, ["activity"])
        self.assertEqual(self.variables("cobalt-staging-blue"), {"MAINTENANCE_MODE": "OFF", "STRIPE_SECRET_KEY": "sk-1234567890", "RDS_HOSTNAME": "old"})
        self.assertEqual(self.variables("cobalt-staging-green").get("STRIPE_SECRET_KEY"), None)
        blue = self.name("cobalt-staging-blue")
        self.assertEqual(self.names(), {f"{DOMAIN}.": blue, f"www.{DOMAIN}.": blue, f"ses.{DOMAIN}.": self.name("cobalt-ses-staging-green")})

    def test_a_login_that_is_not_refused_opens_the_old_systems_again(self):
        done, _, asked = self.upgrade(refused=["--refuse", "a user is still in"])
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(asked, ["login", "go", "refused"])
        self.assertEqual(self.variables("cobalt-staging-blue"), {"MAINTENANCE_MODE": "OFF", "STRIPE_SECRET_KEY": "sk-1234567890", "RDS_HOSTNAME": "old"})
        self.assertEqual(self.cloud.environments["cobalt-staging-blue"]["options"][GROUP, "MaxSize"], "2")
        self.assertEqual(self.cloud.snapshots, {})

        # All is as a fail-back leaves it: the play of that name looks, and changes nothing.
        self.cloud.calls.clear()
        done, _, asked = self.through("-i", "staging", "fail_back.play")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(asked, ["activity"])
        self.assertEqual([call for call in self.cloud.calls if not call.split(".")[1].startswith(("Describe", "List"))], [])

    def test_tidying_up_asks_two_people_and_keeps_a_last_snapshot(self):
        cloud, blue = self.cloud, "cobalt-staging-blue"
        cloud.databases["cobalt-staging-green"] = {"status": "available", "class": "db.t3.small", "public": False, "password": "new"}
        cloud.zones[ZONE][f"{blue}.{DOMAIN}.", "CNAME"] = (60, [self.name(blue)])
        green = self.name("cobalt-staging-green")
        port = self.enterContext(serving({f"www.{DOMAIN}": [(5, green)]}))
        words = ["-i", "staging", "tidy_up.play", "-e", 'name_servers=["127.0.0.1"]', "-e", f"name_port={port}"]
        done = self.cnplay(*words)
        self.assertEqual(done.returncode, 7, done.stdout + done.stderr)
        self.assertIn(blue, cloud.environments)
        self.assertEqual(cloud.environments[blue]["status"], "Ready")
        (run,) = self.runs.iterdir()
        self.succeeds("answer", run.name, "sure", "--approve")
        done = self.cnplay("resume", run.name)
        self.assertEqual(done.returncode, 7, "one person was enough\n" + done.stdout + done.stderr)
        self.assertEqual(cloud.environments[blue]["status"], "Ready")


if __name__ == "__main__":
    unittest.main()
