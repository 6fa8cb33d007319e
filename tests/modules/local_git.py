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
    expect(run("git.rebase", dir=top / "plain", onto="origin/master"), "failed", "not a git checkout")
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


def remote_of(top, name, **files):
    """A working tree with one commit, and its bare remote."""
    work, bare = top / f"{name} work", top / f"{name}.git"
    git(top, "init", "-q", "-b", "master", str(work))
    commit(work, "first", **files)
    git(top, "clone", "-q", "--bare", str(work), str(bare))
    git(work, "remote", "add", "origin", str(bare))
    return work, bare


def push(work, message, **files):
    commit(work, message, **files)
    git(work, "push", "-q", "origin", "master")


def test_git_refs(top):
    """Refs that move, and clones that do not fetch everything."""
    run = checks.place.run
    work, bare = remote_of(top, "main", a="0\n")
    for i in range(1, 6):
        push(work, str(i), a=f"{i}\n")
    here = top / "checkout"
    expect(run("git.clone", url=str(bare), dir=here), "changed")
    head = git(here, "rev-parse", "HEAD")
    # A ref that the reset moves would go back once more in each retry.
    for ref in ("HEAD~1", "HEAD^", "@~1", "@^", "master~2", "heads/master^", "refs/heads/master~1", "HEAD^{/2}"):
        expect(run("git.reset", dir=here, to=ref), "failed", f"to: '{ref}' moves with the reset", what=ref)
    true(git(here, "rev-parse", "HEAD") == head, "a refused reset moved HEAD")
    for ref in ("HEAD", "master", "@{u}", "HEAD~0"):
        expect(run("git.reset", dir=here, to=ref), "ok", what=ref)
    expect(run("git.reset", dir=here, to="@{u}~1"), "changed")
    expect(run("git.reset", dir=here, to="@{u}~1"), "ok")
    for ref in ("HEAD@{1}", "@{1}", "ORIG_HEAD", "master@{1}"):
        expect(run("git.reset", dir=here, to=ref), "failed", "moves with the reset", what=ref)
    expect(run("git.reset", dir=here, to="origin/master~2"), "changed")
    expect(run("git.reset", dir=here, to="origin/master"), "changed")
    true(git(here, "rev-parse", "HEAD") == head, "HEAD is elsewhere")

    # A clone of one branch: the others of the remote are not fetched.
    git(work, "checkout", "-q", "-b", "release")
    commit(work, "release", r="r\n")
    git(work, "push", "-q", "origin", "release")
    git(work, "checkout", "-q", "master")
    for name, words in (("single", ["--single-branch"]), ("shallow", ["--depth", "1"])):
        git(top, "clone", "-q", *words, bare.as_uri(), str(top / name))
        expect(run("git.rebase", dir=top / name, onto="origin/release"), "failed",
               "fetches master alone, not release: run git -C", what=name)
        expect(run("git.rebase", dir=top / name, onto="origin/nope"), "failed", "no ref 'origin/nope'", what=name)
        git(top / name, "remote", "set-branches", "--add", "origin", "release")
        expect(run("git.rebase", dir=top / name, onto="origin/release"), "changed", "1 commit", what=name)
    git(work, "checkout", "-q", "-b", "older", "HEAD~3")
    commit(work, "older", o="o\n")
    git(work, "push", "-q", "origin", "older")
    git(work, "checkout", "-q", "master")
    git(top / "shallow", "remote", "set-branches", "--add", "origin", "older")
    expect(run("git.rebase", dir=top / "shallow", onto="origin/older"), "failed", "shallow")

    # What a clone is a clone of: as its configuration has it, and a path by what it names.
    home = top.parent / "home"
    (home / "repos").mkdir()
    (home / "repos/p.git").symlink_to(bare)
    git(home, "config", "--file", str(home / ".gitconfig"), f"url.{top}/.insteadOf", "mygit:")
    for name, url in (("alias", "mygit:main.git"), ("relative", "repos/p.git"), ("short", str(top / "main")),
                      ("file", bare.as_uri().replace("%20", " "))):
        expect(run("git.clone", url=url, dir=top / name), "changed", what=name)
        expect(run("git.clone", url=url, dir=top / name), "ok", what=name)
    expect(run("git.clone", url=str(bare), dir=top / "alias"), "ok", what="the alias, by its full name")
    expect(run("git.clone", url=str(bare), dir=top / "relative"), "ok", what="the relative path, by its full name")
    expect(run("git.clone", url="mygit:other.git", dir=top / "alias"), "failed", "is a clone of mygit:main.git, not of mygit:other.git")
    # The URL is a checkout, whose remote-tracking HEAD is another commit than its own.
    git(here, "reset", "-q", "--hard", "HEAD~2")
    result = expect(run("git.clone", url=str(here), dir=top / "of a checkout"), "changed")
    true(result.facts["head"] == git(top / "of a checkout", "rev-parse", "HEAD") == git(here, "rev-parse", "HEAD"),
         "the fact head is not what was cloned")
    # A branch and a tag of one name, and a name that is a pattern.
    git(work, "tag", "both", "HEAD~2")
    git(work, "push", "-q", "origin", "HEAD~1:refs/heads/both", "refs/tags/both")
    result = expect(run("git.clone", url=str(bare), dir=top / "both", ref="both"), "changed")
    true(result.facts["head"] == git(top / "both", "rev-parse", "HEAD"), "not the commit that git clone takes")
    expect(run("git.clone", url=str(bare), dir=top / "pattern", ref="bot*"), "failed", "no branch or tag 'bot*'")


