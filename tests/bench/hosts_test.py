"""bench/hosts, the ten thousand hosts in one process: what it plays, and its faults, are met by cnplay as real
hosts' are. Needs CNPLAY and HOSTS (the binaries); all on loopback."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import unittest

N = 30


class Played:
    """`hosts` with options, and what it has seen once it has ended."""

    def __init__(self, directory, *options):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        command = [os.environ["HOSTS"], "--host-key", directory / "host_key", "--port", str(self.port), *map(str, options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.seen = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        said, _ = self.process.communicate(timeout=20)
        self.seen = json.loads(said)


class HostsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-hosts-")
        self.addCleanup(temporary.cleanup)
        self.directory = pathlib.Path(temporary.name)
        for name in ("key", "other_key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / name], check=True)
        self.home = self.directory / "home"
        self.home.mkdir()

    def run_play(self, hosts, *scripts, n=N, key="key", config="none"):
        d = self.directory
        public = " ".join((d / "host_key.pub").read_text().split()[:2])
        addresses = [f"127.1.{i // 250}.{i % 250 + 1}" for i in range(n)]
        (d / "known_hosts").write_text("".join(f"[{a}]:{hosts.port} {public}\n" for a in addresses))
        listed = "\n".join(f'host h{i} {{ address: "{a}" }}' for i, a in enumerate(addresses))
        (d / "h.inv").write_text(f'inventory t {{\n  ssh {{ user: "me", port: {hosts.port}, identity: "{d}/{key}", '
                                 f'known_hosts: "{d}/known_hosts" }}\n  group web {{\n{listed}\n  }}\n}}\n')
        steps = "\n".join(f'  step s{i} on web {{ sh """{text}""" }}' for i, text in enumerate(scripts))
        (d / "p.play").write_text(f'play t "T" {{\n  hosts web = group("web")\n{steps}\n}}\n')
        env = {"PATH": os.environ["PATH"], "HOME": str(d), "CNPLAY_RUNS": str(d / "runs"), "LC_ALL": "C.UTF-8"}
        return subprocess.run([os.environ["CNPLAY"], "-F", config, "-i", d / "h.inv", d / "p.play"], env=env, cwd=d, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120, check=False)

    def changed(self, done):
        """How many tasks did what they were to do, by the record."""
        self.assertEqual(done.returncode, 0, done.stdout)
        (record,) = (self.directory / "runs").glob("*/events.jsonl")
        end = json.loads(record.read_text().splitlines()[-1])
        self.assertEqual(end["type"], "RunEnded")
        return sum(host["changed"] for host in end["hosts"])

    def test_each_address_is_a_host(self):
        with Played(self.directory) as hosts:
            done = self.run_play(hosts, "true", "echo hello")
        self.assertEqual(self.changed(done), 2 * N)
        (record,) = (self.directory / "runs").glob("*/events.jsonl")
        self.assertEqual(record.read_text().count("hello\\n"), N)
        self.assertEqual((hosts.seen["accepted"], hosts.seen["commands"], hosts.seen["faults"]), (N, N, 0))

    def test_what_fails_and_what_is_not_known_is_told(self):
        with Played(self.directory) as hosts:
            done = self.run_play(hosts, "exit 3", n=1)
            other = self.run_play(hosts, "uname -a", n=1)
        self.assertEqual((done.returncode, other.returncode), (1, 1), done.stdout + other.stdout)
        self.assertIn("does not know", other.stdout)

    def test_faults_come_as_often_as_they_are_asked_for_and_the_run_is_whole(self):
        (self.directory / "config").write_text("Host *\n  ServerAliveInterval 1\n  ServerAliveCountMax 1\n")
        for fault in ("--drop", "--corrupt", "--stall"):
            with self.subTest(fault):
                for old in (self.directory / "runs").glob("*"):
                    subprocess.run(["rm", "-r", old], check=True)
                with Played(self.directory, fault, 3) as hosts:
                    done = self.run_play(hosts, "true", "true", config=self.directory / "config")
                self.assertEqual(self.changed(done), 2 * N)
                self.assertEqual(hosts.seen["faults"], N // 3)
                self.assertEqual(hosts.seen["accepted"], N + N // 3)

    def test_real_shells_do_each_task_once_though_their_lines_break(self):
        options = ("--sh", self.home, "--key", self.directory / "key.pub", "--drop", 2, "--after", 300)
        with Played(self.directory, *options) as hosts:
            done = self.run_play(hosts, 'echo one >> $HOME/effects', 'echo two >> $HOME/effects', n=10)
        self.assertEqual(self.changed(done), 20)
        self.assertEqual(hosts.seen["faults"], 5)
        effects = (self.home / "effects").read_text().split()
        self.assertEqual((effects.count("one"), effects.count("two")), (10, 10))

    def test_a_delay_is_paid_for_each_round_trip(self):
        with Played(self.directory, "--delay", 100) as hosts:
            begun = time.monotonic()
            done = self.run_play(hosts, *["true"] * 5, n=1)
            took = time.monotonic() - begun
        self.assertEqual(self.changed(done), 5)
        # The five tasks share one, for nothing is decided between them; the login has its own. No work that the
        # host has to do lets it look earlier at what comes meanwhile.
        self.assertGreater(took, 0.6)

    def test_faults_come_at_the_end_of_a_long_line_too(self):
        (self.directory / "config").write_text("")
        with Played(self.directory, "--delay", 20, "--drop", 3) as hosts:
            done = self.run_play(hosts, "true", "true", config=self.directory / "config")
        self.assertEqual(self.changed(done), 2 * N)
        self.assertEqual((hosts.seen["faults"], hosts.seen["accepted"]), (N // 3, N + N // 3))

    def test_only_the_key_that_was_given_may_log_in(self):
        with Played(self.directory, "--key", self.directory / "key.pub") as hosts:
            done = self.run_play(hosts, "true", n=1, key="other_key")
        self.assertEqual(done.returncode, 4, done.stdout)
        self.assertEqual((hosts.seen["accepted"], hosts.seen["authenticated"]), (1, 0))

    def test_commands_are_not_run_for_just_anybody(self):
        done = subprocess.run([os.environ["HOSTS"], "--host-key", self.directory / "host_key", "--port", "0", "--sh", self.home],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--key", done.stderr)


if __name__ == "__main__":
    unittest.main()
