#!/usr/bin/env python3
"""Prints the slowest tests of several lanes.

usage: slowest.py COUNT LANE=JUNIT[,TIMES]...

JUNIT is what `ctest --output-junit` wrote for the lane. TIMES is a directory of XML files of GoogleTest's
form, one for each test of ctest that runs many tests: these are listed in the place of that one. So are the
parts of a test that prints `PART: 1.2 s`, or `PART:` and at its end `  1.2 s, 0 problems`.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as xml


def cases(path):
    """[(name, seconds)] of a JUnit file; nothing for a file that a stopped lane has not finished."""
    try:
        root = xml.parse(path).getroot()
    except (OSError, xml.ParseError):
        return []
    return [(".".join(filter(None, (case.get("classname"), case.get("name")))), float(case.get("time") or 0))
            for case in root.iter("testcase")]


def printed(text):
    """The parts that a test has printed with their times."""
    part = None
    for line in text.splitlines():
        if match := re.fullmatch(r"([\w. ]+):(?: (\d+\.\d+) s)?", line):
            part = match[1]
            if match[2]:
                yield part, float(match[2])
        elif part and (match := re.fullmatch(r"  (\d+\.\d+) s, \d+ problems", line)):
            yield part, float(match[1])


def of_lane(lane, junit, times):
    try:
        root = xml.parse(junit).getroot()
    except (OSError, xml.ParseError):
        return
    for case in root.iter("testcase"):
        name = case.get("name")
        inner = cases(pathlib.Path(times) / f"{name}.xml") if times else []
        inner = inner or list(printed(case.findtext("system-out") or ""))
        for test, took in inner or [("", float(case.get("time") or 0))]:
            yield took, lane, f"{name}: {test}" if test else name


def main():
    found = []
    for word in sys.argv[2:]:
        lane, _, files = word.partition("=")
        junit, _, times = files.partition(",")
        found += of_lane(lane, junit, times)
    for took, lane, name in sorted(found, reverse=True)[:int(sys.argv[1])]:
        print(f"{took:8.1f} s  {lane:<13} {name}")


if __name__ == "__main__":
    main()
