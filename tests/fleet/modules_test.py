#!/usr/bin/env python3
"""Runs tests/fleet/modules/*.play with the real binary against the fleet, which must be up. What the
comments in the plays mean is in tests/fleet/modules/README.md.

usage: modules_test.py [MODULE...]     CNPLAY is the binary, by default build/release/cnplay
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CNPLAY = os.environ.get("CNPLAY", str(ROOT / "build/release/cnplay"))
INVENTORY = str(ROOT / "inventories/staging.inv")
FLEET = str(ROOT / "fleet/fleet")
GROUPS = {"web": ["web1", "web2"], "db": ["db1"]}
LINE = re.compile(r"^\d\d:\d\d:\d\d (\S+)\s+(\w+): \S+  ([a-z ]+?)(?:  (.*))?$")


def plays(path):
    """(name, before, whether to run again, [(step, hosts, {dry, first, again})])"""
    before, again, name, steps, step = [], True, None, [], None
    for line in path.read_text(encoding="utf-8").splitlines():
        if name is None:
            if match := re.match(r"# before: (.*)", line):
                before.append(match[1])
            elif line == "# again: no":
                again = False
            elif match := re.match(r"play (\w+)", line):
                name = match[1]
        elif line == "}":
            yield name, before, again, steps
            before, again, name, steps = [], True, None, []
        elif match := re.match(r"  step (\w+) on (\w+)( once)?", line):
            hosts = GROUPS[match[2]]
            step = (match[1], hosts[:1] if match[3] else hosts, {})
            steps.append(step)
        elif match := re.match(r'    # (dry|first|again): ([a-z ]+?)(?: "(.*)")?$', line):
            step[2][match[1]] = (match[2], (match[3] or "").replace('\\"', '"'))


def vendor_fingerprint():
    env = dict(re.findall(r"^(?:export )?(\w+)=(.*)$", subprocess.run(
        [FLEET, "env"], capture_output=True, text=True, check=True).stdout, re.M))
    key = Path(env["FLEET_DIR"].strip("'\"")) / "www/nginx/nginx_signing.key"
    shown = subprocess.run(["gpg", "--show-keys", "--with-colons", str(key)], capture_output=True, text=True, check=True).stdout
    return re.search(r"^fpr:+([0-9A-F]{40}):", shown, re.M)[1]


def run(path, play, stage, state, extra):
    command = [CNPLAY, "-i", INVENTORY, "--play", play, str(path), *extra]
    if stage == "dry":
        command.append("--check")
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=600,
                          stdin=subprocess.DEVNULL, env={**os.environ, "XDG_STATE_HOME": state, "NO_COLOR": "1"})
    found = {}
    for line in done.stdout.splitlines():
        if match := LINE.match(line):
            found[match[2], match[1]] = (match[3], match[4] or "")
    return done, found


CLOUDS = ("aws", "eb", "heroku", "mailgun", "pingdom", "twilio", "zappa")


def main():
    os.chdir(ROOT)  # beside the plays, `modules/` holds plays and no modules
    names = [word for word in sys.argv[1:] if not word.startswith("-")]
    checks, problems, cases = 0, [], 0
    fingerprint = vendor_fingerprint()
    listed = subprocess.run([CNPLAY, "modules"], capture_output=True, text=True, check=True).stdout
    for module in re.findall(r"^(\w+\.\w+)\b", listed, re.M):
        if module.split(".")[0] in CLOUDS:
            continue  # they need no host: tests/modules/cloud_test.py
        if not names and not (ROOT / f"tests/fleet/modules/{module}.play").exists():
            problems.append(f"no case for {module}: write tests/fleet/modules/{module}.play")
    with tempfile.TemporaryDirectory() as state:
        for path in sorted((ROOT / "tests/fleet/modules").glob("*.play")):
            if names and path.stem not in names:
                continue
            begun = time.monotonic()
            for name, before, again, steps in plays(path):
                cases += 1
                subprocess.run([FLEET, "reset"], check=True, stdout=subprocess.DEVNULL)
                for words in before:
                    subprocess.run([FLEET, *shlex.split(words)], check=True, stdout=subprocess.DEVNULL)
                extra = ["-e", f"fingerprint={fingerprint}"] if "param fingerprint" in path.read_text().split(f"play {name} ")[1].split("\n}")[0] else []
                if "param to:" in path.read_text(encoding="utf-8"):
                    extra += ["-e", f"to={state}/{name}/"]  # what is brought here goes with the test
                for stage in ("dry", "first", "again") if again else ("dry", "first"):
                    done, found = run(path, name, stage, state, extra)
                    for step, hosts, expected in steps:
                        if stage not in expected:
                            continue
                        outcome, text = expected[stage]
                        for host in hosts:
                            checks += 1
                            got = found.get((step, host), ("nothing", ""))
                            if got[0] != outcome or text not in got[1]:
                                problems.append(f"{path.name}: {name}, {stage}: {host} {step}: expected {outcome} {text!r}, "
                                                f"got {got[0]} {got[1]!r}\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
                    failing = any(e.get(stage, ("",))[0] == "failed" for _, _, e in steps)
                    checks += 1
                    if (done.returncode != 0) != failing:
                        problems.append(f"{path.name}: {name}, {stage}: exit code {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
            print(f"{path.stem}: {time.monotonic() - begun:.1f} s", flush=True)
        subprocess.run([FLEET, "reset"], check=True, stdout=subprocess.DEVNULL)
    for problem in problems:
        print(problem)
    print(f"{cases} cases, {checks} checks, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