def test_git_foreseen(top):
    """What apply would fail at, the check finds: an identity that is missing, what is in the way."""
    run = checks.place.run
    work, bare = remote_of(top, "main", a="0\n", d__x="x\n")
    here = top / "checkout"
    expect(run("git.clone", url=str(bare), dir=here), "changed")
    config = top.parent / "home/.gitconfig"
    kept = config.read_text() if config.exists() else ""
    config.write_text(kept + "[user]\n\tuseConfigOnly = true\n")
    commit(here, "own", own="o\n")
    push(work, "second", a="1\n")
    for stage in ("check", "apply"):
        expect(run("git.rebase", stage, dir=here, onto="origin/master"), "failed", "no identity to rebase them with", what=stage)
    git(here, "reset", "-q", "--hard", "HEAD~1")
    expect(run("git.rebase", dir=here, onto="origin/master"), "changed", what="nothing of its own needs no identity")
    config.write_text(kept)

    (work / "new").mkdir()
    (work / "folder").mkdir()
    (work / "new/file").write_text("new\n")
    (work / "folder/file").write_text("new\n")
    (work / "plain ü").write_text("new\n")
    push(work, "third")
    expect(run("git.rebase", "check", dir=here, onto="origin/master"), "would_change")
    checks.place.clean()
    # (what lies there, what is named): a file, a directory where a file is to be, a file where a directory is to be
    for path, named in (("new/file", "new/file"), ("plain ü/mine", "plain ü"), ("folder", "folder")):
        mine = here / path
        mine.parent.mkdir(exist_ok=True)
        mine.write_text("mine\n")
        for stage in ("check", "apply"):
            expect(run("git.rebase", stage, dir=here, onto="origin/master"), "failed",
                   f"{here}/{named} is not in git, and origin/master brings", what=f"{stage} {path}")
        true(mine.read_text() == "mine\n", f"{path} was overwritten")
        mine.unlink()
        if mine.parent != here:
            mine.parent.rmdir()
    (here / "new").mkdir()
    (here / "new/other").write_text("mine\n")
    expect(run("git.rebase", dir=here, onto="origin/master"), "changed", what="a directory that both have")
    true((here / "new/other").exists(), "what is not in git is gone")


