"""Virtual environments and pip, on this machine.

Each line of the scripts is run in every shell. What pip makes of the many kinds of packages is Python's work, and the
same in every shell: that is asked once (`checks.every_kind`), for each question costs a second of CPU time or more.
"""
import shutil

import checks
from checks import commit, expect, git, snapshot, true


def test_pip(top, wheels):
    run = checks.place.run
    venv, file = top / "a venv", top / "re quirements.txt"
    expect(run("venv.create", venv=venv, python="python99"), "failed", "no command 'python99'")
    (top / "full").mkdir(exist_ok=True)
    (top / "full/file").touch()
    expect(run("venv.create", venv=top / "full"), "failed", "is not empty")
    expect(run("venv.create", "check", venv=venv), "would_change", "make")
    true(not venv.exists(), "a dry run made the venv")
    if checks.every_kind:
        expect(run("venv.create", venv=venv), "changed", "make")
        expect(run("venv.create", venv=venv), "ok")
        expect(run("venv.create", venv=venv, system_packages=True), "changed", "false -> true")
        expect(run("venv.create", venv=venv), "changed", "true -> false")
    else:
        shutil.copytree(checks.venv, venv, symlinks=True)
        expect(run("venv.create", "check", venv=venv, system_packages=True), "would_change", "false -> true")
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/nowhere/python")
    expect(run("venv.create", venv=venv), "changed", "repair")
    expect(run("venv.create", venv=venv), "ok")

    expect(run("pip.install", venv=top / "none", requirements=file), "failed", "no virtual environment")
    expect(run("pip.install", venv=venv, requirements=file), "failed", "no requirements file")
    file.write_text("coralbase==1.0\n")
    before = snapshot(venv)
    result = expect(run("pip.install", "check", venv=venv, requirements=file, upgrade=True), "would_change", "coralbase 1.0 (new)")
    true(snapshot(venv) == before, "a dry run changed the venv")
    shown = checks.place.plain(f'"{result.preview}/bin/python" -c "import coralbase; print(coralbase.__file__)"\n').stdout
    true(result.preview and shown.startswith(result.preview), f"the preview does not see coralbase: {shown}")
    expect(run("pip.install", "check", venv=result.preview, requirements=file), "ok", what="in the preview")
    checks.place.clean()
    result = expect(run("pip.install", venv=venv, requirements=file, upgrade=True), "changed", "coralbase 1.0 (new)")
    before = result.facts["freeze"]
    expect(run("pip.install", venv=venv, requirements=file, upgrade=True), "ok")
    file.write_text("coralbase>=1.0\n")
    expect(run("pip.install", venv=venv, requirements=file), "ok", what="without upgrade")
    expect(run("pip.install", "check", venv=venv, requirements=file, upgrade=True), "would_change", "coralbase 1.0 -> 1.1")
    checks.place.clean()
    file.write_text("coralbase==1.1\ncoralgreet==1.0\n")
    result = expect(run("pip.install", venv=venv, requirements=file, upgrade=True), "changed", "coralbase 1.0 -> 1.1, coralgreet 1.0 (new)")
    middle = result.facts["freeze"]
    true("coralbase==1.0" in middle, f"freeze: {middle}")
    file.write_text("coralbase==9\n")
    expect(run("pip.install", venv=venv, requirements=file), "failed", "No matching distribution found for coralbase==9")
    file.write_text("coralbase ==== 1\n")
    expect(run("pip.install", venv=venv, requirements=file), "failed", "Invalid requirement")
    linked_packages(run, venv, file, middle, wheels)
    file.write_text("coralbase==1.1\n")
    # A pip that is too old to tell.
    init = next(venv.glob("lib/python3*/site-packages/pip/__init__.py"))
    text = init.read_text()
    init.write_text(text.replace('__version__ = "', '__version__ = "20.'))
    expect(run("pip.install", venv=venv, requirements=file), "failed", "cannot tell what it would change")
    init.write_text(text)

    # restore
    expect(run("pip.restore", "check", venv=venv, freeze=middle), "would_change", "coralbase 1.1 -> 1.0, coralgreet 1.0 (removed)")
    expect(run("pip.restore", venv=venv, freeze=middle), "changed", "coralbase 1.1 -> 1.0")
    expect(run("pip.restore", venv=venv, freeze=middle), "ok")
    expect(run("pip.restore", venv=venv, freeze=before), "changed", "coralbase 1.0 (removed)")
    expect(run("pip.restore", venv=venv, freeze=middle), "changed", "coralbase 1.0 (again)")
    expect(run("pip.restore", venv=venv, freeze=middle.replace("coralbase==1.0", "coralbase==7")), "failed", "coralbase==7")
    expect(run("pip.restore", venv=venv, freeze=""), "failed", "empty")
    expect(run("pip.restore", venv=venv, freeze="--index-url=http://x\n"), "failed", "not a line of pip freeze")


