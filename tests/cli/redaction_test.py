"""Secrets that hosts print, and hosts that steer, over a real sshd: nothing that is shown or kept has a secret in clear.

Needs CNPLAY (the binary); runs a sshd of its own on loopback."""

import base64
import getpass
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
from controller_test import Sshd  # noqa: E402

CNPLAY = os.environ.get("CNPLAY", "cnplay")
VALUE = "VaultS3cr3t-pa55word!x"
DOCUMENT = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQDL\n-----END KEY-----"

ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\n]*(\x07|\x1b\\)|.)")
INVISIBLE = re.compile(r"[\x00-\x20\x7f-\xa0]")

SAY = r'''
printf 'RAW %s\n' "$v"; printf '%s\n' "$t"
a=$(printf '%s' "$v" | cut -c1-6); b=$(printf '%s' "$v" | cut -c7-)
printf 'ESC %s\033[0m%s\n' "$a" "$b"
printf 'GREP '; printf '%s\n' "$v" | grep --color=always S3cr
printf 'NUL %s\000%s\nBEL %s\007%s\nBS %s\010%s\n' "$a" "$b" "$a" "$b" "$a" "$b"
printf 'B64 '; printf '%s' "$v" | base64; printf 'x%s' "$v" | base64; printf 'xx%sy' "$v" | base64
{ printf '%060d' 0; printf '%s' "$v"; } | base64
printf 'HEX '; printf '%s' "$v" | od -An -tx1; printf '%s' "$v" | od -An -tx1 | tr -d ' \n' | tr a-f A-F; echo
printf 'OD '; printf '%s' "$v" | od -An -c
printf 'REV '; printf '%s' "$v" | rev; printf '\nUP '; printf '%s' "$v" | tr a-z A-Z; echo
printf 'JSONU '; printf '%s' "$v" | sed 's/!/\\u0021/'; printf '\nHTML '; printf '%s' "$v" | sed 's/!/\&#33;/'; echo
printf 'SP '; printf '%s' "$v" | sed 's/./& /g'; printf '\nFOLD '; printf '%s' "$v" | fold -w 12; echo
printf 'URL '; printf '%s' "$v" | sed 's/!/%21/'; echo
'''
MODULE = f'''module pad.say "say" {{
 param v: secret<string> "x"
 returns {{ x: string }}
 check sh """
   p=$(head -c 3990 /dev/zero | tr '\\0' y)
   i=0; m=; while [ $i -lt 1000 ]; do m="$m$v"; i=$((i+1)); done
   printf '%s\\n' "$m$m$m$m" | diff_lines
   fact x "$m"
   fail "$p$m"
 """
 apply sh """ : """
}}
module host.names "names" {{
 returns {{ x: string, path: path }}
 check sh """ mkdir -p work; echo pwned >work/a; fact x "$(cat say-name)"; fact path "$PWD/work/a"; ok "hi" """
}}
'''


