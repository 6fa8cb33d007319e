// The explanations of the syntax errors, which src/syntax/ finds.
#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& syntax_codes() {
  static const std::vector<CodeText> table = {
      {"E0001", R"(a byte that is not UTF-8)",
       R"md(Files are UTF-8. A file saved in another encoding, or a binary one, is refused before anything in
it is read, since its texts would be changed silently on the way to a host.

    owner "Caf\xE9"          # the byte 0xE9 alone is Latin-1

Save the file as UTF-8 in your editor, or convert it: `iconv -f latin1 -t utf-8 FILE`.
)md"},
      {"E0002", R"(a NUL byte in the text)",
       R"md(No text that reaches a shell can hold a NUL byte, so the language has none either. Often the file
is UTF-16, where every other byte of plain English is zero.

    o.w.n.e.r.               # "owner" in UTF-16, a dot for each NUL

Convert it: `iconv -f utf-16 -t utf-8 FILE`.
)md"},
      {"E0003", R"(a character that means nothing here)",
       R"md(Outside of texts and comments the language knows letters, digits, `_` and a few signs. There is no
`;` (a newline ends a statement), no `!` (write `not`), and quotes are straight.

    owner "web team";        # refused
    owner "web team"

Names are made of a to z, A to Z, 0 to 9 and `_`. Any character may stand in a text.
)md"},
      {"E0004", R"(a text is never closed)",
       R"md(A text in single double-quotes ends on its line. The diagnostic points at the quote that opened it.

    owner "web team          # refused
    owner "web team"

For a text of several lines use `"""`, with the closing `"""` on a line of its own.
)md"},
      {"E0005", R"(a text block is never closed)",
       R"md(A text block begins with `"""` and ends, any number of lines later, at the next `"""`.

    check sh """
      test -d "$dir" && ok
    """                      # without this line the rest of the file is text

A line such as `apply sh """` is taken for the beginning of the next block, and the block before it
for the one that was not closed.
)md"},
      {"E0006", R"(an interpolation is never closed)",
       R"md(`${` in a text begins an expression, which a `}` on the same line ends.

    lock "deploy/${inventory.name"     # refused
    lock "deploy/${inventory.name}"

A dollar sign before a brace is written `\$`. Scripts after `sh` have no interpolation: their
parameters are shell variables.
)md"},
      {"E0007", R"(an interpolation without a value)",
       R"md(`${}` inserts nothing, so something is missing.

    owner "the ${} team"     # refused
    owner "the ${team} team"

If a dollar sign and braces are meant, write `\${}`.
)md"},
      {"E0008", R"(an unknown escape)",
       R"md(In a text, a backslash begins an escape: `\n` newline, `\t` tab, `\"` quote, `\\` backslash, `\$`
dollar sign, `\u{e9}` the character with that hexadecimal number.

    let p = "C:\data"        # refused: \d is not an escape
    let p = "C:\\data"

Scripts after `sh` are raw: a backslash in them is a backslash.
)md"},
      {"E0009", R"(a text in single quotes)",
       R"md(There is one way to write a text: in double quotes.

    owner 'web team'         # refused
    owner "web team"
)md"},
      {"E0010", R"(a parenthesis or bracket is never closed)",
       R"md(Inside `( )` and `[ ]` newlines mean nothing, so a missing closer would swallow what follows. The
diagnostic points at the opener, and says where the next statement seems to begin.

    hosts web = group("web"            # refused
    hosts web = group("web")
)md"},
      {"E0011", R"(a block is never closed)",
       R"md(Every `{` needs its `}`. Which one is missing is guessed from the indentation: the block whose first
line is indented deeper than the `}` that would close it.

    step a on web {
      a.run()                # the } of step a is missing here
    step b on web {
      b.run()
    }
)md"},
      {"E0012", R"(a closing bracket too many)",
       R"md(A `}`, `)` or `]` that closes nothing. Either it is left over, or its opener is missing.

    git.rebase(dir: app))    # refused: one `)` too many
)md"},
      {"E0013", R"(nested too deeply)",
       R"md(Brackets may nest 200 deep, and one expression may have 500 operators: far more than a person
can read, and little enough that no file can exhaust the program's stack.

    let x = a + b + c + ...  # 501 times

Give the parts names with `let`.
)md"},
      {"E0014", R"(a number out of range)",
       R"md(Ints have 64 bits. Durations are counted in milliseconds and sizes in bytes, also in 64 bits.
A literal that does not fit is refused; it never wraps around.

    let n = 9223372036854775808        # refused: one more than the largest int
)md"},
      {"E0015", R"(a malformed number)",
       R"md(Numbers are whole. With a unit they are durations (`250ms`, `90s`, `10m`, `1h30m`, `7d`), sizes (`17B`,
`4KiB`, `512MiB`, `2GiB`, `1TiB`) or percents (`25%`). In a duration each unit stands once, the largest
first. A number does not begin with a zero: the file mode 0644 is a text.

    step code on web timeout 1.5h { }  # refused: write 1h30m
    step code on web timeout 10min { } # refused: write 10m
)md"},
      {"E0016", R"(a line less indented than its closing fence)",
       R"md(From each line of a text block the indentation of the closing `"""` is taken away. A line that has
less cannot be dedented.

    check sh """
    echo one
      """                    # refused: the fence is deeper than the line
)md"},
      {"E0017", R"(a malformed name of a host or group)",
       R"md(The name of a host is written in one piece: letters, digits, `-`, `_` and `.`, and a range in brackets
at most once. A name is fixed: it holds no interpolation.

    host web [1..3] { }      # refused: a space before the range
    host web[1..3] { }       # web1, web2, web3
    host "db-1.example.com" { }
)md"},
      {"E0018", R"(a script with two guards)",
       R"md(`unless sh` gives a script its check: it has one.

    sh "a" unless sh "b" unless sh "c"      # refused
    sh "a" unless sh "b || c"
)md"},
      {"E0020", R"(this does not begin a statement)",
       R"md(A statement begins with a word of the language (`step`, `let`, `do`, ...) or is an action, written with
its module: `git.rebase(...)`.

    stpe code on web { }     # refused: did you mean `step`?
    notice = 30m             # refused: write `let notice = 30m`
)md"},
      {"E0021", R"(something else is expected here)",
       R"md(The words so far begin something that continues differently. The diagnostic names what may stand at
this place.

    git.rebase(dir: app onto: "main")  # refused: a comma is missing
    wait start                         # refused: write `wait until start`

A statement ends with its line; inside `( )` and `[ ]` newlines are free.
)md"},
      {"E0022", R"(a block is missing)",
       R"md(This statement has a block in braces. Between its header and the `{` newlines are free.

    step code on web         # refused, without { ... }
    step code on web {
      git.rebase(dir: app, onto: "origin/master")
    }
)md"},
      {"E0023", R"(a value is missing)",
       R"md(Here a value must stand: a text, a number, a name, a call, a list `[...]`, or an expression of these.

    let start = now +        # refused: the newline ends the statement
    let start = now + notice

A value of several lines stands in parentheses. A record `{ a: 1 }` cannot stand where a block could
follow: put it in parentheses, too.
)md"},
      {"E0024", R"(`=`, `==` and `:` are different things)",
       R"md(`=` gives a name to a value (`let x = 1`, and the default of a parameter), `==` compares, and `:` stands
behind the name of an argument or field.

    git.rebase(dir = app)    # refused: write `dir: app`
    let x == 1               # refused: write `let x = 1`
    if x = 1 { }             # refused: write `x == 1`
)md"},
      {"E0025", R"(a type or a `:` is missing)",
       R"md(Parameters, host variables and facts are declared with their type; fields are written `name: value`.

    param branch = "master"            # refused
    param branch: string = "master"
    ssh { user "ubuntu" }              # refused
    ssh { user: "ubuntu" }
)md"},
      {"E0026", R"(comparisons do not chain)",
       R"md(A comparison gives true or false, and comparing that with a number has no meaning.

    require 1 < n < 9        # refused
    require 1 < n and n < 9
)md"},
      {"E0027", R"(this cannot stand at the top of a file)",
       R"md(A file holds `use`, `play`, `procedure`, `module` and `inventory`. Everything else stands inside one of
those.

    step code on web { }     # refused at the top of a file
    play update { step code on web { } }

If it was meant to be inside, look for a `}` too many above.
)md"},
      {"E0028", R"(the file is written for another tool)",
       R"md(The first line shows that the file is YAML (`---`, `- hosts: web`, `all:`), or an inventory in the INI
form (`[web]`). Plays and inventories have a form of their own.

    - hosts: web                         # refused: a playbook of Ansible
      tasks:
        - apt: name=nginx

    play p {
      hosts web = group("web")
      step nginx on web as root { apt.install(packages: ["nginx"]) }
    }

docs/language.md and docs/inventory.md describe both forms.
)md"},
  };
  return table;
}

}  // namespace cnplay::diag
