#!/usr/bin/env python3
"""The modules that need no host of their own, run here through the real prelude: git, venv, pip,
maintenance, http. Each: change needed, nothing needed, dry run, failure with a clear message.

usage: local_test.py [SHELL...]   by default dash, bash, "busybox sh" and mksh
"""
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import harness
import playfile

problems = []
done = 0


def expect(result, outcome, message="", what=""):
    """OUTCOME, a part of the message, and in a failure no more than one line of it."""
    global done
    done += 1
    wrong = result.outcome != outcome or message not in result.message
    wrong = wrong or (outcome == "failed" and "\n" in result.message.strip())
    if wrong:
        frame = sys._getframe(1)
        problems.append(f"{place.shell[0]}: local_test.py:{frame.f_lineno}: {what} expected {outcome} {message!r}\n"
                        f"{result}{result.output[-2000:]}{result.errors[-2000:]}")
    return result


def true(condition, what):
    global done
    done += 1
    if not condition:
        problems.append(f"{place.shell[0]}: local_test.py:{sys._getframe(1).f_lineno}: {what}")


def git(folder, *words):
    return subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, text=True,
                          env={**os.environ, "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@x", "GIT_COMMITTER_NAME": "T",
                               "GIT_COMMITTER_EMAIL": "t@x", "GIT_CONFIG_GLOBAL": "/dev/null"}).stdout.strip()


def commit(folder, message, **files):
    for name, text in files.items():
        path = Path(folder) / name.replace("__", ".")
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)


def snapshot(folder):
    return {str(p.relative_to(folder)): (p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else b"")
            for p in sorted(Path(folder).rglob("*")) if "/.git" not in f"/{p.relative_to(folder)}"}


def sent(top, text, name="files/f"):
    """As the engine sends a file: a copy that the apply may take away."""
    copy = top / "sent"
    copy.write_bytes(text)
    copy.chmod(0o600)
    return {"src": name, "given": {"src_sum": hashlib.sha256(text).hexdigest(), "src_size": str(len(text)),
                                   "src_mode": "754", "src_file": str(copy)}}


def mode_of(path):
    return oct(path.stat().st_mode & 0o7777)


def test_file(top):
    run = place.run
    dest = top / "a dest"

    # copy: placed with the mode of the source; then nothing; another content, mode kept; mode alone
    one, two = b"one\n" * 9, bytes(range(256)) * 400
    expect(run("file.copy", "check", dest=dest, **sent(top, one)), "would_change", "place")
    true(not dest.exists(), "a dry run wrote")
    expect(run("file.copy", dest=dest, **sent(top, one)), "changed", "place")
    true(dest.read_bytes() == one and mode_of(dest) == "0o754", f"copied: {mode_of(dest)}")
    expect(run("file.copy", dest=dest, **sent(top, one)), "ok")
    dest.chmod(0o640)
    expect(run("file.copy", dest=dest, **sent(top, two)), "changed", "content (102400 bytes)")
    true(dest.read_bytes() == two and mode_of(dest) == "0o640", "the mode was not kept")
    expect(run("file.copy", dest=dest, mode="0600", **sent(top, two)), "changed", "mode 640 -> 600")
    true(mode_of(dest) == "0o600", "the mode was not set")
    true([p.name for p in top.iterdir() if p.name.startswith(".cnplay")] == [], "a temporary file stayed")
    # through a link; to what cannot be written
    link = top / "link"
    link.symlink_to(dest)
    expect(run("file.copy", dest=link, **sent(top, one)), "changed", "content")
    true(link.is_symlink() and dest.read_bytes() == one, "the link was replaced")
    (top / "dir").mkdir()
    expect(run("file.copy", dest=top / "dir", **sent(top, one)), "failed", "is a directory: name the file")
    expect(run("file.copy", dest=top / "none/x", **sent(top, one)), "failed", "there is no directory")
    expect(run("file.copy", dest=dest, mode="rw", **sent(top, one)), "failed", "mode: rw is none")
    expect(run("file.copy", dest=dest, owner="nobody-here", **sent(top, one)), "failed", "no user nobody-here")
    expect(run("file.copy", dest=dest, group="nobody-here", **sent(top, one)), "failed", "no group nobody-here")
    # what came apart on its way to its place
    expect(run("file.copy", dest=dest, src="f", given={**sent(top, two)["given"], "src_size": "5"}), "failed",
           "has 102400 bytes, not 5")

    # template: text of every kind comes as it is
    text = "a 'b' \"c\" $d `e` \\\\ \\n\n  ${f}\n-n"
    def rendered(t):
        return {"src": "files/t", "given": {"src_text": t, "src_mode": "644"}}
    place_ = top / "rendered"
    expect(run("file.template", "check", dest=place_, **rendered(text)), "would_change", "place")
    expect(run("file.template", dest=place_, **rendered(text)), "changed", "place")
    true(place_.read_text() == text and mode_of(place_) == "0o644", repr(place_.read_text()))
    expect(run("file.template", dest=place_, **rendered(text)), "ok")
    place_.chmod(0o600)
    result = expect(run("file.template", dest=place_, **rendered(text.replace("a", "z", 1))), "changed", "content")
    true("-a 'b'" in result.diff and "+z 'b'" in result.diff, result.diff)
    true(mode_of(place_) == "0o600", "the mode was not kept")
    expect(run("file.template", dest=place_, **rendered("")), "changed", "content")
    true(place_.read_bytes() == b"", "an empty text")

    # fetch: only the check is the host's
    digest = hashlib.sha256(two).hexdigest()
    dest.write_bytes(two)
    expect(run("file.fetch", "check", src=dest, to="x", given={"to_sum": ""}), "would_change", "(102400 bytes)")
    expect(run("file.fetch", "check", src=dest, to="x", given={"to_sum": digest}), "ok")
    expect(run("file.fetch", "check", src=top / "none", to="x", given={"to_sum": ""}), "failed", "there is no")
    expect(run("file.fetch", "check", src=top / "dir", to="x", given={"to_sum": ""}), "failed", "no plain file")

