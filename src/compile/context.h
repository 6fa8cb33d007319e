// What the parts of the compiler share: the input, the diagnostics, the plan as it grows, and the
// tables that are kept once for the whole compilation.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/words.h"
#include "compile/compile.h"
#include "compile/entity.h"

namespace cnplay::compile {

inline std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }
// "a, b and c".
std::string enumerate(const std::vector<std::string>& words, std::string_view last = "and");

// A place that wants something of the vault.
struct VaultUse {
  std::string path;  // "": it puts something there
  Span at;
};

class Context {
 public:
  Context(const Input& in, diag::Diagnostics& out);

  const Input& input;
  diag::Diagnostics& diags;
  plan::Plan plan;  // hosts are indices of the inventory until finish.cc makes them the plan's

  // "playbooks/x.play:12".
  std::string where(Span span) const;
  std::string text(Span span) const { return std::string(input.sources->text(span)); }

  // Shorthands for diagnostics.
  void error(std::string code, std::string summary, Span at, std::string label,
             std::string help = {});
  // The same with a second place: in the same excerpt if it is of the same file.
  void error_with(std::string code, std::string summary, Span at, std::string label, Span other,
                  std::string other_label, std::string help = {});

  // Reports a thing that is called `local`, which no other thing may be.
  bool is_reserved(std::string_view name, Span at, std::string_view what);

  std::size_t host_count() const { return input.inventory->hosts().size(); }
  const std::string& host_name(HostIndex h) const { return input.inventory->hosts()[h].name; }
  // Whether `--limit` leaves the host in the play.
  bool selected(HostIndex h) const { return h >= selected_.size() || selected_[h]; }
  // The controller, if the play names it; and whether the inventory was named.
  std::optional<HostIndex> local;
  bool has_inventory() const { return has_inventory_; }
  std::vector<HostIndex> selected_of(const std::vector<HostIndex>& hosts) const;

  // A place in Plan::scripts, Plan::secrets: equal ones are held once.
  plan::ScriptId script(std::string text, std::string where);
  plan::SecretRef secret(plan::SecretSource source);

  // A fact of `host` (nullopt: of the host that evaluates it), as a value of run time.
  plan::Value fact(plan::NodeId node, std::uint32_t action, std::string name,
                   std::optional<HostIndex> host);

  // `-e name=value`: nullptr if it is not given. Looking it up marks it as used.
  const diag::SourceMap::Source* extra(const std::string& name);
  const std::map<std::string, const diag::SourceMap::Source*>& extras() const { return extras_; }
  const std::set<std::string>& used_extras() const { return used_extras_; }

  // What the play and its inventory want of the vault, in the order of reading.
  std::vector<VaultUse> vault_uses;

  // Sources whose texts make up the program's hash: libraries and modules that are used.
  std::map<std::string, std::string> program_texts;

  // Facts with a host: their host is still an index of the inventory.
  std::vector<std::shared_ptr<plan::Expr>> facts_with_host;

  // Something was reported that leaves holes in what is compiled: no plan is made.
  bool broken = false;

  // Host variables that were reported as missing: each is reported once.
  std::set<std::uint32_t> reported_hostvars;

 private:
  bool has_inventory_;
  std::vector<bool> selected_;
  std::map<std::pair<std::string, std::string>, plan::ScriptId> scripts_;
  std::map<std::string, const diag::SourceMap::Source*> extras_;
  std::set<std::string> used_extras_;
};

}  // namespace cnplay::compile
