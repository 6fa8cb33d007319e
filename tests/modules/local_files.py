"""The modules of files and directories, on this machine."""
import hashlib
import os
import shutil
import struct
import subprocess
import tarfile
import time

import checks
from checks import expect, true


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
    run = checks.place.run
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
    expect(run("file.copy", dest=dest, mode="rw", **sent(top, one)), "failed", "mode: rw is not a mode")
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
    expect(run("file.fetch", "check", src=top / "dir", to="x", given={"to_sum": ""}), "failed", "not a plain file")


def acl(*entries):
    """(tag, permissions, id)...: as the kernel has it in an extended attribute. 1 owner, 2 user, 4 group, 16 mask, 32 others."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", tag, may, id_) for tag, may, id_ in entries)


def test_acl(top):
    run = checks.place.run
    none, nobody = 0xFFFFFFFF, 65534
    access, default = "system.posix_acl_access", "system.posix_acl_default"
    # The group itself may only read; stat shows 660, for that is the mask.
    named = acl((1, 6, none), (2, 6, nobody), (4, 4, none), (16, 6, none), (32, 0, none))
    dest = top / "file"
    try:
        dest.write_text("probe")
        os.setxattr(dest, access, named)
    except OSError as error:
        print(f"  no ACLs in {top}: {error.strerror}")
        return
    send = {"file.copy": lambda text: sent(top, text.encode()),
            "file.template": lambda text: {"src": "files/t", "given": {"src_text": text, "src_mode": "644"}}}
    for name, given in send.items():
        dest.write_text("old")
        os.setxattr(dest, access, named)
        expect(run(name, dest=dest, **given("new")), "changed", "content", what=name)
        true(os.getxattr(dest, access) == named, f"{name}: the ACL was not kept")
        expect(run(name, dest=dest, **given("new")), "ok", what=name)
        # A mode: the group's class, which is the mask; a named entry stays.
        expect(run(name, dest=dest, mode="0640", **given("newer")), "changed", "mode 660 -> 640", what=name)
        true(os.getxattr(dest, access) == acl((1, 6, none), (2, 6, nobody), (4, 4, none), (16, 4, none), (32, 0, none)),
             f"{name}: the ACL with a mode is {os.getxattr(dest, access)}")
        expect(run(name, dest=dest, mode="0640", **given("newer")), "ok", what=name)
        # A new file takes the default ACL of the directory; one without an ACL gets none from it.
        folder = top / f"with default {name}"
        folder.mkdir()
        (folder / "plain").write_text("old")
        os.setxattr(folder, default, named)
        expect(run(name, dest=folder / "new", **given("new")), "changed", "place", what=name)
        true(os.getxattr(folder / "new", access)[4:].find(struct.pack("<HHI", 2, 6, nobody)) >= 0, f"{name}: no default ACL")
        (folder / "plain").chmod(0o640)
        expect(run(name, dest=folder / "plain", **given("new")), "changed", what=name)
        true(access not in os.listxattr(folder / "plain") and mode_of(folder / "plain") == "0o640", f"{name}: an ACL nobody asked for")


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
    run = checks.place.run
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
    expect(sync(spoil="index.html"), "failed", "the host received other bytes than expected")
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
        expect(sync(meanwhile=swapped(name), delete=delete), "failed", f"{name} was replaced by a link")
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
    expect(run("file.sync", src="t", dest=src / "run", given=tree_given(src)), "failed", "is not a directory")
    expect(run("file.sync", src="t", dest=dest, dir_mode="x", given=tree_given(src)), "failed", "mode: x is not a mode")
    expect(run("file.sync", src="t", dest=dest, owner="nobody-here", given=tree_given(src)), "failed", "no user nobody-here")
    if os.getuid() == 0:
        os.chown(dest / "run", 65534, 65534)
        (src / "run").write_text("#!/bin/sh\nexit 0\n")
        expect(sync(wanted=["run"]), "changed", "1 changed")
        true((dest / "run").stat().st_uid == 65534, "the owner was not kept")
        expect(sync(owner="root", group="root"), "changed", "1 changed (0 bytes to send)")
        true((dest / "run").stat().st_uid == 0, "the owner was not set")
