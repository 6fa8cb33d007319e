"""CoralNet's beta migration on the fleet: the site of web1 and db1 moves to web3 and db2, which have nothing of it before. People
answer by `cnplay answer`, and what they promise is done by this program where the fleet can show it."""

import json
import os
import pathlib
import subprocess
import sys
import unittest

from support import FleetTest, fleet, on, shell

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from name_server import serving  # noqa: E402
from run_record import step_that_waits  # noqa: E402

BETA = "10.77.0.13"
PASSWORD = "coralnet-password"


def sql(host, query):
    return on(host, "psql", "-qXAt", "-d", "coralnet", "-c", query, user="postgres").strip()


@unittest.skipUnless(os.geteuid() == 0, "the name server has a port of root")
class BetaMigration(FleetTest):
    HOSTS = "web1,web2,db1,web3,db2"

    def setUp(self):
        super().setUp()
        fleet("reset", "--fresh")
        self.addCleanup(fleet, "reset", "--fresh", check=False)
        self.runs = self.directory / "runs"
        self.environment["CNPLAY_RUNS"] = str(self.runs)
        text = (HERE / "cloud_standin.py").read_text(encoding="utf-8")
        on("db1", "sh", "-c", 'printf %s "$1" > /usr/local/bin/aws; chmod 755 /usr/local/bin/aws', "sh", text)
        # The new machines: no site, no database; a server as RDS is, for a role that may make databases.
        self.secrets = shell("web3", "cat /cnhome/secrets.json")
        shell("web3", "supervisorctl stop all >/dev/null; rm -rf /cnhome/* /cnhome/.[!.]* /etc/supervisor/conf.d/* /etc/nginx/sites-*/coral /scripts; "
              "supervisorctl update >/dev/null; systemctl -q disable --now nginx")
        shell("db2", "su postgres -c \"psql -qc 'DROP DATABASE coralnet WITH (FORCE)' -c 'ALTER ROLE coralnet CREATEDB' postgres\"; "
              "echo 'host all coralnet 10.77.0.0/24 scram-sha-256' >> /etc/postgresql/15/main/pg_hba.conf; pg_ctlcluster 15 main reload")
        shell("web3", f"umask 077; printf '%s\\n' '10.77.0.20:*:*:coralnet:{PASSWORD}' '10.77.0.21:*:*:coralnet:{PASSWORD}' > ~/.pgpass", user="ubuntu")
        shell("web3", "openssl req -x509 -newkey rsa:2048 -nodes -days 9000 -subj /CN=CA -keyout /root/ca.key -out /root/ca.pem 2>/dev/null; "
              "systemd-run --quiet --unit mailer python3 -u -W ignore -c 'import smtpd, asyncore; smtpd.DebuggingServer((\"127.0.0.1\", 25), None); asyncore.loop()'")
        self.enterContext(serving({"coralnet.ucsd.edu": [(1, BETA)]}, "10.77.0.1", 5353))

    def done_by_people(self, step):
        if step == "secrets":
            on("web3", "sh", "-c", 'umask 077; printf %s "$1" > /cnhome/secrets.json', "sh", self.secrets, user="ubuntu")
        elif step == "users":
            sql("db1", "INSERT INTO reefs_reef (name, region) VALUES ('Late Reef', 'x')")
        elif step == "down":
            shell("web1", "supervisorctl stop all")
            shell("web2", "supervisorctl stop all")

    def through(self, answers):
        """To the end of the run. (Result, who was asked.)"""
        now = shell("db1", "date -u '+%Y-%m-%d %H:%M:%S UTC'").strip()
        values = {"closing": now, "repository": "git://10.77.0.1/coralnet.git", "packages": '["git", "nginx", "supervisor", "nftables"]',
                  "system_packages": "true", "name_servers": '["10.77.0.1"]', "name_port": "5353", "ca_cert": "/root/ca.pem", "ca_key": "/root/ca.key"}
        result = self.cnplay("-i", "staging", "beta_migration.play", *[word for key, value in values.items() for word in ("-e", f"{key}={value}")])
        asked = []
        self.said = result.out
        while result.code == 7:
            self.assertLess(len(asked), 40, result.text)
            (run,) = self.runs.iterdir()
            step = step_that_waits(run)
            asked.append(step)
            self.done_by_people(step)
            words = answers.get(step) or {"go": ["--approve"], "hostmaster": ["--done", "within=2h"]}.get(step, ["--done"])
            self.expect(self.cnplay("answer", run.name, step, *words), 0)
            result = self.cnplay("resume", run.name)
            self.said += result.out
        return result, asked

    def test_the_site_moves_with_all_its_rows(self):
        result, asked = self.through({})
        self.expect(result, 0)
        self.assertRegex(self.said, r"same: postgres.compare +ok +11 tables, \d+ rows, the same")
        self.assertEqual(asked, ["machines", "files", "deploy_key", "secrets", "backend", "look", "hostmaster", "users", "preproduction", "came", "review", "go",
                                 "down", "last_files", "last_secrets", "switch", "production", "group", "tell"])
        self.assertEqual(sql("db2", "SELECT count(*) FROM reefs_reef"), sql("db1", "SELECT count(*) FROM reefs_reef"))
        self.assertEqual(sql("db2", "SELECT count(*) FROM reefs_reef WHERE name = 'Late Reef'"), "1")
        # As a visitor sees it: from another machine, by name, with the certificate of that name.
        ca = self.directory / "ca.pem"
        ca.write_text(shell("web3", "cat /root/ca.pem"))
        page = subprocess.run(["curl", "-sS", "--cacert", str(ca), "--resolve", f"coralnet.ucsd.edu:443:{BETA}", "https://coralnet.ucsd.edu/"], capture_output=True, text=True)
        self.assertIn("CoralNet version 1", page.stdout, page.stderr)
        self.assertEqual(shell("web3", "systemctl is-enabled nginx nftables"), "enabled\nenabled\n")
        self.assertIn("no-reply@coralnet.ucsd.edu", shell("web3", "journalctl --unit mailer --output cat"))
        self.assertIn("DJANGO_SETTINGS_MODULE=config.settings.staging", shell("web3", "cat /scripts/setup_env.sh"))

    def test_a_database_that_is_still_written_to_is_not_taken_for_the_whole(self):
        self.done_by_people = lambda step: sql("db1", "SELECT 1") if step != "secrets" else BetaMigration.done_by_people(self, step)
        library = self.project / "playbooks/beta_migration.play"
        library.write_text(library.read_text(encoding="utf-8").replace(
            '    step same "', '    step late on control as postgres { sh """psql -qc "INSERT INTO reefs_reef (name, region) VALUES (\'After\', \'x\')" coralnet""" }\n    step same "'), encoding="utf-8")
        result, asked = self.through({})
        self.expect(result, 1, r"same.*failed.*reefs_reef has \d+ rows, and \d+ on 10\.77\.0\.20", "the alpha server can be started again")
        self.assertNotIn("switch", asked)


if __name__ == "__main__":
    unittest.main()
