#!/usr/bin/env python3
"""Times cnplay's workloads beside its peers and beside the limit (bench/limit.cc), interleaved, in one run.

The hosts are addresses of the loopback range that one sshd listens on, in a mount namespace of its own
in which root's login shell is dash: nothing of this machine is changed. Where there are too many for that, or
their network is to be slow, bench/hosts plays them in one process. Each figure is the least of the rounds; what
counts is the ratios. Run by scripts/bench, as root.

usage: bench.py [--quick] [--no-peers] [--rounds N] [--json FILE] [W1 W2 ...]
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import files

ROOT = pathlib.Path(__file__).resolve().parents[1]
CNPLAY = os.environ.get("CNPLAY", str(ROOT / "build/release/cnplay"))
LIMIT = os.environ.get("LIMIT", str(ROOT / "build/release/limit"))
HOSTS = os.environ.get("HOSTS", str(ROOT / "build/release/hosts"))
PORT = 2277
MANY_PORT = 2278
PEERS = ("ansible", "ansible, pipelining", "ansible, Mitogen", "pssh", "clush", "pdsh")


def timed(command, **more):
    """(wall, CPU, most memory, read) of a command with all of its children: seconds, seconds, MiB of the largest
    one; and the bytes that they have read."""
    with tempfile.TemporaryFile("w+") as said:
        begun = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **more)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.monotonic() - begun
        read = files.bytes_read(process.pid)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise SystemExit(f"bench: {' '.join(map(str, command))[:200]}: {process.returncode}\n{said.read()[-2000:]}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, read


class Hosts:
    """N hosts: one sshd on 127.77.0.1 and following."""

    port = PORT

    def __init__(self, directory):
        self.directory = directory
        self.key = directory / "key"
        self.known_hosts = directory / "known_hosts"

    def __enter__(self):
        d = self.directory
        for name in ("key", "host_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", d / name], check=True)
        home = d / "home"
        home.mkdir(mode=0o700)
        shutil.copy(d / "key.pub", d / "authorized_keys")
        passwd = []
        for line in pathlib.Path("/etc/passwd").read_text().splitlines():
            fields = line.split(":")
            if fields[0] == "root":
                fields[5], fields[6] = str(home), "/bin/dash"
            passwd.append(":".join(fields))
        (d / "passwd").write_text("\n".join(passwd) + "\n")
        (d / "sshd_config").write_text(f"""
