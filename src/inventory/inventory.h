// Hosts, groups and their variables, with the places they were written at. Read from native
// `.inv` files; other readers fill the same structure. Knows nothing of plays or of SSH.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "diag/diagnostic.h"
#include "diag/source.h"
#include "syntax/ast.h"

namespace cnplay::inventory {

using diag::Span;
using HostIndex = std::uint32_t;
using GroupIndex = std::uint32_t;

// A value as an inventory can hold it: evaluated (interpolations of `index`, `host` and
// `inventory` done), not yet typed by the play's declarations.
struct Value {
  struct Duration {
    std::int64_t milliseconds = 0;
  };
  struct Size {
    std::int64_t bytes = 0;
  };
  struct Percent {
    std::int64_t value = 0;
  };
  // `env("X")`, `command(["pass", "x"])`, `ask("prompt")`, `vault("path")`.
  struct Secret {
    std::string kind;  // one of these four
    std::vector<std::string> arguments;
  };
  struct Member;
  using List = std::vector<Value>;
  using Record = std::vector<Member>;

  std::variant<std::monostate, bool, std::int64_t, std::string, Duration, Size, Percent, Secret,
               List, Record>
      data;
  Span span;
};

struct Value::Member {
  std::string name;
  Value value;
};

// Where a variable of a host comes from, for notes: its value and the place of its name.
struct Variable {
  Value value;
  Span name_span;
};

// A variable as it is set for the whole inventory.
struct WholeVariable {
  Value value;
  Span name_span;
  bool per_host = false;  // its expression reads `host` or `index`: there is no one value
};
// Where a variable is set for a part of the inventory.
struct VariablePlace {
  std::string of;  // "group `web`", "host `web1`"
  Span name_span;
};

struct Host {
  std::string name;
  std::optional<std::int64_t> index;  // of a range: `host web[1..2]`
  std::vector<GroupIndex> groups;     // all it is in, nearest first, the root group last
  Span span;                          // of its pattern
};

struct Group {
  std::string name;  // the root group is called "all"
  std::optional<GroupIndex> parent;
  std::vector<HostIndex> hosts;  // its own and its subgroups', in inventory order
  Span span;
};

// What `ssh { }` says for one host, by the precedence root < group < host; unset where nothing
// was said. Ready for use: ranges checked, `~` not expanded.
struct Ssh {
  std::string address;     // the host's name where none is given
  std::uint16_t port = 0;  // 0 if none is given
  std::string user;        // "" if none is given
  std::vector<std::string> identities;
  std::vector<std::string> known_hosts;
  std::string jump;
  std::optional<Value> password;         // Secret
  std::optional<Value> become_password;  // Secret
  bool tunnel_run = true;                // whether `cnplay tunnel --run` may be used
};

// What `env` and `path` say for one host, by the precedence root < group < host.
struct Environment {
  std::vector<std::pair<std::string, std::string>> variables;  // by name
  std::vector<std::string> folders;                            // the host's own first
};

enum class NotifyKind { command, webhook, mail };
// Who is told how a run ends: `notify { ... }`. Checked: addresses are addresses.
struct Notification {
  NotifyKind kind{};
  bool on_finish = false, on_failure = false, on_parked = false;
  std::vector<std::string> command;
  std::string url;                  // "": it is secret
  std::optional<Value> secret_url;  // Secret
  std::optional<Value> token;       // Secret
  std::string server, from;
  std::vector<std::string> to;
  std::string user;
  std::optional<Value> password;  // Secret
  Span span;
};

class Inventory {
 public:
  virtual ~Inventory() = default;
  virtual const std::string& name() const = 0;
  virtual const std::vector<Host>& hosts() const = 0;    // in the order they were written
  virtual const std::vector<Group>& groups() const = 0;  // [0] is the root
  virtual std::optional<HostIndex> find_host(std::string_view name) const = 0;
  virtual std::optional<GroupIndex> find_group(std::string_view name) const = 0;
  // The variable as it holds for the host (group < host), or nullopt. Errors in evaluating it
  // were reported when the inventory was read.
  virtual std::optional<Variable> variable(HostIndex host, std::string_view name) const = 0;
  // The variable as the inventory itself sets it, whatever groups and hosts say; nullopt: it does
  // not.
  virtual std::optional<WholeVariable> whole_variable(std::string_view) const {
    return std::nullopt;
  }
  virtual std::vector<std::string> whole_variable_names() const { return {}; }
  // The groups and hosts that set it, in the order they were written.
  virtual std::vector<VariablePlace> variable_places(std::string_view) const { return {}; }
  // All variable names that any host or group sets, for suggestions.
  virtual std::vector<std::string> variable_names() const = 0;
  virtual Ssh ssh(HostIndex host) const = 0;
  virtual Environment environment(HostIndex) const { return {}; }
  // What the inventory itself says, for a host of that name which is not in it.
  virtual Environment whole_environment(std::string_view) const { return {}; }
  virtual std::vector<Notification> notifications() const { return {}; }
  // Where the inventory itself is declared.
  virtual Span span() const = 0;
};

// Checks a parsed `.inv` file and makes an Inventory of its one `inventory` (which refers to
// `file`: it takes ownership). Diagnostics E06xx: duplicate host or group, a bad range, an unknown
// ssh setting, a name that begins with `-` or has other characters than [A-Za-z0-9._-], a wrong
// type of an ssh setting, a member that does not exist, a cycle of groups, ... nullptr if there
// was an error that leaves nothing to work with.
std::unique_ptr<Inventory> read(syntax::File file, const diag::SourceMap& sources,
                                diag::Diagnostics& diags);

// What `-l` selects, in inventory order: terms of group, host or glob (`web*`), joined by `,`
// (or), `&` (and), `!` before a term (not); `&` binds tighter than `,`; parentheses allowed.
// `pattern` is a source of its own ("--limit"). Each term must match something, and so must the
// whole: otherwise a diagnostic, with a suggestion, and an empty result.
std::vector<HostIndex> select(const Inventory& inventory, const diag::SourceMap::Source& pattern,
                              diag::Diagnostics& diags);

}  // namespace cnplay::inventory
