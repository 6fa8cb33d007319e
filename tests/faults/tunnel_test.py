"""`cnplay tunnel` over a real sshd: ports, SOCKS, and a command that is gone with the tunnel, however that ends.
Needs CNPLAY, as controller_test.py does."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest

from processes import Processes


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server of the host's side: answers each connection, and ends its own side first. `answer`: of the connection."""

    def __init__(self, answer, port=0):
        self.answer = answer
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            with one:
                one.sendall(self.answer(one))

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def ask(port, text=b"x", timeout=20):
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(text)
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:
            pass  # an end, too
        return answer


# A server with children that ignore hang-ups, one of them slow to end.
SERVER = '''echo "$$" >"$HOME/server"; trap '' HUP
sleep 1000 & echo "$!" >>"$HOME/server"
sh -c 'trap "" HUP; sleep 1001 & echo "$!" >>"$HOME/server"; wait' &
echo "$!" >>"$HOME/server"; echo "it is up"; echo "a warning" >&2; wait'''


class Tunnel(Processes):
    def setUp(self):
        super().setUp()
        self.echo = Server(lambda one: b"got " + one.recv(65536))
        self.addCleanup(self.echo.close)
        self.pids = self.sshd.home / "server"
        self.pids.unlink(missing_ok=True)
        self.inventory = str(self.root / "two.inv")

    def opened(self, *words, until="Ctrl-C closes it"):
        process = self.start("tunnel", "-i", self.inventory, *words)
        shown = ""
        for line in process.stdout:
            shown += line
            if line.startswith(until):
                return process, shown
        self.fail(shown + process.stderr.read())

    def stopped(self, process, code=0, by=signal.SIGINT):
        process.send_signal(by)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, code, out + err)
        return out + err

    def server_pids(self):
        return [int(pid) for pid in self.pids.read_text().split()]

    def running(self):
        """Of the server's processes, those that still run."""
        def alive(pid):
            try:
                return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
            except OSError:
                return False
        return [pid for pid in self.server_pids() if alive(pid)]

    def served(self, *words):
        process, _ = self.opened("h1", str(free_port()), "--run", SERVER, *words, until="it is up")
        self.until(lambda: len(self.running()) == 4)
        return process

    def test_a_port_of_the_host_and_a_third_machine(self):
        first, second = free_port(), free_port()
        process, shown = self.opened("h1", f"{first}:localhost:{self.echo.port}", f"{second}:127.0.0.1:{self.echo.port}")
        self.assertIn(f"127.0.0.1:{first} -> localhost:{self.echo.port} from h1\n", shown)
        for _ in range(3):
            self.assertEqual(ask(first), b"got x")
        self.assertEqual(ask(second, b"y"), b"got y")
        self.assertEqual(self.stopped(process), "")
        for port in (first, second):
            with self.assertRaises(ConnectionRefusedError):
                ask(port)
        self.assertEqual(list(self.runs.iterdir()), [], "a tunnel is no run")

    def test_one_number_is_the_same_port_on_both_sides(self):
        port = free_port()
        process, shown = self.opened("h1", str(port))
        self.assertIn(f"http://127.0.0.1:{port} -> h1:{port}\n", shown)
        self.stopped(process)

    def test_socks(self):
        port = free_port()
        process, shown = self.opened("h1", "-D", str(port))
        self.assertIn(f"socks5h://127.0.0.1:{port} -> what h1 can reach\n", shown)
        done = subprocess.run(["curl", "-s", "-m", "20", "--http0.9", "--proxy", f"socks5h://127.0.0.1:{port}",
                               f"http://localhost:{self.echo.port}/page"], capture_output=True, text=True, check=False)
        self.assertIn("got GET /page", done.stdout, done)
        self.assertEqual(ask(port, b"GET / HTTP/1.1\r\n\r\n"), b"")
        self.assertIn("SOCKS5", self.stopped(process))

    def test_a_closed_port_of_the_host_is_told_and_the_tunnel_stays(self):
        port, closed = free_port(), free_port()
        process, _ = self.opened("h1", f"{port}:localhost:{closed}")
        self.assertEqual(ask(port), b"")
        self.assertEqual(ask(port), b"")
        with contextlib.closing(Server(lambda _: b"here", closed)):
            self.assertEqual(ask(port), b"here")
        said = self.stopped(process)
        self.assertIn(f"h1: no connection to localhost:{closed}: ", said)
        self.assertIn("Connection refused", said)
        self.assertIn("help: is something listening there", said)
        self.assertEqual(said.count("no connection to"), 1, "the same is said once")

    def test_a_port_in_use_is_said_before_connecting(self):
        (self.root / "dead.inv").write_text(pathlib.Path(self.inventory).read_text().replace(f"port: {self.sshd.port}", "port: 1"))
        done = self.cnplay("tunnel", "-i", str(self.root / "dead.inv"), "h1", str(self.echo.port))
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(f"127.0.0.1:{self.echo.port} is in use", done.stderr)
        done = self.cnplay("tunnel", "-i", str(self.root / "dead.inv"), "h1", str(free_port()))
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("refused", done.stderr)

    def test_mistakes_are_found_before_anything_is_opened(self):
        for words, code, wanted in (
                (("h1", "80000"), 2, "not a valid port"), (("h1",), 2, "no port was named"),
                (("h1", "8000", "-D", "x"), 2, "-D 1080"), (("h1", "8000", "8000:localhost:80"), 2, "named twice"),
                (("all_of_them", "8000"), 3, "selects 2 hosts"), (("h11", "8000"), 3, "did you mean"),
                (("h1", "8000", "--run", " "), 2, "empty"), (("h1", "8000", "--runn", "x"), 2, "did you mean `--run`")):
            with self.subTest(words=words):
                done = self.cnplay("tunnel", "-i", self.inventory, *words)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertIn(wanted, done.stderr)

    def test_an_unknown_host_key_is_refused(self):
        text = pathlib.Path(self.inventory).read_text().replace(f"{self.root}/known_hosts", "/dev/null")
        (self.root / "unknown.inv").write_text(text)
        done = self.cnplay("tunnel", "-i", str(self.root / "unknown.inv"), "h1", str(free_port()))
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("key is not known", done.stderr)

    def test_a_command_runs_as_long_and_every_signal_ends_it(self):
        for by in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(by=by):
                process = self.served()
                said = self.stopped(process, by=by)
                self.assertIn("a warning\n", said)
                self.assertEqual(self.running(), [], "confirmed: nothing of it is left when cnplay has ended")

    def test_a_killed_cnplay_takes_its_command_along(self):
        process = self.served()
        process.kill()
        process.wait()
        self.until(lambda: not self.running())

    def test_a_lost_connection_ends_the_command_and_the_tunnel(self):
        process = self.served()
        subprocess.run(["pkill", "-9", "-P", str(self.sshd.process.pid)], check=True)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 4, out + err)
        self.assertIn("not confirmed", err)
        self.until(lambda: not self.running())

    def test_a_command_that_ignores_term_is_killed(self):
        stubborn = '''trap '' TERM; echo "$$" >"$HOME/server"; echo "it is up"; while :; do sleep 1; done'''
        process, _ = self.opened("h1", str(free_port()), "--run", stubborn, until="it is up")
        self.stopped(process)
        self.assertEqual(self.running(), [])

    def test_the_end_of_the_command_is_the_end_of_the_tunnel(self):
        for command, code, wanted in (("printf '%s\\n' 'a \\\\ b'; printf '%s\\n' \"x\ny\"", 0, "a \\\\ b\nx\ny\n"),
                                      ("echo no >&2; exit 7", 1, "exit code 7"), ("kill -9 $$", 1, "exit code 137"),
                                      ("sleep 1000 & echo \"$!\" >\"$HOME/server\"", 0, "")):
            with self.subTest(command=command):
                self.pids.write_text("")
                done = self.cnplay("tunnel", "-i", self.inventory, "h1", str(free_port()), "--run", command)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertIn(wanted, done.stdout + done.stderr)
                self.assertEqual(self.running(), [], "what it left behind is ended, too")

    def test_output_without_an_end_is_printed_as_it_comes_and_waits_for_a_slow_reader(self):
        process, _ = self.opened("h1", str(free_port()), "--run", 'echo "$$" >"$HOME/server"; echo it is up; yes', until="it is up")
        time.sleep(1)
        memory = int(pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        self.assertLess(memory, 200 << 20)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        self.assertEqual(self.running(), [])

    def test_an_inventory_can_forbid_commands(self):
        text = pathlib.Path(self.inventory).read_text().replace("ssh {", "ssh { tunnel_run: false, ", 1)
        (self.root / "prod.inv").write_text(text)
        port = str(free_port())
        done = self.cnplay("tunnel", "-i", str(self.root / "prod.inv"), "h1", port, "--run", "touch $HOME/server")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("allows no `--run` (tunnel_run: false)", done.stderr)
        self.assertFalse(self.pids.exists())
        self.inventory = str(self.root / "prod.inv")
        process, _ = self.opened("h1", port)
        self.stopped(process)


if __name__ == "__main__":
    unittest.main()
