"""`cnplay tunnel` on real hosts: a page of the site, SOCKS, a jump host; `--run`, which is gone whatever happens."""

import os
import signal
import socket
import subprocess
import time
import unittest

from support import FleetTest, fleet, shell

# As the handbook has it, but for the settings of the fleet's site.
RUNSERVER = ("cd /cnhome && export DJANGO_SETTINGS_MODULE=config.settings.staging PYTHONUNBUFFERED=1 && "
             "exec /srv/venv/bin/python manage.py runserver 8001")
SLEEPER = "echo up; exec sleep 4242"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, *options):
    done = subprocess.run(["curl", "-s", "-m", "10", "-o", os.devnull, "-w", "%{http_code}", *options, url],
                          capture_output=True, text=True, check=False)
    return int(done.stdout or 0)


class Tunnel(FleetTest):
    HOSTS = "web1,web2,db1"

    def opened(self, *words, until="Ctrl-C closes it"):
        process = self.start("tunnel", "-i", *words)
        self.addCleanup(process.kill)
        shown = ""
        for line in process.stdout:
            shown += line
            if line.startswith(until):
                return process, shown
        self.fail(shown + process.stderr.read())

    def ended(self, process, code, by=signal.SIGINT):
        if by is not None:
            process.send_signal(by)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, code, out + err)
        return out + err

    def sleepers(self, host="web1"):
        return shell(host, "pgrep -fx 'sleep 4242' || :").split()

    def gone(self, seconds, host="web1"):
        end = time.monotonic() + seconds
        while self.sleepers(host):
            self.assertLess(time.monotonic(), end, "the command still runs on the host")
            time.sleep(0.5)

    def test_the_site_by_a_port_by_socks_and_from_a_third_machine(self):
        http, other, socks = free_port(), free_port(), free_port()
        process, shown = self.opened("staging", "web1", f"{http}:localhost:80", f"{other}:10.77.0.12:80", "-D", str(socks))
        self.assertIn(f"socks5h://127.0.0.1:{socks} -> what web1 can reach", shown)
        self.assertEqual(get(f"http://127.0.0.1:{http}/"), 200)
        self.assertEqual(get(f"http://127.0.0.1:{other}/"), 200)
        self.assertEqual(get("http://10.77.0.12/", "--proxy", f"socks5h://127.0.0.1:{socks}"), 200)
        self.assertEqual(self.ended(process, 0), "")
        self.assertEqual(get(f"http://127.0.0.1:{http}/"), 0)

    def test_through_a_jump_host(self):
        behind = self.inventory(lambda t: t.replace('host db1 { ', 'host db1 { jump: "web1", ', 1))
        port = free_port()
        process, _ = self.opened(behind, "db1", f"{port}:localhost:22", "--run", SLEEPER, until="up")
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            self.assertTrue(s.recv(100).startswith(b"SSH-2.0-"))
        self.assertEqual(len(self.sleepers("db1")), 1)
        self.ended(process, 0)
        self.assertEqual(self.sleepers("db1"), [])

    def test_runserver_as_the_handbook_has_it(self):
        port = free_port()
        process, _ = self.opened("staging", "web1", f"{port}:localhost:8001", "--run", RUNSERVER, until="Quit the server")
        self.assertEqual(get(f"http://127.0.0.1:{port}/"), 200)
        self.ended(process, 0)
        self.assertEqual(shell("web1", "pgrep -f '[m]anage.py runserver' || :"), "")

    def test_production_refuses_it(self):
        result = self.cnplay("tunnel", "-i", "prod", "web3", str(free_port()), "--run", RUNSERVER)
        self.expect(result, 3, "tunnel_run: false")

    def test_signals_end_the_command_before_cnplay_ends(self):
        for by in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(by=by):
                process, _ = self.opened("staging", "web1", str(free_port()), "--run", SLEEPER, until="up")
                self.assertEqual(len(self.sleepers()), 1)
                self.ended(process, 0, by)
                self.assertEqual(self.sleepers(), [])
                self.assertEqual(shell("web1", "pgrep -f '[I]FS= read -r l' || :"), "", "nothing of ours stays either")

    def test_the_command_means_the_same_in_every_login_shell(self):
        for user in ("fishy", "csher", "noisy"):
            with self.subTest(user=user):
                other = self.inventory(lambda t, user=user: t.replace('user: "ubuntu"', f'user: "{user}"'), user)
                command = "x='a \\\\ b!'; printf '%s\\n' \"$x\"\n" + SLEEPER
                process, shown = self.opened(other, "web1", str(free_port()), "--run", command, until="up")
                self.assertIn("a \\\\ b!\n", shown)
                self.ended(process, 0)
                self.assertEqual(self.sleepers(), [])

    def test_a_killed_cnplay_ends_it_too(self):
        process, _ = self.opened("staging", "web1", str(free_port()), "--run", SLEEPER, until="up")
        self.ended(process, -signal.SIGKILL, signal.SIGKILL)
        self.gone(20)

    def test_a_cut_network_ends_both_sides(self):
        process, _ = self.opened("staging", "web1", str(free_port()), "--run", SLEEPER, until="up")
        fleet("cut", "web1")
        try:
            self.gone(90)  # the host knows of nothing but that it hears nothing
            text = self.ended(process, 4, None)
            self.assertIn("web1", text)
        finally:
            fleet("join", "web1")
        self.assertEqual(self.sleepers(), [])


if __name__ == "__main__":
    unittest.main()
