"""Staging and production as two sites: what was rehearsed on one is accepted by the other, and nothing else is."""

import unittest

from support import FleetTest, fleet, on, page, shell


class Rehearsal(FleetTest):
    HOSTS = "web1,web2,db1,web3,web4,db2"

    def setUp(self):
        super().setUp()
        fleet("reset")
        self.addCleanup(fleet, "publish", "v1", check=False)

    def update(self, inventory, *options):
        return self.cnplay("-i", inventory, "update_code.play", "-e", "notice=1s", *options)

    def versions(self):
        return {host: "version 2" in page(host)[1].lower() for host in ("web1", "web2", "web3", "web4")}

    def rows(self, database_host):
        return shell(database_host, "psql -At coralnet -c \"select count(*) from django_migrations where name = '0003_reef_depth'\"",
                     user="ubuntu").strip()

    def test_production_takes_what_staging_has_seen_and_is_refused_before_that(self):
        fleet("publish", "v2")
        refused = self.update("prod")
        self.assertNotEqual(refused.code, 0, refused.text)
        self.assertRegex(refused.text, "staging")
        self.assertEqual(set(self.versions().values()), {False})

        dry = self.update("staging", "--check")
        self.expect(dry, 0)
        still = self.update("prod")
        self.assertNotEqual(still.code, 0, "a dry run is no rehearsal: " + still.text)

        self.expect(self.update("staging"), 0)
        self.assertEqual(self.versions(), {"web1": True, "web2": True, "web3": False, "web4": False})
        self.assertEqual((self.rows("db1"), self.rows("db2")), ("1", "0"))

        self.expect(self.update("prod"), 0)
        self.assertEqual(set(self.versions().values()), {True})
        self.assertEqual(self.rows("db2"), "1")

        # Another play than the one that was rehearsed.
        play = self.project / "playbooks/update_code.play"
        play.write_text(play.read_text().replace("timeout 20m", "timeout 21m"))
        changed = self.update("prod")
        self.assertNotEqual(changed.code, 0, changed.text)
        self.assertRegex(changed.text, "rehears")

    def test_a_rehearsal_that_failed_does_not_count(self):
        fleet("publish", "v3-bad-migration")
        self.expect(self.update("staging"), 1)
        refused = self.update("prod")
        self.assertNotEqual(refused.code, 0, refused.text)
        self.assertEqual([page(host)[0] for host in ("web3", "web4")], [200, 200])
        self.assertIn("RUNNING", on("web3", "supervisorctl", "status"))


if __name__ == "__main__":
    unittest.main()
