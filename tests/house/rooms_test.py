#!/usr/bin/env python3
"""Reads every #include of src/ against the tables of docs/architecture.md: no arrow may run back.

A room may include itself and the rooms listed for it. Third-party headers are confined to
the rooms that own them, and a room is entered by its faces only where FACES names them.
The members of a class are defined in one .cc file, except for the classes of SPREAD.
"""
import collections
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

# The page for developers has the tables: `| `room` | what it is | what it may include |`, and the faces.
PAGE = SRC.parent / "docs/architecture.md"


def rows(head):
    """The cells of the table of the page that has this head, without the line below it."""
    lines = iter(PAGE.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line == head:
            break
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


# Each room, and the rooms that it may include; None: all.
MAY = {room.strip("`"): None if may == "all" else [other for other in may.split(", ") if other]
       for room, _, may in rows("| room | what it is | may include |")}

# What other rooms may include of a room whose inside is not for them.
FACES = {room.strip("`"): {f"{room.strip('`')}/{face}" for face in re.findall(r"`(\w+\.h)`", faces)}
         for room, faces in rows("| room | faces |")}

# (pattern of an include, rooms that may have it)
THIRD_PARTY = [
    (re.compile(r"^libssh/"), {"ssh"}),
    (re.compile(r"^(antlr4-runtime|Cnplay(Lexer|Parser))"), {"syntax"}),
    (re.compile(r"^boost/asio"), {"connection", "ssh", "local", "remote", "cli"}),
    (re.compile(r"^sodium"), {"plan", "secrets", "remote"}),
    (re.compile(r"^openssl/"), {"base", "secrets"}),
    (re.compile(r"^yaml-cpp/"), {"secrets", "inventory"}),
    (re.compile(r"^CLI/"), {"cli"}),
    (re.compile(r"^spdlog/"), {"cli"}),
    (re.compile(r"^curl/"), {"report"}),
]
# ANTLR is for .cc files and inner headers of syntax/ alone: its faces must not show it.
ANTLR_FREE = {"syntax/ast.h", "syntax/parse.h"}

# Classes whose members are still defined in several files. A class that no longer is leaves the list.
SPREAD = {
    "compile/Builder", "compile/Calls", "compile/Evaluator",
    "run/Preflight",
    "ssh/Core",
    "syntax/Builder",
}

# The definition of a member, at the beginning of a line: its class (the outermost) is group 1.
MEMBER = re.compile(r"^(?!//)[^\s=][^=\n]*?\b([A-Z]\w*)::(?:\w+::)*~?\w+\(|^([A-Z]\w*)::(?:\w+::)*~?\w+\(", re.M)
CLASS = re.compile(r"^(?:class|struct) (\w+)[^;\n]*\{", re.M)

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def violations(files):
    for path, text in files:
        room = path.split("/")[0]
        if room not in MAY:
            yield f"src/{path}: no such room in the table: {room}"
            continue
        for target in INCLUDE.findall(text):
            other = target.split("/")[0]
            if other in MAY and other != room and "/" in target:
                if MAY[room] is not None and other not in MAY[room]:
                    yield f"src/{path} includes {target}: {room}/ may not know {other}/"
                elif other in FACES and target not in FACES[other]:
                    yield f"src/{path} includes {target}: the inside of {other}/ (its faces: {', '.join(sorted(FACES[other]))})"
            for pattern, rooms in THIRD_PARTY:
                if pattern.match(target) and room not in rooms:
                    yield f"src/{path} includes <{target}>: only {', '.join(sorted(rooms))} may"
            if path in ANTLR_FREE and THIRD_PARTY[1][0].match(target):
                yield f"src/{path} shows ANTLR ({target})"


def spread(files):
    """The classes ("room/Class") that a header of the room declares, and the .cc files that define members of each."""
    declared = {f"{path.split('/')[0]}/{name}" for path, text in files if path.endswith(".h") for name in CLASS.findall(text)}
    found = collections.defaultdict(set)
    for path, text in files:
        if path.endswith(".cc"):
            for behind, first in MEMBER.findall(text):
                found[f"{path.split('/')[0]}/{behind or first}"].add(path)
    return {name: sorted(paths) for name, paths in found.items() if name in declared and len(paths) > 1}


def main():
    # The test can fail: a made-up tree with three wrong arrows must give three complaints.
    wrong = [
        ("run/x.cc", '#include "syntax/ast.h"\n'),
        ("plan/x.cc", "#include <libssh/libssh.h>\n"),
        ("remote/x.cc", '#include "ssh/session.h"\n'),
    ]
    assert len(list(violations(wrong))) == 3, list(violations(wrong))

    halves = [
        ("run/x.h", "class X {\n"),
        ("run/x.cc", "X::X() {}\nint X::one() const {\n  Y::other(1);\n"),
        ("run/y.cc", "std::optional<X::Part> X::two(int a,\n"),
        ("run/z.cc", "const int kOne = X::three(1);\n  X::four();\n// X::five() is not here\n"),
    ]
    assert spread(halves) == {"run/X": ["run/x.cc", "run/y.cc"]}, spread(halves)

    files = [
        (str(p.relative_to(SRC)), p.read_text(encoding="utf-8"))
        for p in sorted(SRC.rglob("*"))
        if p.suffix in {".h", ".cc"}
    ]
    assert len(files) > 10, "src/ was not found"
    assert set(MAY) == {path.name for path in SRC.iterdir() if path.is_dir()}, sorted(MAY)
    assert FACES and not [face for faces in FACES.values() for face in faces if not (SRC / face).exists()], FACES
    found = list(violations(files))
    classes = spread(files)
    found += [f"src/{name}: its members are defined in {', '.join(paths)}" for name, paths in classes.items() if name not in SPREAD]
    found += [f"src/{name} is in one file: take it from SPREAD" for name in sorted(SPREAD - set(classes))]
    for line in found:
        print(line)
    print(f"{len(files)} files, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
