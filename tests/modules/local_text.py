"""The modules that change texts on a host, on this machine."""
import json
import os

import checks
from checks import expect, true


def mode_of(path):
    return oct(path.stat().st_mode & 0o7777)


def nothing_left(top):
    true([p.name for p in top.rglob(".cnplay*")] == [], "a temporary file stayed")


def test_json(top):
    run = checks.place.run
    path = top / "a file.json"
    path.write_text('{\n  "b": "old",\n  "a": {"x.y": 1, "é": "ü"}\n}\n')
    path.chmod(0o640)
    value = "p'w \"q\" \\ $(id) `id` é\ttab"
    expect(run("file.json", "check", path=path, key="b", value=value), "would_change", "b: another value")
    true('"old"' in path.read_text(), "a dry run wrote")
    result = expect(run("file.json", path=path, key="b", value=value), "changed", "b: another value")
    true(value not in str(result) and "old" not in str(result), f"a value is shown: {result}")
    true(json.loads(path.read_text()) == {"b": value, "a": {"x.y": 1, "é": "ü"}}, path.read_text())
    true(path.read_text().startswith('{\n  "b": ') and path.read_text().endswith("}\n"), path.read_text())
    true(mode_of(path) == "0o640", f"the mode was not kept: {mode_of(path)}")
    expect(run("file.json", path=path, key="b", value=value), "ok")
    # a path of keys; JSON values; objects that are made
    expect(run("file.json", path=path, keys=["a", "x.y"], value="2", json=True), "changed", "a.x.y: another value")
    expect(run("file.json", path=path, keys=["a", "x.y"], value=" 2 ", json=True), "ok")
    expect(run("file.json", path=path, keys=["a", "x.y"], value="2"), "changed")
    expect(run("file.json", path=path, keys=["a", "x.y"], value="true", json=True), "changed")
    expect(run("file.json", path=path, keys=["a", "x.y"], value="1", json=True), "changed")
    expect(run("file.json", path=path, key="c.d.e", value='["f", null]', json=True), "changed", "c.d.e: new")
    expect(run("file.json", path=path, key="empty", value=""), "changed", "empty: new")
    true(json.loads(path.read_text())["c"] == {"d": {"e": ["f", None]}}, path.read_text())
    # on one line; through a link; empty object
    flat = top / "flat.json"
    flat.write_text('{"a":1,"b":[1,2]}')
    link = top / "link"
    link.symlink_to(flat)
    expect(run("file.json", path=link, key="c", value="x"), "changed", "new")
    true(link.is_symlink() and flat.read_text() == '{"a":1,"b":[1,2],"c":"x"}', flat.read_text())
    flat.write_text("{}\n")
    expect(run("file.json", path=flat, key="c", value="x"), "changed", "new")
    true(flat.read_text() == '{\n    "c": "x"\n}\n', flat.read_text())
    # failures leave the file as it was
    for text, message in (('{"a": 1, "a": 2}', "a key is there twice"), ("{a}", "it is not JSON: line 1, column 2"),
                          ("[1]", "the parent of the key is not an object"), ("", "it is not JSON")):
        flat.write_text(text)
        expect(run("file.json", path=flat, key="a", value="x"), "failed", message)
        true(flat.read_text() == text, "a refused file was changed")
    flat.write_bytes(b'{"a": "\xff"}')
    expect(run("file.json", path=flat, key="a", value="x"), "failed", "it is not UTF-8")
    expect(run("file.json", path=path, key="b.c", value="x"), "failed", "is not an object")
    expect(run("file.json", path=path, key="b..c", value="x"), "failed", "a part of it is empty")
    expect(run("file.json", path=path, value="x"), "failed", "key: none is given")
    expect(run("file.json", path=path, key="a", keys=["b"], value="x"), "failed", "either key or keys")
    expect(run("file.json", path=path, key="a", value="{", json=True), "failed", "value: it is not JSON")
    expect(run("file.json", path=top / "none", key="a", value="x"), "failed", "there is no file")
    expect(run("file.json", path=top, key="a", value="x"), "failed", "not a plain file")
    if os.getuid():
        top.chmod(0o555)
        expect(run("file.json", path=path, key="b", value="x"), "failed", "may not write into")
        top.chmod(0o755)
    nothing_left(top)


