#!/usr/bin/env python3
"""The modules that need no host of their own, run here through the real prelude: git, venv, pip,
maintenance, http, file. Each: change needed, nothing needed, dry run, failure with a clear message.

usage: local_test.py [--only PART]... [SHELL...]   by default all parts, in dash, bash, "busybox sh" and mksh
"""
import argparse
import http.server
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import checks
import harness
import playfile
from checks import expect, true
from local_archive import test_git_key, test_log_quiet, test_unpack
from local_by_hand import test_by_hand_files, test_by_hand_git, test_by_hand_http, test_by_hand_more_files, test_by_hand_pip, test_by_hand_texts
from local_files import test_acl, test_file, test_sync
from local_git import test_git, test_git_foreseen, test_git_refs, test_git_submodules
from local_keys import test_sshkey
from local_names import test_dns, test_mail, test_tls
from local_net import test_download, test_wait_port
from local_pip import test_pip, test_pip_paths
from local_text import test_block, test_json, test_line, test_places, test_replace


def test_machine(top):
    """What asks alone: nothing here may restart the machine that the test runs on."""
    run = checks.place.run
    expect(run("machine.reboot", "check", only_if_required=True), "ok" if not os.path.exists("/var/run/reboot-required") else "would_change")
    if os.getuid() == 0:
        expect(run("machine.reboot", "check", message="soon"), "would_change", "reboot")
    else:
        expect(run("machine.reboot", "check"), "failed", "may not reboot the host")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(3)
        code = {"/bad": 502, "/move": 301}.get(self.path, 200)
        host = self.headers["Host"]
        body = f"<!DOCTYPE html>\n<html><body>\n<h1>\x1b[31mhello {host}</h1>\nmore</body>".encode()
        self.send_response(code)
        if code == 301:
            self.send_header("Location", "/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            pass

    def log_message(self, *_):
        pass


def test_http(_, port):
    run = checks.place.run
    base = f"http://127.0.0.1:{port}"
    result = expect(run("http.check", url=f"{base}/", status=200), "ok")
    true(result.facts == {"got": "200"}, f"facts {result.facts}")
    expect(run("http.check", "check", url=f"{base}/", contains="hello 127"), "ok")
    expect(run("http.check", url=f"{base}/", host="coral.example", contains="hello coral.example"), "ok")
    expect(run("http.check", url=f"{base}/bad"), "failed", f"{base}/bad: expected 200, got 502: [31mhello 127.0.0.1")
    expect(run("http.check", url=f"{base}/bad", status=502), "ok")
    expect(run("http.check", url=f"{base}/", contains="-nope"), "failed", "expected '-nope' in the body")
    # One text, not a list of lines of which one is enough; a pattern of no shell; the last newline of a text block is dropped.
    for text in (f"hello 127.0.0.1:{port}</h1>\nmore", "more", "</h1>\nmore\n", "<!DOCTYPE html>\n<html>"):
        expect(run("http.check", url=f"{base}/", contains=text), "ok", what=repr(text))
    for text in ("html\nthis is nowhere", "this is nowhere\n", "more\nhtml", "</h1>\n\nmore", "hel*", "[h]ello", "more\n\n"):
        expect(run("http.check", url=f"{base}/", contains=text), "failed", "in the body", what=repr(text))
    expect(run("http.check", url=f"{base}/move"), "failed", "got 301")
    expect(run("http.check", url=f"{base}/move", follow=True), "ok")
    expect(run("http.check", url=f"{base}/slow", timeout=1), "failed", "got no answer: Operation timed out")
    expect(run("http.check", url="http://127.0.0.1:1/"), "failed", "expected 200, got no answer: Failed to connect")
    expect(run("http.check", url="file:///etc/passwd"), "failed", "not an http")


def test_maintenance(top):
    run = checks.place.run
    path = top / "the page.html"
    message = "We'll be back <soon> & \"sound\"\n`touch /tmp/x` $(id) \\n"
    expect(run("maintenance.place", "check", path=path, message=message), "would_change", "place")
    true(not path.exists(), "a dry run wrote the page")
    expect(run("maintenance.place", path=path, message=message), "changed", "place")
    text = path.read_text()
    true("We'll be back &lt;soon&gt; &amp; \"sound\"\n`touch /tmp/x` $(id) \\n</p>" in text, text)
    true(path.stat().st_mode & 0o777 == 0o644, "mode")
    expect(run("maintenance.place", path=path, message=message), "ok")
    expect(run("maintenance.place", path=path, message="else"), "changed", "another message")
    expect(run("maintenance.place", path=top / "no/page", message="x"), "failed", "no directory")
    expect(run("maintenance.place", path=top, message="x"), "failed", "is a directory")
    expect(run("maintenance.place", path=path, message=""), "failed", "empty")
    true(sorted(p.name for p in top.glob(".cnplay*")) == [], "temporary files left")
    expect(run("maintenance.remove", "check", path=path), "would_change", "remove")
    expect(run("maintenance.remove", path=path), "changed", "remove")
    expect(run("maintenance.remove", path=path), "ok")
    expect(run("maintenance.remove", path=top), "failed", "is a directory")


PARTS = {"maintenance": test_maintenance, "http": test_http, "file": test_file, "acl": test_acl, "sync": test_sync, "json": test_json, "download": test_download, "wait_port": test_wait_port, "line": test_line,
         "block": test_block, "replace": test_replace, "places": test_places, "unpack": test_unpack, "log_quiet": test_log_quiet, "git_key": test_git_key, "dns": test_dns, "mail": test_mail, "tls": test_tls, "sshkey": test_sshkey, "machine": test_machine,
         "git": test_git, "git_refs": test_git_refs, "git_foreseen": test_git_foreseen, "git_submodules": test_git_submodules,
         "pip": test_pip, "pip_paths": test_pip_paths,
         "by_hand_files": test_by_hand_files, "by_hand_more_files": test_by_hand_more_files, "by_hand_texts": test_by_hand_texts, "by_hand_git": test_by_hand_git, "by_hand_pip": test_by_hand_pip,
         "by_hand_http": test_by_hand_http}


SHELLS = ["dash", "bash", "busybox sh", "mksh"]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("shells", nargs="*")
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # pip splits its settings at blanks: the wheels alone lie in a path without.
    with tempfile.TemporaryDirectory(prefix="cnplay modules ") as temp, tempfile.TemporaryDirectory() as served:
        temp = Path(temp)
        wheels = Path(served) / "wheels"
        subprocess.run([sys.executable, playfile.ROOT / "fleet/lib/build_wheels.py", playfile.ROOT / "fleet/packages",
                        wheels, Path(served) / "simple"], check=True)
        checks.venv = temp / "venv"
        shared = {"pip": wheels, "pip_paths": wheels, "http": server.server_port, "download": server.server_port, "wait_port": server.server_port, "by_hand_pip": wheels,
                  "by_hand_http": server.server_port}
        for shell in options.shells or SHELLS:
            begun = time.monotonic()
            checks.every_kind = shell == SHELLS[0]
            top = temp / shell.split()[0]
            home, scratch = top / "home", top / "tmp"
            home.mkdir(parents=True)
            scratch.mkdir()
            checks.place = harness.Place(shell=shell, env={
                "HOME": str(home), "PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels),
                "http_proxy": "", "TMPDIR": str(scratch)})
            if not checks.venv.exists():
                checks.place.run("venv.create", venv=checks.venv)
            for name in options.only or PARTS:
                (top / name).mkdir()
                PARTS[name](top / name, *[shared[name]] if name in shared else [])
            true(os.listdir(scratch) == [], f"left in TMPDIR: {os.listdir(scratch)}")
            print(f"{shell}: {time.monotonic() - begun:.1f} s")
    return checks.report()


if __name__ == "__main__":
    sys.exit(main())