def tree_given(folder, exclude=()):
    """What the engine gives of a tree: its list. And an archive of all of it, as if all had been asked for."""
    lines, size = [], 0
    for path in sorted(folder.rglob("*"), key=lambda p: str(p.relative_to(folder)).encode()):
        name = str(path.relative_to(folder))
        if any(part in exclude for part in name.split("/")):
            continue
        mode = oct(path.stat().st_mode & 0o777)[2:]
        if path.is_dir():
            lines.append(f"d {mode} 0 - {name}")
        else:
            data = path.read_bytes()
            size += len(data)
            lines.append(f"f {mode} {len(data)} {hashlib.sha256(data).hexdigest()} {name}")
    return {"src_manifest": "\n".join(lines), "src_size": str(size)}


def test_sync(top):
    run = place.run
    src, dest = top / "src", top / "a dest"
    (src / "css/deep er").mkdir(parents=True)
    (src / "empty").mkdir()
    (src / "index.html").write_text("one\n")
    (src / "css/deep er/-rf *.css").write_text("two\n")
    (src / "css/k'\"$(x)üche").write_bytes(bytes(range(256)))
    (src / "run").write_text("#!/bin/sh\n")
    (src / "run").chmod(0o755)
    (src / "none").write_text("")

    def sync(stage="apply", wanted=None, spoil=None, exclude=(), files="", to=dest, meanwhile=None, **values):
        """As the engine does it: check; what it asks for goes to the host as an archive; all of it."""
        notes = top / "notes"
        for old in (notes, top / "notes.said", top / "archive"):
            old.unlink(missing_ok=True)
        given = {**tree_given(src, exclude), "src_file": str(top / "archive"), "src_seen": "" if stage == "check" else str(notes)}
        names = [line.split(" ", 4) for line in given["src_manifest"].split("\n")]
        asked = run("file.sync", "check", src="files/t", dest=to, mode=files, given=given, exclude=exclude, **values)
        if stage == "check" or asked.outcome != "would_change":
            return asked
        numbers = []
        for part in asked.wanted.split():
            first, _, last = part.partition("-")
            numbers += range(int(first), int(last or first) + 1)
        picked = [names[n - 1][4] for n in numbers]
        true(all(names[n - 1][0] == "f" for n in numbers), f"asked for what is no file: {asked.wanted}")
        if wanted is not None:
            true(picked == wanted, f"asked for {picked}, not {wanted}")
        archive = top / "archive"
        with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
            for name in picked:
                if name == spoil:
                    (top / "spoilt").write_text("spoilt\n")
                tar.add(top / "spoilt" if name == spoil else src / name, name, recursive=False)
        if meanwhile:
            meanwhile(top / "notes.said")
        return run("file.sync", src="files/t", dest=to, mode=files, given=given, exclude=exclude, **values)

    def same(what, besides=()):
        here, there = ({n: (m if p.is_file() else 0, b) for n, (m, b) in shape(p).items()} for p in (src, dest))
        for name in besides:
            there.pop(name, None)
        true({n: b for n, (_, b) in here.items()} == {n: b for n, (_, b) in there.items()}, what)
        true(not [p for p in [*top.iterdir(), *dest.iterdir()] if p.name.startswith(".cnplay")], f"{what}: it left something")

    def shape(folder):
        return {str(p.relative_to(folder)): (mode_of(p), p.read_bytes() if p.is_file() else None) for p in folder.rglob("*")}

    # placed at once; then nothing
    result = expect(sync("check"), "would_change", "place: 5 new, 3 new directories (274 bytes to send)")
    true("+ css/deep er/-rf *.css" in result.diff and not dest.exists(), result.diff)
    expect(sync(), "changed", "place: 5 new")
    same("first")
    true(mode_of(dest / "run") == "0o755" and mode_of(dest) == "0o755", "modes")
    expect(sync(wanted=[]), "ok")
    # one content of the same size, one of another, a new one in a new directory, a mode: only those are asked for
    before = (dest / "none").stat().st_ino
    (src / "index.html").write_text("uno\n")
    (src / "css/k'\"$(x)üche").write_text("less")
    (src / "js").mkdir()
    (src / "js/new").write_text("new")
    (src / "none").chmod(0o640)
    result = expect(sync(wanted=["css/k'\"$(x)üche", "index.html", "js/new"]), "changed",
                    "1 new, 1 new directory, 3 changed (11 bytes to send)")
    true("~ none: mode 644 -> 640" in result.diff and "~ index.html: content" in result.diff, result.diff)
    same("changes")
    true((dest / "none").stat().st_ino == before and mode_of(dest / "none") == "0o640", "a mode needs no file")
    expect(sync(), "ok")
    # what is there besides stays; then goes, but for what is left out
    (dest / "more/sub").mkdir(parents=True)
    (dest / "more/sub/x").write_text("x")
    (dest / "more/keep.log").write_text("x")
    (dest / "js/old $(x)").write_text("x")
    expect(sync(), "ok")
    result = expect(sync(wanted=[], delete=True, exclude=["keep.log"]), "changed", "3 removed (0 bytes to send)")
    true("- more/sub/x" in result.diff and "- more/sub/\n" in result.diff and "keep" not in result.diff, result.diff)
    same("removed", ["more", "more/keep.log"])
    true((dest / "more/keep.log").exists(), "what is left out was removed")
    expect(sync(delete=True, exclude=["keep.log"]), "ok")
    expect(sync(delete=True, exclude=["more/*"]), "ok")
    expect(sync(delete=True), "changed", "2 removed")
    same("all of it removed")
    # modes for all; and through a link
    link = top / "link"
    link.symlink_to(dest)
    expect(sync(files="0600", dir_mode="0700", to=link), "changed", "changed (0 bytes")
    true(link.is_symlink() and mode_of(dest / "run") == "0o600" and mode_of(dest / "css") == "0o700", "modes for all")
    expect(sync(files="0600", dir_mode="0700"), "ok")
    expect(sync(), "changed", "changed (0 bytes")
    # what came is not what was to come
    (src / "index.html").write_text("tre\n")
    expect(sync(spoil="index.html"), "failed", "what came is not what was to be sent")
    true((dest / "index.html").read_text() == "uno\n", "it was placed all the same")
    expect(sync(), "changed", "1 changed")
    # what the look said before its files came is believed for a moment; what has changed meanwhile is found in the end
    def put_right(said):
        (dest / "index.html").write_text("four\n")

    def late(said):
        put_right(said)
        at, _, rest = said.read_text().partition("\n")
        said.write_text(f"{int(at) - 60}\n{rest}")

    def torn(said):
        put_right(said)
        said.write_text(said.read_text()[:-1])

    for meanwhile, outcome in ((put_right, "changed"), (late, "ok"), (torn, "ok")):
        (src / "index.html").write_text("four\n")
        (dest / "index.html").write_text("five\n")
        expect(sync(meanwhile=meanwhile), outcome, what=meanwhile.__name__)
        same(meanwhile.__name__)
    (src / "index.html").write_text("uno\n")
    expect(sync(meanwhile=lambda said: (dest / "run").write_text("spoilt meanwhile\n")), "failed")
    expect(sync(wanted=["run"]), "changed", "1 changed")
    same("what was spoilt meanwhile")
    # who may write there puts a link in the way of what check has found: nothing is done through it
    away = top / "away"
    away.mkdir()
    (away / "index.html").write_text("away\n")
    (away / "index.html").chmod(0o600)
    (away / "x").write_text("away\n")
    (src / "css/x").write_text("x")
    (dest / "css/more").write_text("x")
    (away / "more").write_text("away\n")

    def swapped(name):
        def swap(said):
            (dest / name).rename(top / "kept")
            (dest / name).symlink_to(away / name if (top / "kept").is_file() else away)
        return swap

    for name, delete in (("css", False), ("css", True), ("run", False)):
        (dest / "run").chmod(0o700)
        expect(sync(meanwhile=swapped(name), delete=delete), "failed", f"{name} has become a link")
        true({p.name: p.read_text() for p in away.iterdir()} == {n: "away\n" for n in ("index.html", "x", "more")}, "it went through a link")
        (dest / name).unlink()
        (top / "kept").rename(dest / name)
    expect(sync(delete=True), "changed", "1 new, 1 changed, 1 removed")
    (src / "css/x").unlink()
    expect(sync(delete=True), "changed", "1 removed")
    # what is a link there and not ours is nobody's matter
    (dest / "link").symlink_to(away)
    (dest / "index.html").write_text("five\n")
    expect(sync(), "changed", "1 changed")
    (dest / "link").unlink()
    # a directory that hands its group on keeps doing so, and those that are made in it do
    os.chmod(dest / "css", 0o2755)
    (src / "css/new").mkdir(mode=0o750)
    (src / "css/new/x").write_text("x")
    expect(sync(), "changed", "1 new, 1 new directory (1 bytes to send)")
    expect(sync(), "ok")
    shutil.rmtree(src / "css/new")
    expect(sync(delete=True), "changed", "2 removed")
    true(mode_of(dest / "css") == "0o2755", f"the mode of css is {mode_of(dest / 'css')}")
    os.chmod(dest / "css", 0o755)
    (src / "index.html").write_text("tre\n")
    expect(sync(), "changed", "1 changed")
    # what an earlier look of the task has found good is believed, as long as inode and times are the same; else it is read
    notes = top / "notes"
    target = dest / "index.html"
    target.write_text("unO\n")
    form = "%a %s %u:%g %f %d:%i %Z %y %z %n"
    stat = subprocess.run(["stat", "-c", form, "./index.html"], cwd=dest, env={**os.environ, "TZ": "UTC0"}, capture_output=True, text=True, check=True)
    given = tree_given(src)
    digest = hashlib.sha256((src / "index.html").read_bytes()).hexdigest()
    for line, outcome in ((f"{digest} {stat.stdout}", "ok"), (f"{'0' * 64} {stat.stdout}", "would_change"), (f"{digest} {stat.stdout[:-1]}x\n", "would_change")):
        notes.write_text("a line that was torn\n" + line)
        expect(run("file.sync", "check", src="t", dest=dest, given={**given, "src_seen": str(notes)}), outcome, what=line)
    notes.write_text(f"{digest} {stat.stdout}")
    target.write_text("unO\n")
    expect(run("file.sync", "check", src="t", dest=dest, given={**given, "src_seen": str(notes)}), "would_change", "1 changed")
    # only what was at rest is noted: until the clock has moved on, times say too little
    while time.time() < max(p.lstat().st_ctime for p in dest.rglob("*")) + 4:
        time.sleep(0.2)
    (dest / "run").write_text("#!/bin/sh\n")
    notes.unlink()
    expect(run("file.sync", "check", src="t", dest=dest, given={**given, "src_seen": str(notes)}), "would_change", "1 changed")
    noted = notes.read_text()
    true("./none\n" in noted and "./run\n" not in noted and "./index.html\n" not in noted, noted)
    expect(sync(), "changed", "1 changed")
    # kinds that do not fit; links are not followed
    outside = top / "outside"
    outside.mkdir()
    shutil.rmtree(dest / "js")
    (dest / "js").symlink_to(outside)
    for delete in (False, True):
        expect(sync(delete=delete), "failed", "js is a link there, and a directory here: remove it, or exclude it")
    true(not list(outside.iterdir()), "it went through a link")
    (dest / "js").unlink()
    (dest / "js").write_text("x")
    expect(sync(), "failed", "js is a file there")
    (dest / "js").unlink()
    (dest / "index.html").unlink()
    (dest / "index.html").symlink_to(outside / "target")
    expect(sync(), "failed", "index.html is a link there")
    (dest / "index.html").unlink()
    expect(sync(), "changed", "2 new")
    same("after all")
    (dest / "a\nb").write_text("x")
    expect(sync(delete=True), "failed", "has a newline")
    (dest / "a\nb").unlink()
    # many, in one directory
    for i in range(3000):
        (src / "js" / f"file number {i}").write_text(str(i))
    expect(sync(), "changed", "3000 new")
    same("many")
    (src / "js/file number 7").write_text("seven")
    expect(sync(wanted=["js/file number 7"]), "changed", "1 changed")
    expect(run("file.sync", src="t", dest=top / "no/where", given=tree_given(src)), "failed", "there is no directory")
    expect(run("file.sync", src="t", dest=src / "run", given=tree_given(src)), "failed", "is no directory")
    expect(run("file.sync", src="t", dest=dest, dir_mode="x", given=tree_given(src)), "failed", "mode: x is none")
    expect(run("file.sync", src="t", dest=dest, owner="nobody-here", given=tree_given(src)), "failed", "no user nobody-here")
    if os.getuid() == 0:
        os.chown(dest / "run", 65534, 65534)
        (src / "run").write_text("#!/bin/sh\nexit 0\n")
        expect(sync(wanted=["run"]), "changed", "1 changed")
        true((dest / "run").stat().st_uid == 65534, "the owner was not kept")
        expect(sync(owner="root", group="root"), "changed", "1 changed (0 bytes to send)")
        true((dest / "run").stat().st_uid == 0, "the owner was not set")


