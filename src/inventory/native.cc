#include "inventory/native.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/words.h"
#include "inventory/evaluate.h"

namespace cnplay::inventory {
namespace {

std::vector<std::string> texts(const Value& value) {
  std::vector<std::string> out;
  if (const auto* text = std::get_if<std::string>(&value.data)) out.push_back(*text);
  if (const auto* list = std::get_if<Value::List>(&value.data)) {
    for (const auto& item : *list) {
      if (const auto* word = std::get_if<std::string>(&item.data)) out.push_back(*word);
    }
  }
  return out;
}

}  // namespace

std::optional<HostIndex> NativeInventory::find_host(std::string_view name) const {
  const auto at = host_index_.find(name);
  return at == host_index_.end() ? std::nullopt : std::optional(at->second);
}

std::optional<GroupIndex> NativeInventory::find_group(std::string_view name) const {
  const auto at = group_index_.find(name);
  return at == group_index_.end() ? std::nullopt : std::optional(at->second);
}

const Setting* NativeInventory::find(HostIndex host, Settings Definition::*which,
                                     std::string_view name) const {
  const Settings& own = host_definitions_[host_definition_of_[host]].*which;
  if (const auto at = own.find(name); at != own.end()) return &at->second;
  for (const GroupIndex group : hosts_[host].groups) {
    const Settings& settings = group_definitions_[group].*which;
    if (settings.empty()) continue;
    if (const auto at = settings.find(name); at != settings.end()) return &at->second;
  }
  return nullptr;
}

Value NativeInventory::value_of(HostIndex host, const Setting& setting) const {
  return evaluate(*setting.value, {hosts_[host].name, hosts_[host].index, name_});
}

std::optional<Variable> NativeInventory::variable(HostIndex host, std::string_view name) const {
  const Setting* setting = find(host, &Definition::vars, name);
  if (!setting || !setting->valid) return std::nullopt;
  return Variable{value_of(host, *setting), setting->name_span};
}

std::optional<WholeVariable> NativeInventory::whole_variable(std::string_view name) const {
  const auto at = group_definitions_[0].vars.find(name);
  if (at == group_definitions_[0].vars.end() || !at->second.valid) return std::nullopt;
  const Setting& setting = at->second;
  return WholeVariable{evaluate(*setting.value, {"", std::nullopt, name_}), setting.name_span,
                       setting.uses_host || setting.uses_index};
}

std::vector<std::string> NativeInventory::whole_variable_names() const {
  std::set<std::string> names;
  for (const auto& [name, setting] : group_definitions_[0].vars) names.emplace(name);
  return {names.begin(), names.end()};
}

std::vector<VariablePlace> NativeInventory::variable_places(std::string_view name) const {
  std::vector<VariablePlace> places;
  for (GroupIndex g = 1; g < groups_.size(); ++g) {
    const auto at = group_definitions_[g].vars.find(name);
    if (at == group_definitions_[g].vars.end()) continue;
    places.push_back({"group " + backquoted(groups_[g].name), at->second.name_span});
  }
  for (HostIndex h = 0; h < hosts_.size(); ++h) {
    // Hosts of a range share a definition.
    const std::uint32_t definition = host_definition_of_[h];
    if (h > 0 && host_definition_of_[h - 1] == definition) continue;
    const auto at = host_definitions_[definition].vars.find(name);
    if (at == host_definitions_[definition].vars.end()) continue;
    places.push_back({"host " + backquoted(hosts_[h].name), at->second.name_span});
  }
  std::ranges::sort(places, {}, [](const VariablePlace& p) { return p.name_span.begin; });
  return places;
}

std::vector<std::string> NativeInventory::variable_names() const {
  std::set<std::string> names;
  for (const auto* definitions : {&host_definitions_, &group_definitions_}) {
    for (const auto& definition : *definitions) {
      for (const auto& [name, setting] : definition.vars) names.emplace(name);
    }
  }
  return {names.begin(), names.end()};
}

Ssh NativeInventory::ssh(HostIndex host) const {
  Ssh out;
  const auto value = [&](std::string_view name) -> std::optional<Value> {
    const Setting* setting = find(host, &Definition::ssh, name);
    if (!setting || !setting->valid) return std::nullopt;
    return value_of(host, *setting);
  };
  const auto text = [&](std::string_view name, const std::string& fallback) {
    const auto v = value(name);
    const auto* s = v ? std::get_if<std::string>(&v->data) : nullptr;
    return s ? *s : fallback;
  };
  out.address = text("address", hosts_[host].name);
  out.user = text("user", "");
  out.jump = text("jump", "");
  if (const auto v = value("port")) {
    if (const auto* port = std::get_if<std::int64_t>(&v->data);
        port && *port > 0 && *port < 65536) {
      out.port = static_cast<std::uint16_t>(*port);
    }
  }
  if (const auto v = value("identity")) out.identities = texts(*v);
  if (const auto v = value("known_hosts")) out.known_hosts = texts(*v);
  if (const auto v = value("tunnel_run")) {
    if (const bool* allowed = std::get_if<bool>(&v->data)) out.tunnel_run = *allowed;
  }
  for (auto [name, into] :
       {std::pair{"password", &out.password}, std::pair{"become_password", &out.become_password}}) {
    auto v = value(name);
    if (v && std::holds_alternative<Value::Secret>(v->data)) *into = std::move(v);
  }
  return out;
}

namespace {

// Adds what one definition says; `value_of` evaluates a setting. Those added before win.
template <class ValueOf>
void add_environment(const Definition& definition, const ValueOf& value_of, Environment& out) {
  for (const auto& [name, setting] : definition.environment) {
    const auto same = [&taken = name](const auto& variable) { return variable.first == taken; };
    if (!setting.valid || std::ranges::any_of(out.variables, same)) continue;
    const Value value = value_of(setting);
    if (const auto* text = std::get_if<std::string>(&value.data)) {
      out.variables.emplace_back(name, *text);
    }
  }
  if (!definition.search_path || !definition.search_path->valid) return;
  for (auto& folder : texts(value_of(*definition.search_path))) {
    out.folders.push_back(std::move(folder));
  }
}

}  // namespace

Environment NativeInventory::environment(HostIndex host) const {
  Environment out;
  if (!any_environment_) return out;
  const auto value = [&](const Setting& setting) { return value_of(host, setting); };
  add_environment(host_definitions_[host_definition_of_[host]], value, out);
  for (const GroupIndex group : hosts_[host].groups) {
    add_environment(group_definitions_[group], value, out);
  }
  std::ranges::sort(out.variables);
  return out;
}

Environment NativeInventory::whole_environment(std::string_view host) const {
  Environment out;
  const auto value = [&](const Setting& setting) {
    return evaluate(*setting.value, {std::string(host), std::nullopt, name_});
  };
  add_environment(group_definitions_[0], value, out);
  std::ranges::sort(out.variables);
  return out;
}

}  // namespace cnplay::inventory
