#!/usr/bin/env python3
"""Every script of modules/*.play: passes ShellCheck, is POSIX sh to four shells, uses no other names
than it may. And every module is documented, with an example.

usage: shell_test.py [--keep DIR]
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import playfile

SHELLS = (["dash"], ["bash", "--posix"], ["busybox", "sh"], ["mksh"])
# SC2034: parameters that a stage has no use for are assigned all the same.
# SC2317, SC2329: ShellCheck takes the stubs' `exit` for the end of the script.
# SC2119, SC2120: of the stub `ok`, whose text may be left out.
EXCLUDED = "SC2034,SC2119,SC2120,SC2317,SC2329"
STUBS = """\
#!/bin/sh
# What stands before a script on the host: see docs/module-scripts.md.
set -eu
nl='
'
ok() { printf '%s\\n' "${1-}"; exit 0; }
skip() { printf '%s\\n' "${1-}"; exit 0; }
fail() { printf '%s\\n' "${1-}"; exit 1; }
change() { printf '%s\\n' "$1"; }
fact() { printf '%s\\n' "$1" "$2"; }
diff_lines() { cat; }
wanted() { cat; }
noting() { [ -n "$1" ]; }
warn() { printf '%s\\n' "$1" >&2; }
put() { printf '%s' "$1"; }
"""


def main():
    modules = playfile.all_modules()
    problems = []
    keep = Path(sys.argv[2]) if sys.argv[1:2] == ["--keep"] else None
    with tempfile.TemporaryDirectory() as temp:
        folder = keep or Path(temp)
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for module in modules.values():
            if not module.doc:
                problems.append(f"{module.file}:{module.line}: {module.name} has no comment above it")
            if f"{module.name}(" not in module.doc:
                problems.append(f"{module.file}:{module.line}: the comment above {module.name} has no example")
            told = set()
            if "apply" in module.scripts and "commands" not in module.scripts:
                problems.append(f"{module.file}:{module.line}: {module.name} has no `commands`")
            for stage, (text, line) in module.scripts.items():
                if stage == "commands":  # a template: `cnplay docs` makes a script of it, see local_by_hand.py
                    continue
                names = dict.fromkeys(module.params)
                if stage in ("apply", "verify", "preview"):
                    names.update(dict.fromkeys(module.returns))
                if stage == "preview":
                    names["preview"] = None
                for clause, parts in (("sends", ("sum", "size", "mode")), ("renders", ("text", "mode")),
                                      ("fetches", ("sum",))):
                    if clause in module.clauses:
                        name = module.clauses[clause].split(", ")[-1]
                        names.update(dict.fromkeys(f"{name}_{part}" for part in parts))
                if "sends_tree" in module.clauses:
                    name = module.clauses["sends_tree"].split(", ")[0]
                    names.update(dict.fromkeys((f"{name}_manifest", f"{name}_size", f"{name}_seen")))
                    if stage == "apply":
                        names[name + "_file"] = None
                if stage == "apply" and "sends" in module.clauses:
                    names[module.clauses["sends"] + "_file"] = None
                head = STUBS + "".join(f"{name}=$1\n" for name in names)
                path = folder / f"{module.name}.{stage}.sh"
                path.write_text(head + text, encoding="utf-8")
                files.append((path, module, line - head.count("\n") - 1))
                if stage == "check":
                    told = set(re.findall(r"^ *fact ([a-z_]+)", text, re.M))
                elif re.search(r"^ *fact ", text, re.M):
                    problems.append(f"{module.file}: {module.name}: `fact` in {stage}")
            if told != set(module.returns):
                problems.append(f"{module.file}: {module.name}: facts {sorted(told)}, returns {sorted(module.returns)}")
        where = {str(path): (module, shift) for path, module, shift in files}
        for shell in SHELLS:
            for path, module, shift in files:
                run = subprocess.run([*shell, "-n", str(path)], capture_output=True, text=True, check=False)
                if run.returncode or run.stderr:
                    problems.append(f"{module.file}: {shell[0]}: {run.stderr.strip()}")
        run = subprocess.run(["shellcheck", "-s", "sh", "-f", "gcc", "-e", EXCLUDED, *where],
                             capture_output=True, text=True, check=False)
        for line in run.stdout.splitlines():
            path, number, rest = line.split(":", 2)
            module, shift = where[path]
            stage = path.rsplit(".", 2)[1]
            problems.append(f"modules/{module.file}:{int(number) + shift}: {module.name} {stage}: {rest}")
        if run.returncode > 1:
            problems.append(run.stderr)
    for problem in problems:
        print(problem)
    print(f"{len(modules)} modules, {len(files)} scripts, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