def test_machine(top):
    """What asks alone: nothing here may restart the machine that the test runs on."""
    run = place.run
    expect(run("machine.reboot", "check", only_if_required=True), "ok" if not os.path.exists("/var/run/reboot-required") else "would_change")
    if os.getuid() == 0:
        expect(run("machine.reboot", "check", message="soon"), "would_change", "restart")
    else:
        expect(run("machine.reboot", "check"), "failed", "may not restart the host")


def test_git(top):
    run = place.run
    work, bare, dir_ = top / "work", top / "a remote.git", top / "a checkout"
    git(top, "init", "-q", "-b", "master", str(work))
    commit(work, "first", a__txt="a\n", gone__txt="x\n", __gitignore="secrets.json\n")
    git(top, "clone", "-q", "--bare", str(work), str(bare))
    git(work, "remote", "add", "origin", str(bare))
    git(work, "tag", "-a", "-m", "one", "v1")
    git(work, "push", "-q", "origin", "v1")

    # clone
    expect(run("git.clone", url=str(bare), dir=dir_, ref="nope"), "failed", "has no branch or tag 'nope'")
    expect(run("git.clone", url=str(top / "none"), dir=dir_), "failed", "cannot read")
    expect(run("git.clone", url="--upload-pack=touch /tmp/x", dir=dir_), "failed", "begin with '-'")
    expect(run("git.clone", "check", url=str(bare), dir=dir_), "would_change", "clone")
    true(not dir_.exists(), "a dry run cloned")
    result = expect(run("git.clone", url=str(bare), dir=top / "tagged", ref="v1"), "changed", "(v1)")
    true(result.facts["head"] == git(top / "tagged", "rev-parse", "HEAD"), "head of a tag is not its commit")
    result = expect(run("git.clone", url=str(bare), dir=dir_), "changed", "clone")
    expect(run("git.clone", url=str(bare), dir=dir_), "ok")
    expect(run("git.clone", url="/another", dir=dir_), "failed", "is a clone of")
    (top / "full").mkdir()
    (top / "full/file").touch()
    expect(run("git.clone", url=str(bare), dir=top / "full"), "failed", "is not empty")
    git(dir_, "config", "user.name", "L")
    git(dir_, "config", "user.email", "l@x")

    # rebase: nothing, dry run, change
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "ok")
    commit(work, "second", a__txt="b\n", gone__txt=None, new__txt="n\n")
    git(work, "push", "-q", "origin", "master")
    (dir_ / "secrets.json").write_text("{}")
    (dir_ / "note").write_text("mine")
    before = snapshot(dir_)
    result = expect(run("git.rebase", "check", dir=dir_, onto="origin/master"), "would_change", "1 commit")
    true("second" in result.diff and "A\tnew.txt" in result.diff and "D\tgone.txt" in result.diff, f"diff: {result.diff}")
    true(snapshot(dir_) == before, "a dry run changed the checkout")
    preview = Path(result.preview)
    true(sorted(p.name for p in preview.iterdir()) == [".gitignore", "a.txt", "new.txt", "note", "secrets.json"],
         f"preview holds {sorted(p.name for p in preview.iterdir())}")
    true((preview / "a.txt").read_text() == "b\n", "preview has the old a.txt")
    true(sorted(os.listdir(preview.parent)) == [preview.name], f"left behind: {os.listdir(preview.parent)}")
    true(git(dir_, "status", "--porcelain", "--untracked-files=no") == "", "the index of the checkout changed")
    place.clean()
    expect(run("git.rebase", "preflight", dir=dir_, onto="origin/master"), "ok")
    expect(run("git.rebase", "preflight", dir=dir_, onto="origin/nope"), "failed", "no branch 'nope'")
    expect(run("git.rebase", "preflight", dir=top / "missing", onto="origin/master"), "skip")
    result = expect(run("git.rebase", dir=dir_, onto="origin/master"), "changed")
    old, target = result.facts["before"], result.facts["target"]
    true(git(dir_, "rev-parse", "HEAD") == target, "HEAD is not at target")
    true((dir_ / "note").read_text() == "mine" and (dir_ / "secrets.json").exists(), "untracked files are gone")
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "ok")

    # failures
    expect(run("git.rebase", dir=dir_, onto="origin/nope"), "failed", "no ref 'origin/nope'")
    expect(run("git.rebase", dir=dir_, onto="--exec=touch x"), "failed", "begin with '-'")
    expect(run("git.rebase", dir=top / "missing", onto="origin/master"), "failed", "no directory")
    (top / "plain").mkdir()
    expect(run("git.rebase", dir=top / "plain", onto="origin/master"), "failed", "no git checkout")
    commit(work, "third", a__txt="c\n", note="theirs\n")
    git(work, "push", "-q", "origin", "master")
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "failed", "note is not in git")
    (dir_ / "note").unlink()
    (dir_ / "a.txt").write_text("edited\n")
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "failed", "uncommitted changes")
    commit(dir_, "own", a__txt="mine\n")
    own = git(dir_, "rev-parse", "HEAD")
    expect(run("git.rebase", "check", dir=dir_, onto="origin/master"), "failed", "conflict while rebasing")
    place.clean()
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "failed", "conflict while rebasing")
    true(git(dir_, "rev-parse", "HEAD") == own, "a conflict moved HEAD")
    true(git(dir_, "status", "--porcelain") == "", "a conflict left traces")
    git(dir_, "reset", "-q", "--hard", target)
    commit(dir_, "own other", other__txt="o\n")
    result = expect(run("git.rebase", "check", dir=dir_, onto="origin/master"), "would_change", "1 of its own on top")
    true((Path(result.preview) / "other.txt").exists(), "the preview lacks the own commit")
    place.clean()
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "changed", "1 of its own")
    true(git(dir_, "log", "--format=%s", "-2").split("\n") == ["own other", "third"], "wrong history")

    # reset
    expect(run("git.reset", "check", dir=dir_, to=old), "would_change", "->")
    result = expect(run("git.reset", dir=dir_, to=old), "changed")
    true("drops" in result.diff and (dir_ / "gone.txt").exists(), "reset did not go back")
    expect(run("git.reset", dir=dir_, to=old), "ok")
    (dir_ / "a.txt").write_text("precious\n")
    expect(run("git.reset", dir=dir_, to=old), "changed", "uncommitted changes are stashed")
    true("precious" in git(dir_, "stash", "show", "-p"), "uncommitted changes are lost")
    expect(run("git.reset", dir=dir_, to="nope"), "failed", "no commit 'nope'")
    expect(run("git.reset", dir=dir_, to="--hard"), "failed", "begin with '-'")
    # A rebase that was killed in the middle.
    commit(dir_, "conflict", a__txt="zzz\n")
    subprocess.run(["git", "-C", str(dir_), "rebase", "origin/master"], capture_output=True, check=False)
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "failed", "unfinished")
    expect(run("git.reset", dir=dir_, to=old), "changed", "unfinished")
    expect(run("git.reset", dir=dir_, to=old), "ok")


