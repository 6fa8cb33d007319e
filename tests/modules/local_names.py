"""Names, mail and certificates on this machine: servers of the test's own answer; with the `commands`, as docs prints them."""
import os
import subprocess
import socketserver
import sys
import threading
import time
from pathlib import Path

import by_hand
import checks
from checks import expect, true

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from name_server import serving  # noqa: E402


def test_dns(top):
    run = checks.place.run
    begun = time.monotonic()
    answers = {"www.example.org": [(5, "site.example.net"), (1, "192.0.2.7"), (1, "192.0.2.8")], "six.example.org": [(28, "::1")],
               "later.example.org": lambda: [(1, "192.0.2.1" if time.monotonic() - begun < 1 else "192.0.2.2")]}
    with serving(answers) as port:
        one = {"name": "www.example.org", "servers": ["127.0.0.1"], "port": port, "within": 0}
        result = expect(run("dns.wait", "check", to=["192.0.2.8", "192.0.2.7"], **one), "ok", "www.example.org is 192.0.2.7 192.0.2.8")
        true(result.facts == {"answers": "192.0.2.7\n192.0.2.8"}, result.facts)
        expect(run("dns.wait", "check", to=["Site.example.net."], **one), "ok", "site.example.net 192.0.2.7")
        expect(run("dns.wait", "check", to=["::1"], **{**one, "name": "six.example.org."}), "ok", "is ::1")
        expect(run("dns.wait", "check", to=["192.0.2.7"], **one), "failed", "www.example.org is 192.0.2.7 192.0.2.8 on 127.0.0.1 after 0 s, not 192.0.2.7")
        expect(run("dns.wait", "check", to=["other.example.net"], **one), "failed", "is site.example.net 192.0.2.7 192.0.2.8 on 127.0.0.1")
        expect(run("dns.wait", "check", to=["192.0.2.7"], **{**one, "name": "none.example.org"}), "failed", "is nothing on 127.0.0.1 after 0 s, not 192.0.2.7: it says NXDOMAIN")
        expect(run("dns.wait", "check", to=["192.0.2.2"], **{**one, "name": "later.example.org", "within": 30}), "ok", "is 192.0.2.2")
        expect(run("dns.wait", "check", to=["192.0.2.2"], **{**one, "port": 1}), "failed", "it says Connection refused")
        for values, message in (({"name": "-x"}, "is not a name"), ({"to": []}, "none is given"), ({"to": ["a", "192.0.2.1"]}, "one name alone"),
                                ({"servers": ["localhost"]}, "is not an address")):
            expect(run("dns.wait", "check", **{**one, "to": ["192.0.2.2"], **values}), "failed", message)


class Mail(socketserver.StreamRequestHandler):
    mails = []

    def handle(self):
        def say(text):
            self.wfile.write(text.encode() + b"\r\n")

        say("220 test")
        to = ""
        for line in self.rfile:
            word = line.decode().strip()
            if word.upper().startswith("EHLO"):
                say("250-test")
                say("250 AUTH PLAIN")
            elif word.startswith("AUTH"):
                Mail.mails.append(word)
                say("235 ok" if word == "AUTH PLAIN AGFubgBzM2NyZXQ=" else "535 5.7.8 who\x1b[31m are you")
            elif word.lower().startswith("rcpt"):
                to = word
                say("550 5.1.1 no such user" if "nobody@" in word else "250 ok")
            elif word.upper() == "DATA":
                say("354 go ahead")
                text = b""
                while (more := self.rfile.readline()) not in (b".\r\n", b""):
                    text += more
                Mail.mails.append(to + "\n" + text.decode())
                say("250 ok")
            elif word.upper() == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")


