"""The `commands` of modules, as docs prints them, in each shell: after them the module's own check says `ok`."""
import json
import shutil

import by_hand
import checks
from checks import commit, expect, git, true
from local_files import mode_of, sent, tree_given


def test_by_hand_files(top):
    place = checks.place
    run = place.run
    one = b"one\n" * 9
    for values in ({}, {"mode": "0600"}):
        dest = top / f"a copy {len(values)}"
        for content in (one, one * 2):
            given = sent(top, content)
            by_hand.typed(place, "file.copy", beside={"files/f": "x"}, set_={"src_file": top / "sent"}, src="files/f", dest=dest, **values)
            expect(run("file.copy", "check", dest=dest, **given, **values), "ok")
            true(dest.read_bytes() == content, "another content")
    for content in ("it's $(x)\n\\n \"<&>\"\n-n", "less", ""):
        dest = top / "rendered"
        by_hand.typed(place, "file.template", beside={"t": content}, src="t", dest=dest, mode="0640")
        expect(run("file.template", "check", src="t", dest=dest, mode="0640", given={"src_text": content, "src_mode": "644"}), "ok",
               what=repr(content))
    # A directory: placed; then with other modes, what is more removed, and what is left out kept.
    src, dest = top / "tree", top / "a tree"
    (src / "css/deep er").mkdir(parents=True)
    (src / "index.html").write_text("one\n")
    (src / "css/deep er/-rf *.css").write_text("two\n")
    shutil.copytree(src, top / "a copy of it")
    for values in ({}, {"delete": True, "exclude": ["*.log", "kept $x"], "mode": "0600", "dir_mode": "0700"}):
        by_hand.typed(place, "file.sync", beside={"tree/x": "x"}, set_={"src_file": top / "a copy of it"}, src="tree", dest=dest, **values)
        given = {**tree_given(src), "src_file": str(top / "none"), "src_seen": ""}
        expect(run("file.sync", "check", src="tree", dest=dest, given=given, **values), "ok")
        for more in ("more", "a.log", "kept $x"):
            (dest / more).write_text("x")
    given = {**tree_given(src), "src_file": str(top / "none"), "src_seen": ""}
    by_hand.typed(place, "file.sync", beside={"tree/x": "x"}, set_={"src_file": top / "a copy of it"}, src="tree", dest=dest, **values)
    expect(run("file.sync", "check", src="tree", dest=dest, given=given, **values), "ok")
    true(not (dest / "more").exists() and (dest / "a.log").exists() and (dest / "kept $x").exists(), "what is removed")
    true(mode_of(dest / "index.html") == "0o600", mode_of(dest / "index.html"))
    # The page.
    page = {"path": top / "the page.html", "message": "We'll be back <soon> & \"sound\"\n`touch /tmp/x` $(id) \\n"}
    by_hand.typed(place, "maintenance.place", **page)
    expect(run("maintenance.place", "check", **page), "ok")
    by_hand.typed(place, "maintenance.remove", path=page["path"])
    expect(run("maintenance.remove", "check", path=page["path"]), "ok")


def test_by_hand_more_files(top):
    place = checks.place
    run = place.run
    path = top / "a file.json"
    path.write_text('{"b": "old", "a": {"x.y": 1, "é": "ü"}}')
    # A secret is not filled in: it stays a variable.
    value = "p'w \"q\" \\ $(id) `id` é"
    for what in ({"key": "b", "value": value}, {"keys": ["a", "x.y"], "value": "[1, null]", "json": True}, {"key": "c.d", "value": "x"}):
        by_hand.typed(place, "file.json", path=path, **what)
        expect(run("file.json", "check", path=path, **what), "ok")
    true(json.loads(path.read_text()) == {"b": value, "a": {"x.y": [1, None], "é": "ü"}, "c": {"d": "x"}}, path.read_text())
    key = top / "dot ssh/id_key"
    for comment in ("web 1, it's \"the\" $(id)", "after 2026-11"):
        by_hand.typed(place, "sshkey.rotate", path=key, comment=comment)
        expect(run("sshkey.rotate", "check", path=key, comment=comment), "ok")
    by_hand.typed(place, "sshkey.forget", path=key)
    expect(run("sshkey.forget", "check", path=key), "ok")
    logs = top / "some logs"
    logs.mkdir()
    (logs / "a log").write_text("x")
    by_hand.typed(place, "log.collect", dirs=[logs], to=top / "logs.tar.gz")
    true("a log" in place.plain(f"tar -tzf '{top}/logs.tar.gz'\n").stdout, "the archive")