Port {PORT}
ListenAddress 0.0.0.0
HostKey {d}/host_key
AuthorizedKeysFile {d}/authorized_keys
PidFile none
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
StrictModes no
MaxStartups 2000
PrintMotd no
LogLevel ERROR
Subsystem sftp internal-sftp
""")
        public = " ".join((d / "host_key.pub").read_text().split()[:2])
        self.known_hosts.write_text("".join(f"[{a}]:{PORT} {public}\n" for a in addresses(1000)))
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        self.sshd = subprocess.Popen(["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc/passwd && exec /usr/sbin/sshd -D -e -f "$2"',
                                      "sh", d / "passwd", d / "sshd_config"])
        end = time.monotonic() + 10
        while subprocess.run(self.ssh(addresses(1)[0], "true"), capture_output=True, check=False).returncode != 0:
            if time.monotonic() > end or self.sshd.poll() is not None:
                raise SystemExit("bench: sshd does not come up")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.sshd.terminate()
        self.sshd.wait()

    def ssh(self, address, command):
        return ["ssh", "-F", "none", "-p", str(PORT), "-i", self.key, "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "BatchMode=yes",
                f"root@{address}", command]


class PlayedHosts:
    """N hosts on the same addresses, played by bench/hosts, with its options."""

    def __init__(self, directory, like, port, n, options=()):
        self.key, self.port = like.key, port
        self.command = [HOSTS, "--host-key", like.directory / "host_key", "--port", str(port), *options]
        self.known_hosts = directory / f"known_hosts-{port}"
        public = " ".join((like.directory / "host_key.pub").read_text().split()[:2])
        self.known_hosts.write_text("".join(f"[{a}]:{port} {public}\n" for a in addresses(n)))

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit("bench: bench/hosts does not come up")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


def addresses(n):
    return [f"127.77.{i // 250}.{i % 250 + 1}" for i in range(n)]


class Work:
    """The inventories and plays of all the tools, in one directory."""

    def __init__(self, directory, hosts):
        directory.mkdir(exist_ok=True)
        self.directory, self.hosts = directory, hosts
        self.env = dict(os.environ, CNPLAY_RUNS=str(directory / "runs"), HOME=str(directory / "home"),
                        ANSIBLE_HOST_KEY_CHECKING="True", ANSIBLE_FORKS="50", ANSIBLE_TIMEOUT="60", ANSIBLE_NOCOWS="1", LC_ALL="C.UTF-8")
        self.env.pop("SSH_AUTH_SOCK", None)

    def cnplay(self, n, tasks, body='sh """true"""', command="run"):
        inventory = self.directory / f"h{n}.inv"
        listed = "\n".join(f'    host h{i} {{ address: "{a}" }}' for i, a in enumerate(addresses(n)))
        inventory.write_text(f'inventory bench {{\n  ssh {{ user: "root", port: {self.hosts.port}, identity: "{self.hosts.key}", '
                             f'known_hosts: "{self.hosts.known_hosts}" }}\n  group web {{\n{listed}\n  }}\n}}\n')
        play = self.directory / f"p{n}x{tasks}.play"
        steps = "\n".join(f"  step s{i} on web {{ {body} }}" for i in range(tasks))
        play.write_text(f'play bench "Bench" {{\n  hosts web = group("web")\n{steps}\n}}\n')
        start = [CNPLAY] if command == "run" else [CNPLAY, command]
        return timed([*start, "-i", inventory, play], env=self.env, cwd=self.directory)

    def limit(self, n, tasks):
        return timed([LIMIT, str(self.hosts.port), "root", self.hosts.key, str(tasks), *addresses(n)])

    def peer(self, who, n):
        """One command by those that start OpenSSH's client for each host, 50 at a time."""
        options = ["-F", "none", "-i", self.hosts.key, "-o", f"UserKnownHostsFile={self.hosts.known_hosts}", "-o", "BatchMode=yes"]
        options = " ".join(map(str, [*options, "-p", self.hosts.port]))
        listed = self.directory / f"h{n}.txt"
        listed.write_text("".join(f"{a}\n" for a in addresses(n)))
        command = {"pssh": ["parallel-ssh", "-h", listed, "-l", "root", "-p", "50", "-t", "0", "-x", options, "true"],
                   "clush": ["clush", "-S", "-f", "50", "-l", "root", "-o", options, f"--hostfile={listed}", "true"],
                   "pdsh": ["pdsh", "-S", "-R", "ssh", "-f", "50", "-l", "root", "-w", f"^{listed}", "true"]}[who]
        return timed(command, env=dict(self.env, PDSH_SSH_ARGS_APPEND=options), cwd=self.directory)

    def ansible(self, n, tasks, pipelining, strategy="linear"):
        inventory = self.directory / f"h{n}.ini"
        inventory.write_text("[web]\n" + "".join(f"h{i} ansible_host={a}\n" for i, a in enumerate(addresses(n))) +
                             f"[web:vars]\nansible_port={PORT}\nansible_user=root\nansible_ssh_private_key_file={self.hosts.key}\n"
                             f"ansible_ssh_common_args=-F none -o UserKnownHostsFile={self.hosts.known_hosts}\nansible_python_interpreter=/usr/bin/python3\n")
        book = self.directory / f"p{tasks}.yml"
        book.write_text("- hosts: web\n  gather_facts: no\n  tasks:\n" + "    - command: 'true'\n" * tasks)
        env = dict(self.env, ANSIBLE_PIPELINING=str(pipelining), ANSIBLE_STRATEGY=strategy)
        return timed(["ansible-playbook", "-i", inventory, book], env=env, cwd=self.directory)


def mitogen():
    """Whether Debian's package is there: it puts its strategy where Ansible finds it by name."""
    listed = subprocess.run(["dpkg", "-L", "ansible-mitogen"], capture_output=True, text=True, check=False).stdout
    return "/ansible/plugins/strategy/mitogen_linear.py\n" in listed


def big_play(directory, hosts):
    inventory = directory / f"big{hosts}.inv"
    inventory.write_text(f"""inventory big {{
  vars {{ settings: "prod" }}
  ssh {{ user: "ubuntu" }}
  group web {{
    vars {{ app: "/cnhome", venv: "/srv/venv" }}
    host web[1..{hosts}] {{ address: "10.0.1.${{index}}" }}
  }}
}}
""")
    lines = ['play big "Big" {', '  hosts web = group("web")', "  hostvar app: path", "  hostvar venv: path", "  hostvar settings: string"]
    for i in range(73):
        lines += [f'  step s{i} "Step {i}" on web timeout 10m {{', f'    git.rebase(dir: app, onto: "origin/b{i}")',
                  '    pip.install(venv: venv, requirements: "${app}/requirements/${settings}.txt", upgrade: true)', "  }"]
    play = directory / "big.play"
    play.write_text("\n".join(lines) + "\n}\n")
    return inventory, play


