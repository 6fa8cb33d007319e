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
                          ("[1]", "what the key is in is not an object"), ("", "it is not JSON")):
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
