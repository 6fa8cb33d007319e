#!/usr/bin/env python3
"""Builds wheels from plain directories NAME-VERSION/, and the pages of a simple index over them.

usage: build_wheels.py PACKAGES_DIR WHEELS_DIR INDEX_DIR

A pure-Python wheel is a zip with three files of metadata (PEP 427), so nothing needs to be fetched
to build one. Times in it are fixed: the same source gives the same bytes.
"""
import base64
import hashlib
import os
import sys
import zipfile

EPOCH = (2020, 1, 1, 0, 0, 0)


def build(source, wheels):
    name, version = os.path.basename(source).rsplit("-", 1)
    info = f"{name}-{version}.dist-info"
    extra = os.path.join(source, "METADATA.extra")
    requires = open(extra, encoding="utf-8").read() if os.path.exists(extra) else ""
    files = {}
    for root, dirs, names in os.walk(os.path.join(source, name)):
        dirs[:] = sorted(d for d in dirs if d != "__pycache__")
        for file in sorted(names):
            path = os.path.join(root, file)
            with open(path, "rb") as handle:
                files[os.path.relpath(path, source)] = handle.read()
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}").encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: fleet\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    record = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(data)}")
    record.append(f"{info}/RECORD,,")
    files[f"{info}/RECORD"] = ("\n".join(record) + "\n").encode()
    target = os.path.join(wheels, f"{name}-{version}-py3-none-any.whl")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.external_attr = 0o644 << 16
            wheel.writestr(entry, data)
    return name, target


def main():
    packages, wheels, index = sys.argv[1:]
    os.makedirs(wheels, exist_ok=True)
    projects = {}
    for entry in sorted(os.listdir(packages)):
        source = os.path.join(packages, entry)
        if os.path.isdir(source):
            name, wheel = build(source, wheels)
            projects.setdefault(name, []).append(wheel)
    for name, built in projects.items():
        page = os.path.join(index, name)
        os.makedirs(page, exist_ok=True)
        links = []
        for wheel in built:
            file = os.path.basename(wheel)
            with open(wheel, "rb") as handle:
                data = handle.read()
            with open(os.path.join(page, file), "wb") as handle:
                handle.write(data)
            links.append(f'<a href="{file}#sha256={hashlib.sha256(data).hexdigest()}">{file}</a><br>')
        with open(os.path.join(page, "index.html"), "w", encoding="utf-8") as handle:
            handle.write("<!DOCTYPE html><html><body>\n" + "\n".join(links) + "\n</body></html>\n")
    with open(os.path.join(index, "index.html"), "w", encoding="utf-8") as handle:
        handle.write("<!DOCTYPE html><html><body>\n"
                     + "\n".join(f'<a href="{name}/">{name}</a><br>' for name in projects)
                     + "\n</body></html>\n")


if __name__ == "__main__":
    main()