def test_pip(top, wheels):
    run = place.run
    venv, file = top / "a venv", top / "re quirements.txt"
    expect(run("venv.create", venv=venv, python="python99"), "failed", "no command 'python99'")
    (top / "full").mkdir(exist_ok=True)
    (top / "full/file").touch()
    expect(run("venv.create", venv=top / "full"), "failed", "is not empty")
    expect(run("venv.create", "check", venv=venv), "would_change", "make")
    true(not venv.exists(), "a dry run made the venv")
    if top.name == "dash" or not (top.parent / "venv-seed").exists():
        expect(run("venv.create", venv=venv), "changed", "make")
        expect(run("venv.create", venv=venv), "ok")
        expect(run("venv.create", venv=venv, system_packages=True), "changed", "false -> true")
        expect(run("venv.create", venv=venv), "changed", "true -> false")
        (venv / "bin/python").unlink()
        (venv / "bin/python").symlink_to("/nowhere/python")
        expect(run("venv.create", venv=venv), "changed", "repair")
        expect(run("venv.create", venv=venv), "ok")
        shutil.copytree(venv, top.parent / "venv-seed", symlinks=True)
    else:  # Making one takes seconds: once is enough.
        shutil.copytree(top.parent / "venv-seed", venv, symlinks=True)
        expect(run("venv.create", venv=venv), "ok")

    expect(run("pip.install", venv=top / "none", requirements=file), "failed", "no virtual environment")
    expect(run("pip.install", venv=venv, requirements=file), "failed", "no requirements file")
    file.write_text("coralbase==1.0\n")
    before = snapshot(venv)
    result = expect(run("pip.install", "check", venv=venv, requirements=file, upgrade=True), "would_change", "coralbase 1.0 (new)")
    true(snapshot(venv) == before, "a dry run changed the venv")
    shown = place.plain(f'"{result.preview}/bin/python" -c "import coralbase; print(coralbase.__file__)"\n').stdout
    true(result.preview and shown.startswith(result.preview), f"the preview does not see coralbase: {shown}")
    expect(run("pip.install", "check", venv=result.preview, requirements=file), "ok", what="in the preview")
    place.clean()
    result = expect(run("pip.install", venv=venv, requirements=file, upgrade=True), "changed", "coralbase 1.0 (new)")
    before = result.facts["freeze"]
    expect(run("pip.install", venv=venv, requirements=file, upgrade=True), "ok")
    file.write_text("coralbase>=1.0\n")
    expect(run("pip.install", venv=venv, requirements=file), "ok", what="without upgrade")
    expect(run("pip.install", "check", venv=venv, requirements=file, upgrade=True), "would_change", "coralbase 1.0 -> 1.1")
    place.clean()
    file.write_text("coralbase==1.1\ncoralgreet==1.0\n")
    result = expect(run("pip.install", venv=venv, requirements=file, upgrade=True), "changed", "coralbase 1.0 -> 1.1, coralgreet 1.0 (new)")
    middle = result.facts["freeze"]
    true("coralbase==1.0" in middle, f"freeze: {middle}")
    file.write_text("coralbase==9\n")
    expect(run("pip.install", venv=venv, requirements=file), "failed", "No matching distribution found for coralbase==9")
    file.write_text("coralbase ==== 1\n")
    expect(run("pip.install", venv=venv, requirements=file), "failed", "Invalid requirement")
    # One that is linked in place is no change each time.
    project = wheels.parent / f"linked-{top.parent.name}"  # `pip freeze` cannot say a path with blanks
    project.mkdir()
    (project / "setup.py").write_text("from setuptools import setup\nsetup(name='linked', version='1', py_modules=[])\n")
    file.write_text(f"-e {project.as_uri()}#egg=linked\ncoralbase==1.1\ncoralgreet==1.0\n")
    expect(run("pip.install", venv=venv, requirements=file), "changed", "linked 1 (new)")
    expect(run("pip.install", venv=venv, requirements=file), "ok", what="linked in place")
    linked = run("pip.install", "check", venv=venv, requirements=file).facts["freeze"]
    place.plain(f'"{venv}/bin/python" -m pip uninstall -qy linked\n')
    expect(run("pip.restore", venv=venv, freeze=linked), "changed", "(again)")
    expect(run("pip.restore", venv=venv, freeze=linked), "ok")
    expect(run("pip.restore", venv=venv, freeze=middle.replace("==1.0", "==1.1") + "\ncoralgreet==1.0"), "changed", "(away)")
    # One from a repository.
    git(project, "init", "-q", "-b", "master")
    commit(project, "first")
    file.write_text(f"-e git+{project.as_uri()}#egg=linked\n")
    expect(run("pip.install", "check", venv=venv, requirements=file), "would_change", "linked 1 (new)")
    place.clean()
    true(not (venv / "src").exists(), "a dry run checked out into the venv")
    expect(run("pip.install", venv=venv, requirements=file), "changed", "linked 1 (new)")
    expect(run("pip.install", venv=venv, requirements=file), "ok", what="linked from a repository")
    commit(project, "second", more="x")
    expect(run("pip.install", venv=venv, requirements=file), "changed", "linked 1 (again)")
    place.plain(f'"{venv}/bin/python" -m pip uninstall -qy linked\n')
    file.write_text("coralbase==1.1\n")
    # A pip that is too old to tell.
    init = next(venv.glob("lib/python3*/site-packages/pip/__init__.py"))
    text = init.read_text()
    init.write_text(text.replace('__version__ = "', '__version__ = "20.'))
    expect(run("pip.install", venv=venv, requirements=file), "failed", "cannot tell what it would change")
    init.write_text(text)

    # restore
    expect(run("pip.restore", "check", venv=venv, freeze=middle), "would_change", "coralbase 1.1 -> 1.0, coralgreet 1.0 (away)")
    expect(run("pip.restore", venv=venv, freeze=middle), "changed", "coralbase 1.1 -> 1.0")
    expect(run("pip.restore", venv=venv, freeze=middle), "ok")
    expect(run("pip.restore", venv=venv, freeze=before), "changed", "coralbase 1.0 (away)")
    expect(run("pip.restore", venv=venv, freeze=middle), "changed", "coralbase 1.0 (again)")
    expect(run("pip.restore", venv=venv, freeze=middle.replace("coralbase==1.0", "coralbase==7")), "failed", "coralbase==7")
    expect(run("pip.restore", venv=venv, freeze=""), "failed", "empty")
    expect(run("pip.restore", venv=venv, freeze="--index-url=http://x\n"), "failed", "not a line of pip freeze")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(3)
        code = {"/bad": 502, "/move": 301}.get(self.path, 200)
        host = self.headers["Host"]
        body = f"<!DOCTYPE html>\n<html><body>\n<h1>\x1b[31mhello {host}</h1>\nmore</body>".encode()
        self.send_response(code)
        if code == 301:
            self.send_header("Location", "/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass

    def log_message(self, *_):
        pass


def test_http(port):
    run = place.run
    base = f"http://127.0.0.1:{port}"
    result = expect(run("http.check", url=f"{base}/", status=200), "ok")
    true(result.facts == {"got": "200"}, f"facts {result.facts}")
    expect(run("http.check", "check", url=f"{base}/", contains="hello 127"), "ok")
    expect(run("http.check", url=f"{base}/", host="coral.example", contains="hello coral.example"), "ok")
    expect(run("http.check", url=f"{base}/bad"), "failed", f"{base}/bad: expected 200, got 502: [31mhello 127.0.0.1")
    expect(run("http.check", url=f"{base}/bad", status=502), "ok")
    expect(run("http.check", url=f"{base}/", contains="-nope"), "failed", "expected '-nope' in the body")
    expect(run("http.check", url=f"{base}/move"), "failed", "got 301")
    expect(run("http.check", url=f"{base}/move", follow=True), "ok")
    expect(run("http.check", url=f"{base}/slow", timeout=1), "failed", "got no answer: Operation timed out")
    expect(run("http.check", url="http://127.0.0.1:1/"), "failed", "expected 200, got no answer: Failed to connect")
    expect(run("http.check", url="file:///etc/passwd"), "failed", "no http")


def test_maintenance(top):
    run = place.run
    path = top / "the page.html"
    message = "We'll be back <soon> & \"sound\"\n`touch /tmp/x` $(id) \\n"
    expect(run("maintenance.place", "check", path=path, message=message), "would_change", "place")
    true(not path.exists(), "a dry run wrote the page")
    expect(run("maintenance.place", path=path, message=message), "changed", "place")
    text = path.read_text()
    true("We'll be back &lt;soon&gt; &amp; \"sound\"\n`touch /tmp/x` $(id) \\n</p>" in text, text)
    true(path.stat().st_mode & 0o777 == 0o644, "mode")
    expect(run("maintenance.place", path=path, message=message), "ok")
    expect(run("maintenance.place", path=path, message="else"), "changed", "another message")
    expect(run("maintenance.place", path=top / "no/page", message="x"), "failed", "no directory")
    expect(run("maintenance.place", path=top, message="x"), "failed", "is a directory")
    expect(run("maintenance.place", path=path, message=""), "failed", "empty")
    true(sorted(p.name for p in top.glob(".cnplay*")) == [], "temporary files left")
    expect(run("maintenance.remove", "check", path=path), "would_change", "remove")
    expect(run("maintenance.remove", path=path), "changed", "remove")
    expect(run("maintenance.remove", path=path), "ok")
    expect(run("maintenance.remove", path=top), "failed", "is a directory")


def main():
    global place
    shells = sys.argv[1:] or ["dash", "bash", "busybox sh", "mksh"]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # pip splits its settings at blanks: the wheels alone lie in a path without.
    with tempfile.TemporaryDirectory(prefix="cnplay modules ") as temp, tempfile.TemporaryDirectory() as served:
        temp = Path(temp)
        wheels = Path(served) / "wheels"
        subprocess.run([sys.executable, playfile.ROOT / "fleet/lib/build_wheels.py", playfile.ROOT / "fleet/packages",
                        wheels, Path(served) / "simple"], check=True)
        for shell in shells:
            begun = time.monotonic()
            top = temp / shell.split()[0]
            top.mkdir()
            (top / "home").mkdir()
            place = harness.Place(shell=shell, env={"HOME": str(top / "home"), "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels),
                                                    "http_proxy": "", "TMPDIR": str(top / "tmp")})
            (top / "tmp").mkdir()
            for name, test in (("maintenance", lambda: test_maintenance(top)), ("http", lambda: test_http(server.server_port)),
                               ("file", lambda: test_file(top)), ("sync", lambda: test_sync(top)),
                               ("machine", lambda: test_machine(top)), ("git", lambda: test_git(top)), ("pip", lambda: test_pip(top, wheels))):
                (top / name).mkdir()
                old, top = top, top / name
                test()
                top = old
            true(os.listdir(top / "tmp") == [], f"left in TMPDIR: {os.listdir(top / 'tmp')}")
            print(f"{shell}: {time.monotonic() - begun:.1f} s")
    for problem in problems:
        print(problem)
    print(f"{done} checks, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
