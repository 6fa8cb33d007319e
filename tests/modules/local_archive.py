"""Archives, logs that grow, and the key for a git server, on this machine; with their `commands`, as docs prints them."""
import hashlib
import io
import os
import subprocess
import tarfile
import threading
import zipfile

import by_hand
import checks
from checks import expect, true
from local_text import mode_of

FILES = {"app-1/bin/run me": b"#!/bin/sh\n", "app-1/README": b"one\n"}


def tar_of(path, files, links=(), mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.uid = len(content), 0o4755, 12345
            archive.addfile(info, io.BytesIO(content))
        for name, to in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            archive.addfile(info)
    return path


def test_unpack(top):
    place = checks.place
    run = place.run
    first = tar_of(top / "app one.tar.gz", FILES, [("app-1/run", "bin/run me")])
    good = hashlib.sha256(first.read_bytes()).hexdigest()
    dest = top / "an app"
    one = {"src": first, "dest": dest, "strip": 1}
    expect(run("file.unpack", "preflight", **one), "ok")
    expect(run("file.unpack", "check", **one), "would_change", f"unpack {first} into {dest}")
    true(not dest.exists(), "a dry run wrote")
    expect(run("file.unpack", **one, sum=good.upper()), "changed", "unpack")
    true((dest / "run").read_bytes() == b"#!/bin/sh\n" and (dest / "README").read_bytes() == b"one\n", os.listdir(dest))
    true(mode_of(dest / "bin/run me") == "0o755" and (dest / "README").stat().st_uid == os.getuid(), "mode and owner of the files")
    expect(run("file.unpack", **one), "ok")
    # Another archive, then the same one from another depth: what was there is gone.
    second = tar_of(top / "app two.tar.xz", {"app-2/README": b"two\n"}, mode="w:xz")
    expect(run("file.unpack", src=second, dest=dest, strip=1), "changed")
    true(sorted(os.listdir(dest)) == [".cnplay-unpacked", "README"], os.listdir(dest))
    expect(run("file.unpack", src=second, dest=dest), "changed")
    true((dest / "app-2/README").read_bytes() == b"two\n", os.listdir(dest))
    with zipfile.ZipFile(top / "x.zip", "w") as archive:
        archive.writestr("a/b c", "zip\n")
    expect(run("file.unpack", src=top / "x.zip", dest=dest), "changed")
    true((dest / "a/b c").read_text() == "zip\n", os.listdir(dest))
    expect(run("file.unpack", src=top / "x.zip", dest=dest, strip=1), "failed", "does not work with a .zip")
    # What fails leaves the directory as it was.
    before = checks.snapshot(dest)
    for name, links in (("up", [("x", "../../etc")]), ("absolute", [("x", "/etc")]), ("through", [("d/a", ".."), ("d/b", "a/../.."), ("c", "d/b")])):
        bad = tar_of(top / f"{name}.tar", {"f": b"x"}, links, "w")
        expect(run("file.unpack", src=bad, dest=dest), "failed", "has a link that leads out of the directory", what=name)
    expect(run("file.unpack", src=tar_of(top / "dots.tar", {"../../escaped": b"x"}, mode="w"), dest=dest), "failed", "cannot be unpacked")
    (top / "torn.tar.gz").write_bytes(first.read_bytes()[:-20])
    expect(run("file.unpack", src=top / "torn.tar.gz", dest=dest), "failed", "cannot be unpacked")
    expect(run("file.unpack", src=first, dest=dest, strip=9), "failed", "has nothing below 9 directories")
    expect(run("file.unpack", src=first, dest=dest, sum="0" * 64), "failed", f"has the SHA-256 {good}")
    true(checks.snapshot(dest) == before and not (top.parent / "escaped").exists(), "a refused archive changed something")
    for values, message in (({"src": top / "none.tar"}, "there is no file"), ({"src": top / "x.rar"}, "no known kind"), ({"src": first, "sum": "12"}, "2 hex digits"),
                            ({"src": first, "strip": -1}, "less than 0"), ({"src": first, "dest": top}, "was not unpacked by this module"),
                            ({"src": first, "dest": first}, "not a directory"), ({"src": first, "dest": top / "no/x"}, "there is no directory")):
        expect(run("file.unpack", **{"dest": dest, **values}), "failed", message)
    true([p.name for p in top.rglob(".cnplay.*")] == [], "a temporary directory stayed")
    for by_hand_values in ({**one, "dest": top / "by hand"}, {"src": top / "x.zip", "dest": top / "by hand"}):
        by_hand.typed(place, "file.unpack", **by_hand_values)
        expect(run("file.unpack", "check", **by_hand_values), "ok")


def test_log_quiet(top):
    run = checks.place.run
    log, other = top / "access log", top / "none yet"
    log.write_text("GET / 200\n" * 3)
    paths = [log, other]
    result = expect(run("log.quiet", "check", paths=paths, quiet=1, within=20), "ok", "quiet for 1 s, after 0 lines")
    true(result.facts == {"lines": "0", "waited": "1"}, result.facts)

    def writes(texts, rotate=False):
        for n, text in enumerate(texts):
            done.wait(0.7)
            if rotate and n == 1:
                log.rename(top / "access log.1")
            with (other if n == 2 else log).open("a") as file:
                file.write(text)

    done = threading.Event()
    writer = threading.Thread(target=writes, args=(["GET /a 200\n", "GET /health 200\n", "GET /b\x1b[31m 200\n"], True))
    writer.start()
    result = expect(run("log.quiet", "check", paths=paths, **{"except": "health"}, quiet=2, within=60), "ok", "quiet for 2 s, after 2 lines")
    done.set()
    writer.join()
    done.clear()
    log.write_text("x\n")
    writer = threading.Thread(target=writes, args=(["GET /\x1b[31m\n"] * 100,))
    writer.start()
    expect(run("log.quiet", "check", paths=paths, pattern="^GET", quiet=2, within=2), "failed", "not quiet for 2 s within 2 s: ")
    expect(run("log.quiet", "check", paths=paths, pattern="POST", quiet=1, within=9), "ok", "after 0 lines")
    done.set()
    writer.join()
    for values, message in (({"pattern": "("}, "not a regular expression"), ({"except": "("}, "not a regular expression"), ({"paths": ["x"]}, "does not begin with /"),
                            ({"paths": []}, "none is named"), ({"paths": [top]}, "is a directory"), ({"quiet": 9, "within": 8}, "less than the 9 s")):
        expect(run("log.quiet", "check", **{"paths": paths, **values}), "failed", message)


def test_git_key(top):
    place = checks.place
    run = place.run
    ssh = top.parent / "home/.ssh"
    host_keys = []
    for kind in ("ed25519", "ecdsa"):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", top / kind], check=True)
        host_keys.append(" ".join((top / f"{kind}.pub").read_text().split()[:2]))
    path = top / "id of coral"
    key = {"host": "git.example.org", "path": path, "host_keys": host_keys}
    result = expect(run("git.key", "check", **key), "would_change", f"make {path}, trust 2 keys of git.example.org, use the key for git.example.org")
    true(result.facts["public"] == "" and not path.exists() and not ssh.exists(), "a dry run wrote")
    expect(run("git.key", **key, comment="it's one"), "changed")
    result = expect(run("git.key", **key), "ok")
    true(result.facts["public"] == path.with_suffix(".pub").read_text().strip() and result.facts["public"].endswith(" it's one"), result.facts)
    true(mode_of(path) == "0o600" and mode_of(ssh) == "0o700" and mode_of(ssh / "config") == "0o600", "modes")
    # What others wrote stays, and what they wrote first still counts for all hosts.
    config = ssh / "config"
    config.write_text("ServerAliveInterval 7\nHost other\n    User x\n")
    (ssh / "known_hosts").write_text(f"other {host_keys[0]}")
    expect(run("git.key", **{**key, "host_keys": host_keys[:1]}), "changed", "trust 1 key of git.example.org, use the key")
    expect(run("git.key", **key, port=2222), "changed", "trust 2 keys")
    expect(run("git.key", **key, port=2222), "ok")
    true(config.read_text().count("IdentityFile") == 1, config.read_text())
    shown = place.plain(f"ssh -F '{config}' -G other; ssh -F '{config}' -G git.example.org\n").stdout
    true(shown.count("serveraliveinterval 7\n") == 2 and shown.count("port 2222\n") == 1 and "user x\n" in shown, shown)
    true((ssh / "known_hosts").read_text().startswith(f"other {host_keys[0]}\ngit.example.org {host_keys[0]}\n[git.example.org]:2222 "), "known_hosts")
    for values, message in (({"host": "-x"}, "not the name of a server"), ({"host_keys": ["git.example.org " + host_keys[0]]}, "is not a key"), ({"host_keys": ["ssh-ed25519 AAAA"]}, "is not a key"),
                            ({"host_keys": []}, "none is given"), ({"path": top / "x.pub"}, "not a private key"), ({"path": config}, "not a private key without a passphrase"),
                            ({"path": top / "no/x"}, "there is no directory"), ({"port": 0}, "not one of 1 to 65535")):
        expect(run("git.key", **{**key, **values}), "failed", message)
    config.write_text("Nonsense x\n")
    expect(run("git.key", **key), "failed", "ssh does not understand")
    config.unlink()
    true([p.name for p in ssh.glob(".cnplay*")] == [], "a temporary file stayed")
    by = {**key, "path": top / "by hand", "port": 2200}
    said = by_hand.typed(place, "git.key", ["public"], **by)
    expect(run("git.key", "check", **by), "ok")
    true(said.strip().endswith(f"public: {(top / 'by hand.pub').read_text().strip()}"), said)
