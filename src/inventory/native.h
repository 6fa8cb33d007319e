// A native `.inv` file as an Inventory. Hosts of a range share one definition; variables are
// evaluated when they are asked for, so ten thousand hosts cost ten thousand names.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inventory/inventory.h"

namespace cnplay::inventory {

// One setting as it was written.
struct Setting {
  const syntax::Expr* value = nullptr;
  Span name_span;
  bool valid = false;  // its expression passed the check
  bool uses_index = false;
  bool uses_host = false;
};
using Settings = std::unordered_map<std::string_view, Setting>;

// What a host or a group says of itself. Views lead into the syntax tree.
struct Definition {
  Settings vars;
  Settings ssh;
  Settings environment;
  std::optional<Setting> search_path;
};

class NativeInventory final : public Inventory {
 public:
  const std::string& name() const override { return name_; }
  const std::vector<Host>& hosts() const override { return hosts_; }
  const std::vector<Group>& groups() const override { return groups_; }
  std::optional<HostIndex> find_host(std::string_view name) const override;
  std::optional<GroupIndex> find_group(std::string_view name) const override;
  std::optional<Variable> variable(HostIndex host, std::string_view name) const override;
  std::optional<WholeVariable> whole_variable(std::string_view name) const override;
  std::vector<std::string> whole_variable_names() const override;
  std::vector<VariablePlace> variable_places(std::string_view name) const override;
  std::vector<std::string> variable_names() const override;
  Ssh ssh(HostIndex host) const override;
  Environment environment(HostIndex host) const override;
  Environment whole_environment(std::string_view host) const override;
  std::vector<Notification> notifications() const override { return notifications_; }
  Span span() const override { return span_; }

 private:
  friend class Reader;

  // The nearest setting: the host's own, then its groups', nearest first.
  const Setting* find(HostIndex host, Settings Definition::*which, std::string_view name) const;
  Value value_of(HostIndex host, const Setting& setting) const;

  syntax::File file_;
  std::string name_;
  Span span_;
  bool any_environment_ = false;  // some host or group has an `env` or a `path`
  std::vector<Notification> notifications_;
  std::vector<Host> hosts_;
  std::vector<Group> groups_;
  std::vector<Definition> host_definitions_;       // one for each HostNode
  std::vector<std::uint32_t> host_definition_of_;  // by host
  std::vector<Definition> group_definitions_;      // by group
  // Keys are views of hosts_[i].name and groups_[i].name, which no longer move.
  std::unordered_map<std::string_view, HostIndex> host_index_;
  std::unordered_map<std::string_view, GroupIndex> group_index_;
};

}  // namespace cnplay::inventory
