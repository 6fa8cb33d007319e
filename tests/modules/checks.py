"""What the tests of modules on this machine share: the place that they run in, checks, and repositories."""
import os
import subprocess
import sys
from pathlib import Path

problems = []
place = None  # the shell under test, set by local_test.py
done = 0
every_kind = True  # what does not depend on the shell is asked in one of them
venv = None  # a virtual environment with nothing but pip: to be copied, as making one takes seconds


def where():
    """FILE:LINE of the check that called a function of this file."""
    frame = sys._getframe(2)
    return f"{place.shell[0]}: {Path(frame.f_code.co_filename).name}:{frame.f_lineno}"

def expect(result, outcome, message="", what=""):
    """OUTCOME, a part of the message, and in a failure no more than one line of it."""
    global done
    done += 1
    wrong = result.outcome != outcome or message not in result.message
    wrong = wrong or (outcome == "failed" and "\n" in result.message.strip())
    if wrong:
        problems.append(f"{where()}: {what} expected {outcome} {message!r}\n"
                        f"{result}{result.output[-2000:]}{result.errors[-2000:]}")
    return result


def true(condition, what):
    global done
    done += 1
    if not condition:
        problems.append(f"{where()}: {what}")


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


def report():
    """Prints what was found; the exit code."""
    for problem in problems:
        print(problem)
    print(f"{done} checks, {len(problems)} problems")
    return 1 if problems else 0
