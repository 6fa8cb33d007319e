#!/usr/bin/env python3
"""Runs the tests of one Python file, or one share of them, and writes how long each of them took.

usage: timed.py [--share I/N] FILE

--share 2/3 runs the second of three shares: the tests are dealt out in turn, as GoogleTest deals out its
shards. The environment variable TIMES names the file for the times, in the XML that GoogleTest writes.
"""
import importlib
import os
import pathlib
import sys
import time
import unittest
import xml.etree.ElementTree as xml


class Result(unittest.TextTestResult):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.times = []
        self.began = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def stopTest(self, test):
        self.times.append((test.id(), time.monotonic() - self.began))
        super().stopTest(test)


def each(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def share_of(tests, words):
    share, count = (int(number) for number in words.split("/"))
    if not 1 <= share <= count:
        raise SystemExit(f"timed.py: no share {words}: the first of three is 1/3")
    return tests[share - 1::count]


def write_times(path, times):
    root = xml.Element("testsuites")
    suite = xml.SubElement(root, "testsuite", name="python")
    for name, took in times:
        place, _, test = name.rpartition(".")
        xml.SubElement(suite, "testcase", classname=place, name=test, time=f"{took:.3f}")
    path.parent.mkdir(parents=True, exist_ok=True)
    xml.ElementTree(root).write(path, encoding="unicode")


def main():
    words = sys.argv[1:]
    share = words[1] if words[:1] == ["--share"] else "1/1"
    file = pathlib.Path(words[-1]).resolve()
    sys.path.insert(0, str(file.parent))
    module = importlib.import_module(file.stem)
    tests = share_of(list(each(unittest.defaultTestLoader.loadTestsFromModule(module))), share)
    if not tests:
        raise SystemExit(f"timed.py: {file.name} has no test in the share {share}")
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(unittest.TestSuite(tests))
    if "TIMES" in os.environ:
        write_times(pathlib.Path(os.environ["TIMES"]), result.times)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
