"""The vault as a person meets it: at a terminal, in a pipe, with an editor, in a run.

Needs CNPLAY (the binary); runs a sshd of its own on loopback."""

import getpass
import json
import os
import pathlib
import pty
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "faults"))
from controller_test import Sshd  # noqa: E402

CNPLAY = os.environ.get("CNPLAY", "cnplay")
PASSWORD = "correct horse battery"


class Terminal:
    """A command on a terminal of its own; each answer is typed when a question has been asked."""

    def __init__(self, argv, answers, cwd, env, stdin=None):
        self.screen = b""
        read_end = None
        if stdin is not None:
            read_end, write_end = os.pipe()
            os.write(write_end, stdin)
            os.close(write_end)
        pid, terminal = pty.fork()
        if pid == 0:
            if read_end is not None:
                os.dup2(read_end, 0)
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        if read_end is not None:
            os.close(read_end)
        signal.alarm(120)  # a question that nobody expects would be waited for
        at = 0
        while True:
            try:
                got = os.read(terminal, 4096)
            except OSError:  # the terminal is closed
                break
            if not got:
                break
            self.screen += got
            if answers and self.screen[at:].rstrip(b"\r\n").endswith(b": "):
                at = len(self.screen)
                os.write(terminal, answers.pop(0).encode() + b"\n")
        _, status = os.waitpid(pid, 0)
        signal.alarm(0)
        os.close(terminal)
        self.code = os.waitstatus_to_exitcode(status)
        self.text = self.screen.decode()
        self.unasked = answers


