"""Every pair of modules that share a service, a program or a file, and have a stand-in here: what a dry run predicts
is what the run then does, or it says `depends`. Real shells over sshd; systemctl and supervisorctl are stand-ins.
Needs CNPLAY, as controller_test.py does."""

import itertools
import pathlib
import re
import shutil
import unittest

from processes import Processes

SYSTEMCTL = r'''#!/bin/sh
verb=$1
for name; do :; done
mkdir -p "$HOME/units"
state="$HOME/units/$name"
case $verb in
show)
  active=inactive
  [ ! -e "$state" ] || active=active
  case $3 in
  LoadState) echo LoadState=loaded ;;
  ActiveState) echo "ActiveState=$active" ;;
  InvocationID) echo "InvocationID=$(cat "$state" 2>/dev/null)" ;;
  *) printf '%s\n' "ActiveState=$active" Type=notify Result=success NRestarts=0 ExecMainStatus=0 ;;
  esac ;;
*start) date +%s%N >"$state" ;;
*)
  case " $* " in
  *" start "* | *" restart "*) date +%s%N >"$state" ;;
  *" stop "*) rm -f "$state" ;;
  esac ;;
esac
'''
SUPERVISORCTL = r'''#!/bin/sh
verb=$1
shift
mkdir -p "$HOME/programs"
for name; do
  state="$HOME/programs/$name"
  case $verb in
  status) if [ -e "$state" ]; then echo "$name RUNNING pid $(cat "$state"), uptime 0:00:10"; else echo "$name STOPPED Not started"; fi ;;
  start | restart) echo "$$" >"$state" ;;
  stop) rm -f "$state" ;;
  esac
done
'''
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
SERVICE = ["service.start", "service.stop", "service.restart"]
SUPERVISOR = ["supervisor.start", "supervisor.stop", "supervisor.restart"]
FILES = ["maintenance.place", "maintenance.remove", "file.absent", "file.copy", "file.template", "file.sync"]


def call(module, thing):
    if module in SERVICE:
        return f'{module}(name: "{thing}")'
    if module in SUPERVISOR:
        return f'{module}(programs: ["{thing}"])'
    if module == "file.sync":
        return f'{module}(src: "a.tree", dest: "{thing}")'
    if module in ("file.copy", "file.template"):
        return f'{module}(src: "page", dest: "{thing}/page")'
    return f'{module}(path: "{thing}/page"' + (', message: "soon")' if module.endswith("place") else ")")


class Pairs(Processes):
    def setUp(self):
        super().setUp()
        self.home = self.sshd.home
        (self.home / "bin").mkdir(exist_ok=True)
        for name, text in (("systemctl", SYSTEMCTL), ("supervisorctl", SUPERVISORCTL), ("journalctl", "#!/bin/sh\n")):
            (self.home / "bin" / name).write_text(text)
            (self.home / "bin" / name).chmod(0o755)
        # The built-in modules, but for where they find their tools.
        (self.root / "modules").mkdir(exist_ok=True)
        for name in ("service", "supervisor"):
            text = (REPOSITORY / "modules" / f"{name}.play").read_text()
            text = re.sub(r"  needs command.*\n", "", text)
            text = text.replace('sh """\n', 'sh """\n    PATH="$HOME/bin:$PATH"\n')
            (self.root / "modules" / f"{name}.play").write_text(text)
        (self.root / "page").write_text("a page\n")
        (self.root / "a.tree").mkdir(exist_ok=True)
        (self.root / "a.tree" / "page").write_text("a page of the tree\n")

    def ended(self, *arguments):
        """Outcome and reason of each step."""
        for old in self.runs.iterdir():
            shutil.rmtree(old)
        run = self.cnplay(*arguments)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertNotIn("outage begins", run.stdout if "--check" in arguments else "")
        return {e["node"].rsplit("/", 1)[-1]: (e["outcome"], e.get("reason", "")) for e in self.of_type("ActionEnded")}

    def test_a_dry_run_predicts_or_says_depends(self):
        steps, pairs = "", {}
        for modules, place in ((SERVICE, "units"), (SUPERVISOR, "programs"), (FILES, "files")):
            for first, second in itertools.product(modules, repeat=2):
                for there in (False, True):
                    name = f"p{len(pairs)}"
                    state = self.home / place / name
                    thing = state if modules is FILES else name
                    if modules is FILES:
                        state.mkdir(parents=True)
                        state /= "page"
                    state.parent.mkdir(exist_ok=True)
                    if there:
                        state.write_text("1\n")
                    pairs[name] = (first, second, there)
                    steps += f"  step {name}_a on first {{ {call(first, thing)} }}\n"
                    steps += f"  step {name}_b on first {{ {call(second, thing)} }}\n"
        play = self.play('play pairs "Pairs" {\n  let first = group("one")\n  phase down "Down" outage expect 1m {\n' +
                         steps + "  }\n}\n")
        foreseen = self.ended(*play, "--check")
        done = self.ended(*play)
        same = {"ok": "ok", "would_change": "changed"}
        depending = 0
        for name, (first, second, there) in pairs.items():
            with self.subTest(first=first, second=second, there=there):
                (before, _), (after, why) = foreseen[name + "_a"], foreseen[name + "_b"]
                self.assertEqual(same[before], done[name + "_a"][0])
                if before == "would_change":
                    self.assertEqual(after, "depends", f"what {first} would change is looked at by {second}")
                    self.assertIn(f"`{name}_a`", why)
                    depending += 1
                else:
                    self.assertEqual(same[after], done[name + "_b"][0])
        self.assertGreater(depending, 30)

    def test_an_ok_after_a_script_is_of_now(self):
        play = self.play('play now "Now" {\n  let first = group("one")\n'
                         '  step script on first { sh """mkdir -p "$HOME/units"; echo 1 >"$HOME/units/x" """ }\n'
                         '  step stop on first { service.stop(name: "x") }\n}\n')
        foreseen = self.ended(*play, "--check")
        self.assertEqual(foreseen["script"][0], "would_run")
        self.assertEqual(foreseen["stop"],
                         ("ok", "as it is now: `script` would run before, and may change it"))
        self.assertEqual(self.ended(*play)["stop"][0], "changed")


if __name__ == "__main__":
    unittest.main()
