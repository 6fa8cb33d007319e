"""The modules of git, on this machine."""
import subprocess
import os
from pathlib import Path

import checks
from checks import commit, expect, git, snapshot, true


def test_git(top):
    run = checks.place.run
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
    checks.place.clean()
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
    checks.place.clean()
    expect(run("git.rebase", dir=dir_, onto="origin/master"), "failed", "conflict while rebasing")
    true(git(dir_, "rev-parse", "HEAD") == own, "a conflict moved HEAD")
    true(git(dir_, "status", "--porcelain") == "", "a conflict left traces")
    git(dir_, "reset", "-q", "--hard", target)
    commit(dir_, "own other", other__txt="o\n")
    result = expect(run("git.rebase", "check", dir=dir_, onto="origin/master"), "would_change", "1 of its own on top")
    true((Path(result.preview) / "other.txt").exists(), "the preview lacks the own commit")
    checks.place.clean()
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
