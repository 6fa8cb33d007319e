#!/usr/bin/env python3
"""What the README shows of the ten mistakes is what the golden files say, and every link of the documents
leads somewhere."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def shown(readme):
    """The fenced blocks between the marks."""
    part = re.search(r"<!-- mistakes -->(.*?)<!-- /mistakes -->", readme, re.S)
    return re.findall(r"^```\n(.*?)^```$", part[1], re.S | re.M) if part else []


def dead_links(path):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not (path.parent / target).exists():
            yield f"{path.relative_to(ROOT)}: nothing at {target}"


def main():
    problems = []
    golden = [(ROOT / f"tests/golden/compile/ten_mistakes.{kind}").read_text(encoding="utf-8") for kind in ("play", "inv", "txt")]
    blocks = shown((ROOT / "README.md").read_text(encoding="utf-8"))
    if [block.strip() for block in blocks] != [text.strip() for text in golden]:
        problems.append("README.md: the mistakes differ from tests/golden/compile/ten_mistakes.*")
    for path in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("fleet/*.md")]:
        problems.extend(dead_links(path))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
