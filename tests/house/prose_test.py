#!/usr/bin/env python3
"""The form of the documents, as far as a machine can judge it: words that the glossary replaces, the length of
lines outside of tables and code, and the length of sentences. The words also hold for the texts that users of SPOKEN
read. docs/glossary.md has the words. `prose_test.py --list` prints what the sources' texts hold of them."""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/**/*.md", "fleet/*.md", "tests/**/*.md"]
GENERATED = "tests/golden/"  # output of the program

# What users read of the sources: modules count as a whole, of C++ the string literals.
SPOKEN = ["modules/*.play", "src/**/*.h", "src/**/*.cc"]

MOST_COLUMNS = 100
MOST_WORDS = 28  # a sentence; the aim is 25

# (what is not written, what is written instead)
GLOSSARY = [
    (r"(tak(e|es|en|ing)|took) up|(go|goes|going|gone|went) on with", "resume"),
    (r"(go|goes|going|gone|went) on", "continue"),
    (r"ways? back|(tak(e|es|en|ing)|took) back", "roll back, rollback"),
    (r"mend(s|ed|ing)?", "fix"),
    (r"anew", "again"),
    (r"(to|the|an|is|of|and|in|it|not|then) \1", "the word once"),
    (r"(?<!there )(?<!there's )(is|are) no(?! longer| more)", "not a valid X"),
]

# (document, text of the line, why it may stand)
EXCEPTIONS = [
    ("docs/glossary.md", "", "it lists the words that are not written"),
]


class Sentence:
    def __init__(self, line, text):
        self.line, self.text = line, text

    @property
    def words(self):
        return len(re.findall(r"[^\s]*\w[^\s]*", self.text))


def prose(text):
    """(line number, line) of what is neither code, table nor comment."""
    fenced = commented = False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*(```|~~~)", line):
            fenced = not fenced
            yield number, ""
        elif fenced or line.lstrip().startswith("|"):
            yield number, ""
        else:
            commented = commented or line.startswith("<!--")
            yield number, "" if commented else line
            commented = commented and "-->" not in line


def plain(text):
    """Without markup: code counts as one word, a link as its text."""
    text = re.sub(r"`[^`]*`", "CODE", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return text.replace("**", "").replace("_", " ")


def paragraphs(text):
    """(first line, text) of each paragraph, heading and list item."""
    first, lines = 0, []
    for number, line in [*prose(text), (0, "")]:
        begins = re.match(r"\s*([-*]|\d+\.) |#", line)
        if lines and (not line.strip() or begins):
            yield first, " ".join(lines)
            lines = []
        if line.strip():
            first = first if lines else number
            lines.append(line.strip().lstrip("#").strip())
            if line.startswith("#"):
                yield first, " ".join(lines)
                lines = []


def sentences(text):
    for number, paragraph in paragraphs(text):
        for part in re.split(r"(?<=[.?!:;])[)\"]*\s+", plain(re.sub(r"^([-*]|\d+\.) ", "", paragraph))):
            yield Sentence(number, part)


def problems(name, text):
    for number, line in prose(text):
        columns = len(re.sub(r"`[^`]{60,}`", "CODE", line))  # code is not wrapped
        if columns > MOST_COLUMNS:
            yield number, f"the line has {columns} columns: wrap it at {MOST_COLUMNS}"
    for sentence in sentences(text):
        if sentence.words > MOST_WORDS:
            yield sentence.line, f"a sentence of {sentence.words} words: split it: {sentence.text}"
    for number, paragraph in paragraphs(text):
        for what in words_to_replace(plain(paragraph)):
            yield number, what


def spoken(path, text):
    """(line number, text) of what users read of a source."""
    end = ""  # of the raw string that the line is in: what `cnplay explain` prints
    for number, line in enumerate(text.splitlines(), 1):
        begins = re.search(r'R"([^()\s]*)\(', line)
        if path.suffix == ".play" or end or begins:
            yield number, line
            end = end or (f'){begins[1]}"' if begins else "")
            end = "" if end and end in line else end
        else:
            for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', line.split("//")[0]):
                yield number, literal


def words_to_replace(text):
    for pattern, instead in GLOSSARY:
        if found := re.search(rf"\b(?:{pattern})\b", text, re.I):
            yield f"`{found[0]}`: write `{instead}`"


def excepted(name, text):
    return any(name == document and part in text for document, part, _ in EXCEPTIONS)


def of_sources(patterns):
    for path in sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}):
        for number, text in spoken(path, path.read_text(encoding="utf-8")):
            for what in words_to_replace(text):
                yield f"{path.relative_to(ROOT)}:{number}: {what}: {text.strip()}"


class Prose(unittest.TestCase):
    def test_documents(self):
        found = []
        for path in sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)}):
            name = str(path.relative_to(ROOT))
            if name.startswith(GENERATED):
                continue
            text = path.read_text(encoding="utf-8")
            found += [f"{name}:{number}: {what}" for number, what in problems(name, text) if not excepted(name, what)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_texts_of_sources(self):
        self.assertGreater(len([path for pattern in SPOKEN for path in ROOT.glob(pattern)]), 20)
        found = list(of_sources(SPOKEN))
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_each_rule_finds_what_it_is_for(self):
        for text, count in (("We go on, and mend it anew: it is no file.", 4), ("The way back was taken up.", 2), ("To to continue the the run.", 1),
                            ("There is no file, and it is no longer there.", 0), ("`is no` and `mend` are code.", 0),
                            ("a " * 29 + ".", 1), ("a " * 28 + ".", 0), ("a" * 101, 1), ("```\n" + "a" * 101 + "\n```", 0),
                            ("| " + "a" * 101 + " |", 0)):
            self.assertEqual(len(list(problems("x.md", text))), count, text)


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print("\n".join(of_sources(["modules/*.play", "src/*/*"])))
    else:
        unittest.main()
