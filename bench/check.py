#!/usr/bin/env python3
"""How long `cnplay check` takes for plays of many steps, and that the time grows with their number.

    bench/check.py [CNPLAY]        (default: build/release/cnplay)

Prints a line for each size. Never fails on a time: the tests count work instead (tests/compile/work_test.cc).
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
CNPLAY = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CNPLAY", str(ROOT / "build/release/cnplay"))


def play(steps):
    lines = ['play many "Many steps" {', '  hosts web = group("web")', "  hostvar app: path"]
    for i in range(steps):
        lines.append(f'  step s{i} on web {{ sh(app: app) """test -d "$app" && echo {i}""" }}')
    return "\n".join(lines + ["}", ""])


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "i.inv").write_text('inventory i { vars { app: "/srv" }\n  group web { host web[1..4] } }\n')
        for steps in (1000, 10000):
            (folder / "many.play").write_text(play(steps))
            times = []
            for _ in range(3):
                begin = time.monotonic()
                subprocess.run([CNPLAY, "check", "-i", "i.inv", "many.play"], cwd=folder, check=True,
                               stdout=subprocess.DEVNULL)
                times.append(time.monotonic() - begin)
            print(f"check of {steps} steps: {min(times):.2f} s (at most 1 s is wanted for 10000)")


if __name__ == "__main__":
    main()
