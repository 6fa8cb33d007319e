#!/usr/bin/python3
"""The `aws` of the tests: runs the vendor's tool against the stand-in of the services, and keeps what it answered; or
gives those answers once more.

A start of the tool costs half a second of CPU time. So the first shell records, and the others replay: each call must
have the arguments (and the files that they name) that the first shell's call had, or the test fails.

CLOUD_TAPE is the file of the answers. CLOUD_URL: where the stand-in listens; without it, the tape is replayed.
"""
import json
import os
import subprocess
import sys

TAPE = os.environ["CLOUD_TAPE"]


def argument(word):
    """`file://PATH` by what is in the file: its name is another one each time."""
    if not word.startswith("file://"):
        return word
    with open(word[7:], encoding="utf-8") as file:
        return "file: " + file.read()


def main():
    words = [argument(word) for word in sys.argv[1:]]
    if "CLOUD_URL" in os.environ:
        run = subprocess.run(["/usr/bin/aws", "--endpoint-url", os.environ["CLOUD_URL"], *sys.argv[1:]],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        with open(TAPE, "a", encoding="utf-8") as tape:
            tape.write(json.dumps([words, run.returncode, run.stdout, run.stderr]) + "\n")
        code, out, err = run.returncode, run.stdout, run.stderr
    else:
        at = TAPE + ".at"
        number = int(open(at, encoding="utf-8").read()) if os.path.exists(at) else 0
        with open(TAPE, encoding="utf-8") as tape:
            lines = tape.read().splitlines()
        if number >= len(lines):
            sys.exit(f"the tape has ended before: aws {' '.join(words)}")
        recorded, code, out, err = json.loads(lines[number])
        if recorded != words:
            sys.exit(f"call {number + 1} of the first shell was: aws {' '.join(recorded)}\nnow it is: aws {' '.join(words)}")
        with open(at, "w", encoding="utf-8") as file:
            file.write(str(number + 1))
    sys.stdout.write(out)
    sys.stderr.write(err)
    return code


if __name__ == "__main__":
    sys.exit(main())
