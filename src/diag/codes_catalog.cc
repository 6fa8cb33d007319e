#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& catalog_codes() {
  static const std::vector<CodeText> table = {
      {"E0401", "Unknown module",
       R"~(An action calls a module by its name: of the project's own `modules/` first, then the built-in ones.
`cnplay modules` lists them.

```
step code on web { git.rebsae(dir: app, onto: "origin/main") }
```
)~"},
      {"E0402", "The module has no such parameter",
       R"~(Arguments are named, by the module's declaration: `cnplay modules git.rebase` shows it. A spread
(`..site`) may hold fields that the module does not take, so that one record serves several modules; but
one of its fields must be a parameter.

```
git.rebase(dir: app, ontoo: "origin/main")
```
)~"},
      {"E0403", "A parameter is missing",
       R"~(Parameters without a default must be given, unless their type is optional (`string?`).

```
git.rebase(dir: app)
```
)~"},
      {"E0404", "A parameter is given twice",
       R"~(Also by a spread: `..site` gives each of its fields.

```
git.rebase(dir: app, dir: "/srv", onto: "origin/main")
```
)~"},
      {"E0405", "An argument has no name", R"~(Modules and scripts take their arguments by name.

```
git.rebase(app, onto: "origin/main")
```

Write `dir: app`.
)~"},
      {"E0406", "`..` of something that is not a record",
       R"~(A spread gives the fields of a record: `let site = { dir: app, venv: venv }`, then `..site`.

```
django.migrate(..app)
```
)~"},
      {"E0407", "A plain `sh` has no facts",
       R"~(Facts are declared, by the `returns` of a module, so that their types are known.

```
let x = sh """date"""
```

Write a module: `returns { date: string }`, and `fact date "$(date)"` in its `check`.
)~"},
      {"E0410", "A module is declared twice",
       R"~(Within one place (the project's `modules/`, or the built-in ones) a name is declared once. A module of
the project's own may replace a built-in one.

```
module a.b { ... }
module a.b { ... }
```
)~"},
      {"E0411", "A module does nothing", R"~(A module has a `check`, an `apply` or both.

```
module a.b { param x: string }
```
)~"},
      {"E0412", "A script reads a variable that has no value",
       R"~(Scripts run under `set -u`: a variable without a value would stop them in the middle. Each `$name` is a
parameter, a fact (in `apply`, `verify`, `preview`), or set by the script itself. A `sh` in a play sees what
is handed over, `sh(dir: app) """..."""`, and never the play's own names.

```
param dir: path
check sh """[ -d "$dri" ] && ok; change "make it" """
```

For a variable that may be unset write `${name:-}`.
)~"},
      {"E0413", "A fact is set that is not declared, or in the wrong stage",
       R"~(Facts are declared by `returns`, and set by `fact NAME VALUE` in `check`: before anything is changed,
so that the `undo` survives a crash.

```
returns { before: string }
check sh """fact befor "$(git rev-parse HEAD)"; ok"""
```
)~"},
      {"E0414", "A declared fact is never set", R"~(Somebody may read it.

```
returns { before: string }
check sh """ok"""
```

Set it: `fact before "$value"`.
)~"},
      {"E0415", "A clause does not name a parameter of the type that it needs",
       R"~(`writes` and `reads` name parameters of type `path` or `list<path>`: they steer dry runs. A parameter in the name of a thing,
as in `touches "service:${name}"`, is a `string`, a `path`, an `int`, or a list of such. `sends` and
`renders` name a `string`, the path of a file beside the play; `sends_tree` one that is a directory, and a `list<string>` of
patterns of what is left out; `fetches` a `path` of the host and a `string`; `reboots` a `duration`.

```
param dir: path
writes dri
```
)~"},
      {"E0416", "A clause of a module cannot be understood",
       R"~(Clauses are `needs command("git")`, `uses "dpkg"`, `writes dir`, `reads requirements`,
`touches "service:${name}"`, `reads "package:*"`, `sends src`,
`sends_tree src, exclude`, `renders src`, `fetches src, to`, `reboots timeout`, and the stages
`check`, `apply`, `verify`, `preview` and `preflight`, each followed by `sh """..."""`.

```
needs "git"
```

Write `needs command("git")`.
)~"},
      {"E0417", "Stages that do not go together",
       R"~(`verify` is for what `apply` has done; `preview` makes, in a dry run, what `apply` would make of the path
named by `writes`; a module that `touches` something has an `apply`; a native module has no scripts; a module that `sends` has an `apply` which uses the file, one with `sends_tree` a `check`, too; one that `reboots`
has an `apply`, and sends nothing; one that `fetches` has a `check` alone.

```
check sh """ok"""
verify none
```
)~"},
      {"E0418", "Something stands twice in a module",
       R"~(Each parameter, fact and stage is declared once.

```
check sh """ok"""
check sh """ok"""
```
)~"},
      {"E0419", "A parameter or fact cannot have this type",
       R"~(Parameters are `string int bool duration time size path percent list<T> map<T> enum(a, b) secret<T> T?`.
A fact is text that a script prints: `string int bool path duration size time list<string>`.

```
returns { key: secret<string> }
```
)~"},
      {"E0420", "This does not belong in a module",
       R"~(A module is a declaration and its scripts; a file of modules holds nothing else.

```
module a.b { let x = 1 }
```
)~"},
      {"E0421", "A name belongs to the shell",
       R"~(Parameters and facts, and what is handed to a plain `sh`, become shell variables. Names that the shell
uses itself would break the script.

```
param PATH: string
sh(PATH: "/opt/bin") """..."""
```
)~"},
      {"E0422", "A check without the verdicts that it needs",
       R"~(A check ends with `ok`, `change "what"`, `fail "why"` or `skip "why"`; no verdict is a failure. One
without an `apply` cannot say `change`.

```
check sh """[ -d "$dir" ]"""
```

Write `[ -d "$dir" ] && ok`, and then `change "make it"`.
)~"},
  };
  return table;
}

}  // namespace cnplay::diag
