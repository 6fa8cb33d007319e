#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& inventory_codes() {
  static const std::vector<CodeText> table = {
      {"E0601", "A host is declared twice",
       R"~(A host has one place in an inventory, so that it has one address and one order.

```
group web { host a }
group db  { host a }
```

Write the host once, and name it in the other group: `members a`.
)~"},
      {"E0602", "A group's name is taken",
       R"~(Groups and hosts share one space of names, since `--limit NAME` must be clear. `all` is every host.

```
group web { host web }
```
)~"},
      {"E0603", "A bad range of hosts",
       R"~(`host web[1..9]` makes nine hosts; `web[01..12]` pads the numbers. It runs upwards, both ends have one
width if they are padded, and an inventory has a million hosts at most.

```
host web[9..1]
```
)~"},
      {"E0604", "Unknown ssh setting",
       R"~(Settings are `address port user identity known_hosts jump password become_password`. Variables that
plays read stand in `vars { }`.

```
host db1 { adress: "10.0.1.20" }
```
)~"},
      {"E0605", "A name that no host can have",
       R"~(Names of hosts and groups have letters, digits, `.`, `_` and `-`, and do not begin with `-`: ssh would
take that for an option. The same holds for addresses and users.

```
host "-oProxyCommand=x"
```

Give the host a plain name.
)~"},
      {"E0606", "Something is set twice",
       R"~(In one group or host each variable and setting is set once. A host's own value wins over its groups'.

```
vars { app: "/a", app: "/b" }
```
)~"},
      {"E0607", "An ssh setting has the wrong type",
       R"~(`port` is an int from 1 to 65535, `identity` and `known_hosts` are a string or a list of strings,
passwords name their source, the rest are strings.

```
ssh { port: "22" }
```
)~"},
      {"E0608", "There is no such host or group",
       R"~(`members` and `jump` name what the same inventory declares.

```
group all_web { members web, wbe2 }
```
)~"},
      {"E0609", "Groups contain each other",
       R"~(A group cannot be a part of itself, by whatever way. The circle is printed as a path.

```
group a { members b }
group b { members a }
```
)~"},
      {"E0610", "An inventory holds values, not computations",
       R"~(Values are literals, lists, records, `${index}`, `${host}` and `${inventory}` in strings, arithmetic on
`index`, and sources of secrets. `index` is the number of a host of a range.

```
vars { app: "/srv/${name}" }
```

Compute in the play, with `let`.
)~"},
      {"E0611", "A file is not one inventory",
       R"~(An `.inv` file holds one `inventory NAME { ... }` and nothing else.

```
inventory staging { group web { host web1 } }
inventory prod { group web { host web9 } }
```

Write each inventory in a file of its own: `inventories/staging.inv`, `inventories/prod.inv`.
)~"},
      {"E0612", "A term of `--limit` matches nothing",
       R"~(Each term names a group, a host, or by a glob several: `web*`. One that matches nothing is a mistake.

```
cnplay -i staging update_code.play --limit wbe1
```
)~"},
      {"E0613", "`--limit` leaves no host",
       R"~(Each term matches something, but what they are joined to does not: `&` means and, `,` means or, `!` not.

```
cnplay -i staging update_code.play --limit 'web & db'
```
)~"},
      {"E0614", "`--limit` cannot be read",
       R"~(Terms are joined by `,` (or) and `&` (and, binds tighter); `!` before a term means not; parentheses are
allowed. `web,!web1` is refused: it means web or every host but web1.

```
cnplay -i staging update_code.play --limit 'web,!web1'
```

Write `web & !web1`.
)~"},
      {"E0615", "An inventory without a host", R"~(Nothing could run.

```
inventory empty { group web { } }
```
)~"},
      {"E0616", "A `notify` that cannot be carried out",
       R"~(`notify` stands in the inventory itself, says `on` which moments (`finish`, `failure`, `parked`), and one
way: a `command`, a `webhook` or a `mail`. A secret is named by its source, also where it is the webhook's address.

```
inventory prod {
  notify { on: "failure", webhook: "https://name:secret@chat.example.org/hook" }
  host web1 { address: "10.0.1.1" }
}
```

Write `webhook: "https://chat.example.org/hook", token: env("HOOK_TOKEN")`, or `webhook: vault("chat/hook")`.
)~"},
  };
  return table;
}

}  // namespace cnplay::diag
