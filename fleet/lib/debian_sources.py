#!/usr/bin/env python3
"""Prints this machine's apt sources of Debian 12 itself, as one-line entries, main only.

The base of the hosts comes from where the machine's own packages come from (a mirror, a
snapshot); whatever else is configured beside it (vendors' repositories) is left out. A vendor may
name its suite `bookworm` too, but not with a component `main` signed by Debian's keyring.
"""
import glob
import re
import sys

SUITES = {"bookworm", "bookworm-updates", "bookworm-security", "bookworm/updates",
          "stable", "stable-updates", "stable-security", "oldstable", "oldstable-updates",
          "oldstable-security"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def stanzas(text):
    for block in re.split(r"\n\s*\n", text):
        fields, name = {}, None
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def from_deb822(text):
    for f in stanzas(text):
        if "deb" not in f.get("types", "").split() or f.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        for uri in f.get("uris", "").split():
            for suite in f.get("suites", "").split():
                yield uri, suite, f.get("components", "").split(), f.get("signed-by", "")


def from_list(text):
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if match:
            options, uri, suite, components = match.groups()
            signed = re.search(r"signed-by=(\S+)", options or "", re.I)
            yield uri, suite, components.split(), signed.group(1) if signed else ""


def main():
    entries = []
    files = ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*.list")),
             *sorted(glob.glob("/etc/apt/sources.list.d/*.sources"))]
    for name in files:
        try:
            with open(name, encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            continue
        found = from_deb822(text) if name.endswith(".sources") else from_list(text)
        for uri, suite, components, signed in found:
            if suite not in SUITES or "main" not in components:
                continue
            if signed and "debian-archive" not in signed:
                continue
            line = f"deb [signed-by={KEYRING}] {uri} {suite} main"
            if line not in entries:
                entries.append(line)
    if not entries:
        sys.exit("fleet: no Debian 12 source found in /etc/apt/sources.list or /etc/apt/sources.list.d: "
                 "the hosts are made from it; add one with suite bookworm and component main")
    print("\n".join(entries))


if __name__ == "__main__":
    main()
