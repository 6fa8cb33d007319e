"""The handbook's other procedures on real hosts: what they leave is looked at from outside of cnplay."""

import re
import subprocess
import unittest

from support import FleetTest, fleet, on, page, shell

HOSTS = ("web1", "web2", "db1")
WEB = HOSTS[:2]


def boot(host):
    return on(host, "cat", "/proc/sys/kernel/random/boot_id").strip()


def version(host, package):
    return on(host, "dpkg-query", "-W", "-f", "${Version}", package)


def running(host):
    return on(host, "supervisorctl", "status", check=False).count("RUNNING")


def run_here(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Handbook(FleetTest):
    def setUp(self):
        super().setUp()
        fleet("reset")
        self.addCleanup(fleet, "publish", "apt-1.0", check=False)

    def run_play(self, name, *options):
        return self.cnplay("-i", "staging", f"{name}.play", *options)

    def assert_the_site_answers(self):
        for host in WEB:
            status, body = page(host)
            self.assertEqual(status, 200, body)

    def test_the_server_is_stopped_behind_the_page_and_started_again(self):
        result = self.run_play("server_stop", "-e", "message=Back at noon")
        self.expect(result, 0)
        for host in WEB:
            self.assertEqual(running(host), 0)
            self.assertEqual((page(host)[0], "Back at noon" in page(host)[1]), (503, True))
        on("db1", "systemctl", "stop", "redis-server")
        result = self.run_play("server_start")
        self.expect(result, 0)
        self.assertEqual(on("db1", "redis-cli", "ping").strip(), "PONG")
        for host in WEB:
            self.assertEqual(running(host), 3)
        self.assert_the_site_answers()
        again = self.run_play("server_start")
        self.expect(again, 0)
        self.assertNotIn("changed", set(self.outcomes(again).values()), again.out)

    def test_a_stop_that_fails_on_one_host_is_taken_back_on_all(self):
        on("web2", "chown", "root:root", "/srv/www/tmp")
        self.addCleanup(on, "web2", "chown", "ubuntu:ubuntu", "/srv/www/tmp", check=False)
        result = self.run_play("server_stop")
        self.expect(result, 1, r"web2.*page.*failed")
        for host in WEB:
            self.assertEqual(running(host), 3)
        self.assert_the_site_answers()

    def test_packages_are_upgraded_on_all_hosts_and_then_there_is_nothing_to_do(self):
        fleet("publish", "apt-1.1")
        for host in HOSTS:
            self.assertEqual(version(host, "coral-tool"), "1.0")
        result = self.run_play("packages_upgrade")
        self.expect(result, 0)
        for host in HOSTS:
            self.assertEqual(version(host, "coral-tool"), "1.1")
        again = self.run_play("packages_upgrade")
        self.expect(again, 0)
        self.assertEqual(set(self.outcomes(again).values()) - {"skipped"}, {"ok", "changed"}, again.out)  # `pg_isready` is a script
        for host in HOSTS:
            for (step, where), outcome in self.outcomes(again).items():
                if where == host and step.startswith("upgrade"):
                    self.assertEqual(outcome, "ok", again.out)

    def test_a_package_that_does_not_configure_stops_before_the_second_web_server(self):
        fleet("publish", "apt-broken")
        result = self.run_play("packages_upgrade")
        self.expect(result, 1, "db1.*coral-tool")
        for host in WEB:
            self.assertEqual(version(host, "coral-tool"), "1.0")
        self.assert_the_site_answers()

    def test_a_new_kernel_restarts_each_host_once_the_database_first(self):
        fleet("publish", "apt-1.1")
        for host in HOSTS:
            on(host, "touch", "/run/reboot-required")
        before = {host: boot(host) for host in HOSTS}
        result = self.run_play("kernel_upgrade", "-e", "notice=1s")
        self.expect(result, 0)
        after = {host: boot(host) for host in HOSTS}
        for host in HOSTS:
            self.assertNotEqual(before[host], after[host])
            self.assertEqual(version(host, "coral-tool"), "1.1")
        came = [host for host in re.findall(r"^\S+ +(\w+) +restart_\w+: .*changed", result.out, re.M)]
        self.assertEqual(came, ["db1", "web1", "web2"], result.out)
        for host in WEB:
            self.assertEqual(running(host), 3)
        self.assert_the_site_answers()
        self.assertNotIn("coralnet", shell("web1", "ls /srv/www/tmp"))

        again = self.run_play("kernel_upgrade", "-e", "notice=10m")
        self.expect(again, 0)
        self.assertNotIn("outage", again.out)
        self.assertNotIn("changed", {outcome for (step, _), outcome in self.outcomes(again).items()}, again.out)
        self.assertEqual(after, {host: boot(host) for host in HOSTS})

    def test_nginx_comes_from_the_vendor_and_the_site_answers(self):
        env = dict(re.findall(r"^(?:export )?(\w+)=(.*)$", fleet("env"), re.M))
        key = env["FLEET_DIR"].strip("'\"") + "/www/nginx/nginx_signing.key"
        shown = run_here("gpg", "--show-keys", "--with-colons", key)
        fingerprint = re.search(r"^fpr:+([0-9A-F]{40}):", shown, re.M)[1]
        options = ["-e", "url=http://10.77.0.1:8081/nginx/packages/debian",
                   "-e", "key_url=http://10.77.0.1:8081/nginx/nginx_signing.key",
                   "-e", f'fingerprints=["{fingerprint}"]']
        wrong = self.run_play("nginx_upgrade", *options[:-1], f'fingerprints=["{"0" * 40}"]')
        self.expect(wrong, 1, "it lacks the key 0000")
        self.assert_the_site_answers()
        old = version("web1", "nginx")
        result = self.run_play("nginx_upgrade", *options)
        self.expect(result, 0)
        for host in WEB:
            self.assertNotEqual(version(host, "nginx"), old)
        self.assert_the_site_answers()
        again = self.run_play("nginx_upgrade", *options)
        self.expect(again, 0)
        self.assertNotIn("changed", set(self.outcomes(again).values()), again.out)

    def test_logs_of_all_hosts_are_brought_here_or_searched(self):
        page("web1", "/a-page-that-is-not-there")
        result = self.run_play("logs")
        self.expect(result, 0)
        for host, name in (("web1", "var/log/nginx/access.log"), ("web2", "srv/www/log/gunicorn.log"),
                           ("db1", "var/log/postgresql/postgresql-15-main.log")):
            archive = self.project / "logs" / host / "cnplay-logs.tar.gz"
            self.assertIn(name, run_here("tar", "-tzf", str(archive)))
            self.assertEqual(shell(host, "ls /var/tmp | grep cnplay || true"), "")
        found = self.run_play("logs", "-e", "pattern=a-page-that-is-not-there")
        self.expect(found, 0, r"web1.*search_web.*lines? in", r"web2.*search_web.*no line matches")


if __name__ == "__main__":
    unittest.main()