def test_mail(top):
    run = checks.place.run
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Mail.mails = []
        mail = {"to": "ops@example.org", "sender": "site@example.org", "subject": "It's <me> é", "server": "127.0.0.1", "port": server.server_address[1]}
        expect(run("mail.test", "preflight", **mail), "ok")
        true(Mail.mails == [], "the preflight sent a mail")
        result = expect(run("mail.test", **mail), "changed")
        true("sent: It's <me> é 1" in result.output and len(Mail.mails) == 1 and "<ops@example.org>" in Mail.mails[0], f"{result.output} {Mail.mails}")
        login = {**mail, "user": "ann", "password": "s3cret"}
        expect(run("mail.test", "preflight", **login), "ok")
        result = expect(run("mail.test", "preflight", **{**login, "password": "other"}), "failed", "refuses: 535 5.7.8 who")
        true("s3cret" not in str(result) and "AGFubgBzM2NyZXQ" not in result.errors, "a password is shown")
        expect(run("mail.test", **login), "changed")
        expect(run("mail.test", **{**mail, "to": "nobody@example.org"}), "failed", "refuses the mail: 550 5.1.1 no such user")
        expect(run("mail.test", **{**mail, "port": 1}), "failed", "127.0.0.1 port 1 cannot be used: [Errno 111] Connection refused")
        expect(run("mail.test", "preflight", **{**mail, "port": 1}), "failed", "Connection refused")
        expect(run("mail.test", **{**mail, "tls": "starttls"}), "failed", "STARTTLS extension not supported")
        expect(run("mail.test", **{**mail, "to": "-x@y"}), "failed", "not an address of mail")
        expect(run("mail.test", **{**mail, "sender": "a b@y"}), "failed", "not an address of mail")
        before = len(Mail.mails)
        place = checks.place
        place.plain(f"cd '{top}'\n")
        by_hand.typed(place, "mail.test", **{**mail, "subject": "by hand"})
        true(len(Mail.mails) == before + 1 and "Subject: by hand" in Mail.mails[-1], Mail.mails[before:])


def test_tls(top):
    """Only as root: the key of a certificate is the host's."""
    run = checks.place.run
    ca, ca_key = top / "the ca.pem", top / "the ca.key"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "100", "-subj", "/CN=Test CA"]
    subprocess.run([*make, "-keyout", ca_key, "-out", ca], check=True, capture_output=True)
    name = f"cnplay-{os.getpid()}.example.org"
    one = {"names": [name, f"www.{name}"], "ca_cert": ca, "ca_key": ca_key}
    if os.getuid():
        expect(run("tls.certificate", "check", **one), "failed", "write `as root`")
        return
    folder = f"/etc/ssl/cnplay/{name}"
    try:
        result = expect(run("tls.certificate", "check", **one), "would_change", f"get a certificate for {name} www.{name}")
        true(result.facts == {"cert": f"{folder}/fullchain.pem", "key": f"{folder}/privkey.pem"} and not os.path.exists(folder), f"{result.facts}")
        expect(run("tls.certificate", **one), "changed")
        expect(run("tls.certificate", **one), "ok")
        true(os.stat(f"{folder}/privkey.pem").st_mode & 0o777 == 0o600 and sorted(os.listdir(folder)) == ["fullchain.pem", "privkey.pem"], "files and modes")
        shown = subprocess.run(["openssl", "verify", "-CAfile", ca, "-purpose", "sslserver", "-verify_hostname", f"www.{name}", f"{folder}/fullchain.pem"], capture_output=True, text=True)
        true(shown.returncode == 0, shown.stdout + shown.stderr)
        expect(run("tls.certificate", **{**one, "names": [*one["names"], "more.example.org"]}), "changed", "get a certificate for more.example.org, too")
        expect(run("tls.certificate", "check", renew=89 * 86400, **one), "ok")
        expect(run("tls.certificate", "check", renew=91 * 86400, good_for=92 * 86400, **one), "would_change", f"renew the certificate for {name}, which ends within 91 d")
        expect(run("tls.certificate", "check", renew=91 * 86400, **one), "failed", "good for longer than")
        other, other_key = top / "other.pem", top / "other.key"
        subprocess.run([*make, "-keyout", other_key, "-out", other], check=True, capture_output=True)
        expect(run("tls.certificate", **{**one, "ca_cert": other}), "failed", "is not the key of")
        expect(run("tls.certificate", **{**one, "ca_cert": other, "ca_key": other_key}), "changed", "from another CA")
        with open(f"{folder}/privkey.pem", "wb") as file:
            file.write(other_key.read_bytes())
        expect(run("tls.certificate", **one), "changed", "is not of its key")
        for values, message in (({"names": []}, "none is given"), ({"names": ["a b"]}, "not the name of a host"), ({"ca_key": None}, "both ca_cert and ca_key"),
                                ({"ca_cert": top / "none"}, "is not a certificate"), ({"ca_key": top / "none"}, "is not a key without a passphrase")):
            expect(run("tls.certificate", **{**one, **values}), "failed", message)
        by_hand.typed(checks.place, "tls.certificate", **{**one, "names": [f"hand.{name}", name]})
        expect(run("tls.certificate", "check", **{**one, "names": [f"hand.{name}", name]}), "ok")
    finally:
        subprocess.run(["rm", "-rf", folder, f"/etc/ssl/cnplay/hand.{name}"], check=True)
