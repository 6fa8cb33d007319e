"""What is fetched from the web, and ports, on this machine."""
import hashlib
import socket
import threading
import time
import urllib.request

import by_hand
import checks
from checks import expect, true
from local_text import mode_of, nothing_left


def test_download(top, port):
    run = checks.place.run
    url = f"http://127.0.0.1:{port}/"
    text = urllib.request.urlopen(url).read()
    good = hashlib.sha256(text).hexdigest()
    dest = top / "a file"
    expect(run("file.download", "check", url=url, dest=dest, sum=good), "would_change", "download")
    true(not dest.exists(), "a dry run wrote")
    expect(run("file.download", url=url, dest=dest, sum=good.upper()), "changed", "download")
    true(dest.read_bytes() == text and mode_of(dest) == "0o644", mode_of(dest))
    expect(run("file.download", url=url, dest=dest, sum=good), "ok")
    expect(run("file.download", url="http://127.0.0.1:1/", dest=dest, sum=good), "ok")  # nothing is fetched
    expect(run("file.download", url=url, dest=dest, sum=good, mode="0755"), "changed", "mode 644 -> 755")
    dest.write_text("other")
    expect(run("file.download", url=url, dest=dest, sum=good), "changed", "other content")
    true(dest.read_bytes() == text and mode_of(dest) == "0o755", "content and mode")
    expect(run("file.download", url=url, dest=dest, sum="0" * 64), "failed", f"has the SHA-256 {good}")
    expect(run("file.download", url="http://127.0.0.1:1/", dest=dest, sum="0" * 64), "failed", "cannot be fetched")
    expect(run("file.download", url=f"{url}bad", dest=top / "x", sum="0" * 64), "failed")
    true(dest.read_bytes() == text and not (top / "x").exists(), "a refused file was placed")
    expect(run("file.download", url="file:///etc/passwd", dest=dest, sum=good), "failed", "not an http")
    expect(run("file.download", url=url, dest=dest, sum="12"), "failed", "2 hex digits, not 64")
    expect(run("file.download", url=url, dest=top / "no" / "x", sum=good), "failed", "there is no directory")
    nothing_left(top)
    # Its `commands`, as docs prints them.
    by_hand.typed(checks.place, "file.download", url=url, dest=top / "by hand", sum=good, mode="0600")
    expect(run("file.download", "check", url=url, dest=top / "by hand", sum=good, mode="0600"), "ok")


def test_wait_port(top, port):
    run = checks.place.run
    expect(run("host.wait_port", "check", port=port), "ok")
    expect(run("host.wait_port", "check", port=1, within=1), "failed", "nothing listens on 127.0.0.1 port 1 after 1 s: Connection refused")
    expect(run("host.wait_port", "check", port=1, open=False), "ok")
    expect(run("host.wait_port", "check", port=port, open=False, within=1), "failed", "still answers after 1 s")
    expect(run("host.wait_port", "check", port=0), "failed", "not one of")
    expect(run("host.wait_port", "check", port=80, address="-x"), "failed", "not a name")
    with socket.socket() as later:
        later.bind(("127.0.0.1", 0))
        threading.Timer(1.5, later.listen).start()
        expect(run("host.wait_port", "check", port=later.getsockname()[1], within=20), "ok", "after ")
        time.sleep(0.1)
