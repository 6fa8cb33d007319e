#include "compile/with_local.h"

#include <cctype>

#include "plan/plan.h"

namespace cnplay::compile {

WithLocal::WithLocal(const inventory::Inventory* given)
    : given_(given), name_(given != nullptr ? given->name() : plan::kLocal) {
  if (given_ != nullptr) {
    hosts_ = given_->hosts();
  } else {
    no_groups_.push_back({.name = "all", .parent = {}, .hosts = {}, .span = {}});
  }
  hosts_.push_back({.name = plan::kLocal, .index = {}, .groups = {}, .span = {}});
}

const std::vector<inventory::Group>& WithLocal::groups() const {
  return given_ != nullptr ? given_->groups() : no_groups_;
}

std::optional<inventory::HostIndex> WithLocal::find_host(std::string_view name) const {
  return given_ != nullptr ? given_->find_host(name) : std::nullopt;
}

std::optional<inventory::GroupIndex> WithLocal::find_group(std::string_view name) const {
  return given_ != nullptr ? given_->find_group(name) : std::nullopt;
}

std::optional<inventory::Variable> WithLocal::variable(inventory::HostIndex host,
                                                       std::string_view name) const {
  return host == local() ? std::nullopt : given_->variable(host, name);
}

std::optional<inventory::WholeVariable> WithLocal::whole_variable(std::string_view name) const {
  return given_ != nullptr ? given_->whole_variable(name) : std::nullopt;
}

std::vector<std::string> WithLocal::whole_variable_names() const {
  return given_ != nullptr ? given_->whole_variable_names() : std::vector<std::string>();
}

std::vector<inventory::VariablePlace> WithLocal::variable_places(std::string_view name) const {
  return given_ != nullptr ? given_->variable_places(name)
                           : std::vector<inventory::VariablePlace>();
}

std::vector<std::string> WithLocal::variable_names() const {
  return given_ != nullptr ? given_->variable_names() : std::vector<std::string>();
}

inventory::Ssh WithLocal::ssh(inventory::HostIndex host) const {
  return host == local() ? inventory::Ssh() : given_->ssh(host);
}

inventory::Environment WithLocal::environment(inventory::HostIndex host) const {
  if (host != local()) return given_->environment(host);
  return given_ != nullptr ? given_->whole_environment(plan::kLocal) : inventory::Environment();
}

std::vector<inventory::Notification> WithLocal::notifications() const {
  return given_ != nullptr ? given_->notifications() : std::vector<inventory::Notification>();
}

inventory::Span WithLocal::span() const {
  return given_ != nullptr ? given_->span() : inventory::Span();
}

bool mentions_local(std::string_view text) {
  const std::string_view word = plan::kLocal;
  const auto joins = [&](std::size_t at) {
    const auto c = at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    return std::isalnum(c) != 0 || c == '_';
  };
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if ((at == 0 || !joins(at - 1)) && !joins(at + word.size())) return true;
  }
  return false;
}

}  // namespace cnplay::compile
