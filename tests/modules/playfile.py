"""Reads modules/*.play as far as the tests of the modules need it. The real parser is the
compiler's; this one lets the scripts be tested without it."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


PARAM = re.compile(r'  param ([a-z_]+): *([a-z<>]+\??|enum\([A-Za-z0-9_, ]*\)) *(?:= *(\[.*?\]|"[^"]*"|\S+) *)?'
                   r'(?:where .*, "[^"]*" +)?"((?:[^"\\]|\\.)*)"$')


class Module:
    def __init__(self, name, title, doc, file, line):
        self.name, self.title, self.doc, self.file, self.line = name, title, doc, file, line
        self.params = {}   # name -> (type, default text or None, doc)
        self.returns = {}  # name -> type
        self.clauses = {}  # needs, uses, writes, reads -> text
        self.scripts = {}  # stage -> (text, line of its first line)
        self.verify = "check"


def dedent(lines, indent):
    return "\n".join(line[indent:] if line[:indent].strip() == "" else line for line in lines) + "\n"


def read(path):
    modules, doc = [], []
    lines = path.read_text(encoding="utf-8").split("\n")
    module, i = None, 0
    while i < len(lines):
        line = lines[i]
        if module is None:
            head = re.match(r'module ([a-z0-9_.]+) "(.*)" \{$', line)
            if head:
                module = Module(head[1], head[2], "\n".join(doc), path.name, i + 1)
                doc = []
            elif line.startswith("#"):
                doc.append(line[1:].strip())
            elif not line:
                doc = []
            else:
                raise ValueError(f"{path}:{i + 1}: not understood: {line}")
        elif line == "}":
            modules.append(module)
            module = None
        elif match := re.match(r'  (check|apply|verify|preview|preflight|commands) sh """$', line):
            end = i + 1
            while '"""' not in lines[end]:
                end += 1
            if lines[end].strip() != '"""':
                raise ValueError(f'{path}:{end + 1}: """ inside a script')
            indent = len(lines[end]) - 3
            for k in range(i + 1, end):
                if lines[k].strip() and len(lines[k]) - len(lines[k].lstrip()) < indent:
                    raise ValueError(f"{path}:{k + 1}: less indented than the end of the script")
            module.scripts[match[1]] = (dedent(lines[i + 1:end], indent), i + 2)
            if match[1] == "verify":
                module.verify = "script"
            i = end
        elif line.strip() == "verify none":
            module.verify = "none"
        elif match := PARAM.match(line):
            module.params[match[1]] = (match[2], match[3], match[4])
        elif match := re.match(r"  returns \{(.*)\}$", line):
            module.returns = dict(re.findall(r"([a-z_]+): ([a-z<>]+)", match[1]))
        elif match := re.match(r"  (needs|uses|writes|reads|touches|sends_tree|sends|renders|fetches|reboots) (.*)$", line):
            module.clauses[match[1]] = match[2]
        elif line.strip() and not line.strip().startswith("#"):
            raise ValueError(f"{path}:{i + 1}: not understood: {line}")
        i += 1
    if module:
        raise ValueError(f"{path}: module {module.name} has no end")
    return modules


def all_modules():
    found = {}
    for path in sorted((ROOT / "modules").glob("*.play")):
        for module in read(path):
            found[module.name] = module
    return found


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def default_value(type_, text):
    """The shell's form of a default as it is written."""
    if text is None:
        return ""
    if text == "{}":
        return ""
    if text.startswith("["):
        return "\n".join(re.findall(r'"([^"]*)"', text))
    if text.startswith('"'):
        return text[1:-1]
    if type_.startswith("duration"):
        return str(sum(int(n) * UNITS[u] for n, u in re.findall(r"(\d+)([smhd])", text)))
    return text


def shell_value(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "\n".join(str(v) for v in value)
    if isinstance(value, dict):
        return "\n".join(f"{key}={v}" for key, v in value.items())
    return str(value)


def prelude():
    """The prelude as hosts are given it."""
    text = (ROOT / "src/remote/prelude.cc").read_text(encoding="utf-8")
    return re.search(r'R"SH\((.*?)\)SH"', text, re.S)[1]