def test_by_hand_texts(top):
    place = checks.place

    def both(module, **values):
        by_hand.typed(place, module, **values)
        expect(place.run(module, "check", **values), "ok", what=str(values))

    path = top / "a text"
    for values in ({"line": "it's $(x) \\\\1", "create": True}, {"line": "Port 22"}, {"line": "Port 23", "match": "^Port [0-9]+$"},
                   {"line": "Port 23", "match": "^it's"}, {"line": "none", "present": False},
                   {"line": "Port 23", "match": "^Port", "present": False}, {"line": "last"}):
        both("file.line", path=path, **values)
    true(path.read_text() == "last\n", path.read_text())
    block = {"path": path, "name": "it's one", "comment": "//"}
    for values in ({"block": "a\n$(b)\n"}, {"block": "c"}, {"block": ""}, {"block": "x", "present": False}):
        both("file.block", **block, **values)
    true(path.read_text() == "last\n", path.read_text())
    both("file.replace", path=path, pattern="^l(a)st", **{"with": "f\\1rst"})
    both("file.replace", path=path, pattern="a.*", plain=True, **{"with": "x"})
    true(path.read_text() == "farst\n", path.read_text())
    folder = top / "a folder/deeper"
    both("file.directory", path=folder, mode="0750")
    both("file.link", path=top / "a link", to=folder)
    both("file.link", path=top / "a link", to=top)
    (folder / "x").write_text("x")
    both("file.mode", path=folder.parent, mode="0600", dir_mode="0700", recursive=True)
    both("file.mode", path=folder, mode="0755")
    true(mode_of(folder / "x") == "0o600" and mode_of(folder) == "0o755", "modes")
    for values in ({"path": folder / "x"}, {"path": folder}, {"path": top / "a link"}, {"path": folder.parent, "recursive": True}):
        both("file.absent", **values)
    true(top.exists(), "what the link led to is gone")


def test_by_hand_git(top):
    place = checks.place
    run = place.run
    work, bare, dir_ = top / "work", top / "a remote.git", top / "a checkout"
    git(top, "init", "-q", "-b", "master", str(work))
    commit(work, "first", a__txt="a\n")
    git(top, "clone", "-q", "--bare", str(work), str(bare))
    git(work, "remote", "add", "origin", str(bare))
    clone = {"url": str(bare), "dir": dir_}
    said = by_hand.typed(place, "git.clone", ["head"], **clone)
    expect(run("git.clone", "check", **clone), "ok")
    true(f"head: {git(work, 'rev-parse', 'HEAD')}\n" in said, said)
    by_hand.typed(place, "git.clone", url=str(bare), dir=top / "named", ref="master", submodules=False)
    expect(run("git.clone", "check", url=str(bare), dir=top / "named", ref="master", submodules=False), "ok")
    git(dir_, "config", "user.name", "L")
    git(dir_, "config", "user.email", "l@x")
    before = git(dir_, "rev-parse", "HEAD")
    commit(work, "second", a__txt="b\n")
    git(work, "push", "-q", "origin", "master")
    rebase = {"dir": dir_, "onto": "origin/master"}
    said = by_hand.typed(place, "git.rebase", ["before"], **rebase)
    expect(run("git.rebase", "check", **rebase), "ok")
    true(said.endswith(f"before: {before}\n"), said)
    (dir_ / "a.txt").write_text("not committed\n")
    by_hand.typed(place, "git.reset", dir=dir_, to=before)
    expect(run("git.reset", "check", dir=dir_, to=before), "ok")
    true(git(dir_, "stash", "list") != "", "an uncommitted change is lost")
    # A rebase that was left in the middle.
    commit(dir_, "own", a__txt="c\n")
    place.plain(f"git -C '{dir_}' rebase origin/master\n")
    by_hand.typed(place, "git.reset", dir=dir_, to=before, submodules=False)
    expect(run("git.reset", "check", dir=dir_, to=before, submodules=False), "ok")


def test_by_hand_pip(top, _):
    place = checks.place
    run = place.run
    venv, file = top / "a venv", top / "re quirements.txt"
    shutil.copytree(checks.venv, venv, symlinks=True)
    for values in ({}, {"system_packages": True}):
        by_hand.typed(place, "venv.create", venv=venv, **values)
        expect(run("venv.create", "check", venv=venv, **values), "ok")
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/nowhere/python")
    by_hand.typed(place, "venv.create", venv=venv)
    expect(run("venv.create", "check", venv=venv), "ok")
    pip = {"venv": venv, "requirements": file}
    file.write_text("coralbase==1.0\n")
    by_hand.typed(place, "pip.install", **pip)
    result = expect(run("pip.install", "check", **pip), "ok")
    file.write_text("coralbase>=1.0\ncoralgreet==1.0\n")
    said = by_hand.typed(place, "pip.install", ["freeze"], upgrade=True, **pip)
    expect(run("pip.install", "check", upgrade=True, **pip), "ok")
    true(said.endswith(f"freeze: {result.facts['freeze']}\n"), said)
    freeze = result.facts["freeze"]
    by_hand.typed(place, "pip.restore", venv=venv, freeze=freeze)
    expect(run("pip.restore", "check", venv=venv, freeze=freeze), "ok")


def test_by_hand_http(top, port):
    base = f"http://127.0.0.1:{port}"
    said = by_hand.typed(checks.place, "http.check", url=f"{base}/bad", status=502, contains="hello coral", host="coral.example")
    true(said.startswith("502, expected 502\n") and "hello coral.example" in said, said)
