#!/usr/bin/env python3
"""Puts single-line faults into rooms of src/, one at a time, and lists those that the room's unit tests pass.

A fault is one of: a condition is negated, a bound is moved, a statement is left out. The faults are drawn
by a seed, equally over the rooms, from those that compile. Each is put into a copy of the tree
(build/mutate). The exit code is 1 if fewer than 90 % are caught, or fewer than 80 % in one room.

equivalent.txt names faults that change nothing that could be observed, with the reason: they do not count.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ["run", "remote", "journal", "secrets", "ssh", "plan"]
EQUIVALENT = pathlib.Path(__file__).with_name("equivalent.txt")
AT_LEAST, IN_A_ROOM = 90, 80  # percent


@dataclasses.dataclass(frozen=True)
class Fault:
    file: str  # "src/run/run.cc"
    line: int  # from 1
    before: str  # without indentation
    after: str  # "" if the line is left out

    def room(self):
        return self.file.split("/")[1]

    def name(self):
        """What equivalent.txt knows it by: lines move, their text stays."""
        return f"{self.file}: {self.before} -> {self.after or '(left out)'}"


def code_lines(text):
    """(number, line) of those lines that are code alone: no raw strings, comments, preprocessor or joined literals."""
    raw = None
    for number, line in enumerate(text.split("\n"), 1):
        if raw is not None:
            if raw in line:
                raw = None
            continue
        if begin := re.search(r'R"([^(]*)\(', line):
            end = f'){begin[1]}"'
            if end not in line[begin.end() :]:
                raw = end
            continue
        stripped = line.strip()
        if not stripped or stripped.startswith(("//", "#", "/*", "*", '"')):
            continue
        yield number, line


def without_literals(line):
    """The line with the contents of its literals and comments as blanks, of the same length."""
    line = re.sub(r'"(?:\\.|[^"\\])*"', lambda m: '"' + " " * (len(m[0]) - 2) + '"', line)
    line = re.sub(r"'(?:\\.|[^'\\])+'", lambda m: "'" + " " * (len(m[0]) - 2) + "'", line)
    return re.sub(r"//.*", lambda m: " " * len(m[0]), line)


def condition_of(bare):
    """Where the condition of an `if` or `while` stands that is whole on this line: (begin, end)."""
    found = re.match(r"\s*(?:\} else )?(?:if|while) \(", bare)
    if not found:
        return None
    depth, begin = 1, found.end()
    for at in range(begin, len(bare)):
        depth += {"(": 1, ")": -1}.get(bare[at], 0)
        if bare[at] == ";" and depth == 1:
            begin = at + 2  # what stands before it is an initialiser
        if depth == 0:
            declares = re.match(r"(?:const )?(?:auto|[\w:]+(?:<.*>)?)\s*[&*]*\s*\w+ = ", bare[begin:at])
            return None if declares else (begin, at)
    return None


BOUNDS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" + 1", ""), (" - 1", ""),
          (" == ", " != "), (" != ", " == "), (" && ", " || "), (" || ", " && ")]
STATEMENT = re.compile(r"(?:if \(.*\) )?(?:return\b.*|[\w:.\->\[\]*()]+(?:\(.*\)| [-+|&]?= .*)|(?:\+\+|--)[\w.\->]+);$")


def faults_of_line(line, previous):
    """The texts, without indentation, that may stand in the place of a line of code; "" leaves it out."""
    bare = without_literals(line)
    code = bare.rstrip()
    indent = len(line) - len(line.lstrip())
    if "template" in code or "static_assert" in code or "constexpr" in code or code.lstrip().startswith(("for ", "case ")):
        return
    if where := condition_of(bare):
        begin, end = where
        yield (line[:begin] + "!(" + line[begin:end] + ")" + line[end:]).strip()
    for old, new in BOUNDS:
        for found in re.finditer(re.escape(old), bare):
            yield (line[: found.start()] + new + line[found.end() :]).strip()
    whole = indent > 0 and code.count("(") == code.count(")") and STATEMENT.match(code.strip())
    if whole and re.search(r"[;{}:]$|^$", previous) and not re.match(r"return\b", code.strip()):
        yield ""


def faults_of(file, text):
    previous = ""
    for number, line in code_lines(text):
        for after in faults_of_line(line, previous):
            yield Fault(file, number, line.strip(), after)
        previous = without_literals(line).rstrip()


def all_faults(root, room):
    for path in sorted((root / "src" / room).glob("*.cc")):
        yield from faults_of(f"src/{room}/{path.name}", path.read_text(encoding="utf-8"))


def equivalent_faults(text):
    """name -> reason. A line of the file names a fault; an indented line after it says why."""
    reasons, name = {}, None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] != " ":
            name = line.strip()
            reasons[name] = ""
        elif name:
            reasons[name] = (reasons[name] + " " + line.strip()).strip()
    return reasons


class Tree:
    """A copy of the tree that faults are put into."""

    def __init__(self, directory):
        # As in a tree of its own, so that the compiler cache finds what was compiled there.
        self.tree, self.build = directory, directory / "build/dev"
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
        wanted = {name for name in names.decode().split("\0") if name and (ROOT / name).is_file()}
        for path in [path for path in directory.glob("**/*") if path.is_file()]:
            name = str(path.relative_to(directory))
            if not name.startswith("build/") and name not in wanted:
                path.unlink()
        for name in wanted:
            source, copy = ROOT / name, self.tree / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            # What is the same stays, and is not compiled again; a fault that a killed run has left is not the same.
            if not copy.exists() or copy.read_bytes() != source.read_bytes():
                shutil.copy(source, copy)
        self.run(["cmake", "-S", self.tree, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=None",
                  "-DCMAKE_CXX_FLAGS=-O0"], 600) or sys.exit("mutate: cmake fails")

    def run(self, command, seconds):
        """Whether it ends well in this time; all that it has started ends with it."""
        process = subprocess.Popen([str(word) for word in command], cwd=self.tree, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()

    def compile(self, room):
        return self.run(["ninja", "-C", self.build, "--quiet", f"{room}_test"], 3600)

    def test(self, room, seconds):
        return self.run([self.build / f"{room}_test", "--gtest_brief=1", "--gtest_fail_fast"], seconds)

    def put(self, fault):
        path = self.tree / fault.file
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        old = lines[fault.line - 1]
        lines[fault.line - 1] = old[: len(old) - len(old.lstrip())] + fault.after
        path.write_text("\n".join(lines), encoding="utf-8")
        return text

    def restore(self, fault, text):
        (self.tree / fault.file).write_text(text, encoding="utf-8")


def measure(tree, room, count, draw, equivalent, tell):
    """(caught, survivors) of `count` faults of the room that compile."""
    if not tree.compile(room):
        sys.exit(f"mutate: {room}_test does not compile as it is")
    began = time.monotonic()
    if not tree.test(room, 3600):
        sys.exit(f"mutate: {room}_test fails as it is")
    patience = 30 + 5 * (time.monotonic() - began)
    faults = list(all_faults(tree.tree, room))
    draw.shuffle(faults)
    caught, survivors = 0, []
    for fault in faults:
        if caught + len(survivors) == count:
            break
        if fault.name() in equivalent:
            continue
        text = tree.put(fault)
        try:
            if not tree.compile(room):
                continue
            if tree.test(room, patience):
                survivors.append(fault)
                tell(f"SURVIVES {fault.file}:{fault.line}: {fault.before} -> {fault.after or '(left out)'}")
            else:
                caught += 1
                tell(f"caught   {fault.file}:{fault.line}: {fault.before} -> {fault.after or '(left out)'}")
        finally:
            tree.restore(fault, text)
    return caught, survivors


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100, help="faults over all rooms (default: 100)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--room", action="append", choices=ROOMS, help="only this room; may be repeated")
    parser.add_argument("--list", action="store_true", help="print all faults that could be put in, and put none in")
    options = parser.parse_args()
    rooms = options.room or ROOMS
    if options.list:
        for room in rooms:
            for fault in all_faults(ROOT, room):
                print(f"{fault.file}:{fault.line}: {fault.before} -> {fault.after or '(left out)'}")
        return 0
    equivalent = equivalent_faults(EQUIVALENT.read_text(encoding="utf-8"))
    tree = Tree(ROOT / "build/mutate")
    results = {}
    for place, room in enumerate(rooms):
        share = options.count // len(rooms) + (place < options.count % len(rooms))
        # The room's own draw: the same faults, whichever other rooms are measured.
        draw = random.Random(f"{options.seed} {room}")
        results[room] = measure(tree, room, share, draw, equivalent, lambda line: print(line, flush=True))
    enough = True
    print("\nroom      caught  of")
    for room, (caught, survivors) in results.items():
        total = caught + len(survivors)
        print(f"{room:8}  {caught:6}  {total}")
        enough = enough and caught * 100 >= IN_A_ROOM * total
    caught = sum(caught for caught, _ in results.values())
    total = caught + sum(len(survivors) for _, survivors in results.values())
    print(f"{'all':8}  {caught:6}  {total}")
    return 0 if enough and caught * 100 >= AT_LEAST * total else 1


if __name__ == "__main__":
    sys.exit(main())