def test_line(top):
    run = checks.place.run
    path = top / "the file"
    path.write_text("# conf\nport 1\nport2\n  indented\\n\nlast")
    path.chmod(0o640)
    odd = "a 'b' \"c\" $(d) `e` \\n \\\\ & /"
    result = expect(run("file.line", "check", path=path, line=odd), "would_change", "add a line")
    true("last" in result.diff and f"+{odd}" in result.diff, result.diff)
    true(path.read_text().endswith("last"), "a dry run wrote")
    expect(run("file.line", path=path, line=odd), "changed", "add a line")
    true(path.read_text() == f"# conf\nport 1\nport2\n  indented\\n\nlast\n{odd}\n" and mode_of(path) == "0o640", path.read_text())
    expect(run("file.line", path=path, line=odd), "ok")
    expect(run("file.line", path=path, line="port 1"), "ok")
    # in the place of another
    expect(run("file.line", path=path, line="port 3", match="^port "), "changed", "replace a line")
    expect(run("file.line", path=path, line="port 3", match="^port "), "ok")
    true(path.read_text().startswith("# conf\nport 3\nport2\n"), path.read_text())
    expect(run("file.line", path=path, line="port2", match="^port "), "changed", "take a line out")
    true(path.read_text().startswith("# conf\nport2\n  ind"), path.read_text())
    expect(run("file.line", path=path, line="x", match="^(port2|last)$"), "failed", "2 lines match")
    # out
    expect(run("file.line", path=path, line=odd, present=False), "changed", "take a line out")
    expect(run("file.line", path=path, line=odd, present=False), "ok")
    expect(run("file.line", path=path, line="", match="ind|last", present=False), "changed")
    true(path.read_text() == "# conf\nport2\n", path.read_text())
    # a file that is not there
    new = top / "new"
    expect(run("file.line", path=new, line="a"), "failed", "there is no file")
    expect(run("file.line", path=new, line="a", present=False), "ok")
    expect(run("file.line", "check", path=new, line="-a", create=True), "would_change", "make")
    expect(run("file.line", path=new, line="-a", create=True), "changed", "make")
    expect(run("file.line", path=new, line="-a", create=True), "ok")
    true(new.read_text() == "-a\n" and mode_of(new) == "0o644", new.read_text())
    # through a link
    link = top / "link"
    link.symlink_to(new)
    expect(run("file.line", path=link, line="b"), "changed")
    true(link.is_symlink() and new.read_text() == "-a\nb\n", "the link was replaced")
    expect(run("file.line", path=path, line="a\nb"), "failed", "several lines")
    expect(run("file.line", path=path, line="a", match="("), "failed", "not an extended regular expression")
    expect(run("file.line", path=top, line="a"), "failed", "is a directory")
    nothing_left(top)


def test_block(top):
    run = checks.place.run
    path = top / "hosts"
    path.write_text("127.0.0.1 localhost\n")
    path.chmod(0o600)
    text = "10.0.0.1 a \\n $(b)\n\n  'c'\n"
    expect(run("file.block", "check", path=path, name="our hosts", block=text), "would_change", "add the block our hosts")
    result = expect(run("file.block", path=path, name="our hosts", block=text), "changed", "add the block our hosts")
    true("+# BEGIN our hosts" in result.diff, result.diff)
    true(path.read_text() == f"127.0.0.1 localhost\n# BEGIN our hosts\n{text}# END our hosts\n" and mode_of(path) == "0o600", path.read_text())
    expect(run("file.block", path=path, name="our hosts", block=text), "ok")
    path.write_text(path.read_text() + "end\n")
    expect(run("file.block", path=path, name="our hosts", block="one"), "changed", "replace the block")
    true(path.read_text() == "127.0.0.1 localhost\n# BEGIN our hosts\none\n# END our hosts\nend\n", path.read_text())
    expect(run("file.block", path=path, name="b", comment=";", block=""), "changed", "add the block b")
    expect(run("file.block", path=path, name="b", comment=";", block="x", present=False), "changed", "take the block b out")
    expect(run("file.block", path=path, name="b", comment=";", block="x", present=False), "ok")
    true("b" not in path.read_text().split("end\n")[1], path.read_text())
    path.write_text("# BEGIN x\na\n")
    expect(run("file.block", path=path, name="x", block="one"), "failed", "once, in this order")
    true(path.read_text() == "# BEGIN x\na\n", "a refused file was changed")
    path.write_text("# END x\na\n# BEGIN x\n")
    expect(run("file.block", path=path, name="x", block="one"), "failed", "once, in this order")
    expect(run("file.block", path=path, name="", block="one"), "failed", "name: ")
    expect(run("file.block", path=path, name="x", block="a\n# END x"), "failed", "a marker of its own")
    new = top / "new"
    expect(run("file.block", path=new, name="x", block="one"), "failed", "there is no file")
    expect(run("file.block", path=new, name="x", block="one", create=True), "changed", "make")
    true(new.read_text() == "# BEGIN x\none\n# END x\n", new.read_text())
    nothing_left(top)