def linked_packages(run, venv, file, middle, wheels):
    # One that is linked in place is no change each time.
    project = wheels.parent / f"linked-{checks.place.shell[0]}"  # `pip freeze` cannot say a path with blanks
    project.mkdir()
    (project / "setup.py").write_text("from setuptools import setup\nsetup(name='linked', version='1', py_modules=[])\n")
    file.write_text(f"-e {project.as_uri()}#egg=linked\ncoralbase==1.1\ncoralgreet==1.0\n")
    expect(run("pip.install", venv=venv, requirements=file), "changed", "linked 1 (new)")
    expect(run("pip.install", venv=venv, requirements=file), "ok", what="linked in place")
    linked = run("pip.install", "check", venv=venv, requirements=file).facts["freeze"]
    checks.place.plain(f'"{venv}/bin/python" -m pip uninstall -qy linked\n')
    expect(run("pip.restore", venv=venv, freeze=linked), "changed", "(again)")
    expect(run("pip.restore", venv=venv, freeze=linked), "ok")
    expect(run("pip.restore", venv=venv, freeze=middle.replace("==1.0", "==1.1") + "\ncoralgreet==1.0"), "changed", "(removed)")
    if not checks.every_kind:
        return
    # One from a repository.
    git(project, "init", "-q", "-b", "master")
    commit(project, "first")
    file.write_text(f"-e git+{project.as_uri()}#egg=linked\n")
    expect(run("pip.install", "check", venv=venv, requirements=file), "would_change", "linked 1 (new)")
    checks.place.clean()
    true(not (venv / "src").exists(), "a dry run checked out into the venv")
    expect(run("pip.install", venv=venv, requirements=file), "changed", "linked 1 (new)")
    expect(run("pip.install", venv=venv, requirements=file), "ok", what="linked from a repository")
    commit(project, "second", more="x")
    expect(run("pip.install", venv=venv, requirements=file), "changed", "linked 1 (again)")
    checks.place.plain(f'"{venv}/bin/python" -m pip uninstall -qy linked\n')


def test_pip_paths(top, wheels):
    run = checks.place.run
    venv = top / "venv"
    shutil.copytree(checks.venv, venv, symlinks=True)
    # Paths in the file are taken from its own directory, or from where the play says; not from the user's home.
    site = wheels.parent / f"site-{top.parent.name}"
    for folder, name in ((site, "site"), (site / "libs/loc", "loc")):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("x = 1\n")
        (folder / "setup.py").write_text(f"from setuptools import setup\nsetup(name='coral{name}', version='1', packages=['{name}'])\n")
    places = [(site, {}), (site / "requirements", {"base": site})]
    for at, more in places if checks.every_kind else places[1:]:
        at.mkdir(exist_ok=True)
        (at / "all.txt").write_text("-e .\n./libs/loc\n")
        local = {"venv": venv, "requirements": at / "all.txt", **more}
        result = expect(run("pip.install", "check", **local), "would_change", "coralloc 1 (new), coralsite 1 (new)")
        true("/site" in checks.place.plain(f'"{result.preview}/bin/python" -c "import loc; print(loc.__file__)"\n').stdout, "the preview lacks it")
        checks.place.clean()
        expect(run("pip.install", **local), "changed", "coralloc 1 (new), coralsite 1 (new)")
        expect(run("pip.install", **local), "ok", what="a directory that has not changed")
        (site / "libs/loc/loc/__init__.py").write_text(f"x = '{at.name}'\n")
        expect(run("pip.install", **local), "changed", "coralloc 1 (again)", what="other files of the same version")
        true(checks.place.plain(f'"{venv}/bin/python" -c "import loc; print(loc.x)"\n').stdout == f"{at.name}\n", "the new files are not installed")
        expect(run("pip.install", **local), "ok")
        checks.place.plain(f'"{venv}/bin/python" -m pip uninstall -qy coralsite coralloc\n')
    expect(run("pip.install", venv=venv, requirements=local["requirements"], base=site / "nowhere"), "failed", "there is no directory")