def test_git_submodules(top):
    run = checks.place.run
    config = top.parent / "home/.gitconfig"
    kept = config.read_text() if config.exists() else ""
    allowed = kept + '[protocol "file"]\n\tallow = always\n'
    config.write_text(allowed)
    allow = ("-c", "protocol.file.allow=always")
    inner, inner_bare = remote_of(top, "inner", s="1\n")
    outer, outer_bare = remote_of(top, "outer", a="1\n")
    first = git(outer, "rev-parse", "HEAD")
    git(outer, *allow, "submodule", "--quiet", "add", str(inner_bare), "lib/sub dir")
    push(outer, "with a submodule")
    one = git(outer, "rev-parse", "HEAD")
    app, sub = top / "app", top / "app/lib/sub dir"

    def clean(at, text):
        true(git(app, "rev-parse", "HEAD") == at, f"the checkout is not at {at}")
        true((sub / "s").read_text() == text, f"the submodule holds {(sub / 's').read_text()!r}, not {text!r}")
        true(git(app, "status", "--porcelain") == "", git(app, "status"))

    # clone: with them, without them, and what was not fetched yet
    expect(run("git.clone", url=str(outer_bare), dir=app, submodules=False), "changed")
    true(not (sub / "s").exists(), "it was fetched though it was not to be")
    expect(run("git.clone", url=str(outer_bare), dir=app, submodules=False), "ok")
    expect(run("git.clone", "check", url=str(outer_bare), dir=app), "would_change", "fetch the submodules lib/sub dir")
    expect(run("git.clone", url=str(outer_bare), dir=app), "changed")
    clean(one, "1\n")
    expect(run("git.clone", url=str(outer_bare), dir=app), "ok")
    expect(run("git.clone", url=str(outer_bare), dir=top / "at once"), "changed")
    true((top / "at once/lib/sub dir/s").exists(), "not fetched")

    # rebase: moved along; the preview of a dry run can be made
    push(inner, "2", s="2\n")
    git(outer / "lib/sub dir", *allow, "pull", "-q", "origin", "master")
    push(outer, "move it")
    two = git(outer, "rev-parse", "HEAD")
    before = snapshot(app)
    result = expect(run("git.rebase", "check", dir=app, onto="origin/master"), "would_change", "1 commit")
    true(snapshot(app) == before and (Path(result.preview) / "lib/sub dir/s").exists(), "the dry run")
    checks.place.clean()
    result = expect(run("git.rebase", dir=app, onto="origin/master"), "changed", "1 commit")
    clean(two, "2\n")
    expect(run("git.rebase", dir=app, onto="origin/master"), "ok")
    # reset, as an undo does it, and forward again
    expect(run("git.reset", dir=app, to=result.facts["before"]), "changed")
    clean(one, "1\n")
    expect(run("git.reset", dir=app, to=one), "ok")
    expect(run("git.rebase", dir=app, onto="origin/master"), "changed")
    clean(two, "2\n")
    # one that somebody has moved by hand is no uncommitted change: moved back, by either
    git(sub, "checkout", "-q", "HEAD~1")
    expect(run("git.rebase", dir=app, onto="origin/master", submodules=False), "ok")
    expect(run("git.reset", dir=app, to=two, submodules=False), "ok")
    expect(run("git.rebase", dir=app, onto="origin/master"), "changed", "move the submodules lib/sub dir")
    clean(two, "2\n")
    git(sub, "checkout", "-q", "HEAD~1")
    expect(run("git.reset", dir=app, to=two), "changed", "move the submodules lib/sub dir")
    clean(two, "2\n")
    # what is uncommitted in it
    (sub / "s").write_text("mine\n")
    push(outer, "more", a="2\n")
    expect(run("git.rebase", dir=app, onto="origin/master"), "failed", "uncommitted changes")
    expect(run("git.reset", dir=app, to=two), "changed", "uncommitted changes are stashed")
    clean(two, "2\n")
    true("mine" in git(sub, "stash", "show", "-p"), "uncommitted changes of the submodule are lost")
    # one left alone is not in the way
    expect(run("git.rebase", dir=app, onto="origin/master", submodules=False), "changed", "1 commit")
    expect(run("git.reset", dir=app, to=one, submodules=False), "changed")
    true((sub / "s").read_text() == "2\n", "it was moved")
    expect(run("git.reset", dir=app, to=one, submodules=False), "ok")
    expect(run("git.reset", dir=app, to=one), "changed", "move the submodules")
    clean(one, "1\n")
    # back to where there was none, and forward again
    expect(run("git.reset", dir=app, to=first), "changed")
    expect(run("git.rebase", dir=app, onto="origin/master"), "changed")
    clean(git(outer, "rev-parse", "HEAD"), "2\n")
    # one that cannot be fetched: all is as it was
    push(inner, "3", s="3\n")
    git(outer / "lib/sub dir", *allow, "pull", "-q", "origin", "master")
    three = git(app, "rev-parse", "HEAD")
    push(outer, "move it again")
    inner_bare.rename(top / "away.git")
    expect(run("git.rebase", dir=app, onto="origin/master"), "failed")
    clean(three, "2\n")
    expect(run("git.rebase", dir=app, onto="origin/master", fetch=False), "failed", "it is back at")
    clean(three, "2\n")
    (top / "away.git").rename(inner_bare)
    expect(run("git.rebase", dir=app, onto="origin/master"), "changed")
    clean(git(outer, "rev-parse", "HEAD"), "3\n")
    # one that is not to be updated stays away
    git(outer, "config", "-f", ".gitmodules", "submodule.lib/sub dir.update", "none")
    push(outer, "none of it")
    expect(run("git.clone", url=str(outer_bare), dir=top / "none"), "changed")
    expect(run("git.clone", url=str(outer_bare), dir=top / "none"), "ok")
    expect(run("git.rebase", dir=top / "none", onto="origin/master"), "ok")
    config.write_text(kept)
