// A parsed `.inv` file, checked and made an Inventory.
#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

#include "inventory/environment.h"
#include "inventory/evaluate.h"
#include "inventory/native.h"
#include "inventory/notify.h"
#include "inventory/ssh_settings.h"

namespace cnplay::inventory {

namespace {

constexpr std::size_t kMostHosts = 1'000'000;

bool is_good_name(std::string_view name) {
  return !name.empty() && name[0] != '-' && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace

class Reader {
 public:
  explicit Reader(diag::Diagnostics& diags)
      : inventory_(std::make_unique<NativeInventory>()), diags_(diags) {}

  std::unique_ptr<Inventory> read(syntax::File file) {
    inventory_->file_ = std::move(file);
    const syntax::InventoryNode* node = the_inventory();
    if (!node) return nullptr;
    inventory_->name_ = node->name.text;
    inventory_->span_ = node->name.span.known() ? node->name.span : node->span;
    if (!is_good_name(node->name.text)) bad_name("an inventory", node->name.text, node->name.span);
    add_group(node->all, std::nullopt);
    if (inventory_->hosts_.empty()) {
      diags_.error("E0615", "inventory " + backquoted(inventory_->name_) + " has no host",
                   {inventory_->span_, "nothing could run here"},
                   "add one: `host web1 { address: \"10.0.1.1\" }`");
      return nullptr;
    }
    index_names();
    resolve_members();
    if (find_cycle()) return nullptr;
    place_hosts();
    check_indexes();
    check_ssh();
    for (const syntax::NotifyNode& block : node->all.notify) {
      if (auto one = read_notify(block, inventory_->name_, diags_))
        inventory_->notifications_.push_back(*std::move(one));
    }
    return std::move(inventory_);
  }

 private:
  const syntax::InventoryNode* the_inventory() {
    const syntax::File& file = inventory_->file_;
    const auto stray = [&](Span span, std::string_view what) {
      diags_.error("E0611", "an inventory file holds one inventory and nothing else",
                   {span, std::string(what) + " has no place here"}, "move it to a `.play` file");
    };
    for (const auto& use : file.uses) stray(use.span, "`use`");
    for (const auto& play : file.plays) stray(play.name.span, "a play");
    for (const auto& procedure : file.procedures) stray(procedure.name.span, "a procedure");
    for (const auto& module : file.modules) stray(module.name.span, "a module");
    if (file.inventories.empty()) {
      // After a syntax error the declaration may just not have been understood.
      if (!diags_.has_errors()) {
        diags_.error("E0611", "there is no inventory in this file",
                     {{file.span.begin, file.span.begin}, ""},
                     "write `inventory NAME { group web { host web1 { address: \"...\" } } }`");
      }
      return nullptr;
    }
    for (std::size_t i = 1; i < file.inventories.size(); ++i) {
      diag::Diagnostic d;
      d.code = "E0611";
      d.summary = "two inventories in one file";
      d.subject = {file.inventories[i].name.span, "a second one"};
      d.context.push_back({file.inventories[0].name.span, "the first is here"});
      d.help = "give each inventory a file of its own";
      diags_.add(std::move(d));
    }
    return &file.inventories[0];
  }

  void bad_name(std::string_view what, const std::string& name, Span span) {
    const bool dash = !name.empty() && name[0] == '-';
    diags_.error("E0605", std::string(what) + " cannot be called " + backquoted(name),
                 {span, dash ? "begins with `-`: ssh would take it for an option"
                             : "only letters, digits, `.`, `_` and `-` are allowed"},
                 dash ? "take the `-` away, and put the name to connect to in `address`"
                      : "choose another name, and put the name to connect to in `address`");
  }

  void read_settings(const std::vector<std::vector<syntax::Argument>>& blocks, Settings& into,
                     bool ssh) {
    for (const auto& block : blocks) read_settings(block, into, ssh);
  }

  void read_settings(const std::vector<syntax::Argument>& block, Settings& into, bool ssh) {
    for (const auto& argument : block) {
      if (argument.spread || argument.name.text.empty() || !argument.value) {
        diags_.error("E0610", "an inventory holds values, not computations",
                     {argument.span, "a name and a value are needed here"}, "write `name: value`");
        continue;
      }
      if (ssh && !is_ssh_setting(argument.name, diags_)) continue;
      Uses uses;
      Setting setting{argument.value.get(), argument.name.span};
      setting.valid = check_expression(*argument.value, diags_, uses);
      setting.uses_index = uses.index;
      setting.uses_host = uses.host;
      const auto [at, fresh] = into.emplace(argument.name.text, setting);
      if (fresh) continue;
      diag::Diagnostic d;
      d.code = "E0606";
      d.summary = backquoted(argument.name.text) + " is set twice";
      d.subject = {argument.name.span, "set again here"};
      d.context.push_back({at->second.name_span, "first set here"});
      d.help = "keep one of the two";
      diags_.add(std::move(d));
    }
  }

  template <class Node>
  void read_environment(const Node& node, const HostContext& context, Definition& definition) {
    if (node.environment.empty() && node.search_path.empty()) return;
    inventory_->any_environment_ = true;
    inventory::read_environment(node.environment, node.search_path, context, definition, diags_);
  }

  GroupIndex add_group(const syntax::GroupNode& node, std::optional<GroupIndex> parent) {
    const auto index = static_cast<GroupIndex>(inventory_->groups_.size());
    Group group;
    group.name = parent ? node.name.text : "all";
    group.parent = parent;
    group.span = node.name.span.known() ? node.name.span : node.span;
    if (parent && !is_good_name(group.name)) bad_name("a group", group.name, group.span);
    if (parent && group.name == "all") {
      diags_.error("E0602", "a group cannot be called `all`",
                   {group.span, "`all` is every host of the inventory"}, "choose another name");
    }
    if (parent && !node.notify.empty()) {
      diags_.error("E0616", "this `notify` cannot be carried out",
                   {node.notify.front().span, "concerns whole runs, not one group"},
                   "move it out of the group");
    }
    inventory_->groups_.push_back(std::move(group));
    inventory_->group_definitions_.emplace_back();
    nodes_.push_back(&node);
    children_.emplace_back();
    own_hosts_.emplace_back();
    if (parent) children_[*parent].push_back(index);
    {
      Definition definition;
      read_settings(node.vars, definition.vars, false);
      read_settings(node.ssh, definition.ssh, true);
      read_environment(node, {"host", 1, inventory_->name_}, definition);
      inventory_->group_definitions_[index] = std::move(definition);
    }
    // Hosts and subgroups in the order they were written, so that the inventory's order is the
    // file's order.
    auto host = node.hosts.begin();
    auto child = node.groups.begin();
    while (host != node.hosts.end() || child != node.groups.end()) {
      const bool take_host = child == node.groups.end() ||
                             (host != node.hosts.end() && host->span.begin < child->span.begin);
      if (take_host) {
        add_hosts(*host++, index);
      } else {
        add_group(*child++, index);
      }
    }
    return index;
  }

  void add_hosts(const syntax::HostNode& node, GroupIndex group) {
    const auto definition_index = static_cast<std::uint32_t>(inventory_->host_definitions_.size());
    Definition definition;
    read_settings(node.fields, definition.ssh, true);
    read_settings(node.ssh, definition.ssh, true);
    read_settings(node.vars, definition.vars, false);
    const std::string name = node.pattern.text + (node.range ? "1" : "") + node.suffix;
    read_environment(
        node, {name, node.range ? std::optional<std::int64_t>(1) : std::nullopt, inventory_->name_},
        definition);
    inventory_->host_definitions_.push_back(std::move(definition));
    host_nodes_.push_back(&node);

    std::int64_t first = 0;
    std::int64_t last = 0;
    std::size_t width = 0;
    if (node.range && !read_range(node, first, last, width)) return;
    const std::string probe = node.pattern.text + (node.range ? "0" : "") + node.suffix;
    if (!is_good_name(probe)) {
      bad_name("a host", node.pattern.text + node.suffix,
               node.pattern_span.known() ? node.pattern_span : node.pattern.span);
      return;
    }
    for (std::int64_t i = first; i <= last; ++i) {
      Host host;
      host.span = node.pattern_span.known() ? node.pattern_span : node.pattern.span;
      if (node.range) {
        std::string digits = std::to_string(i);
        if (digits.size() < width) digits.insert(0, width - digits.size(), '0');
        host.name.reserve(node.pattern.text.size() + digits.size() + node.suffix.size());
        host.name.append(node.pattern.text).append(digits).append(node.suffix);
        host.index = i;
      } else {
        host.name = node.pattern.text + node.suffix;
      }
      own_hosts_[group].push_back(static_cast<HostIndex>(inventory_->hosts_.size()));
      inventory_->hosts_.push_back(std::move(host));
      inventory_->host_definition_of_.push_back(definition_index);
    }
  }

  bool read_range(const syntax::HostNode& node, std::int64_t& first, std::int64_t& last,
                  std::size_t& width) {
    const auto& [a, b] = *node.range;
    const auto number = [](const std::string& text, std::int64_t& into) {
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
      return error == std::errc() && end == text.data() + text.size();
    };
    const auto refuse = [&](std::string what, std::string help) {
      diags_.error("E0603", "a bad range of hosts",
                   {node.pattern_span.known() ? node.pattern_span : node.span, std::move(what)},
                   std::move(help));
      return false;
    };
    if (!number(a, first) || !number(b, last)) {
      return refuse("its ends are not numbers", "write `" + node.pattern.text + "[1..9]`");
    }
    const bool padded = a.size() > 1 && a[0] == '0';
    if (padded && a.size() != b.size()) {
      return refuse("its ends have different widths",
                    "write both with the same width, as in `" + node.pattern.text + "[01..12]`");
    }
    width = padded ? a.size() : 0;
    if (first > last) {
      return refuse("it runs backwards", "write `" + node.pattern.text + "[" + b + ".." + a + "]`");
    }
    if (static_cast<std::size_t>(last - first) >= kMostHosts - inventory_->hosts_.size()) {
      return refuse("an inventory has at most 1000000 hosts", "");
    }
    return true;
  }

  void index_names() {
    auto& hosts = inventory_->hosts_;
    auto& groups = inventory_->groups_;
    const auto controllers = [&](const auto& named, std::string_view what) {
      const auto at = std::ranges::find_if(named, [](const auto& n) { return n.name == "local"; });
      if (at == named.end()) return;
      diags_.error("E0617", std::string(what) + " cannot be called `local`",
                   {at->span, "`local` is the controller, in every play"},
                   "choose another name, and put the name to connect to in `address`");
    };
    controllers(hosts, "a host");
    controllers(groups, "a group");
    inventory_->host_index_.reserve(hosts.size());
    std::uint32_t reported = kNobody;  // one report for a range, not one for each of its hosts
    for (HostIndex i = 0; i < hosts.size(); ++i) {
      const auto [at, fresh] = inventory_->host_index_.emplace(hosts[i].name, i);
      const std::uint32_t definition = inventory_->host_definition_of_[i];
      if (!fresh && reported != definition) {
        reported = definition;
        twice("E0601", "host", hosts[i].name, hosts[i].span, hosts[at->second].span,
              "a host that is in several groups is written once; the others name it with "
              "`members " +
                  hosts[i].name + "`");
      }
    }
    for (GroupIndex i = 0; i < groups.size(); ++i) {
      const auto [at, fresh] = inventory_->group_index_.emplace(groups[i].name, i);
      if (!fresh && groups[i].name != "all") {
        twice("E0602", "group", groups[i].name, groups[i].span, groups[at->second].span,
              "put its hosts in one place, or give one of the groups another name");
      }
      if (const auto host = inventory_->find_host(groups[i].name); i > 0 && host) {
        twice("E0602", "host and a group", groups[i].name, groups[i].span, hosts[*host].span,
              "give one of them another name: `--limit " + groups[i].name + "` must be clear");
      }
    }
  }

  void twice(std::string code, std::string_view what, const std::string& name, Span second,
             Span first, std::string help) {
    diag::Diagnostic d;
    d.code = std::move(code);
    d.summary = what == "host and a group"
                    ? "a host and a group are both called " + backquoted(name)
                    : std::string(what) + " " + backquoted(name) + " is declared twice";
    d.subject = {second, what == "host and a group" ? "the group" : "declared again here"};
    if (first != second) {
      d.context.push_back({first, what == "host and a group" ? "the host" : "first declared here"});
    }
    d.help = std::move(help);
    diags_.add(std::move(d));
  }

  void resolve_members() {
    for (GroupIndex g = 0; g < nodes_.size(); ++g) {
      for (const auto& member : nodes_[g]->members) {
        if (const auto group = inventory_->find_group(member.text)) {
          children_[g].push_back(*group);
          member_spans_[{g, *group}] = member.span;
        } else if (const auto host = inventory_->find_host(member.text)) {
          own_hosts_[g].push_back(*host);
        } else {
          unknown_member(member);
        }
      }
    }
  }

  void unknown_member(const syntax::Name& member) {
    std::vector<std::string> names;
    for (const auto& group : inventory_->groups_) names.push_back(group.name);
    for (const auto& host : inventory_->hosts_) {
      if (names.size() < 2000) names.push_back(host.name);
    }
    const std::string near = diag::did_you_mean(member.text, names);
    diags_.error(
        "E0608", "there is no host or group " + backquoted(member.text),
        {member.span, "not in this inventory"},
        near.empty() ? "declare it, or take it out of `members`" : "did you mean `" + near + "`?");
  }

  // Depth first over the groups; a cycle is printed as a path.
  bool find_cycle() {
    std::vector<int> state(children_.size(), 0);  // 0 new, 1 on the path, 2 done
    std::vector<GroupIndex> path;
    bool found = false;
    const std::function<void(GroupIndex)> visit = [&](GroupIndex g) {
      state[g] = 1;
      path.push_back(g);
      for (const GroupIndex child : children_[g]) {
        if (state[child] == 0) visit(child);
        if (state[child] == 1 && !found) {
          found = true;
          std::string text;
          for (auto at = std::ranges::find(path, child); at != path.end(); ++at) {
            text += inventory_->groups_[*at].name + " -> ";
          }
          diags_.error(
              "E0609", "groups contain each other: " + text + inventory_->groups_[child].name,
              {closing_span(g, child), "closes the circle"}, "take one of them out of `members`");
        }
      }
      path.pop_back();
      state[g] = 2;
    };
    for (GroupIndex g = 0; g < children_.size(); ++g) {
      if (state[g] == 0) visit(g);
    }
    return found;
  }

  // Where the group names the child: its `members`, or the child's own place inside of it.
  Span closing_span(GroupIndex group, GroupIndex child) const {
    const auto at = member_spans_.find({group, child});
    return at != member_spans_.end() ? at->second : inventory_->groups_[child].span;
  }

  // Fills Group::hosts bottom up and Host::groups nearest first.
  void place_hosts() {
    auto& groups = inventory_->groups_;
    std::vector<bool> done(groups.size());
    const std::function<void(GroupIndex)> collect = [&](GroupIndex g) {
      if (done[g]) return;
      done[g] = true;
      auto& all = groups[g].hosts;
      all = own_hosts_[g];
      for (const GroupIndex child : children_[g]) {
        collect(child);
        all.insert(all.end(), groups[child].hosts.begin(), groups[child].hosts.end());
      }
      std::ranges::sort(all);
      all.erase(std::unique(all.begin(), all.end()), all.end());
    };
    std::vector<std::vector<GroupIndex>> parents(groups.size());
    for (GroupIndex g = 0; g < groups.size(); ++g) {
      collect(g);
      for (const GroupIndex child : children_[g]) parents[child].push_back(g);
    }
    // Breadth first upwards from each group, once; a host's list is that of its groups, merged.
    std::vector<std::vector<GroupIndex>> upwards(groups.size());
    for (GroupIndex g = 0; g < groups.size(); ++g) {
      auto& line = upwards[g];
      line.push_back(g);
      for (std::size_t i = 0; i < line.size(); ++i) {
        for (const GroupIndex parent : parents[line[i]]) {
          if (parent != 0 && std::ranges::find(line, parent) == line.end()) line.push_back(parent);
        }
      }
      if (g == 0) line.clear();  // the root is appended last for everyone
    }
    std::vector<std::vector<GroupIndex>> direct(inventory_->hosts_.size());
    for (GroupIndex g = 0; g < groups.size(); ++g) {
      for (const HostIndex host : own_hosts_[g]) direct[host].push_back(g);
    }
    for (HostIndex h = 0; h < direct.size(); ++h) {
      auto& line = inventory_->hosts_[h].groups;
      const auto add = [&](GroupIndex g) {
        if (g != 0 && std::ranges::find(line, g) == line.end()) line.push_back(g);
      };
      for (const GroupIndex g : direct[h]) add(g);
      for (const GroupIndex g : direct[h]) {
        for (const GroupIndex above : upwards[g]) add(above);
      }
      line.push_back(0);
    }
  }

  // `index` in a group's setting is for hosts of ranges alone.
  void check_indexes() {
    const auto check_one = [&](std::string_view name, const Setting& setting,
                               const std::vector<HostIndex>& hosts) {
      if (!setting.uses_index) return;
      const auto without =
          std::ranges::find_if(hosts, [&](HostIndex h) { return !inventory_->hosts_[h].index; });
      if (without == hosts.end()) return;
      diag::Diagnostic d;
      d.code = "E0610";
      d.summary = "`index` has no value for host " + backquoted(inventory_->hosts_[*without].name);
      d.subject = {setting.value->span, "reads `index`"};
      d.notes.push_back({inventory_->hosts_[*without].span, "this host is not one of a range"});
      d.help =
          "set " + backquoted(name) + " at the hosts of the range, or write the host as a range";
      diags_.add(std::move(d));
    };
    const auto check = [&](const Definition& definition, const std::vector<HostIndex>& hosts) {
      for (const auto* settings : {&definition.vars, &definition.ssh, &definition.environment}) {
        for (const auto& [name, setting] : *settings) check_one(name, setting, hosts);
      }
      if (definition.search_path) check_one("path", *definition.search_path, hosts);
    };
    for (GroupIndex g = 0; g < inventory_->groups_.size(); ++g) {
      check(inventory_->group_definitions_[g], inventory_->groups_[g].hosts);
    }
    std::uint32_t last = kNobody;
    for (HostIndex h = 0; h < inventory_->hosts_.size(); ++h) {
      const std::uint32_t definition = inventory_->host_definition_of_[h];
      if (definition == last) continue;
      last = definition;
      check(inventory_->host_definitions_[definition], {h});
    }
  }

  // The types do not depend on the host, so one host of each definition is enough.
  void check_ssh() {
    SshChecker checker(*inventory_, diags_);
    for (const auto& definition : inventory_->group_definitions_) {
      checker.check(definition.ssh, nullptr);
    }
    std::uint32_t last = kNobody;
    for (HostIndex h = 0; h < inventory_->hosts_.size(); ++h) {
      const std::uint32_t definition = inventory_->host_definition_of_[h];
      if (definition == last) continue;
      last = definition;
      checker.check(inventory_->host_definitions_[definition].ssh, &inventory_->hosts_[h]);
    }
  }

  static constexpr std::uint32_t kNobody = 0xFFFFFFFF;

  std::unique_ptr<NativeInventory> inventory_;
  diag::Diagnostics& diags_;
  std::vector<const syntax::GroupNode*> nodes_;      // by group
  std::vector<const syntax::HostNode*> host_nodes_;  // by definition
  std::vector<std::vector<GroupIndex>> children_;    // written inside, and members
  std::vector<std::vector<HostIndex>> own_hosts_;    // written inside, and members
  std::map<std::pair<GroupIndex, GroupIndex>, Span> member_spans_;
};

std::unique_ptr<Inventory> read(syntax::File file, const diag::SourceMap&,
                                diag::Diagnostics& diags) {
  return Reader(diags).read(std::move(file));
}

}  // namespace cnplay::inventory
