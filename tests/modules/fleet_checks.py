"""What the tests of modules on the fleet share: its commands, and checks."""
import subprocess
import sys
from pathlib import Path

import harness

problems = []
done = 0
FLEET = harness.FLEET
SITE = {"dir": "/cnhome", "venv": "/srv/venv", "settings": "staging"}
PROGRAMS = ["gunicorn", "celeryworker", "celerybeat"]


def where():
    """FILE:LINE of the check that called a function of this file."""
    frame = sys._getframe(2)
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def fleet(*words):
    subprocess.run([FLEET, *words], check=True, stdout=subprocess.DEVNULL)


def inside(host, *words, user="root"):
    return subprocess.run([FLEET, "exec", host, "-u", user, *words], capture_output=True, text=True, check=False).stdout


def expect(result, outcome, message="", facts=None):
    global done
    done += 1
    wrong = result.outcome != outcome or message not in result.message
    wrong = wrong or any(result.facts.get(name) != value for name, value in (facts or {}).items())
    wrong = wrong or (outcome == "failed" and "\n" in result.message.strip())
    if wrong:
        problems.append(f"{where()}: expected {outcome} {message!r} {facts or ''}\n"
                        f"{result}{result.output[-3000:]}{result.errors[-3000:]}")
    elif outcome == "failed":
        print(f"    {result.message}")
    return result


def true(condition, what):
    global done
    done += 1
    if not condition:
        problems.append(f"{where()}: {what}")