def rows_of(name, what, best, crowd):
    """The rows of one workload, printed as they are made. `best`: the figures of timed() by who."""
    rows = []
    limit = best.get("limit")
    first = next(iter(best.values()))
    for who, (wall, cpu, memory, read) in best.items():
        row = {"workload": name, "what": what, "who": who, "wall_s": round(wall, 4), "cpu_s": round(cpu, 4)}
        more = ""
        if limit and who != "limit":
            row |= {"wall_ratio": round(wall / limit[0], 2), "cpu_ratio": round(cpu / limit[1], 2)}
            more = f"  {row['wall_ratio']:6.2f} x the limit, cpu {row['cpu_ratio']:6.2f} x"
        if name == "W9" and rows:
            row |= {"wall_growth": round(wall / first[0], 2), "cpu_growth": round(cpu / first[1], 2)}
            more = f"  {row['wall_growth']:6.2f} x the first, cpu {row['cpu_growth']:6.2f} x"
        if name == "W8":
            row |= {"memory_mib": round(memory), "cpu_ms_per_host": round(cpu * 1000 / crowd, 3)}
            more += f"  {row['memory_mib']} MiB, {row['cpu_ms_per_host']} ms of CPU a host"
        if name == "W7":
            row |= {"read_mib": round(read / files.MIB, 1), "memory_mib": round(memory)}
            if who != "cnplay":
                row |= {"cnplay_wall_ratio": round(first[0] / wall, 2), "cnplay_cpu_ratio": round(first[1] / cpu, 2)}
                more = f"  cnplay takes {row['cnplay_wall_ratio']:.2f} x, cpu {row['cnplay_cpu_ratio']:.2f} x"
            more += f"  {row['read_mib']} MiB read, {row['memory_mib']} MiB"
        rows.append(row)
        print(f"{name:4} {what:34} {who:20} {wall * 1000:9.1f} ms  cpu {cpu * 1000:8.1f} ms{more}", flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer hosts, two rounds, no Ansible")
    parser.add_argument("--no-peers", action="store_true", help="cnplay and the limit alone")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("workloads", nargs="*")
    options = parser.parse_args()
    rounds = options.rounds or (2 if options.quick else 5)
    some = 50 if options.quick else 200
    crowd = 1000 if options.quick else 10000
    peers = not options.quick and not options.no_peers
    results = []

    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cnplay-bench-")))
        hosts = stack.enter_context(Hosts(directory))
        work = Work(directory, hosts)
        many = Work(directory / "many", stack.enter_context(PlayedHosts(directory, hosts, MANY_PORT, crowd)))
        far = Work(directory / "far", stack.enter_context(PlayedHosts(directory, hosts, MANY_PORT + 1, 1, ["--delay", "50"])))
        inventory, play = big_play(directory, 1000)
        ten_thousand, _ = big_play(directory, 10000)
        check = 'sh """false""" unless sh """true"""'
        table = [
            ("W1", "20 hosts x 10 commands", {"cnplay": lambda: work.cnplay(20, 10), "limit": lambda: work.limit(20, 10)}),
            ("W2", f"{some} hosts x 10 commands", {"cnplay": lambda: work.cnplay(some, 10), "limit": lambda: work.limit(some, 10)}),
            ("W3", f"{some} hosts, one command", {"cnplay": lambda: work.cnplay(some, 1), "limit": lambda: work.limit(some, 1)}),
            ("W4", "1 host x 30 commands, 50 ms away", {"cnplay": lambda: far.cnplay(1, 30), "limit": lambda: far.limit(1, 30)}),
            ("W5", "check 300 lines x 1,000 hosts", {"cnplay": lambda: timed([CNPLAY, "check", "-i", inventory, play], cwd=directory),
                                                     "--version": lambda: timed([CNPLAY, "--version"])}),
            ("W6", "read 10,000 hosts", {"cnplay": lambda: timed([CNPLAY, "hosts", "-i", ten_thousand], cwd=directory)}),
            ("W8", f"{crowd:,} hosts, one command", {"cnplay": lambda: many.cnplay(crowd, 1), "limit": lambda: many.limit(crowd, 1)}),
            ("W9", "10 x the tasks", {"20 hosts x 10": lambda: work.cnplay(20, 10), "20 hosts x 100": lambda: work.cnplay(20, 100)}),
            ("W9", "10 x the hosts", {f"{crowd // 10:,} hosts x 1": lambda: many.cnplay(crowd // 10, 1),
                                      f"{crowd:,} hosts x 1": lambda: many.cnplay(crowd, 1)}),
            ("W10", "nothing to change, 20 hosts x 10", {"cnplay": lambda: work.cnplay(20, 10, check), "plain": lambda: work.cnplay(20, 10),
                                                         "limit": lambda: work.limit(20, 10)}),
        ]
        table += files.Files(work, timed, addresses, CNPLAY, options.quick).table(not options.no_peers)
        if peers and shutil.which("ansible-playbook"):
            table[0][2]["ansible"] = lambda: work.ansible(20, 10, False)
            table[0][2]["ansible, pipelining"] = lambda: work.ansible(20, 10, True)
            if mitogen():
                table[0][2]["ansible, Mitogen"] = lambda: work.ansible(20, 10, True, "mitogen_linear")
        for who, program in (("pssh", "parallel-ssh"), ("clush", "clush"), ("pdsh", "pdsh")):
            if peers and shutil.which(program):
                table[2][2][who] = lambda who=who: work.peer(who, some)
        for name, what, runs in table:
            if options.workloads and name not in options.workloads:
                continue
            best = {}
            for number in range(rounds):
                for who, run in runs.items():
                    if who in PEERS and number > 0:
                        continue  # minutes: once is enough
                    figures = run()
                    best[who] = tuple(map(min, best.get(who, figures), figures))
            results += rows_of(name, what, best, crowd)
    if options.json:
        options.json.write_text(json.dumps({"version": 1, "rounds": rounds, "load": os.getloadavg()[0], "results": results}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