class Vault(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-vault-")
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        (self.root / "inventories").mkdir()
        (self.root / "inventories/prod.inv").write_text('inventory prod {\n  group web { host web1 }\n}\n')
        self.vault = self.root / "inventories/prod.vault"
        self.key = self.root / "key"
        self.key.write_text(PASSWORD + "\n")
        self.key.chmod(0o600)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("CNPLAY_")}
        self.env["CNPLAY_RUNS"] = str(self.root / "runs")

    def run_in(self, *words, stdin="", env=None, code=0):
        done = subprocess.run([CNPLAY, *words], cwd=self.root, env={**self.env, **(env or {})}, input=stdin,
                              capture_output=True, text=True, start_new_session=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def vaults(self, action, *words, **more):
        return self.run_in("vault", action, "-i", "prod", "--vault-key-file", str(self.key), *words, **more)

    def made(self, **values):
        self.vaults("init")
        for path, value in values.items():
            self.vaults("set", path.replace("__", "/"), stdin=value)

    def typed(self, words, answers, stdin=None):
        return Terminal([CNPLAY, *words], answers, self.root, self.env, stdin)

    # ---- at the terminal

    def test_typed_without_an_echo(self):
        init = self.typed(["vault", "init", "-i", "prod"], [PASSWORD, PASSWORD])
        self.assertEqual(init.code, 0, init.text)
        self.assertEqual(stat.S_IMODE(self.vault.stat().st_mode), 0o600)
        put = self.typed(["vault", "set", "-i", "prod", "db/password"], [PASSWORD, "hush hush", "hush hush"])
        self.assertEqual(put.code, 0, put.text)
        for screen in (init.text, put.text):
            self.assertNotIn("hush", screen)
            self.assertNotIn(PASSWORD, screen)
        got = self.typed(["vault", "get", "-i", "prod", "db/password"], [PASSWORD])
        self.assertEqual(got.code, 0, got.text)
        self.assertTrue(got.text.endswith("hush hush\r\n"), got.text)

    def test_two_that_differ_write_nothing(self):
        init = self.typed(["vault", "init", "-i", "prod"], [PASSWORD, PASSWORD + "x"])
        self.assertEqual(init.code, 2)
        self.assertIn("the two passwords differ", init.text)
        self.assertFalse(self.vault.exists())
        self.made()
        before = self.vault.read_bytes()
        put = self.typed(["vault", "set", "-i", "prod", "a"], [PASSWORD, "one", "two"])
        self.assertEqual(put.code, 2)
        self.assertIn("the two values differ", put.text)
        self.assertEqual(self.vault.read_bytes(), before)

    def test_the_value_of_a_pipe_and_the_password_of_the_terminal(self):
        self.made()
        put = self.typed(["vault", "set", "-i", "prod", "key"], [PASSWORD], stdin=b"line one\nline two\n")
        self.assertEqual(put.code, 0, put.text)
        self.assertEqual(self.vaults("get", "key").stdout, "line one\nline two\n")

    # ---- other ways to the password

    def test_key_file_command_and_environment(self):
        self.made(a="value a")
        by_file = self.run_in("vault", "get", "-i", "prod", "a", env={"CNPLAY_VAULT_KEY_FILE": str(self.key)})
        by_word = self.run_in("vault", "get", "-i", "prod", "a", "--vault-key-command", f"cat {self.key}")
        by_name = self.run_in("vault", "get", "-i", "prod", "a", env={"CNPLAY_VAULT_KEY_COMMAND": f"cat {self.key}"})
        self.assertEqual({by_file.stdout, by_word.stdout, by_name.stdout}, {"value a\n"})
        self.key.chmod(0o644)
        self.assertIn("chmod 600", self.vaults("get", "a", code=2).stderr)
        nobody = self.run_in("vault", "get", "-i", "prod", "a", code=2)
        self.assertIn("there is no terminal", nobody.stderr)
        self.assertIn("--vault-key-file", nobody.stderr)

    def test_what_goes_wrong_is_said_and_changes_nothing(self):
        self.assertIn("there is no vault inventories/prod.vault", self.vaults("list", code=2).stderr)
        self.made(db__password="value a")
        good = self.vault.read_bytes()
        self.assertIn("exists", self.vaults("init", code=2).stderr)
        self.assertIn("did you mean `db/password`?", self.vaults("get", "db/pasword", code=2).stderr)
        self.assertIn("the value is empty", self.vaults("set", "b", stdin="\n", code=2).stderr)
        self.assertIn("no former value", self.vaults("get", "--former", "db/password", code=2).stderr)
        wrong = self.root / "wrong"
        wrong.write_text("another one\n")
        wrong.chmod(0o600)
        for action in (["get", "db/password"], ["set", "b"], ["list"], ["edit"], ["rekey"]):
            done = self.run_in("vault", action[0], "-i", "prod", "--vault-key-file", str(wrong), *action[1:], stdin="x", code=2)
            self.assertIn("wrong password for inventories/prod.vault", done.stderr)
        self.assertEqual(self.vault.read_bytes(), good)
        flipped = good[:300] + bytes([good[300] ^ 4]) + good[301:]
        newer = good.replace(b"cnplay-vault 1", b"cnplay-vault 2")
        for bad in (flipped, good[:-40], newer, b"", b"else\n"):
            self.vault.write_bytes(bad)
            for action in (["get", "db/password"], ["set", "b"], ["list"], ["edit"], ["rekey"], ["init"]):
                self.assertIn("inventories/prod.vault", self.vaults(*action, stdin="x", code=2).stderr)
            self.assertEqual(self.vault.read_bytes(), bad)

    def test_rekey(self):
        self.made(a="value a")
        other = self.root / "other"
        other.write_text("quite another one\n")
        other.chmod(0o600)
        self.vaults("rekey", "--new-vault-key-file", str(other))
        self.assertIn("wrong password", self.vaults("get", "a", code=2).stderr)
        self.key = other
        self.assertEqual(self.vaults("get", "a").stdout, "value a\n")

    def test_list(self):
        self.made(b="value b", a="value a")
        self.assertEqual(self.vaults("list").stdout, "a\nb\n")
        self.assertEqual(json.loads(self.vaults("list", "--json").stdout),
                         {"version": 1, "paths": [{"path": "a", "former": False}, {"path": "b", "former": False}]})

    # ---- the editor

    def editor(self, script):
        path = self.root / "editor"
        path.write_text("#!/bin/sh\nset -eu\n" + script)
        path.chmod(0o700)
        return {"EDITOR": str(path) + " --wait", "VISUAL": "", "LOG": str(self.root / "log"), "XDG_RUNTIME_DIR": ""}

    def test_edit(self):
        self.made(a="value a", b="value b", key="one\ntwo")
        done = self.vaults("edit", env=self.editor(
            '[ "$1" = --wait ]\necho "$2" > "$LOG"; stat -c %a "$2" "${2%/*}" >> "$LOG"\n'
            'sed -i -e /value.b/d -e "s/value a/value c/" "$2"\necho "new: fresh" >> "$2"\n'))
        self.assertIn("3 secrets", done.stdout)
        self.assertEqual(self.vaults("list").stdout, "a\nkey\nnew\n")
        self.assertEqual(self.vaults("get", "a").stdout, "value c\n")
        self.assertEqual(self.vaults("get", "key").stdout, "one\ntwo\n")
        path, *modes = (self.root / "log").read_text().split()
        self.assertEqual(modes, ["600", "700"])
        self.assertFalse(pathlib.Path(path).parent.exists())

    def test_an_edit_that_fails_changes_nothing(self):
        self.made(a="value a")
        before = self.vault.read_bytes()
        done = self.vaults("edit", env=self.editor('echo "$2" > "$LOG"; exit 3\n'), code=2)
        self.assertIn("exit code 3", done.stderr)
        again = self.vaults("edit", env=self.editor('echo "a: [1]" > "$2"; echo x >> "$LOG"\n'), code=2)
        self.assertIn("line 1", again.stderr)
        self.assertEqual(self.vault.read_bytes(), before)
        self.assertFalse(pathlib.Path((self.root / "log").read_text().split()[0]).parent.exists())

    def test_a_mistake_is_shown_and_mended(self):
        self.made(a="value a")
        self.vaults("edit", env=self.editor(
            'if grep -q "^# WRONG: inventories/prod.vault, line" "$2"; then echo "a: mended" > "$2"; else echo "a: [1]" > "$2"; fi\n'))
        self.assertEqual(self.vaults("get", "a").stdout, "mended\n")

    def test_nobody_else_writes_while_it_is_edited(self):
        self.made(a="value a")
        self.vaults("edit", env=self.editor(
            f'echo x | {CNPLAY} vault set -i prod --vault-key-file {self.key} b 2> "$LOG" || true\necho "c: d" >> "$2"\n'))
        self.assertIn("is being written by", (self.root / "log").read_text())
        self.assertEqual(self.vaults("list").stdout, "a\nc\n")

    # ---- compiling

    def play(self, text):
        (self.root / "p.play").write_text('play p "A play" {\n  hosts web = group("all")\n' + text + "}\n")

    def test_check_names_what_is_not_there(self):
        self.made(prod__key="value")
        self.play('  secret key = vault("prod/kye")\n  step s on web { sh """true""" }\n')
        done = self.run_in("check", "-i", "prod", "p.play", "--vault-key-file", str(self.key), code=3)
        self.assertIn("error[E0306]: the vault has no `prod/kye`\n  --> p.play:3:22\n", done.stderr)
        self.assertIn("did you mean `prod/key`?", done.stderr)
        self.run_in("check", "-i", "prod", "p.play")  # nobody to ask: not held against it
        self.vault.write_bytes(self.vault.read_bytes()[:-3])
        self.assertIn("error[E0307]", self.run_in("check", "-i", "prod", "p.play", code=3).stderr)
        self.vault.unlink()
        self.assertIn("error[E0307]: there is no vault inventories/prod.vault",
                      self.run_in("check", "-i", "prod", "p.play", code=3).stderr)

    def test_help_and_explain(self):
        self.assertIn("rekey", self.run_in("vault", "--help").stdout)
        self.assertIn("inventories/prod.vault", self.run_in("explain", "E0306").stdout)
        self.run_in("vault", "get", "-i", "prod", "a", "--vault-key-file", "x", "--vault-key-command", "y", code=2)


class Runs(Vault):
    """With a host."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="cnplay-vault-sshd-")
        cls.sshd = Sshd(pathlib.Path(cls.temporary.name))

    @classmethod
    def tearDownClass(cls):
        cls.sshd.stop()
        cls.temporary.cleanup()

    def setUp(self):
        super().setUp()
        d = self.sshd.directory
        (self.root / "inventories/prod.inv").write_text(f'''inventory prod {{
  ssh {{ user: "{getpass.getuser()}", port: {self.sshd.port}, identity: "{d}/user", known_hosts: "{d}/known_hosts" }}
  host web1 {{ address: "127.0.0.1" }}
}}
''')
        self.file = self.root / "on_the_host"

    MODULE = '''module keep.value "Keep a value"  {
  param value: secret<string>  "what"
  param file: path  "where"
  param then: string = "true"  "what is done after it"
  check sh """
    [ "$(cat "$file" 2>/dev/null)" = "$value" ] && ok
    change "write it"
  """
  apply sh """
    printf '%s' "$value" > "$file"
    echo "it is $value now"
    $then
  """
}
'''

    def write(self, secret, then="true"):
        (self.root / "modules").mkdir(exist_ok=True)
        (self.root / "modules/keep.play").write_text(self.MODULE)
        self.play(f'  secret key = {secret}\n  step s on web {{ keep.value(value: key, file: "{self.file}", then: "{then}") }}\n')

    def cnplay(self, *words, **more):
        return self.run_in("-i", "prod", "p.play", "-F", "none", "-v", "--vault-key-file", str(self.key), *words, **more)

    def everything_on_record(self):
        return "".join(f.read_text() for f in (self.root / "runs").rglob("*") if f.is_file())

    def test_a_value_gets_to_its_host_and_nowhere_else(self):
        self.made(prod__key="hush hush hush")
        self.write('vault("prod/key")')
        done = self.cnplay()
        self.assertEqual(self.file.read_text(), "hush hush hush")
        self.assertIn("it is [secret key] now", done.stdout)
        self.assertNotIn("hush", done.stdout + done.stderr + self.everything_on_record())

    def test_the_password_is_asked_for_once(self):
        self.made(prod__key="hush hush hush", prod__other="another value")
        self.write('vault("prod/key")\n  secret other = vault("prod/other")\n  secret made = generate(length: 20)')
        done = self.typed(["-i", "prod", "p.play", "-F", "none"], [PASSWORD])
        self.assertEqual(done.code, 0, done.text)
        self.assertEqual(done.text.count("password of inventories/prod.vault: "), 1, done.text)
        self.assertEqual(self.file.read_text(), "hush hush hush")

    def test_no_password_for_a_play_that_needs_none(self):
        self.made()
        (self.root / "p.play").write_text('play p "A play" {\n  hosts web = group("all")\n  step s on web { sh """true""" }\n}\n')
        done = self.typed(["-i", "prod", "p.play", "-F", "none"], [])
        self.assertEqual(done.code, 0, done.text)

    def test_generated_once(self):
        self.made()
        before = self.vault.read_bytes()
        self.write("generate(length: 40)")
        self.cnplay("--check")
        self.assertEqual(self.vault.read_bytes(), before)
        self.assertFalse(self.file.exists())
        self.run_in("preflight", "-i", "prod", "p.play", "-F", "none", "--vault-key-file", str(self.key))
        self.assertEqual(self.vault.read_bytes(), before)
        first = self.cnplay()
        value = self.file.read_text()
        self.assertRegex(value, "^[A-Za-z0-9]{40}$")
        self.assertEqual(self.vaults("get", "p/key").stdout, value + "\n")
        self.assertEqual(self.vaults("list").stdout, "p/key\n")  # committed
        self.cnplay()
        self.assertEqual(self.file.read_text(), value)
        self.assertNotIn(value, first.stdout + first.stderr + self.everything_on_record())

    def test_a_rotation_keeps_the_former_value_until_a_run_succeeds(self):
        self.made(prod__key="the value of before")
        secret = 'generate(length: 32, path: "prod/key", rotate: true)'
        self.write(secret, then="false")
        failed = self.cnplay(code=1)
        self.assertIn("not committed", failed.stderr)
        self.assertEqual(self.vaults("get", "--former", "prod/key").stdout, "the value of before\n")
        new = self.vaults("get", "prod/key").stdout.strip()
        self.assertRegex(new, "^[A-Za-z0-9]{32}$")
        self.assertIn("not committed; the former value is kept", self.vaults("list").stdout)
        self.assertNotIn("the value of before", failed.stdout + failed.stderr + self.everything_on_record())
        self.file.unlink()
        self.write(secret)
        self.cnplay()
        self.assertEqual(self.file.read_text(), new)  # gone on with, not a third one
        self.assertIn("no former value", self.vaults("get", "--former", "prod/key", code=2).stderr)
        self.cnplay()
        self.assertNotEqual(self.file.read_text(), new)  # and now a new one

    def test_a_run_on_a_part_of_the_hosts_commits_nothing(self):
        self.made(prod__key="the value of before")
        self.write('generate(length: 32, path: "prod/key", rotate: true)')
        part = self.cnplay("-l", "web1")
        self.assertIn("not committed: prod/key: the run was for a part of the hosts", part.stderr)
        self.assertEqual(self.vaults("get", "--former", "prod/key").stdout, "the value of before\n")
        value = self.file.read_text()
        whole = self.cnplay()
        self.assertEqual(self.file.read_text(), value)
        self.assertNotIn("not committed", whole.stderr)
        self.assertEqual(self.vaults("list").stdout, "prod/key\n")

    def test_a_run_that_was_cut_off_goes_on_with_its_new_value(self):
        self.made(prod__key="the value of before")
        go = self.root / "go"
        wait = self.root / "wait"
        wait.write_text(f"#!/bin/sh\nwhile [ ! -e {go} ]; do sleep 0.05; done\n")
        wait.chmod(0o755)
        self.write('generate(length: 32, path: "prod/key", rotate: true)', then=str(wait))
        words = [CNPLAY, "-i", "prod", "p.play", "-F", "none", "--vault-key-file", str(self.key)]
        with subprocess.Popen(words, cwd=self.root, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
            deadline = time.monotonic() + 60
            while not self.file.exists() or not self.file.read_text():
                self.assertIsNone(run.poll())
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.02)
            run.kill()
        value = self.file.read_text()
        self.assertEqual(self.vaults("get", "--former", "prod/key").stdout, "the value of before\n")
        go.touch()
        done = subprocess.run([CNPLAY, "resume", "-F", "none", "--vault-key-file", str(self.key)], cwd="/", env=self.env,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(self.vaults("get", "prod/key").stdout, value + "\n")
        self.assertEqual(self.vaults("list").stdout, "prod/key\n")  # committed
        self.assertNotIn(value, done.stdout + done.stderr + self.everything_on_record())

    def test_no_run_without_its_secrets(self):
        self.made()
        self.write('vault("prod/key")')
        self.assertIn("error[E0306]", self.cnplay(code=3).stderr)
        wrong = self.typed(["-i", "prod", "p.play", "-F", "none"], ["not the password"])
        self.assertEqual(wrong.code, 3, wrong.text)
        self.assertIn("wrong password for inventories/prod.vault", wrong.text)
        self.assertFalse(self.file.exists())


# The tests of the class above are not to run twice.
for name in [n for n in dir(Vault) if n.startswith("test_")]:
    setattr(Runs, name, None)


if __name__ == "__main__":
    unittest.main()
