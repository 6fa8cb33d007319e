#!/usr/bin/env python3
"""The page of the ten mistakes shows what the golden files say; every link of the documents leads to a file and a
heading that exist; every file of the sources that they name exists."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


DOCUMENTS = ["*.md", "docs/**/*.md", "fleet/*.md", "tests/fleet/**/*.md"]


def shown(page):
    """The fenced blocks between the marks."""
    part = re.search(r"<!-- mistakes -->(.*?)<!-- /mistakes -->", page, re.S)
    return re.findall(r"^```\n(.*?)^```$", part[1], re.S | re.M) if part else []


def anchors(text):
    """The names of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    for heading in re.findall(r"^#+ (.*)$", text, re.M):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def dead_links(path):
    text = path.read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", text):
        file = path.parent / target if target else path
        if not file.exists():
            yield f"{path.relative_to(ROOT)}: nothing at {target}"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{path.relative_to(ROOT)}: no heading {anchor} in {target or path.name}"


def missing_files(path):
    for name in re.findall(r"`([a-z]+/\w+\.(?:h|cc))`", path.read_text(encoding="utf-8")):
        if (ROOT / "src" / name.split("/")[0]).is_dir() and not (ROOT / "src" / name).exists():
            yield f"{path.relative_to(ROOT)}: there is no src/{name}"
    for name in re.findall(r"`((?:src|tests|scripts|cmake|grammar|modules|fleet|bench)/[\w./-]*\w)`", path.read_text(encoding="utf-8")):
        if not re.search("NAME|E0123", name) and not (ROOT / name).exists():
            yield f"{path.relative_to(ROOT)}: there is no {name}"


def main():
    problems = []
    golden = [(ROOT / f"tests/golden/compile/ten_mistakes.{kind}").read_text(encoding="utf-8") for kind in ("play", "inv", "txt")]
    blocks = shown((ROOT / "docs/ten-mistakes.md").read_text(encoding="utf-8"))
    if [block.strip() for block in blocks] != [text.strip() for text in golden]:
        problems.append("docs/ten-mistakes.md: differs from tests/golden/compile/ten_mistakes.*")
    for path in sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)}):
        problems.extend([*dead_links(path), *missing_files(path)])
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