class Redaction(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="cnplay-redaction-")
        cls.root = pathlib.Path(cls.temporary.name)
        cls.sshd = Sshd(cls.root)
        for folder in ("playbooks", "inventories", "modules"):
            (cls.root / folder).mkdir()
        (cls.root / "inventories/prod.inv").write_text(
            f'inventory prod {{\n ssh {{ user: "{getpass.getuser()}", port: {cls.sshd.port}, identity: "{cls.root}/user", '
            f'known_hosts: "{cls.root}/known_hosts" }}\n group web {{ host web1 {{ address: "127.0.0.1" }} }}\n}}\n')
        (cls.root / "modules/pad.play").write_text(MODULE)
        cls.env = {k: v for k, v in os.environ.items() if not k.startswith("CNPLAY_")}
        cls.env.update(CNPLAY_RUNS=str(cls.root / "runs"), TEST_VALUE=VALUE, TEST_DOCUMENT=DOCUMENT, TERM="dumb")

    @classmethod
    def tearDownClass(cls):
        cls.sshd.stop()
        cls.temporary.cleanup()

    def cnplay(self, *words):
        return subprocess.run([CNPLAY, *words], cwd=self.root, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=120, check=False)

    def run_play(self, text, *options):
        (self.root / "playbooks/p.play").write_text(
            f'play p "p" {{\n hosts web = group("web")\n secret v = env("TEST_VALUE")\n secret t = env("TEST_DOCUMENT")\n{text}\n}}\n')
        return self.cnplay("-i", "prod", "p.play", *options)

    def everything(self, done):
        """All that the last run printed, all that is kept of it, and all that is printed of it later."""
        texts = {"run": done.stdout + done.stderr}
        record = max((self.root / "runs").iterdir())
        for path in record.iterdir():
            texts[path.name] = path.read_bytes()
        texts["show"] = self.cnplay("show", "-v").stdout
        texts["show --json"] = self.cnplay("show", "--json").stdout
        for kind in ("html", "junit", "jsonl"):
            texts[kind] = self.cnplay("report", "--format", kind, "-o", "-").stdout
            self.assertTrue(texts[kind], kind)
        return texts

    def assert_clean(self, texts, *values):
        for where, raw in texts.items():
            text = raw.decode(errors="replace")
            shown = INVISIBLE.sub("", ESCAPES.sub("", text)).lower()
            for value in values:
                forms = {"plain": value, "reversed": value[::-1], "hex": value.encode().hex(),
                         "base64": base64.b64encode(value.encode()).decode()[:-4],
                         "escaped": value.replace("!", "\\u0021"), "entity": value.replace("!", "&#33;"),
                         "percent": value.replace("!", "%21"), "begin": value[:12], "end": value[-12:]}
                for form, needle in forms.items():
                    self.assertNotIn(INVISIBLE.sub("", needle).lower(), shown, f"{form} in {where}")

    def test_in_no_form_anywhere(self):
        done = self.run_play(f' step say on web {{ sh(v: v, t: t) """{SAY}""" }}', "-v")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(b"GREP", done.stdout)
        self.assert_clean(self.everything(done), VALUE, *DOCUMENT.split("\n")[1:3])

    def test_nothing_is_left_where_a_text_is_cut(self):
        done = self.run_play(' step fail on web { sh(v: v) """i=0; while [ $i -lt 4001 ]; do printf %s "$v"; i=$((i+1)); done; '
                             'printf zzz; exit 3""" }')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assert_clean(self.everything(done), VALUE)
        done = self.run_play(" step say on web { pad.say(v: v) }", "--diff")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn(b"yyy", done.stdout)
        self.assert_clean(self.everything(done), VALUE)

    def test_with_the_shells_trace_and_a_failure(self):
        done = self.run_play(' step trace on web { sh(v: v, t: t) """set -x; x="$v"; : "$t"; echo "fail with $v" >&2; exit 4""" }')
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assert_clean(self.everything(done), VALUE, *DOCUMENT.split("\n")[1:3])

    def test_a_short_secret_gets_a_warning(self):
        self.env["TEST_VALUE"] = "abc1"
        try:
            done = self.run_play(' step say on web { sh(v: v, t: t) """echo $v""" }')
        finally:
            self.env["TEST_VALUE"] = VALUE
        self.assertIn(b"the secret `v` has fewer than 6 characters", done.stderr)
        self.assertNotIn(b"the secret `t`", done.stderr)

    def fetched(self, said, to):
        (self.sshd.home / "say-name").write_text(said)
        return self.run_play(f' step a on web {{ let f = host.names() }}\n step b on web {{ file.fetch(src: a.f.path, to: "{to}") }}')

    def test_no_byte_of_a_host_chooses_a_path_here(self):
        whole = self.run_play(" step a on web { let f = host.names() }\n step b on web { file.fetch(src: a.f.path, to: a.f.x) }")
        self.assertEqual(whole.returncode, 3)
        self.assertIn(b"E0308", whole.stderr)
        outside = self.root / "outside"
        for said in ("../outside", "/tmp/cnplay-outside", "..", ".", "a/b", ""):
            done = self.fetched(said, "brought/${a.f.x}")
            self.assertEqual(done.returncode, 1, (said, done.stdout, done.stderr))
            self.assertIn(b"the path of a file on the controller", done.stdout, said)
        self.assertFalse(outside.exists())
        good = self.fetched("name.txt", "brought/${a.f.x}")
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertEqual([p.read_text() for p in self.root.rglob("brought/name.txt")], ["pwned\n"])


if __name__ == "__main__":
    unittest.main()
