// The hosts of a play: those of its inventory, and behind them the controller, which is `local` in
// a play. It is in no group, has no variable, and no way to it.
#pragma once

#include "inventory/inventory.h"

namespace cnplay::compile {

class WithLocal final : public inventory::Inventory {
 public:
  // `given`: outlives this. Null: none was named, and `local` is the only host.
  explicit WithLocal(const inventory::Inventory* given);

  const std::string& name() const override { return name_; }
  const std::vector<inventory::Host>& hosts() const override { return hosts_; }
  const std::vector<inventory::Group>& groups() const override;
  // Of the inventory alone: `local` is reached by its word.
  std::optional<inventory::HostIndex> find_host(std::string_view name) const override;
  std::optional<inventory::GroupIndex> find_group(std::string_view name) const override;
  std::optional<inventory::Variable> variable(inventory::HostIndex host,
                                              std::string_view name) const override;
  std::optional<inventory::WholeVariable> whole_variable(std::string_view name) const override;
  std::vector<std::string> whole_variable_names() const override;
  std::vector<inventory::VariablePlace> variable_places(std::string_view name) const override;
  std::vector<std::string> variable_names() const override;
  inventory::Ssh ssh(inventory::HostIndex host) const override;
  inventory::Environment environment(inventory::HostIndex host) const override;
  std::vector<inventory::Notification> notifications() const override;
  inventory::Span span() const override;

  inventory::HostIndex local() const {
    return static_cast<inventory::HostIndex>(hosts_.size() - 1);
  }

 private:
  const inventory::Inventory* given_;
  std::string name_;
  std::vector<inventory::Host> hosts_;
  std::vector<inventory::Group> no_groups_;  // the root group, where no inventory was named
};

// Whether a text may speak of the controller: whether the word stands in it, wherever.
bool mentions_local(std::string_view text);

}  // namespace cnplay::compile
