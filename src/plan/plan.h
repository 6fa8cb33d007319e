// THE NARROW WAIST: what is to be done, on whom, in which order. Made by compile/, carried out
// by run/, shown by report/. Plain data: it can be printed, hashed and serialised, and knows
// neither the language it came from nor SSH.
//
// The task graph is kept folded: a node is a step (or a barrier) with the set of hosts it is for,
// and an edge says whether it holds host by host or for all hosts at once. The task graph in
// full is the product, so a plan's size grows with the number of steps, not steps x hosts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "plan/value.h"

namespace cnplay::plan {

inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

struct Connection {
  std::string address;
  std::uint16_t port = 0;  // 0: what the user's ssh configuration says, else 22
  std::string user;        // "": likewise, else who runs cnplay
  std::vector<std::string> identities;
  std::vector<std::string> known_hosts;
  std::string jump;                          // [user@]host[:port],...; empty: none
  std::optional<SecretRef> password;         // for ssh
  std::optional<SecretRef> become_password;  // for sudo
  friend bool operator==(const Connection&, const Connection&) = default;
};

struct Host {
  std::string name;
  std::vector<std::string> groups;
  Connection connection;
  // The controller itself, called kLocal: of no inventory, and in no set but alone.
  bool local = false;
};
inline constexpr const char* kLocal = "local";

// `hosts web = group("web")`, for titles and listings.
struct HostSet {
  std::string name;
  std::vector<HostIndex> hosts;
};

struct SecretSource {
  std::string name;  // as declared
  enum class Kind { env, command, ask, vault, generate } kind{};
  // The variable; the argv; the prompt; the path in the vault; of generate the path, the length,
  // and `once` or `rotate` (a new value in every run).
  std::vector<std::string> arguments;
  std::string where;  // "file:line"
};

struct Script {
  std::string text;   // POSIX sh, dedented
  std::string where;  // "modules/git.play:12", of its first line
};
// A file of the controller that is sent to hosts, as it was when the plan was made.
struct File {
  std::string name;       // as the play names it
  std::string found_at;   // its path; for reading it
  std::int64_t size = 0;  // bytes
  std::string sha256;     // hex
};
// A directory of the controller whose files are sent to hosts. What is in it, as it was when the
// plan was made, is said by the actions that send it.
struct Tree {
  std::string name;      // as the play names it
  std::string found_at;  // its path; for reading it
};
using ScriptId = std::uint32_t;  // into Plan::scripts; kNone: absent

struct Param {
  std::string name;
  Column value;         // per host of the node
  bool secret = false;  // never printed, sent on stdin only
  bool path = false;    // its declared type is path or list<path>
};

struct FactDecl {
  std::string name;
  FactType type{};
};

enum class Verify { by_check, by_script, none };

inline constexpr std::string_view kWouldChange = "would_change";

// An action that may change, before this one, a thing that this one looks at. Paths that
// parameters name are not among them: a dry run compares those itself, because of previews.
struct Dependence {
  NodeId node = 0;
  std::uint32_t action = 0;
  std::string thing;             // "service:nginx"
  std::vector<HostIndex> hosts;  // on these; empty: on all that both have
};

struct Action {
  std::string module;  // "git.rebase"; "sh" for an inline script
  std::string name;    // of its `let`, or ""
  std::vector<Param> params;
  std::string become;      // user, "" = the login user
  Column when;             // bool; empty: always
  ScriptId check = kNone;  // absent: the action reports `changed`, `would run` in a dry run
  ScriptId apply = kNone;  // absent: a module that only checks (http.check)
  ScriptId verify_script = kNone;
  ScriptId preview = kNone;    // dry run: makes in $preview what `writes` would become
  ScriptId preflight = kNone;  // read-only, run before the first change if its params are known
  Verify verify = Verify::by_check;
  // Of a `check { ... }`: its module has an apply, which is not run. Its one fact, kWouldChange,
  // says whether it would have been. To those who read it, it is a fact of the node, action 0,
  // without a host: true if one action would change something on one host, or if the node is left
  // out. On each host the first action that would change something is the last that is asked.
  bool alone = false;
  std::vector<FactDecl> returns;
  std::vector<std::string> needs;    // commands that must exist on the host
  std::vector<std::string> uses;     // resources of the host, e.g. "dpkg"
  std::vector<std::string> writes;   // params naming paths it changes
  std::vector<std::string> reads;    // params naming paths it reads (besides all path params)
  std::vector<std::string> touches;  // further things it changes: "service:${name}"
  std::vector<Dependence> depends_on;
  // The param that names a file of the controller (of Plan::files) which apply needs; "": none.
  std::string sends;
  // The param that names a directory of the controller (of Plan::trees) of which apply needs what
  // is not on the host yet; the param NAME_manifest says what is in it. "": none.
  std::string sends_tree;
  // The param that names a text file whose text, with the values in it, is the param NAME_text.
  std::string renders;
  // The params that name a file of the host, and the one of the controller that it is brought to;
  // if the latter ends with `/`, to HOST/NAME in that directory. "": none.
  std::string fetches, fetches_to;
  // Its apply restarts the host: the param that says within how long it must be back. "": it does
  // not.
  std::string reboots;
  std::vector<NodeId> notify;  // handler nodes
  std::string where;           // "file:line"
};

struct Retry {
  std::uint32_t times = 0;  // further attempts after the first
  Duration every{0};        // pause before each
};

// A variable in the environment of a node's scripts.
struct EnvironmentVariable {
  std::string name;
  Column value;  // a string, or none: it is not set on that host
};

// batch_end: all that stands above in the batch is through; the handlers that were notified in it
// run, and a batch without a live host has failed.
// assertion: what must hold there, or the run fails.
enum class NodeKind {
  step,
  barrier,
  pivot,
  wait,
  phase_end,
  flush,
  handler,
  human,
  batch_end,
  assertion
};

enum class EdgeKind {
  same_host,  // host h waits for the predecessor on h, if h is in the predecessor's set
  all_hosts,  // every host waits for the predecessor on all of its live hosts
};

struct Edge {
  NodeId from = 0;
  EdgeKind kind = EdgeKind::same_host;
};

enum class HumanKind { manual, approve, ask };

// What a person types: evidence of a `manual`, the answer of an `ask`. To those who read it, it is
// a fact of its node, action 0, without a host.
struct Question {
  std::string name;
  FactType type{};
  std::vector<std::string> choices;  // of an enum; empty: any value of the type
  Value text;  // what is asked, a string, possibly deferred; none: the node's title says it
};

// A step that people carry out. A barrier for all hosts.
struct Human {
  HumanKind kind{};
  std::vector<Value> items;         // manual: what is ticked off; strings, possibly deferred
  std::vector<Question> questions;  // manual: the evidence; ask: the one
  std::vector<std::string> by;      // who may answer: users, `@groups` of users; empty: anybody
  std::uint32_t count = 1;          // approve: how many different people must
  // What holds once the node's `timeout` is over. none: the step fails. approve: a bool; ask: the
  // answer.
  Value fallback;
};

// A point of the graph. Its predecessors always have smaller ids.
struct Node {
  NodeId id = 0;
  NodeKind kind = NodeKind::step;
  std::string path;   // stable identity: "update_code/cutover/code", loop keys and batches in
                      // brackets: "update_code/cutover/code[2]"
  std::string title;  // for people; the path's last part if none was written
  std::string where;  // "file:line"
  std::uint32_t phase = kNone;    // innermost phase, into Plan::phases
  std::vector<std::string> tags;  // its own, and those of what it stands in; sorted
  // Why a step, human step, wait or pivot of the main section is not carried out though it stands
  // in the graph: "--tags web". It is recorded as skipped. "": it is carried out.
  std::string left_out;
  std::vector<HostIndex> hosts;  // in inventory order; one for a `once` step; empty for others
  // Of a step on other hosts than the batch, and of a human step: hosts of the batch that it was
  // made from; it is skipped once one of them is out. Of a batch end: the batch.
  std::vector<HostIndex> made_from;
  bool once = false;  // its facts are scalars, visible on all hosts
  std::vector<Edge> after;
  std::vector<Action> actions;
  std::vector<Action> undo;  // FactRef{node = this} in it are `saved` facts
  // What all scripts of the node find in their environment; each name once, sorted. No secrets.
  std::vector<EnvironmentVariable> environment;
  // Lists of folders that come before the host's own PATH, the first wins; `~` and `~/...`: of the
  // home of the user that the script runs as. Empty: none.
  Column search_path;
  Retry retry;
  std::optional<Duration> timeout;  // of one attempt on one host; of a human step: to answer in
  std::optional<Duration> expect;
  // What runbooks call testing: the outage is counted with and without it.
  bool testing = false;
  // How many hosts of the play may have failed, in all, without stopping the run.
  std::uint32_t tolerate = 0;
  // Of the step, per host; of a human step or a wait, one for all; empty: always.
  Column when;
  // wait
  Value until;  // a Time, possibly deferred
  std::optional<Duration> late_by;
  std::optional<Human> human;  // human
  // assertion
  Value holds;   // a bool, deferred: what was known is decided
  Value if_not;  // a string, possibly deferred: what is wrong then
};

enum class ResponseKind { undo_all, hold, offer, section };

struct Response {
  ResponseKind kind{};
  Value message;                       // hold
  std::vector<std::string> rollbacks;  // offer: their names
  // section: what is done. offer: of kind on_failure, one human node that asks: `approve` for one
  // rollback; for several `ask`, whose choices are their names and kNoRollback.
  std::uint32_t section = kNone;
};
inline constexpr std::string_view kNoRollback = "none";

enum class Side { any, before_pivot, after_pivot };

struct OnFailure {
  Side side = Side::any;
  std::uint32_t phase = kNone;  // the phase it stands in; kNone: the play
  std::vector<Response> responses;
};

struct Phase {
  std::string path;
  std::string title;
  std::uint32_t parent = kNone;
  std::optional<Duration> expect;
  std::optional<Duration> budget;
  bool outage = false;
  Value when;          // none: always. If it does not hold, nothing of the phase is carried out
  NodeId end = kNone;  // its phase_end node
};

// Whether it is a step of a `check { ... }`.
bool is_check(const Node& node);

// A graph of its own inside the plan: its nodes have edges only among themselves.
enum class SectionKind { main, always, on_failure, rollback };
struct Section {
  SectionKind kind = SectionKind::main;
  std::vector<NodeId> nodes;  // in source order
  bool report_timings = false;
};

// A whole plan for the way back. Its steps may read facts of the main section: those of the state
// before the first change. Taken when people say so, or for a deadline; or later, as a run of its
// own.
struct Rollback {
  std::string name;
  std::string title;              // for people; the name if none was written
  std::uint32_t section = kNone;  // of kind rollback
  std::string where;
};

// If the phase (kNone: the play) has not ended by `at`, nothing more of the way forward is started,
// and the rollback is carried out without asking.
struct Deadline {
  std::uint32_t phase = kNone;
  Value at;  // a Time, possibly deferred
  std::string rollback;
  std::string where;
};

// A run that may change something begins in it. Times that read no fact.
struct Window {
  Value from;
  Value to;
  std::string where;
};

enum class RequireKind { rehearsed };
struct Requirement {
  RequireKind kind{};
  std::string on;  // inventory
  Duration within{0};
  std::string where;
};

enum class NotifyKind { command, webhook, mail };
// Who is told how a run ended, from the controller. No secret stands in it but by reference, and
// nothing that a host has said.
struct Notification {
  NotifyKind kind{};
  bool on_finish = false;               // whatever came of it
  bool on_failure = false;              // it did not succeed
  bool on_parked = false;               // it waits for people
  std::vector<std::string> command;     // argv
  std::string url;                      // webhook: http or https; "": it is secret
  std::optional<SecretRef> secret_url;  // webhook: likewise
  std::optional<SecretRef> token;       // webhook: a bearer token
  std::string server;                   // mail: smtp://host:port or smtps://host:port
  std::string from;                     // mail
  std::vector<std::string> to;          // mail
  std::string user;                     // mail: to log in as; "": not at all
  std::optional<SecretRef> password;    // mail
  std::string where;                    // "file:line"
  friend bool operator==(const Notification&, const Notification&) = default;
};

// A text or file that the program is made of.
struct ProgramPart {
  std::string name;    // "playbooks/x.play", "built-in git.play", "template nginx.conf"
  std::string sha256;  // hex
};

// What the plan was made of, so that it can be made anew, to see what has changed since. Nothing of
// a run depends on it.
struct Origin {
  std::string directory;           // that the names below are relative to
  std::string file;                // of the play
  std::string play;                // --play
  std::string inventory;           // its file
  std::string limit;               // --limit
  std::vector<std::string> extra;  // -e: NAME=VALUE
  std::string tags, skip_tags, start_at;
  bool empty() const {
    return file.empty() && tags.empty() && skip_tags.empty() && start_at.empty();
  }
};

struct Plan {
  std::string play;
  std::string title;
  std::string owner;
  std::string inventory;
  std::string file;         // of the play, as given
  std::vector<Host> hosts;  // all that the play may touch, in inventory order
  std::vector<HostSet> sets;
  std::vector<std::pair<std::string, Value>> params;  // values in force, secrets as SecretRef
  std::vector<SecretSource> secrets;
  std::string vault_file;  // that vault and generate are of; "" if it has none. Not hashed
  std::vector<Script> scripts;
  std::vector<File> files;  // each name once
  std::vector<Tree> trees;  // each name once
  std::vector<Node> nodes;
  std::vector<Phase> phases;
  std::vector<Section> sections;  // [0] is the main one
  std::vector<OnFailure> on_failure;
  std::vector<Rollback> rollbacks;  // in source order
  std::vector<Deadline> deadlines;  // at most one a phase
  std::optional<Window> window;
  std::vector<Requirement> requirements;
  std::vector<std::string> locks;
  std::vector<Notification> notifications;  // not hashed: they decide nothing of what a run does
  // Requirements are not held: whoever runs it says which incident it is for.
  bool incident = false;
  // Hash of the play, its libraries and the modules it uses, whatever the inventory:
  // what `require rehearsed` compares.
  std::string program_hash;
  std::vector<ProgramPart> program;  // what that covers, by name
  Origin origin;

  const Node& node(NodeId id) const { return nodes[id]; }
};

// The controller among the hosts; nullopt: the plan has nothing to do there.
std::optional<HostIndex> find_local(const Plan& plan);

// nullptr: there is none of this name.
const Rollback* find_rollback(const Plan& plan, std::string_view name);

// SHA-256, hex, over everything that decides what a run does (source places and titles are
// left out): the same input gives the same hash.
std::string hash(const Plan& plan);

// Hash of one action on one host: module, scripts, params. What resume compares.
std::string hash(const Plan& plan, const Action& action, std::size_t host_position);

// Hash of what the scripts of a node find in their environment on one host; "" if that is nothing
// of the play's.
std::string environment_hash(const Plan& plan, const Node& node, std::size_t host_position);

// What must hold for every plan that compile/ makes; the text of the first violation, or "".
// Edges point backwards and stay in their section, hosts exist and are sorted, columns fit, ...
std::string check_invariants(const Plan& plan);

// JSON with "version": 1, and back.
std::string to_json(const Plan& plan);
Result<Plan> from_json(const std::string& text);

}  // namespace cnplay::plan
