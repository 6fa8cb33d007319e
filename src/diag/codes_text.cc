#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& text_codes() {
  static const std::vector<CodeText> table = {
      {"E0701", "A shell script has a syntax error",
       R"~(Every script of a play and of its own modules is read by `sh -n` on the controller, which
checks the syntax and runs nothing. A script that `sh` cannot read fails on every host.

```
step a on web { sh """if [ -f /etc/app ]; then echo "there" """ }      # `fi` is missing
```

Scripts are POSIX sh. The line of the script that `sh` names is often after the mistake: look for
the quote, `if`, `{` or `(` that was opened last.
)~"},
      {"E0702", "A script uses a form of bash",
       R"~(Scripts run in the host's `sh`. On Debian and Ubuntu that is dash, which has no `[[`, no
arrays and no `source`. This is a warning, for a host's `sh` may be bash.

```
step a on web { sh """if [[ -f /etc/app ]]; then source /etc/app; fi""" }    # bash
step a on web { sh """if [ -f /etc/app ]; then . /etc/app; fi""" }           # sh
```

| bash | POSIX sh |
| --- | --- |
| `[[ -f x ]]` | `[ -f x ]` |
| `[ a == b ]` | `[ a = b ]` |
| `source x` | `. ./x` |
| `function f {` | `f() {` |
| `a=(x y)` | `set -- x y`, then `"$@"` |
| `cmd <<< text` | `printf '%s\n' text \| cmd` |
| `cmd &> file` | `cmd > file 2>&1` |
| `set -o pipefail` | a temporary file, or two steps |

Or call bash by name: `bash -c '...'`.
)~"},
      {"E0703", "A text holds the form of another language",
       R"~(A value stands in a text as `${name}`. `{{ name }}` is Jinja, `$name` is the shell, and
`{name}` and `%s` are Python: here they are characters like any others.

```
http.check(url: "http://localhost:{{ port }}/")       # means the braces
http.check(url: "http://localhost:${port}/")          # the value
```

In a script (`sh`) values are handed over by name, and the shell reads them: `sh(port: port)
"""curl "http://localhost:$port/" """`.
)~"},
      {"E0704", "The steps of a phase expect more than its budget",
       R"~(`budget` is the time that a phase may take. Steps on the same hosts run one after another,
so a phase whose steps together expect more than its budget is late before it begins.

```
phase cutover "Site down" outage budget 5m {
  step migrate on web once expect 4m { ... }
  step reindex on web once expect 3m { ... }
}
```

Raise the budget, lower what the steps expect, or put steps that can run side by side in `parallel`.
)~"},
      {"E0705", "The play is too large",
       R"~(Loops, batches and procedures are carried out before the run: each turn is steps of the
plan. A play may have at most a million steps and turns of loops.

```
for a in hundred { for b in hundred { for c in hundred { for d in hundred { ... } } } }
```

Loop over fewer values, or let one script loop on the host.
)~"},
      {"E0706", "`--limit` leaves out a step",
       R"~(`--limit` chooses hosts, and a step of whose hosts none is chosen is left out of the run.
This is a warning: look whether the rest of the play makes sense without the step.

```
cnplay -i prod -l 'web & !web3' update_code.play      # leaves out the steps on `db`
```

What `expect` says of a set of hosts is checked against the whole inventory.
)~"},
      {"E0707", "The plan is large",
       R"~(A loop, or a phase that is done batch by batch, makes more than 20,000 steps. Such a plan works, but it takes time
and memory: each step is kept in the record.

```
phase roll "One by one" serial 1 of web { ... }
```

Take larger batches, loop over fewer values, or let one script loop on the host.
)~"},
  };
  return table;
}

}  // namespace cnplay::diag
