#!/usr/bin/env python3
"""Runs the stages of one module through the real prelude, without the engine.

usage: harness.py [--on HOST] [--as USER] [--shell SHELL] [--check] [--preflight] MODULE NAME=VALUE...

--on runs it inside a host of the fleet (fleet/fleet exec), else it runs here. --check is a dry run: the
check, then the preview, whose directory is left for you. A VALUE may hold newlines (items of a list).
"""
import argparse
import itertools
import os
import secrets
import subprocess
import sys

import playfile

MODULES = playfile.all_modules()
FLEET = str(playfile.ROOT / "fleet/fleet")
ids = itertools.count(1)


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


class Result:
    def __init__(self):
        self.stages = []  # (stage, exit code, verdict, message)
        self.facts = {}
        self.diff = ""
        self.wanted = ""  # of a tree: the numbers of lines of its list
        self.preview = ""
        self.output = ""
        self.errors = ""

    @property
    def outcome(self):
        by = {stage: (code, verdict) for stage, code, verdict, _ in self.stages}
        for stage, (code, verdict) in by.items():
            if verdict == "fail" or code:
                return "failed"
        if "apply" in by:
            return "failed" if by.get("verify", (0, "ok"))[1] not in ("ok", "") else "changed"
        if "preflight" in by:
            return by["preflight"][1] or "failed"
        return {"ok": "ok", "skip": "skipped", "change": "would_change"}.get(by["check"][1], "failed")

    @property
    def message(self):
        said = [(verdict, message) for _, _, verdict, message in self.stages if verdict]
        failed = [message for verdict, message in said if verdict == "fail"]
        if failed:
            return failed[0]
        if self.outcome == "failed":
            return f"no verdict, or an exit code: {self.stages}"
        return said[0][1] if said else ""

    def __str__(self):
        text = f"{self.outcome}: {self.message}\n"
        text += "".join(f"  {stage}: exit {code}, {verdict or 'no verdict'} {message}\n"
                        for stage, code, verdict, message in self.stages)
        text += "".join(f"  fact {name} = {value!r}\n" for name, value in self.facts.items())
        text += "".join(f"  | {line}\n" for line in self.diff.splitlines())
        if self.preview:
            text += f"  preview {self.preview}\n"
        return text


class Place:
    """Where scripts run: here, or on a host of the fleet; as whom; in which shell."""

    def __init__(self, host=None, user=None, shell="sh", env=None, path=None):
        """`path`: a directory before the others, as the statement `path` of a play adds it."""
        self.lines = f"PATH={quote(path)}:$PATH\nexport PATH\n" if path else ""
        self.shell = shell.split()
        self.command = ([FLEET, "exec", host, *(["-u", user] if user else []), "env"] if host else ["env"])
        self.command += [f"{k}={v}" for k, v in (env or {}).items()] + self.shell
        self.run_id = secrets.token_hex(6)
        self.host, self.user = host, user

    def run(self, name, stage="apply", /, given=None, **values):
        """`given`: what the engine gives a module that sends, renders or fetches, beside its parameters."""
        module = MODULES[name]
        unknown = set(values) - set(module.params)
        if unknown:
            raise ValueError(f"{name} has no parameter {unknown}")
        lines = self.lines
        for param, (type_, default, _) in module.params.items():
            if param in values:
                value = playfile.shell_value(values[param])
            elif default is None and not type_.endswith("?"):
                raise ValueError(f"{name}: {param} is missing")
            else:
                value = playfile.default_value(type_, default)
            lines += f"{param}={quote(value)}\n"
        lines += "".join(f"{key}={quote(value)}\n" for key, value in (given or {}).items())
        script = {stage: text for stage, (text, _) in module.scripts.items()}
        nonce, task = secrets.token_hex(16), str(next(ids))
        verify = module.verify if not (module.verify == "check" and "check" not in script) else "none"
        words = [task, stage, "0", verify, lines, script.get("check", ""), script.get("apply", ""),
                 script.get("verify", ""), script.get("preview", ""), script.get("preflight", ""), "", "", "end-" + task]
        text = (f"_cn_n={nonce}\n_cn_id={self.run_id}\n_cn_k=0123456789abcdef\n_cn_r='\x1e'\n{playfile.prelude()}"
                "_cn_run " + " ".join(quote(word) for word in words) + "\n")
        run = subprocess.run(self.command, input=text.encode(), capture_output=True, check=False, timeout=600)
        return parse(run.stdout.decode(errors="replace"), run.stderr.decode(errors="replace"), nonce, task)

    def plain(self, script):
        """A script of the test's own."""
        return subprocess.run(self.command, input=script, capture_output=True, text=True, check=False)

    def clean(self):
        self.plain(f'rm -rf "${{XDG_STATE_HOME:-$HOME/.local/state}}/cnplay/run-{self.run_id}"\n')


def parse(out, err, nonce, task):
    result = Result()
    mark = "\x1e" + nonce + " "
    said, stage = {}, None
    parts = err.split(mark)
    result.errors = parts[0]
    i = 1
    while i < len(parts):
        head, _, rest = parts[i].partition("\n")
        if head.startswith("B "):
            stage = head[2:]
        elif head.startswith("V "):
            # What follows up to the marker v is the message.
            verdict = head[2:]
            if not (stage == "check" and said.get((stage,), ("",))[0] == "change" and verdict == "change"):
                if (stage,) in said and verdict != "fail":
                    verdict, rest = "fail", f"`{verdict}` after `{said[(stage,)][0]}`"
                said[(stage,)] = (verdict, rest)
            rest = ""
        result.errors += rest
        i += 1
    ended, stage = False, None
    for part in out.split(mark)[1:]:
        head, _, rest = part.partition("\n")
        word = head.split(" ")
        if word[0] == "B":
            stage = word[1]
        elif word[0] == "X":
            verdict, message = said.get((word[1],), ("", ""))
            result.stages.append((word[1], 0 if verdict and verdict != "change" else int(word[2]), verdict, message))
        elif word[0] == "F":
            if stage == "check":
                result.facts[word[1]] = rest
            rest = ""
        elif word[0] == "D":
            if stage == "check":
                result.diff += rest
            rest = ""
        elif word[0] == "W":
            if stage == "check":
                result.wanted += rest
            rest = ""
        elif word[0] == "P":
            result.preview = rest
            rest = ""
        elif word[0] == "E":
            ended = head == f"E {task} out"
        result.output += rest
    if not ended:
        raise RuntimeError(f"the shell ended early:\n{out}\n{err}")
    return result


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--on")
    parser.add_argument("--as", dest="user")
    parser.add_argument("--shell", default="sh")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--preflight", action="store_true")
    parser.add_argument("module")
    parser.add_argument("values", nargs="*")
    options = parser.parse_args()
    place = Place(options.on, options.user, options.shell)
    mode = "check" if options.check else "preflight" if options.preflight else "apply"
    result = place.run(options.module, mode, **dict(value.split("=", 1) for value in options.values))
    sys.stdout.write(result.output)
    sys.stderr.write(result.errors)
    print(result, end="")
    if not result.preview:
        place.clean()
    return 0 if result.outcome != "failed" else 1


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
