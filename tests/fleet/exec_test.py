"""`cnplay exec`: one command on many hosts."""

import unittest

from support import FleetTest


class Exec(FleetTest):
    def test_equal_answers_are_shown_once(self):
        result = self.cnplay("exec", "-i", "staging", "web,db", 'echo "$((6 * 7))"; echo "$HOME" >&2')
        self.expect(result, 0, r"web1, web2, db1 \(3 hosts\)  ok\n    42\n    /home/ubuntu\n")

    def test_a_selection_and_a_failure_on_one_host(self):
        result = self.cnplay("exec", "-i", "staging", "web & !db", '[ "$(hostname)" = web1 ] || { echo "not me"; exit 7; }')
        self.expect(result, 1, r"web1  ok\n", r"web2  exit 7\n    not me\n")
        self.assertNotIn("db1", result.text)

    def test_runs_are_listed(self):
        self.expect(self.cnplay("runs"), 0, "no recorded run")
        self.cnplay("exec", "-i", "staging", "web1", "true")
        self.cnplay("exec", "-i", "staging", "web1", "false")
        self.expect(self.cnplay("runs"), 0, r"exec on staging +success.*\n.*exec on staging +failed")
        record = next((self.directory / "state/cnplay/runs").iterdir())
        (record / "run.json").unlink()
        self.expect(self.cnplay("runs"), 0, r"interrupted, or still running")

    def test_as_root_and_a_timeout(self):
        self.expect(self.cnplay("exec", "-i", "staging", "web1", "id -un", "--as", "root"), 0, r"web1  ok\n    root\n")
        self.expect(self.cnplay("exec", "-i", "staging", "web1", "sleep 100", "--timeout", "1s"), 1, r"web1  failed.*timeout")

    def test_a_host_that_cannot_be_reached_does_not_stop_the_others(self):
        inventory = self.inventory(lambda t: t.replace(
            "host web[1..2]", 'host web9 { address: "10.77.0.99" }\n    host web[1..2]'))
        result = self.cnplay("exec", "-i", inventory, "web", "echo here")
        self.expect(result, 4, r"web1, web2 \(2 hosts\)  ok\n    here\n", r"web9  unreachable")

    def test_a_command_behind_dashes_keeps_its_words(self):
        result = self.cnplay("exec", "-i", "staging", "web1", "--", "printf", "[%s]", "a b", "", "$HOME", "-la")
        self.expect(result, 0, r"web1  ok\n    \[a b\]\[\]\[\$HOME\]\[-la\]")

    def test_a_command_goes_on_after_a_failure_as_at_a_prompt(self):
        self.expect(self.cnplay("exec", "-i", "staging", "web1", "false; echo $UNSET still"), 0, r"web1  ok\n     ?still")

    def test_mistakes_are_found_before_a_connection(self):
        self.expect(self.cnplay("exec", "-i", "staging", "wbe", "true"), 3, r"did you mean .*web")
        self.expect(self.cnplay("exec", "-i", "staging", "web", " "), 2, "empty")
        self.expect(self.cnplay("exec", "-i", "staging", "web", "true", "--timeout", "10"), 2, "not a valid duration")


if __name__ == "__main__":
    unittest.main()