def test_replace(top):
    run = checks.place.run
    path = top / "conf"
    path.write_bytes(b"a = 1\r\nb = 22\nraw \xff\nb = 3")
    path.chmod(0o640)
    expect(run("file.replace", "check", path=path, pattern=r"^b = (\d)$", **{"with": r"b: \1"}), "would_change", "1 lines change")
    expect(run("file.replace", path=path, pattern=r"^b = (\d+)$", **{"with": r"b: \1"}), "changed", "2 lines change")
    true(path.read_bytes() == b"a = 1\r\nb: 22\nraw \xff\nb: 3" and mode_of(path) == "0o640", path.read_bytes())
    expect(run("file.replace", path=path, pattern=r"^b = (\d+)$", **{"with": r"b: \1"}), "ok")
    expect(run("file.replace", path=path, pattern="b: 22", plain=True, **{"with": r"\1 $(x)"}), "changed", "1 lines")
    true(b"\\1 $(x)\n" in path.read_bytes(), path.read_bytes())
    expect(run("file.replace", path=path, pattern="a", **{"with": "aa"}), "failed", "the pattern finds the replacement again")
    expect(run("file.replace", path=path, pattern="(", **{"with": "x"}), "failed", "pattern: it cannot be used")
    expect(run("file.replace", path=path, pattern="(a)", **{"with": r"\2"}), "failed", "pattern: it cannot be used")
    expect(run("file.replace", path=path, pattern="", **{"with": "x"}), "failed", "empty")
    expect(run("file.replace", path=top / "none", pattern="a", **{"with": "b"}), "failed", "there is no file")
    nothing_left(top)


def test_places(top):
    """directory, link, mode, absent"""
    run = checks.place.run
    folder = top / "a" / "b c"
    expect(run("file.directory", "check", path=folder), "would_change", f"make {folder}")
    true(not folder.parent.exists(), "a dry run wrote")
    expect(run("file.directory", path=folder), "changed", "make")
    true(mode_of(folder) == "0o755", mode_of(folder))
    expect(run("file.directory", path=folder), "ok")
    expect(run("file.directory", path=folder, mode="0750"), "changed", "mode 755 -> 750")
    expect(run("file.directory", path=folder, mode="0750"), "ok")
    (folder / "f").write_text("x")
    expect(run("file.directory", path=folder / "f"), "failed", "not a directory")
    expect(run("file.directory", path=folder / "f" / "g"), "failed", "not a directory")
    expect(run("file.directory", path=folder, owner="nobody-here"), "failed", "no user nobody-here")
    expect(run("file.directory", path=folder, mode="x"), "failed", "mode: x is not a mode")

    link = top / "a" / "link"
    expect(run("file.link", "check", path=link, to="b c/f"), "would_change", f"link {link} to b c/f")
    true(not link.is_symlink(), "a dry run wrote")
    expect(run("file.link", path=link, to="b c/f"), "changed")
    expect(run("file.link", path=link, to="b c/f"), "ok")
    true(link.read_text() == "x", "the link leads elsewhere")
    expect(run("file.link", path=link, to=str(folder)), "changed", "b c/f -> ")
    expect(run("file.link", path=link, to="b c"), "changed")  # not into the directory that it led to
    true(os.readlink(link) == "b c" and os.listdir(folder) == ["f"], os.listdir(folder))
    expect(run("file.link", path=link, to="nope"), "failed", "say `dangling: true`")
    expect(run("file.link", path=link, to="-nope", dangling=True), "changed")
    expect(run("file.link", path=folder, to="/"), "failed", "not a link")

    expect(run("file.mode", "check", path=folder / "f", mode="0600"), "would_change", "mode 644 -> 600")
    expect(run("file.mode", path=folder / "f", mode="0600"), "changed", "mode 644 -> 600")
    expect(run("file.mode", path=folder / "f", mode="0600"), "ok")
    (folder / "d").mkdir()
    (folder / "d" / "-g h").write_text("y")
    (folder / "l").symlink_to("/etc/passwd")
    result = expect(run("file.mode", "check", path=folder, mode="0640", dir_mode="0700", recursive=True), "would_change", "4 entries")
    true("-g h" in result.diff, result.diff)
    expect(run("file.mode", path=folder, mode="0640", dir_mode="0700", recursive=True), "changed", "4 entries")
    true([mode_of(folder / n) for n in ("", "d", "f", "d/-g h")] == ["0o700", "0o700", "0o640", "0o640"], "modes")
    expect(run("file.mode", path=folder, mode="0640", dir_mode="0700", recursive=True), "ok")
    true(os.stat("/etc/passwd").st_mode & 0o777 == 0o644, "a link was followed")
    expect(run("file.mode", path=top / "none", mode="0600"), "failed", "there is no")
    expect(run("file.mode", path=folder), "failed", "nothing is given")
    expect(run("file.mode", path=folder / "f", mode="0600", recursive=True), "failed", "not a directory")
    expect(run("file.mode", path=folder / "f", dir_mode="0700"), "failed", "dir_mode: ")

    expect(run("file.absent", "check", path=link), "would_change", "remove the link")
    expect(run("file.absent", path=link), "changed", "remove the link")
    expect(run("file.absent", path=link), "ok")
    expect(run("file.absent", path=folder), "failed", "with 4 entries: write `recursive: true`")
    expect(run("file.absent", path=folder / "f"), "changed", "remove ")
    expect(run("file.absent", path=folder, recursive=True), "changed", "with 3 entries")
    expect(run("file.absent", path=folder.parent), "changed", "remove the directory")
    true(list(top.iterdir()) == [], list(top.iterdir()))
    for place in ("/", "/etc", "/usr/lib", "/home/", "/var/lib/..", "/etc/ssh", os.path.expanduser("~")):
        expect(run("file.absent", "check", path=place, recursive=True), "failed", "by hand", place)
