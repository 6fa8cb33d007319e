#!/usr/bin/env python3
"""Which tests can a change have broken? Reads the changed paths from stdin, one a line, and prints lines
`LANE PATTERN`: PATTERN is a regular expression for whole names of ctest, without the number of a shard.
A path that no rule knows prints `everything`.

Rules, first match wins:
  src/ROOM             the room and the rooms that depend on it (docs/architecture.md has the table), and
                       all that runs the program or reads its sources
  grammar              as src/syntax
  modules              the rooms that read modules, the modules' scripts, the fleet
  tests/ROOM, ...      these tests alone
  docs, playbooks, ... see RULES
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "house"))
from rooms_test import MAY  # noqa: E402

PROGRAM = ["scripts faults_.*", "scripts report_(command|notify)", "scripts cli_(vault|output|redaction|documents)", "scripts bench_hosts",
           "scripts protocol_model", "scripts mutation", "scripts playbooks_.*", "fleet fleet_.*"]
HOUSE = ["unit house.*"]
FORM = ["lint ."]


def dependants(room):
    """The room and all that may include it, at once or through others."""
    found = {room}
    while True:
        more = {other for other, may in MAY.items() if may is None or found & set(may)} - found
        if not more:
            return sorted(found)
        found |= more


def units(*rooms):
    return [f"unit {room}" for room in rooms]


ALL_UNITS = units(*sorted(MAY)) + HOUSE
ROOM = "|".join(MAY)

RULES = [
    (rf"src/({ROOM})/", lambda m: units(*dependants(m[1])) + HOUSE + PROGRAM + FORM),
    (r"grammar/", lambda m: units(*dependants("syntax")) + PROGRAM),
    (r"modules/", lambda m: units(*dependants("catalog")) + HOUSE + ["scripts modules_.*", "fleet fleet_.*"]),
    (r"(docs|tests)/protocol/", lambda m: ["scripts protocol_model"] + HOUSE),
    (r"tests/mutation/|scripts/mutate$", lambda m: ["scripts mutation"] + FORM),
    (r"README\.md$", lambda m: units("cli") + HOUSE + ["scripts cli_documents"]),
    (r"docs/errors/", lambda m: units(*dependants("diag")) + HOUSE + ["scripts cli_.*"]),
    (r"docs/|CONTRIBUTING\.md$", lambda m: units("cli") + HOUSE + ["scripts modules_form", "scripts cli_documents"]),
    (r"(playbooks|inventories)/", lambda m: units("syntax", "compile", "cli") + HOUSE + ["scripts playbooks_.*", "fleet fleet_.*"]),
    (r"fleet/", lambda m: ["fleet fleet_.*", "scripts modules_.*"] + HOUSE + FORM),
    (r"bench/", lambda m: ["scripts bench_.*"] + FORM),
    (r"tests/(report|cli|bench|faults|fleet)/(\w+)_test\.py$", lambda m: own_of(m[1], m[2])),
    (r"tests/faults/", lambda m: ["scripts faults_.*"] + FORM),
    (r"tests/fleet/", lambda m: ["fleet fleet_.*"]),
    (r"tests/support/cloud/|tests/modules/cloud_test\.py$", lambda m: ["scripts modules_cloud", "scripts playbooks_cobalt"]),
    (r"tests/playbooks/", lambda m: ["scripts playbooks_cobalt"]),
    (r"tests/modules/", lambda m: ["scripts modules_.*", "fleet fleet_stages"]),
    (r"tests/house/", lambda m: HOUSE),
    (r"tests/golden/", lambda m: ALL_UNITS + ["scripts report_browser"]),
    (r"tests/support/name_server\.py$", lambda m: ["scripts modules_.*", "fleet fleet_launch_test"]),
    (r"tests/support/report/browser\.py$", lambda m: ["scripts report_browser"]),
    (r"tests/support/[^/]+\.h$|tests/support/[^/]+/[^/]+\.(h|cc)$", lambda m: ALL_UNITS + FORM),
    (rf"tests/({ROOM})/", lambda m: units(m[1]) + FORM),
    (r"scripts/(lint|demo|bench|setup|mutate)$|\.clang-(format|tidy)$", lambda m: FORM),
    (r"scripts/hooks$", lambda m: FORM + HOUSE),
    (r"\.(gitignore|editorconfig)$", lambda m: []),
]


def own_of(directory, name):
    """A Python test, and those that import it."""
    if directory == "fleet":
        return [f"fleet fleet_{name}_test"]
    if (directory, name) == ("faults", "controller"):
        return ["scripts faults_.*"]
    return [f"scripts {directory}_{name}"]


def broken_by(paths):
    """The lines for these paths, or None: everything."""
    found = set()
    for path in paths:
        for pattern, tests in RULES:
            if match := re.match(pattern, path):
                found.update(tests(match))
                break
        else:
            return None
    return sorted(found)


def main():
    found = broken_by(line.rstrip("\n") for line in sys.stdin if line.strip())
    print("everything" if found is None else "\n".join(found))


if __name__ == "__main__":
    main()
