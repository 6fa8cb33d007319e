#include "diag/code_tables.h"

namespace cnplay::diag {

const std::vector<CodeText>& compile_codes() {
  static const std::vector<CodeText> table = {
      {"E0101", "A host variable has no value on a host that needs it",
       R"~(A play that reads a host variable needs a value for every host it is read on, and that is
checked before any host is touched. Only hosts of steps that use the variable count.

```
hostvar venv: path
step packages on web { pip.install(venv: venv, requirements: "/srv/app/r.txt") }
```

Set it in the inventory for the host or for one of its groups (`vars { venv: "/srv/venv" }`), give
it a default (`hostvar venv: path = "/srv/venv"`), or run with `-e venv=/srv/venv`.
)~"},
      {"E0102", "Unknown name",
       R"~(The name is declared nowhere that this place can see. A play sees its own declarations; a
procedure sees its parameters alone.

```
let dir = "${ap}/current"      # `app` was meant
```

Fix the name, or declare it: `param`, `let`, `hostvar`, `hosts`, `secret`.
)~"},
      {"E0103", "A name is used before it is declared",
       R"~(A play is read from top to bottom, by people and by the compiler.

```
let page = "${root}/page.html"
let root = "/srv/www"
```

Move the declaration up.
)~"},
      {"E0104", "A name is declared twice",
       R"~(A name means one thing in a play. There is no shadowing: an inner block cannot take a name
that is in use around it, and a record has each field once.

```
param branch: string = "master"
let branch = "main"
```

Choose another name for one of the two.
)~"},
      {"E0105", "`-e` names no parameter of the play",
       R"~(`-e name=value` sets a `param` or a `hostvar` of the play that runs.

```
cnplay -i staging update_code.play -e brunch=main
```

Fix the name, or declare the parameter.
)~"},
      {"E0107", "There is no such member",
       R"~(A record has the fields that it was written with, an action the facts that its module
`returns`, a step the actions that were given a name by `let`.

```
let site = { dir: app }
step s on web { sh(dir: site.directory) """ls "$dir" """ }
```

Read one that is there.
)~"},
      {"E0108", "A library cannot be read",
       R"~(`use "lib/x.play" as x` names a file by a path relative to the file that says it. The path is
plain text: which files make up a program never depends on a value.

```
use "lib/${name}.play" as x
```

Fix the path.
)~"},
      {"E0109", "Files use each other in a circle",
       R"~(A file may use another only if that one does not need the first, directly or through others.
The circle is printed as a path.

```
# a.play            # b.play
use "b.play" as b   use "a.play" as a
```

Move what both need to a third file.
)~"},
      {"E0110", "It is not clear which play is to run",
       R"~(A file may hold several plays; then the one to run is named on the command line. A file with
procedures only is a library.

```
cnplay -i staging plays.play NAME
```
)~"},
      {"E0111", "Unknown procedure",
       R"~(`do name(...)` inlines a procedure of the same file, `do alias.name(...)` one of a file that
`use "..." as alias` brought in.

```
do coralnet.server_stopp(web: web)
```

Fix the name, or declare the procedure.
)~"},
      {"E0112", "Procedures call each other in a circle",
       R"~(Procedures are written into the play where they are done, so that every step is known before the
run. That ends only if none does itself again.

```
procedure again() { do again() }
```

Use a `for` over a list.
)~"},
      {"E0113", "The inventory has no such group or host",
       R"~(`group("x")` and `host("x")` name what the inventory declares. `group("all")` is every host.

```
hosts web = group("wbe")
```

Fix the name, or declare the group in the inventory.
)~"},
      {"E0114", "A value differs from host to host where one is needed",
       R"~(Titles, times, numbers of retries, the conditions of `if` and the lists of `for` are the same for
the whole run; a host variable has a value for each host. That holds even where all hosts happen to have
the same value: a new host must not change what a play means.

```
hostvar count: int
step s on web retry count { ... }
```

Make it a `param`.
)~"},
      {"E0115", "A value is not known before the run",
       R"~(Which hosts and steps exist, how often they are tried and how they are called is known before
the run: so a plan can be printed, checked and hashed. Facts of hosts and `now` are known later. They may
steer `when`, be parameters of actions, and be waited for.

```
if now > start { step late on web { ... } }
```

Steer with `when`, or make it a `param`.
)~"},
      {"E0116", "A parameter has no value", R"~(A `param` without a default must be given with `-e`.

```
param branch: string
```

Run with `-e branch=main`, or write `param branch: string = "main"`. A parameter that may be missing
is declared optional: `string?`.
)~"},
      {"E0117", "The arguments of a procedure do not fit",
       R"~(A procedure is done with each of its parameters by name, once; those with a default may be left
out.

```
procedure stop(web: hosts) { ... }
do stop(hosts: web)
```
)~"},
      {"E0118", "A handler has no name",
       R"~(A handler runs when it is notified, by its name: `notify reload`.

```
handler { service.restart(name: "nginx") }
```

Write `handler reload { ... }`.
)~"},
      {"E0119", "A fact is read before its step",
       R"~(The facts of a step can be read in later steps. In the step itself the action is named alone
(`moved.before`), and only behind it.

```
step a on web { sh(x: b.moved.before) """echo "$x" """ }
step b on web { let moved = git.rebase(dir: app, onto: "origin/main") }
```

Put the step that reads behind the step that finds out.
)~"},
      {"E0120", "A fact is read in a branch that runs beside its step",
       R"~(The branches of `parallel` are not ordered: the other step may not have run yet.

```
parallel {
  step a on web { let moved = git.rebase(dir: app, onto: "origin/main") }
  step b on web { sh(x: a.moved.before) """echo "$x" """ }
}
```

Put both in one `sequence`, or read the fact behind the `parallel`.
)~"},
      {"E0121", "A fact has one value for each host where one is needed",
       R"~(A step on several hosts finds out a fact for each of them. Where one value is needed (a `wait`, a
`once` step on another host), a host must be chosen.

```
step note on db once { sh(rev: code.moved.target) """echo "$rev" """ }
```

Write `code.moved[web[0]].target`.
)~"},
      {"E0122", "A fact does not exist on the hosts that read it",
       R"~(A fact belongs to the hosts that its step runs on.

```
step code on web { let moved = git.rebase(dir: app, onto: "origin/main") }
step note on db  { sh(rev: code.moved.target) """echo "$rev" """ }
```

Choose a host, `code.moved[web[0]].target`, or let the step run on these hosts too.
)~"},
      {"E0123", "It is not clear which step is meant",
       R"~(Two steps of this name can be seen, a procedure of this name was done twice, or a step that stands in a loop has one
for each turn.

```
for p in ["a", "b"] { step s on web { let m = git.rebase(dir: app, onto: p) } }
step t on web { sh(x: s.m.before) """echo "$x" """ }
```

Give the steps names of their own; read facts of a loop inside of it, or say which turn is meant by what the loop's variable was:
`s["a"].m.before`, in a rollback perhaps in a loop over the same list. Steps of a procedure that was done are read by its name:
`server_stop.stop.moved.before`.
)~"},
      {"E0124", "`saved` does not name one fact of the step",
       R"~(In an `undo`, `saved.x` is the fact `x` that an action of this very step found out before it
changed anything. Where two actions have one, the action is named: `saved.moved.before`.

```
step code on web {
  git.rebase(dir: app, onto: "origin/main")
  undo { git.reset(dir: app, to: saved.befor) }
}
```
)~"},
      {"E0125", "A file beside the play cannot be read",
       R"~(What is sent to hosts, and what is rendered for them, is read when the play is compiled: its
checksum is part of the plan. The path is relative to the directory of the play.

```
file.copy(src: "files/motd.txt", dest: "/etc/motd")
```
)~"},
      {"E0126", "Files of several hosts would be brought to one place",
       R"~(Of a file that is fetched from several hosts each needs a place of its own. A name that ends with `/`
is a directory: the file goes to DIRECTORY/HOST/NAME.

```
step logs on web { file.fetch(src: "/var/log/syslog", to: "logs/syslog") }
```

Write `to: "logs/"`.
)~"},
      {"E0201", "Unknown type",
       R"~(The types are `string int bool duration time size path percent list<T> map<T> enum(a, b) secret<T>
T?`, and `hosts` for the parameters of procedures.

```
param notice: minutes = 30
```

Write `param notice: duration = 30m`.
)~"},
      {"E0202", "A text does not have the form that its place asks for",
       R"~(A string literal takes the type of its place, and is checked as such: a path is absolute or begins
with `~/`, a time has a zone, an enum has its alternatives.

```
param start: time = "2026-12-01 22:00"
```

Write `"2026-12-01 22:00 America/Los_Angeles"`.
)~"},
      {"E0203", "A value of another type is expected",
       R"~(Nothing is converted: an int is not a duration, a string is not a path, and only `true` is true.

```
step packages on web timeout 10 { ... }
```

Write `10s` or `10m`. A value becomes a text only by `"${x}"`.
)~"},
      {"E0204", "An operator does not go with these values",
       R"~(Operators go with values of fitting types: `time + duration`, `time - time`, `duration * int`,
`size + size`, comparisons of two values of one type. Texts are put together by `"${a}${b}"`, not by `+`.

```
let url = "http://" + host
```
)~"},
      {"E0206", "A value breaks the condition of its parameter",
       R"~(A parameter may say what must hold for its values: `param notice: duration = 30m where it <= 24h,
"a day at most"`. Defaults are held to it as well.

```
cnplay -i staging update_code.play -e notice=3d
```
)~"},
      {"E0207", "An index is out of range",
       R"~(The first item of a list, and the first host of a set, has the index 0.

```
step s on web[3] { ... }      # web has three hosts: 0, 1, 2
```
)~"},
      {"E0208", "A value cannot be computed",
       R"~(Expressions are total: what has no result (a division by zero, a number that is too large) is an
error, found before the run wherever the values are known.

```
let share = 100 / 0
```
)~"},
      {"E0209", "`-e` gives a value that its parameter cannot have",
       R"~(`-e name=value` is read by the declared type: `-e notice=90s` for a duration, `-e fetch=true` for a
bool, `-e names='["a", "b"]'` for a list.

```
param notice: duration
cnplay -i staging update_code.play -e notice=soon
```
)~"},
      {"E0210", "A type cannot be told",
       R"~(The type of a `let` is the type of its value. An empty list and `none` have none of their own.

```
let names = []
```

Write `let names: list<string> = []`.
)~"},
      {"E0211", "The arguments of a function do not fit",
       R"~(Functions take their arguments by place, all of them.

```
let n = join(["a", "b"])
```

Write `join(["a", "b"], ", ")`.
)~"},
      {"E0212", "This is not a value",
       R"~(Actions run on hosts; their results are facts, known by name in later steps. Steps, sets of hosts
and `rehearsed` are not values either.

```
let moved = "${git.rebase(dir: app, onto: "main")}"
```

Name the action in a step, `let moved = git.rebase(...)`, and read `moved.before`.
)~"},
      {"E0213", "A value of the inventory does not fit its declaration",
       R"~(The play declares the type of each host variable that it reads: `hostvar app: path`. The value
that the inventory gives to a host is held to it if a step of the play reads the variable there.

```
vars { app: "cnhome" }      # a path is absolute
```
)~"},
      {"E0301", "A secret would be printed",
       R"~(What is derived from a secret is secret. It may go to parameters of type `secret<T>` and to the
variables of an inline script, which reach a host by stdin alone. It is refused where it would be seen: in
titles, names, messages, conditions, and in parameters that plans and journals show.

```
secret key = env("KEY")
step s "Set ${key}" on web { ... }
```

Say where it is kept instead of what it is.
)~"},
      {"E0303", "This is not a source of a secret",
       R"~(A secret is read by the run, never written in a play: `env("X")`, `command(["pass", "show", "x"])`,
`ask("prompt")`, `vault("path")` or `generate(length: 40)`, behind `secret NAME =` and nowhere else.

```
secret key = "hunter2"
```
)~"},
      {"E0304", "A secret is given with `-e`",
       R"~(A command line can be read by everyone on the machine, and ends up in the shell's history.

```
cnplay -i staging rotate.play -e key=hunter2
```

Declare it in the play, `secret key = env("KEY")`, and put it in the environment.
)~"},
      {"E0305", "The inventory gives a secret to a variable that is none",
       R"~(What comes from a source of secrets is secret, so the variable must be declared so.

```
hostvar password: string      # the inventory says password: env("PW")
```

Write `hostvar password: secret<string>`. The other way round holds too: a secret variable takes no text
that stands in the inventory in clear.
)~"},
      {"E0306", "The vault has no such path",
       R"~(`vault("path")` reads the vault that lies beside the inventory: inventories/prod.vault for
inventories/prod.inv. Each inventory has its own, so a path that staging has may be missing in prod.

```
secret key = vault("prod/kye")      # prod/key was meant
```

`cnplay vault list -i prod` says what there is; `cnplay vault set -i prod prod/key` puts it there. `cnplay
check` and `cnplay plan` look only if the password comes from a key file or a command; a run always does.
)~"},
      {"E0307", "The vault cannot be opened",
       R"~(The play or its inventory wants something of the vault that lies beside the inventory, and that is not
there, is damaged, or has another password.

```
secret key = vault("prod/key")      # and there is no inventories/prod.vault
```

`cnplay vault init -i prod` makes one. A damaged one is never written to: take it from a backup or from
version control. The password is asked for once, or comes from `--vault-key-file` or `--vault-key-command`.
)~"},
      {"E0308", "A host would choose a path on the controller",
       R"~(What comes from a host is never trusted: a fact that names the place of a file on the controller could
name any file of its user. A fact may be one name below a place that the play names.

```
step a on web { let f = log.newest() }
step b on web { file.fetch(src: a.f.path, to: a.f.name) }
```

Write `to: "logs/${a.f.name}"`, or `to: "logs/"` for DIRECTORY/HOST/NAME. The run refuses a fact that has a `/`, and
one by which the path would hold `.` or `..`.
)~"},
      {"E0501", "Nothing handles a failure after the pivot",
       R"~(A pivot is a point of no return: no automatic undo crosses it. So the play must say what is to
happen when a later step fails.

```
pivot "the schema may change"
step migrate on web once { ... }
```

Add `on_failure after pivot { hold "..." }` to the same phase, or to one around it.
)~"},
      {"E0502", "This cannot stand here",
       R"~(Each kind of block holds its own things: a play its declarations, phases and steps, a step its
actions and an `undo`, an `on_failure` its answer.

```
play p {
  git.rebase(dir: "/srv/app", onto: "origin/main")      # an action without a step
}
```
)~"},
      {"E0503", "Unknown modifier",
       R"~(The words behind a step are `on once serial when as timeout retry expect tolerate notify`; behind a
phase `outage expect budget serial tolerate`; behind an action `as when notify`.

```
step packages on web timout 10m { ... }
```
)~"},
      {"E0504", "A modifier stands twice", R"~(Each modifier is said once, `notify` aside.

```
step s on web timeout 1m timeout 2m { ... }
```
)~"},
      {"E0505", "A modifier makes no sense here",
       R"~(The word is known, but not for this kind of thing.

```
phase cutover on web { ... }      # the steps of a phase name their hosts
```
)~"},
      {"E0506", "A modifier has no value that it can have",
       R"~(`once`, `outage` and `testing` stand alone, all others are followed by a value: `retry 3 every 10s`,
`timeout 10m`, `serial 25%`. Numbers of attempts and hosts are positive.

```
step s on web retry 0 { ... }
```
)~"},
      {"E0507", "A step does not say on which hosts it runs", R"~(There is no default set of hosts.

```
step code { ... }
```

Write `step code on web { ... }`.
)~"},
      {"E0508", "A set of hosts is empty",
       R"~(A run that does nothing looks like a success. So a set without a host is an error, also if
`--limit` has made it so.

```
hosts web = group("web") & group("db")
```
)~"},
      {"E0509", "A set has another number of hosts than expected",
       R"~(`hosts web = group("web") expect 4` asserts the number of hosts in the inventory, whatever
`--limit` takes away.

```
hosts db = group("db") expect 1      # the inventory has two
```
)~"},
      {"E0510", "`once` together with `serial`",
       R"~(`once` runs on one host, once in the run; `serial` goes through the hosts batch by batch.

```
step s on web once serial 1 { ... }
```

Keep one. A step that runs once belongs before or behind a `serial` phase.
)~"},
      {"E0511", "Two things in one place have one name",
       R"~(The path of a step, `play/phase/step[loop key]`, is its identity in reports, in the journal and for
a run that is resumed.

```
step code on web { ... }
step code on db  { ... }
```

Give each a name of its own. The values of a loop's list are the keys of its turns, so each stands there
once.
)~"},
      {"E0512", "Unknown handler",
       R"~(`notify x` names a `handler x { ... }` of the same play or procedure.

```
step conf on web { sh """true""" notify relaod }
```
)~"},
      {"E0513", "Something stands twice that is there once",
       R"~(A step has one `undo`, a play or phase one `on_failure` for each side of its pivot.

```
on_failure { undo all }
on_failure { hold "..." }
```

Put their contents together.
)~"},
      {"E0514", "Two pivots in one place",
       R"~(`on_failure before pivot` and `after pivot` must be clear.

```
phase p {
  pivot "one"
  pivot "two"
}
```

Give the second one a phase of its own.
)~"},
      {"E0515", "`on_failure` speaks of a pivot that is not there",
       R"~(`before pivot` and `after pivot` are of a pivot in the same play or phase, or inside of it.

```
phase p {
  step s on web { ... }
  on_failure after pivot { hold "..." }
}
```

Write `on_failure { ... }`.
)~"},
      {"E0516", "A precondition does not hold",
       R"~(`require CONDITION, "message"` is evaluated before anything runs.

```
require inventory.name != "prod", "not on production"
```
)~"},
      {"E0517", "A step, handler or answer does nothing",
       R"~(A block without an action is a mistake more often than a plan.

```
step later on web { }
```

Add an action, or take it out.
)~"},
      {"E0518", "The play has no step", R"~(There is nothing to do.

```
play p { hosts web = group("web") }
```
)~"},
      {"E0519", "Nothing notifies a handler",
       R"~(A handler runs when an action that notifies it has changed something. This one would never run.

```
handler reload { service.restart(name: "nginx") }
```

Write `notify reload` behind an action or a step.
)~"},
      {"E0520", "A barrier stands where the others do not come by",
       R"~(Phases, `pivot`, `wait`, `barrier` and `flush` hold all hosts until the last has come. Inside of
`parallel` the other branches continue meanwhile, in a `serial` phase only one batch is there, and in a loop
or an `if` there would be many points of no return or none.

```
parallel {
  sequence { pivot "now" }
}
```

Put it before or behind the block.
)~"},
      {"E0521", "There is no such rollback",
       R"~(`offer NAME` and `deadline T else rollback NAME` name a `rollback NAME "..." { }` of the play.

```
on_failure { offer back_to_blue }
```
)~"},
      {"E0522", "Batches within batches",
       R"~(`serial` is said once: at a phase, for all of its steps, or at a step.

```
phase p serial 2 { step s on web serial 1 { ... } }
```
)~"},
      {"E0523", "A human step that does not say what it asks",
       R"~(`manual`, `approve` and `ask` have a sentence that people read: what is to be done, what is approved, what
is asked. An answer has a name and a type, and so has each piece of evidence a name: later steps use them.

```
approve go by ["ann"]
ask "How long may the outage be?"
```

Write `approve go "Open the site?" by ["ann"]` and `ask outage: duration "How long may it be?"`.
)~"},
      {"E0524", "Nobody can type this in",
       R"~(People are asked for a string, int, bool, duration, time, size, path or enum(...). An `item` is ticked, not
typed. A secret is never asked for in a step, because what people say is journalled.

```
ask password: secret<string> "The database's password?"
```

Write `secret password = ask("The database's password")` at the head of the play: it is asked for without echo,
and not recorded.
)~"},
      {"E0525", "Nobody could answer so",
       R"~(`by` names users of the controller, or groups of users with an `@`; `count` is at most the number of those named; a
`default` is what holds when the `timeout` is over, `approve` or `refuse` for an approval or an `offer`, and of several
offers that stand together the name of one, or `none`.

```
approve go "Open the site?" by ["ann"] count 2 default refuse
```

Write `approve go "Open the site?" by ["ann", "bob", "@ops"] count 2 timeout 2h default refuse`. Without a default,
nobody's answer in time is a failure of the step.
)~"},
      {"E0526", "A time that cannot hold",
       R"~(A phase has one `deadline`, a play one `window`. The window ends after it begins, and its times hang on nothing that
hosts or people say: it is looked at before the first of them is asked.

```
window from "2026-12-02 02:00 UTC" to "2026-12-01 22:00 UTC"
```

Write `window from "2026-12-01 22:00 UTC" to "2026-12-02 02:00 UTC"`.
)~"},
      {"E0527", "No step has this tag",
       R"~(`--tags` and `--skip-tags` choose steps by the tags of the steps, phases and `do`s of the play. A tag that
nothing has chooses nothing: it is a slip of the pen.

```
step code on web tags ["code"] { ... }
```

With this, `--tags code` is right and `--tags cod` is not. `always` needs no step that has it.
)~"},
      {"E0528", "No such step to start at",
       R"~(`--start-at` names a step or human step by the end of its path: `code`, `cutover/code`,
`update_code/cutover/code`. Of a step in a loop or in batches it means the first, or the one named: `code[2]`.
`cnplay plan` lists them.

```
cnplay -i prod update_code.play --start-at cutover/code
```

Where two steps are called `code`, write more of the path.
)~"},
      {"E0529", "Nothing is chosen",
       R"~(`--tags`, `--skip-tags` and `--start-at` together leave no step of the play to carry out.

```
cnplay -i prod update_code.play --tags web --skip-tags web
```

Leave out less.
)~"},
      {"E0530", "A step needs a fact of one that is left out",
       R"~(A step that is left out (`--tags`, `--skip-tags`, `--start-at`) finds nothing out, so what reads its facts could
not be carried out. That is said before the first connection.

```
step code on web tags ["code"] { let moved = git.rebase(...) }
step note on web tags ["note"] when code.moved.before != "" { ... }
```

With `--tags note` this is refused. Choose both, or start at the step whose facts are needed.
)~"},
      {"E0531", "There is no such mode",
       R"~(A play may say `mode incident`: then its `require`s are not held, and whoever runs it says which incident
it is for (`--incident TICKET`, or asked for on a terminal). The ticket is on record.

```
mode emergency
```

Write `mode incident`, or leave it out and say `--incident TICKET` when there is one.
)~"},
      {"E0532", "A `serial` phase with steps on different hosts",
       R"~(The batches of a `serial` phase are cut from one set of hosts. If the steps are on different sets, the phase
names that set: `serial 1 of web`. Steps on it then run on the batch at hand, and steps on other hosts run once for
each batch, at their place in the text.

```
phase roll "One by one" serial 1 {
  step drain on control { ... }
  step work on web { ... }
}
```

Write `phase roll "One by one" serial 1 of web { ... }`.
)~"},
      {"E0533", "A step on a part of the hosts that are taken batch by batch",
       R"~(In a phase with `serial N of SET` a step is on SET (it runs on the batch at hand), on a part of `batch`, or on
other hosts. A part of SET that does not depend on `batch` would be in some batches only, or would run once more in
each batch.

```
phase roll "One by one" serial 1 of web {
  step first on web[0] { ... }
}
```

Write `on canary & batch` for those hosts of `canary` that are in the batch at hand, `on batch[0]` for its first
host, or put the step before or after the phase.
)~"},
      {"E0534", "The facts of a step that is done once for each batch",
       R"~(A step on other hosts than those of `serial N of SET` is done once for each batch, and so is a human step in such
a phase. Its facts can be read in its batch only.

```
phase roll "One by one" serial 1 of web {
  step drain on lb { let gone = haproxy.drain(name: batch[0].name) }
  step work on web { ... }
}
step look on lb when drain.gone.sessions > 0 { ... }
```

Read the fact in the phase.
)~"},
      {"E0540", "The loop has no such turn",
       R"~(Outside of a loop a step in it is named with the turn that is meant: what the loop's variable was there. Its values are
known before the run, so one that the list does not have is a mistake, and so is a turn of what stands in no loop.

```
for site in ["/srv/a", "/srv/b"] { step code on web { let moved = git.rebase(dir: site, onto: "v2") } }
rollback back "Back" {
  step code_back on web { git.reset(dir: "/srv/c", to: code["/srv/c"].moved.before) }
}
```

Name a value of the list, or loop over the same list: `for site in sites { ... code[site].moved.before ... }`.
)~"},
      {"E0907", "A jump host that cannot be used",
       R"~(Hosts behind a bastion are reached through it: the inventory says so with `jump`. A jump host is
[user@]host[:port], or a host of the inventory by its name; several, with commas, are gone through in their order. They must not
lead in a circle. `via` at a step is not supported yet.

```
ssh { jump: "gate way" }
```
)~"},
      {"E0908", "Native modules are not supported yet",
       R"~(A module that says `native` needs code of the controller that this version does not have.

```
machine.reboot()
```

Use a module with scripts, or `sh`.
)~"},
      {"E0909", "`as` through anything but sudo is not supported yet",
       R"~(`as USER` uses sudo. doas and su are to come.

```
step s on web as root with doas { ... }
```
)~"},
      {"E0910", "`require` on `now` is not supported yet",
       R"~(`require` is evaluated when the play is compiled; `now` is known when the run starts.

```
require now < deadline
```

Begin the play with `wait until T, late_by D`.
)~"},
  };
  return table;
}

}  // namespace cnplay::diag
