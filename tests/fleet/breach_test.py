"""breach_response.play on the fleet: every credential is another one afterwards, the former ones are refused, and no
byte of either is in the record."""

import json
import subprocess
import unittest

from support import FleetTest, fleet, on, page, shell

WEB = ("web1", "web2")
ADMIN = """
from django.contrib.auth import get_user_model
users = get_user_model().objects
users.filter(username__in=["ann", "old"]).delete()
users.create_superuser("ann", password="former-admin-password")
import datetime
from django.utils import timezone
users.filter(username="ann").update(last_login=timezone.now())
users.create_superuser("old", password="former-admin-password")
users.filter(username="old").update(date_joined=timezone.now() - datetime.timedelta(days=800))
"""


def django(host, script):
    return on(host, "sh", "-c", '. /scripts/env_setup.sh && python -c "import django; django.setup()\n$1"', "sh", script, user="ubuntu")


def settings(host):
    return json.loads(on(host, "cat", "/cnhome/secrets.json", user="ubuntu"))


class Breach(FleetTest):
    def setUp(self):
        super().setUp()
        fleet("reset")
        self.addCleanup(on, "db1", "psql", "-qc", "ALTER ROLE coralnet PASSWORD 'coralnet-password'", "postgres", user="postgres", check=False)
        for host in WEB:
            self.addCleanup(shell, host, "rm -f ~/.ssh/id_ed25519* ~/.secrets.former.json", user="ubuntu", check=False)
        self.key = self.directory / "vault.key"
        self.key.write_text("a password of the test\n")
        self.key.chmod(0o600)
        self.environment["CNPLAY_VAULT_KEY_FILE"] = str(self.key)
        self.expect(self.cnplay("vault", "init", "-i", "staging"), 0)

    def vault(self, path):
        got = self.cnplay("vault", "get", "-i", "staging", path)
        self.expect(got, 0)
        return got.out.strip()

    def psql(self, password):
        """What the database says to a login of web1 with the password."""
        done = on("web1", "sh", "-c", 'PGPASSWORD=$1 psql -h database -U coralnet -w -XAtqc "select 1" coralnet 2>&1 || true', "sh", password,
                  user="ubuntu")
        return done.strip()

    def to_its_end(self, *answers):
        """Runs it, and says done to each of the human steps, which are these. Its name and its last result."""
        result = self.cnplay("-i", "staging", "--incident", "INC-7", "breach_response.play")
        for step in answers:
            self.expect(result, 7)
            (run,) = (self.directory / "state/cnplay/runs").iterdir()
            self.expect(self.cnplay("answer", run.name, step, "--done"), 0)
            result = self.cnplay("resume", run.name)
        return result

    def test_every_credential_is_changed_and_the_former_ones_are_refused(self):
        django("web1", ADMIN)
        for host in WEB:
            on(host, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "former", "-f", "/home/ubuntu/.ssh/id_ed25519", user="ubuntu")
        former = settings("web1")
        self.assertEqual(self.psql(former["DATABASE_PASSWORD"]), "1")

        result = self.to_its_end("aws", "volume", "users", "github[web1]", "github[web2]", "maps")
        self.expect(result, 0)

        new = self.vault("breach/db_password")
        for host in WEB:
            now = settings(host)
            self.assertEqual(now["DATABASE_PASSWORD"], new)
            self.assertEqual(now["SECRET_KEY"], self.vault("breach/django_key"))
            self.assertEqual(shell(host, "stat -c '%a %U' /cnhome/secrets.json"), "600 ubuntu\n")
            self.assertEqual(page(host)[0], 200)
            self.assertEqual(shell(host, "ls -A ~ | grep secrets || true; ls ~/.ssh | grep former || true", user="ubuntu"), "")
            self.assertIn("staging after the breach", on(host, "cat", "/home/ubuntu/.ssh/id_ed25519.pub"))
        self.assertEqual(self.psql(new), "1")
        self.assertIn("password authentication failed", self.psql(former["DATABASE_PASSWORD"]))
        told = django("web1", "from django.contrib.auth import authenticate\n"
                              "from django.contrib.auth import get_user_model\n"
                              "print(authenticate(username='ann', password='former-admin-password'), "
                              "get_user_model().objects.get(username='old').is_staff)")
        self.assertEqual(told.strip(), "None False")
        proof = on("web1", "sh", "-c", '. /scripts/env_setup.sh && python -c "import django, sys; django.setup()\n'
                   'from django.contrib.auth import authenticate\nprint(authenticate(username=\'ann\', password=sys.argv[1]))" "$1"',
                   "sh", self.vault("breach/admin_password"), user="ubuntu")
        self.assertEqual(proof.strip(), "ann")

        secrets = [former["DATABASE_PASSWORD"], former["SECRET_KEY"]] + [self.vault(f"breach/{n}") for n in ("db_password", "django_key", "admin_password")]
        for secret in secrets:
            found = subprocess.run(["grep", "-rlF", secret, str(self.directory)], capture_output=True, text=True).stdout
            self.assertEqual(found, "", f"a secret is on the controller's disk: {secret[:3]}...")

    def test_a_former_password_that_still_works_stops_it_behind_the_page(self):
        # A server that takes every password: the proof must fail, and the site must not come back.
        hba = "/etc/postgresql/15/main/pg_hba.conf"
        shell("db1", f"cp -p {hba} /root/hba; echo 'host all all 10.77.0.0/24 trust' | cat - /root/hba > {hba}; pg_ctlcluster 15 main reload")
        self.addCleanup(shell, "db1", f"cp -p /root/hba {hba}; pg_ctlcluster 15 main reload", check=False)
        result = self.to_its_end("aws")
        self.expect(result, 1, "asks for no password of coralnet", "The site stays down rather than open")
        for host in WEB:
            self.assertEqual(page(host)[0], 503)


if __name__ == "__main__":
    unittest.main()
