"""What goes wrong at three in the morning: each gives one clear message, nothing hangs, and the exit
code tells."""

import pathlib
import re
import resource
import unittest

from support import WEB, FleetTest, shell


class BadInput(FleetTest):
    OK = '  step hello on web { sh """true""" }\n'

    def test_a_host_that_cannot_be_reached_stops_the_run_before_any_change(self):
        play = self.play('  step touch on web { sh """touch /tmp/touched""" }\n')
        shell("web1", "rm -f /tmp/touched")
        inventory = self.inventory(lambda t: t.replace(
            "host web[1..2]", 'host web9 { address: "10.77.0.99" }\n    host web[1..2]'))
        result = self.cnplay("-i", inventory, play)
        self.expect(result, 4, r"web9.*10\.77\.0\.99")
        self.assertEqual(shell("web1", "ls /tmp/touched", check=False).strip(), "")

    def test_a_missing_tool_is_named_with_its_package_before_any_change(self):
        shell("web1", "mv /usr/sbin/nft /usr/sbin/nft.away; rm -f /tmp/touched")
        self.addCleanup(shell, "web1", "mv /usr/sbin/nft.away /usr/sbin/nft")
        play = self.play('  step touch on web { sh """touch /tmp/touched""" }\n  step open on web as root { firewall.open(port: 80) }\n')
        self.expect(self.cnplay("-i", "staging", play), 8, r"web1  preflight  .*not found: nft \(package nftables\): install it first")
        self.assertEqual(shell("web1", "ls /tmp/touched", check=False).strip(), "")

    def test_a_changed_host_key_is_refused(self):
        known = self.directory / "known_hosts"
        text = (self.project / "inventories/staging.inv").read_text()
        original = re.search(r'known_hosts: "([^"]+)"', text)[1]
        lines = pathlib.Path(original).read_text().splitlines()
        key = {line.split()[0]: line.split()[2] for line in lines if "ed25519" in line}
        hosts = sorted(key)
        lines = [line.replace(key[hosts[0]], key[hosts[1]]) if line.startswith(hosts[0]) else line for line in lines]
        known.write_text("\n".join(lines) + "\n")
        inventory = self.inventory(lambda t: t.replace(original, str(known)))
        result = self.cnplay("-i", inventory, self.play(self.OK))
        self.expect(result, 4, r"(?i)host's key has changed", re.escape(str(known)) + r":\d+")

    def test_an_unknown_host_key_is_refused_with_its_fingerprint(self):
        known = self.directory / "empty"
        known.write_text("")
        text = (self.project / "inventories/staging.inv").read_text()
        original = re.search(r'known_hosts: "([^"]+)"', text)[1]
        inventory = self.inventory(lambda t: t.replace(original, str(known)))
        result = self.cnplay("-i", inventory, self.play(self.OK))
        self.expect(result, 4, r"SHA256:", r"accept-new")
        self.assertEqual(known.read_text(), "")
        result = self.cnplay("-i", inventory, self.play(self.OK), "--host-key", "accept-new")
        self.expect(result, 0)
        self.assertIn("10.77.0.11", known.read_text())

    def user(self, name, more=""):
        return self.inventory(lambda t: re.sub(r'user: "ubuntu"', f'user: "{name}"{more}', t), name=f"as-{name}")

    def test_sudo_with_the_right_and_with_a_wrong_password(self):
        play = self.play('  step who on web as root { sh """test "$(id -un)" = root""" }\n')
        inventory = self.user("ops", ', become_password: env("SUDO_PASSWORD")')
        result = self.cnplay("-i", inventory, play, env={"SUDO_PASSWORD": "ops-password"})
        self.expect(result, 0)
        self.assertNotIn("ops-password", result.text)
        result = self.cnplay("-i", inventory, play, env={"SUDO_PASSWORD": "wrong-password"})
        self.expect(result, 8, r"web1.*sudo.*password", "web2", r"-K, or `become_password`")
        self.assertNotIn("wrong-password", result.text)

    def test_a_user_who_may_not_sudo(self):
        play = self.play('  step who on web as root { sh """true""" }\n')
        result = self.cnplay("-i", self.user("plain"), play)
        self.expect(result, 8, r"web1.*sudo")

    def test_login_shells_that_are_not_posix(self):
        for user in ("fishy", "csher"):
            with self.subTest(user=user):
                result = self.cnplay("-i", self.user(user), self.play(self.OK))
                self.expect(result, 0)

    def test_a_user_without_a_shell(self):
        result = self.cnplay("-i", self.user("nolog"), self.play(self.OK))
        self.expect(result, 4, r"web1", r"(?i)shell|not available")

    def test_a_task_that_is_killed(self):
        body = '  step killed on web { sh """echo begun; sh -c "kill -9 \\$\\$" """ }\n'
        result = self.cnplay("-i", "staging", self.play(body))
        self.expect(result, 1, r"killed.*failed", r"(?i)signal 9|SIGKILL|137")

    def test_a_task_whose_shell_is_killed_is_unknown(self):
        result = self.cnplay("-i", "staging", self.play('  step killed on web { sh """kill -9 $$""" }\n'))
        self.expect(result, 5, r"killed.*unknown")

    def test_a_hundred_megabytes_of_output(self):
        play = self.play('  step much on web { sh """head -c 100000000 /dev/zero | tr "\\\\0" x | fold -w 99; echo the end; exit 3""" }\n')
        result = self.cnplay("-i", "staging", play, "-l", "web1,db")
        self.expect(result, 1, "the end")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertLess(peak, 400_000, "the controller took more than 400 MB")

    def test_binary_output_is_harmless(self):
        play = self.play('  step noise on web { sh """head -c 200000 /dev/urandom; printf "\\\\033]0;evil\\\\007\\\\033[31m"; exit 3""" }\n')
        result = self.cnplay("-i", "staging", play, "-v")
        self.expect(result, 1)
        self.assertNotIn("\x1b", result.text)

    def test_a_timeout_kills_the_whole_group(self):
        play = self.play('  step slow on web timeout 2s { sh """sh -c "sleep 4567 & sleep 4568" """ }\n')
        result = self.cnplay("-i", "staging", play)
        self.expect(result, 1, r"slow.*(timed out|timeout)|timed out")
        for host in ("web1", "web2"):
            self.assertNotIn("sleep 456", shell(host, "ps -eo args"))

    def test_a_module_whose_facts_do_not_match(self):
        (self.project / "modules").mkdir()
        (self.project / "modules/bad.play").write_text('''
module bad.facts "Returns a word for an int" {
  returns { count: int }
  check sh """
    fact count "seven"
    ok
  """
}
''')
        result = self.cnplay("-i", "staging", self.play("  step s on web { bad.facts() }\n"))
        self.expect(result, 1, r"bad\.facts", r"count", r"int", r"seven")

    def test_the_lock_excludes_a_second_run(self):
        play = self.play('  lock "deploy"\n'
                         '  step s on web { sh """touch /tmp/began; while [ ! -e /tmp/go ]; do sleep 0.1; done""" }\n')
        for host in WEB:
            shell(host, "rm -f /tmp/began /tmp/go")
            self.addCleanup(shell, host, "rm -f /tmp/began /tmp/go")
        first = self.start("-i", "staging", play)
        shell("web1", "timeout 60 sh -c 'while [ ! -e /tmp/began ]; do sleep 0.1; done'")
        second = self.cnplay("-i", "staging", play)
        for host in WEB:
            shell(host, "touch /tmp/go")
        out, err = first.communicate(timeout=60)
        self.assertEqual(first.returncode, 0, out + err)
        self.expect(second, 3, r"lock", r"deploy")
        self.expect(self.cnplay("-i", "staging", play), 0)

    def test_a_secret_shows_nowhere(self):
        play = self.play('''  secret token = env("TOKEN")
  step s on web {
    leak.tell(token: token)
  }
''')
        (self.project / "modules").mkdir()
        (self.project / "modules/leak.play").write_text('''
module leak.tell "Says a secret aloud" {
  param token: secret<string>
  apply sh """
    echo "raw $token"
    printf %s "$token" | base64
    ps -eo args | grep -c "$token" || true
    tr '\\0' '\\n' < /proc/$$/environ | grep -c "$token" || true
    exit 3
  """
}
''')
        result = self.cnplay("-i", "staging", play, "-v", env={"TOKEN": "s3cr3t-t0ken-value"})
        self.expect(result, 1, r"raw \\[secret token\\]|raw \[")
        self.assertNotIn("s3cr3t-t0ken-value", result.text)
        self.assertNotIn("czNjcjN0LXQwa2VuLXZhbHVl", result.text)
        for path in (self.directory / "state").rglob("*"):
            if path.is_file():
                self.assertNotIn(b"s3cr3t-t0ken-value", path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
