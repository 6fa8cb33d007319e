"""SSH keys of a user, on this machine."""
import os
import subprocess

import checks
from checks import expect, true


def print_of(path):
    return subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True, text=True).stdout.split()[1]


def mode_of(path):
    return oct(path.stat().st_mode & 0o7777)


def test_sshkey(top):
    run = checks.place.run
    key = top / "dot ssh" / "id_key"
    public = key.with_name("id_key.pub")
    former = key.with_name("id_key.former")
    first, second = {"path": key, "comment": "web 1, it's \"the\" $(id)"}, {"path": key, "comment": "after 2026-11"}
    expect(run("sshkey.public", path=key), "failed", "make the key first")
    expect(run("sshkey.rotate", "check", **first), "would_change", f"make {key}")
    true(not key.parent.exists(), "a dry run wrote")
    expect(run("sshkey.rotate", **first), "changed", f"make {key}")
    true((mode_of(key), mode_of(public), mode_of(key.parent)) == ("0o600", "0o644", "0o700"), "modes")
    true(public.read_text().endswith(" " + first["comment"] + "\n"), public.read_text())
    was = print_of(key)
    result = expect(run("sshkey.rotate", **first), "ok")
    true(result.facts == {"public": public.read_text().strip(), "former": ""}, result.facts)
    expect(run("sshkey.forget", path=key), "ok")
    # another comment: a new key, and the former one beside it
    result = expect(run("sshkey.rotate", **second), "changed", "keep the former key")
    true(print_of(former) == was != print_of(key), "the former key is another one")
    true(result.facts["former"].split()[:2] == former.with_name("id_key.former.pub").read_text().split()[:2], result.facts)
    result = expect(run("sshkey.rotate", **second), "ok")
    true(result.facts["former"].endswith(first["comment"]), result.facts)
    result = expect(run("sshkey.public", path=key), "ok", print_of(key))
    true(result.facts == {"public": public.read_text().strip(), "fingerprint": print_of(key)}, result.facts)
    # what was not ended is ended first
    expect(run("sshkey.rotate", **first), "failed", "an earlier rotation was not ended")
    expect(run("sshkey.forget", "check", path=key), "would_change", "remove")
    true(former.exists(), "a dry run removed")
    expect(run("sshkey.forget", path=key), "changed", "remove")
    expect(run("sshkey.forget", path=key), "ok")
    true(sorted(os.listdir(key.parent)) == ["id_key", "id_key.pub"], os.listdir(key.parent))
    # interrupted: between the second name of the former key and the new one; and between its two halves
    os.link(key, former)
    expect(run("sshkey.forget", path=key), "failed", "are the same key")
    expect(run("sshkey.rotate", **first), "changed")
    true(print_of(former) != print_of(key), "interrupted")
    expect(run("sshkey.forget", path=key), "changed")
    public.write_text(public.read_text().replace("A", "B", 1))
    expect(run("sshkey.rotate", **first), "changed")
    expect(run("sshkey.forget", path=key), "changed")
    public.unlink()
    expect(run("sshkey.rotate", **second), "changed")
    expect(run("sshkey.forget", path=key), "changed")
    expect(run("sshkey.rotate", type="ecdsa", **first), "changed")
    true(public.read_text().startswith("ecdsa-"), public.read_text())
    # failures
    expect(run("sshkey.rotate", path=key, comment=""), "failed", "it must be one line")
    expect(run("sshkey.rotate", path=key, comment="a\nb"), "failed")
    expect(run("sshkey.rotate", path=public, comment="a"), "failed", "is not a private key")
    expect(run("sshkey.rotate", path=top, comment="a"), "failed", "is a directory")
    expect(run("sshkey.rotate", path=top / "no" / "dir" / "key", comment="a"), "failed", "there is no directory")
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-P", "", "-f", key], check=True, stdout=subprocess.DEVNULL)
    public.unlink()
    expect(run("sshkey.rotate", path=key, comment="a"), "failed", "without a passphrase")
