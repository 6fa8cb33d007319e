"""What `cnplay docs` prints of a module, carried out as a person would: its blocks are pasted into a real shell."""
import os
import re
import subprocess
import tempfile
from pathlib import Path

import harness
import playfile

CNPLAY = os.environ.get("CNPLAY", str(playfile.ROOT / "build/release/cnplay"))


def text(value):
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("${", "$${")
    return f'"{escaped}"'


def written(type_, value):
    """A value as a play writes it."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if type_.startswith("duration"):
        return f"{value}s"
    if type_.startswith("time"):
        return text(value.replace("T", " ").replace("Z", " UTC"))
    return str(value) if isinstance(value, int) else text(value)


def blocks(module, facts=(), beside=None, inventory="", **values):
    """The blocks that docs prints of one step. FACTS: those that a later step reads. BESIDE: files beside the play."""
    declared = playfile.all_modules()[module]
    secrets = [name for name in values if declared.params[name][0].startswith("secret")]
    arguments = ", ".join(f"{name}: {name if name in secrets else written(declared.params[name][0], value)}"
                          for name, value in values.items() if value is not None)
    play = 'play p "P" {\n  hosts all_ = group("web")\n' + "".join(f'  secret {name} = env("X_{name}")\n' for name in secrets)
    play += f"  step s on all_ {{ {'let it = ' if declared.returns else ''}{module}({arguments}) }}\n"
    play += "".join(f'  step read_{fact} on all_ {{ sh(x: s.it.{fact}) """: "$x" """ }}\n' for fact in facts) + "}\n"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "p.play").write_text(play, encoding="utf-8")
        Path(folder, "i.inv").write_text("inventory i { group web { host h } }\n", encoding="utf-8")
        for name, content in (beside or {}).items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        run = subprocess.run([CNPLAY, "docs", "-i", "i.inv", "p.play"], cwd=folder, capture_output=True, text=True, check=False)
    if run.returncode:
        raise RuntimeError(f"{play}{run.stderr}")
    step = run.stdout.split("### 1. ")[1].split("### 2. ")[0].split("## Undoing")[0]
    return re.findall(r"^```sh\n(.*?)^```\n", step, re.M | re.S)


def typed(place, module, facts=(), beside=None, set_=None, **values):
    """Pastes the blocks into the shell of PLACE, after SET_ (variables that a person sets first). What it printed."""
    declared = playfile.all_modules()[module].params
    secrets = {f"secret_{name}": value for name, value in values.items() if declared[name][0].startswith("secret")}
    script = "".join(f"{name}={harness.quote(str(value))}\n" for name, value in {**secrets, **(set_ or {})}.items())
    # One after the other, each whatever became of the one before: the code is that of the last.
    script += "".join(blocks(module, facts, beside, **values))
    run = place.plain(script)
    if run.returncode:
        raise RuntimeError(f"{module} by hand: exit {run.returncode}\n{script}\n{run.stdout}{run.stderr}")
    return run.stdout
