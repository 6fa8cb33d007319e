#!/usr/bin/env python3
"""`notify` as people use it: a run that reached nobody ends as a failure, so it needs no host. The server of the
webhook and the one of the mail are here, on the loopback. Needs CNPLAY (the binary)."""

import base64
import email
import email.policy
import http.server
import json
import os
import pathlib
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import unittest

PLAY = '''play nowhere "Erreicht niemanden: ünfach" {
  hosts web = group("web")
  step look on web { sh """true""" }
}
'''


class Web(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        if self.path == "/hang":
            self.server.over.wait(60)
            return
        self.send_response({"/moved": 302, "/broken": 500}.get(self.path, 204))
        if self.path == "/moved":
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/there")
        self.end_headers()

    def log_message(self, *_):
        pass


class Smtp(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 here ESMTP")
        lines = iter(lambda: self.rfile.readline().decode("ascii").rstrip("\r\n"), "")
        for line in lines:
            self.server.said.append(line)
            word = line.split(" ")[0].upper()
            if word == "DATA":
                self.say("354 go on")
                data = b""
                while not data.endswith(b"\r\n.\r\n"):
                    data += self.rfile.readline()
                self.server.mails.append(data[:-5])
                self.say("250 taken")
            elif word == "RCPT" and "nobody@" in line:
                self.say("550 there is no such person")
            elif word == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 good")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class SmtpWithLogin(Smtp):
    def say(self, text):
        last = (self.server.said or [""])[-1].split(" ")[0].upper()
        if text == "250 good" and last == "EHLO":
            self.wfile.write(b"250-here\r\n")
            text = "250 AUTH PLAIN"
        elif text == "250 good" and last == "AUTH":
            text = "334 " if len(self.server.said[-1].split(" ")) == 2 else "235 welcome"
        elif text == "250 good" and self.server.said[-2:-1] == ["AUTH PLAIN"]:
            text = "235 welcome"
        super().say(text)


def serve(test, server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    test.addCleanup(server.server_close)
    test.addCleanup(server.shutdown)
    return server.server_address[1]


class Notify(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="cnplay-notify-")
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        (self.root / "known_hosts").write_text("")
        (self.root / "nowhere.play").write_text(PLAY)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.closed = s.getsockname()[1]  # nobody listens there
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        self.web.seen, self.web.over, self.web.daemon_threads = [], threading.Event(), True
        self.http = f"http://127.0.0.1:{serve(self, self.web)}"
        self.addCleanup(self.web.over.set)
        self.post = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp)
        self.post.said, self.post.mails, self.post.daemon_threads = [], [], True
        self.smtp = f"smtp://127.0.0.1:{serve(self, self.post)}"

    def inventory(self, *blocks):
        (self.root / "none.inv").write_text(
            "inventory none {\n"
            f'  ssh {{ user: "nobody", port: {self.closed}, known_hosts: "{self.root}/known_hosts" }}\n'
            + "".join(f"  notify {{ {block} }}\n" for block in blocks)
            + '  group web { host h1 { address: "127.0.0.1" } }\n}\n')

    def cnplay(self, *arguments, expect=4, **env):
        clean = {k: v for k, v in os.environ.items()
                 if not k.lower().endswith("_proxy") and k not in ("CURL_CA_BUNDLE", "SSL_CERT_FILE")}
        done = subprocess.run(
            [os.environ["CNPLAY"], *arguments, "-i", self.root / "none.inv", self.root / "nowhere.play"],
            env={**clean, "CNPLAY_RUNS": str(self.root / "runs"), "TERM": "dumb", **env},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, expect, done)
        return done

    def program(self, text):
        path = self.root / "told"
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o700)
        return f'["{path}", "a word", "$(id)"]'

    # --- each way

    def test_a_command_reads_json_on_its_stdin_and_nothing_in_its_arguments(self):
        self.inventory('on: ["failure", "parked"], command: ' +
                       self.program(f'cat >{self.root}/json; printf "%s\\n" "$@" >{self.root}/words\n'))
        done = self.cnplay("-F", "none")
        self.assertEqual(done.stderr, "")
        told = json.loads((self.root / "json").read_text(encoding="utf-8"))
        self.assertEqual((told["version"], told["event"], told["verdict"]), (1, "failed", "unreachable"))
        self.assertEqual((told["play"], told["inventory"]), ("nowhere", "none"))
        self.assertEqual(told["title"], "Erreicht niemanden: ünfach")
        self.assertTrue(pathlib.Path(told["record"], "run.json").is_file())
        self.assertEqual((self.root / "words").read_text(), "a word\n$(id)\n")

    def test_a_webhook_with_a_token(self):
        self.inventory(f'on: "finish", webhook: "{self.http}/hook", token: env("HOOK")')
        done = self.cnplay("-F", "none", HOOK="s3cret-token")
        self.assertEqual(done.stderr, "")
        ((path, headers, body),) = self.web.seen
        self.assertEqual((path, headers["Content-Type"]), ("/hook", "application/json"))
        self.assertEqual(headers["Authorization"], "Bearer s3cret-token")
        self.assertEqual(json.loads(body)["event"], "failed")
        for file in (self.root / "runs").rglob("*"):
            self.assertNotIn(b"s3cret-token", file.read_bytes() if file.is_file() else b"")

    def test_a_mail(self):
        self.inventory(f'on: "failure", mail: ["ops@example.org", "kim@example.org"], '
                       f'from: "cnplay@example.org", server: "{self.smtp}"')
        self.assertEqual(self.cnplay("-F", "none").stderr, "")
        self.assertIn("MAIL FROM:<cnplay@example.org>", self.post.said)
        self.assertEqual([s for s in self.post.said if s.startswith("RCPT")],
                         ["RCPT TO:<ops@example.org>", "RCPT TO:<kim@example.org>"])
        (raw,) = self.post.mails
        raw.decode("ascii")
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        self.assertEqual(mail["Subject"], "cnplay: nowhere on none: unreachable")
        self.assertEqual(mail["To"], "ops@example.org, kim@example.org")
        self.assertIn("nowhere (Erreicht niemanden: ünfach) on none: unreachable", mail.get_content())
        self.assertEqual(mail.defects, [])

    # --- when

    def test_not_of_what_nobody_asked_for(self):
        blocks = [f'on: "parked", webhook: "{self.http}/parked"', f'on: "failure", webhook: "{self.http}/failure"']
        self.inventory(*blocks)
        self.cnplay("-F", "none")
        self.assertEqual([seen[0] for seen in self.web.seen], ["/failure"])
        self.web.seen.clear()
        self.cnplay("-F", "none", "--check")
        self.cnplay("preflight", "-F", "none")
        self.assertEqual(self.web.seen, [], "of a dry run, or a preflight alone, nobody is told")

    # --- what fails is said, and the exit code stays

    def test_failures_are_said(self):
        self.inventory(
            f'on: "failure", webhook: "{self.http}/broken"', f'on: "failure", webhook: "{self.http}/moved"',
            f'on: "failure", webhook: "http://127.0.0.1:{self.closed}/x", token: env("HOOK")',
            'on: "failure", command: ["/nonexistent/program"]',
            'on: "failure", command: ' + self.program("exit 3\n"),
            f'on: "failure", mail: "nobody@example.org", from: "a@example.org", server: "{self.smtp}"',
            f'on: "failure", webhook: "{self.http}/last"')
        done = self.cnplay("-F", "none", HOOK="s3cret-token")
        self.assertEqual(done.stderr.count("notification failed by"), 6, done.stderr)
        for words in ("the server answered 500", "the server answered 302", "redirects are not followed",
                      "cannot be started", "exit code 3", "550", "Couldn't connect to server", "none.inv:"):
            self.assertIn(words.lower(), done.stderr.lower())
        self.assertNotIn("s3cret", done.stderr)
        self.assertEqual([seen[0] for seen in self.web.seen], ["/broken", "/moved", "/last"])

    def test_a_password_never_goes_without_tls(self):
        self.inventory(f'on: "failure", mail: "ops@example.org", from: "a@example.org", server: "{self.smtp}", '
                       'user: "cnplay", password: env("MAIL")')
        done = self.cnplay("-F", "none", MAIL="s3cret-word")
        self.assertIn("a password is sent only over TLS", done.stderr)
        self.assertEqual([s for s in self.post.said if s.startswith("AUTH")], [])
        self.assertEqual(self.post.mails, [])

    def test_a_certificate_that_nobody_knows_is_refused(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.root / "key.pem",
                        "-out", self.root / "self.pem"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.root / "self.pem", self.root / "key.pem")
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        web.seen, web.over, web.daemon_threads = [], threading.Event(), True
        web.socket = context.wrap_socket(web.socket, server_side=True)
        web.handle_error = lambda *_: None  # the handshake that fails
        port = serve(self, web)
        self.inventory(f'on: "failure", webhook: "https://127.0.0.1:{port}/hook", token: env("HOOK")')
        done = self.cnplay("-F", "none", HOOK="s3cret-token")
        self.assertIn("certificate", done.stderr)
        self.assertEqual(web.seen, [])

    # --- over TLS, with an authority of our own

    def authority(self):
        """ca.pem, and a server's context whose certificate for 127.0.0.1 is of it."""
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.root)
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        openssl("req", "-x509", *key, "-subj", "/CN=our own", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", *key, "-subj", "/CN=here", "-keyout", "here.key", "-out", "here.csr")
        (self.root / "here.ext").write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "here.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-extfile", "here.ext", "-out", "here.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.root / "here.pem", self.root / "here.key")
        return context

    def over_tls(self, server):
        server.daemon_threads = True
        server.socket = self.authority().wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None
        return serve(self, server)

    def test_a_webhook_over_https(self):
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        web.seen, web.over = [], threading.Event()
        port = self.over_tls(web)
        self.inventory(f'on: "failure", webhook: "https://127.0.0.1:{port}/hook", token: env("HOOK")')
        for variable in ("CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            done = self.cnplay("-F", "none", HOOK="s3cret-token", **{variable: str(self.root / "ca.pem")})
            self.assertEqual(done.stderr, "")
        self.assertEqual([h["Authorization"] for _, h, _ in web.seen], ["Bearer s3cret-token"] * 2)
        done = self.cnplay("-F", "none", HOOK="x", CURL_CA_BUNDLE=str(self.root / "gone.pem"))
        self.assertIn("CURL_CA_BUNDLE", done.stderr)
        self.assertEqual(len(web.seen), 2)

    def test_a_mail_over_smtps_with_a_password(self):
        post = socketserver.ThreadingTCPServer(("127.0.0.1", 0), SmtpWithLogin)
        post.said, post.mails = [], []
        port = self.over_tls(post)
        self.inventory(f'on: "failure", mail: "ops@example.org", from: "a@example.org", server: "smtps://127.0.0.1:{port}", '
                       'user: "cnplay", password: env("MAIL")')
        done = self.cnplay("-F", "none", MAIL="s3cret-word", SSL_CERT_FILE=str(self.root / "ca.pem"))
        self.assertEqual(done.stderr, "")
        self.assertEqual(len(post.mails), 1)
        plain = base64.b64encode(b"\0cnplay\0s3cret-word").decode()
        self.assertTrue(any(plain in line for line in post.said), post.said)

    # --- an address that is a secret

    def test_a_secret_address_is_shown_nowhere(self):
        secret = f"{self.http}/hooks/s3cret-path"
        self.inventory('on: "failure", webhook: env("HOOK")')
        done = self.cnplay("-F", "none", HOOK=secret)
        self.assertEqual(done.stderr, "")
        self.assertEqual([seen[0] for seen in self.web.seen], ["/hooks/s3cret-path"])
        self.assert_nowhere(done, "s3cret-path", secret)
        shown = self.cnplay("plan", expect=0, HOOK=secret)
        self.assertIn("a webhook whose address is secret", shown.stdout)

    def test_a_secret_address_that_fails_is_shown_nowhere(self):
        for address, words in ((f"http://127.0.0.1:{self.closed}/s3cret-path", "connect"),
                               (f"{self.http}/broken", "the server answered 500"),
                               ("file:///s3cret-path", "not an http or https address"),
                               ("http://s3cret-path.invalid/x", "resolve")):
            self.inventory('on: "failure", webhook: env("HOOK")')
            done = self.cnplay("-F", "none", HOOK=address)
            self.assertIn("notification failed by the webhook", done.stderr)
            self.assertIn(words, done.stderr)
            self.assert_nowhere(done, "s3cret-path", address)
        self.inventory('on: "failure", webhook: env("HOOK"), token: env("TOKEN")')
        done = self.cnplay("-F", "none", HOOK=f"{self.http}/s3cret-path", TOKEN="s3cret-token")
        self.assertIn("readable by everybody", done.stderr)
        self.assertEqual(len(self.web.seen), 1, "the one that answered 500")

    def assert_nowhere(self, done, *secrets):
        reports = [self.of_the_run("report", "--format", kind, "-o", "-") for kind in ("html", "jsonl", "junit")]
        texts = [done.stdout, done.stderr, *reports, self.of_the_run("show")]
        texts += [f.read_text(errors="replace") for f in (self.root / "runs").rglob("*") if f.is_file()]
        for text in texts:
            for secret in secrets:
                self.assertNotIn(secret, text)

    def of_the_run(self, *arguments):
        newest = sorted(p.name for p in (self.root / "runs").iterdir())[-1]
        done = subprocess.run([os.environ["CNPLAY"], *arguments, newest], capture_output=True, text=True, check=True,
                              env={**os.environ, "CNPLAY_RUNS": str(self.root / "runs")}, stdin=subprocess.DEVNULL, timeout=60)
        return done.stdout

    # --- what failed is recorded

    def test_a_failed_notification_is_on_record_and_in_the_report(self):
        self.inventory(f'on: "failure", webhook: "{self.http}/broken"')
        done = self.cnplay("-F", "none", "--json")
        self.assertIn("notification failed", done.stderr)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        self.assertEqual([e["type"] for e in events[-2:]], ["RunEnded", "NotificationFailed"])
        (run,) = (self.root / "runs").iterdir()
        recorded = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
        self.assertEqual([e["seq"] for e in recorded], list(range(1, len(recorded) + 1)))
        failed = recorded[-1]
        self.assertEqual((failed["type"], failed["way"], failed["message"]),
                         ("NotificationFailed", "the webhook", "the server answered 500"))
        for text in (self.of_the_run("show"), self.of_the_run("report", "--format", "html", "-o", "-")):
            self.assertIn("the server answered 500", text)
        lines = [json.loads(line) for line in self.of_the_run("report", "--format", "jsonl", "-o", "-").splitlines()]
        (told,) = [line for line in lines if line["type"] == "not_told"]
        self.assertEqual((told["way"], told["message"]), ("the webhook", "the server answered 500"))
        self.assertEqual(lines[0]["state"], "ended")

    def test_a_token_with_a_newline_makes_no_second_header(self):
        self.inventory(f'on: "failure", webhook: "{self.http}/hook", token: env("HOOK")')
        done = self.cnplay("-F", "none", HOOK="word\r\nX-Evil: 1")
        self.assertIn("the token has a character that is not allowed in a token", done.stderr)
        self.assertEqual(self.web.seen, [])

    def test_who_does_not_answer_is_given_up(self):
        """Takes the 30 seconds that a notification has."""
        self.inventory(f'on: "failure", webhook: "{self.http}/hang"',
                       'on: "failure", command: ' + self.program("sleep 300\n"))
        done = self.cnplay("-F", "none")
        self.assertEqual(done.stderr.count("notification failed by"), 2, done.stderr)
        self.assertIn("within 30 s", done.stderr)

    # --- before the run

    def test_mistakes_are_found_before_the_run(self):
        for block, words in (
                ('on: "failure", webhook: "https://kim:word@example.org/"', "without a name and password"),
                ('on: "failure", webhook: "file:///etc/passwd"', "not an http or https address"),
                ('on: "failure", webhook: "http://example.org/", token: env("X")', "readable by everybody"),
                ('on: "failure", webhook: "https://example.org/", token: "word"', "anyone who reads the file"),
                ('on: "failure"', "does not say how"), ('on: "never", command: ["x"]', "not one of the moments"),
                ('command: ["x"]', "when does it notify"), ('on: "finish", comand: ["x"]', "did you mean"),
                ('on: "finish", command: "rm -rf /"', "a list of words"),
                ('on: "finish", mail: "a@b\\u{d}\\nBcc: c@d", from: "a@b", server: "smtp://x"', "neither an address"),
                ('on: "finish", mail: "a@b", from: "a@b", server: "smtp://x", user: "kim"', "come together"),
                ('on: "finish", command: ["x"], webhook: "https://example.org"', "more than one way")):
            self.inventory(block)
            done = self.cnplay("check", expect=3)
            self.assertIn("E0616", done.stderr + done.stdout, block)
            self.assertIn(words, done.stderr + done.stdout, block)


if __name__ == "__main__":
    unittest.main()
