"""W7: files. One large one beside scp and sftp, a tree of small ones beside rsync, and one to many hosts,
of which the bytes are counted that the controller reads.

All of it goes over the benchmark's sshd, to directories beside the sources: what one disk can do is the same for
all. What a former round has left is removed first, outside of the time.
"""
import os
import pathlib
import random
import shutil
import subprocess
import time

MIB = 1 << 20


class Files:
    """The sources, the places they go to, and who brings them there. `work`: of bench.py."""

    def __init__(self, work, timed, addresses, cnplay, quick):
        self.work, self.timed, self.addresses, self.cnplay = work, timed, addresses, cnplay
        self.big = (20 if quick else 200) * MIB
        self.small = (1 if quick else 10) * MIB
        self.count = 1000 if quick else 10000
        self.crowd = 20 if quick else 100
        self.top = work.directory / "files"
        self.there = self.top / "there"
        self.random = random.Random(7)
        self.changes = 0
        self.options = ["-F", "none", "-i", work.hosts.key, "-o", f"UserKnownHostsFile={work.hosts.known_hosts}", "-o", "BatchMode=yes"]

    def make(self):
        """40 MB in directories of 100 files, and the two files. Once."""
        if self.top.exists():
            return
        self.there.mkdir(parents=True)
        for name, size in (("big", self.big), ("small", self.small)):
            with open(self.top / name, "wb") as file:
                # In pieces: what this process has at most, those that it starts seem to have as well.
                for _ in range(size // MIB):
                    file.write(self.random.randbytes(MIB))
        for i in range(self.count):
            place = self.top / "tree" / f"d{i // 100}"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"file-{i}").write_bytes(self.random.randbytes(4096))

    def play(self, name, body, n=1):
        inventory = self.top / f"h{n}.inv"
        hosts = self.work.hosts
        listed = "\n".join(f'    host h{i} {{ address: "{a}", vars {{ out: "{self.there}/h{i}" }} }}' for i, a in enumerate(self.addresses(n)))
        inventory.write_text(f'inventory bench {{\n  ssh {{ user: "root", port: {hosts.port}, identity: "{hosts.key}", '
                             f'known_hosts: "{hosts.known_hosts}" }}\n  group web {{\n{listed}\n  }}\n}}\n')
        play = self.top / f"{name}.play"
        play.write_text(f'play bench "Bench" {{\n  hosts web = group("web")\n  hostvar out: path\n  step s on web {{ {body} }}\n}}\n')
        return self.timed([self.cnplay, "-i", inventory, play], env=self.work.env, cwd=self.top)

    def fresh(self, *names):
        self.make()
        shutil.rmtree(self.there)
        self.there.mkdir()
        for name in names:
            (self.there / name).mkdir()
        os.sync()

    def far(self, path):
        return f"root@{self.addresses(1)[0]}:{path}"

    # One large file.

    def copy(self):
        self.fresh("h0")
        return self.checked(self.play("copy", 'file.copy(src: "big", dest: "${out}/big")'), "big", "h0/big")

    def scp(self, *how):
        self.fresh("h0")
        command = ["scp", "-q", *how, *self.options, "-P", str(self.work.hosts.port), self.top / "big", self.far(self.there / "h0/big")]
        return self.checked(self.timed(command), "big", "h0/big")

    def checked(self, figures, source, *places):
        """What was timed has to be true as well."""
        for place in places:
            if subprocess.run(["diff", "-r", self.top / source, self.there / place], check=False).returncode != 0:
                raise SystemExit(f"bench: {place} is not what {source} is")
        return figures

    # A tree.

    def sync(self):
        figures = self.play("sync", 'file.sync(src: "tree", dest: "${out}/tree", delete: true)')
        return self.checked(figures, "tree", "h0/tree")

    def rsync(self, how):
        shell = " ".join(map(str, ["ssh", *self.options, "-p", self.work.hosts.port]))
        figures = self.timed(["rsync", how, "--delete", "-e", shell, f"{self.top / 'tree'}/", self.far(f"{self.there / 'h0/tree'}/")])
        return self.checked(figures, "tree", "h0/tree")

    def runs(self, prepare, peers):
        """Those who bring a tree, each after `prepare`."""
        def after(run, *words):
            prepare()
            return run(*words)
        who = {"cnplay": lambda: after(self.sync)}
        if peers and shutil.which("rsync"):
            # By times alone, rsync takes what has the same size and time for the same: that is quicker, and promises less.
            who |= {f"rsync {how}": lambda how=how: after(self.rsync, how) for how in ("-rpc", "-rpt")}
        return who

    def placed(self):
        """The tree is there as it is here, times and all, and has been for a while."""
        self.make()
        if subprocess.run(["diff", "-rq", self.top / "tree", self.there / "h0/tree"], capture_output=True, check=False).returncode == 0:
            return
        self.fresh("h0")
        shutil.copytree(self.top / "tree", self.there / "h0/tree")
        os.sync()
        time.sleep(3)  # what is younger than its last look is looked at again: files that are deployed are at rest

    def two(self):
        self.placed()
        for i in (17, self.count - 23):
            self.changes += 1
            file = self.top / "tree" / f"d{i // 100}" / f"file-{i}"
            file.write_bytes(self.random.randbytes(4096))
            # rsync -t looks at seconds, and would not see what was written in the one in which the last round ended.
            os.utime(file, (1_600_000_000 + self.changes, 1_600_000_000 + self.changes))

    # One file to many.

    def spread(self):
        self.fresh(*[f"h{i}" for i in range(self.crowd)])
        figures = self.play("spread", 'file.copy(src: "small", dest: "${out}/small")', self.crowd)
        return self.checked(figures, "small", *[f"h{i}/small" for i in range(self.crowd)])

    def parallel_scp(self):
        self.fresh()
        listed = self.top / "hosts.txt"
        listed.write_text("".join(f"{a}\n" for a in self.addresses(self.crowd)))
        options = " ".join(map(str, [*self.options, "-P", self.work.hosts.port]))
        # All hosts are this machine: pssh cannot send each its own way.
        return self.timed(["parallel-scp", "-h", listed, "-l", "root", "-p", "50", "-t", "0", "-x", options, self.top / "small", self.there / "small"],
                          env=self.work.env)

    def table(self, peers):
        crowd = {"cnplay": self.spread}
        if peers and shutil.which("parallel-scp"):
            crowd["pscp"] = self.parallel_scp
        alone = {"cnplay": self.copy, "scp": self.scp, "scp -O": lambda: self.scp("-O")}
        rows = [("W7", f"a file of {self.big // MIB} MiB", alone)]
        trees = [("first", lambda: self.fresh("h0")), ("nothing to do", self.placed), ("two changed", self.two)]
        for what, prepare in trees:
            rows.append(("W7", f"{self.count:,} files, {what}", self.runs(prepare, peers)))
        rows.append(("W7", f"{self.small // MIB} MiB to {self.crowd} hosts", crowd))
        return rows


def bytes_read(pid):
    """What a process that has ended has read, by read(2) and the like, with the children that it has waited for. It
    must not have been waited for itself."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("rchar:")), 0)
