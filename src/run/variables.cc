#include "run/variables.h"

#include "plan/script_text.h"

namespace cnplay::run {

namespace {

using plan::Value;

// One line: what may stand in a list or a map.
Result<std::string> line(const Value& value, const std::vector<Secret>& secrets, bool& secret) {
  if (value.as<plan::List>() != nullptr || value.as<plan::Record>() != nullptr) {
    return fail("has a list or a record inside a list: a script cannot receive that");
  }
  auto text = script_text(value, secrets, secret);
  if (!text) return text;
  if (text->find('\n') != std::string::npos) {
    return fail("has an item with a newline, and items are told apart by newlines");
  }
  return text;
}

struct ToText {
  const std::vector<Secret>& secrets;
  bool& secret;

  Result<std::string> operator()(std::monostate) const { return std::string(); }
  Result<std::string> operator()(bool v) const { return std::string(v ? "true" : "false"); }
  Result<std::string> operator()(std::int64_t v) const { return std::to_string(v); }
  Result<std::string> operator()(const std::string& v) const { return v; }
  Result<std::string> operator()(Duration v) const { return plan::script_text(v); }
  Result<std::string> operator()(const Time& v) const { return plan::script_text(v); }
  Result<std::string> operator()(Size v) const { return std::to_string(v.bytes); }
  Result<std::string> operator()(Percent v) const { return std::to_string(v.value); }
  Result<std::string> operator()(const plan::List& list) const {
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto item = line(list[i], secrets, secret);
      if (!item) return item;
      if (i > 0) text += '\n';
      text += *item;
    }
    return text;
  }
  Result<std::string> operator()(const plan::Record& record) const {
    std::string text;
    for (const auto& [key, value] : record) {
      if (key.find_first_of("=\n") != std::string::npos) {
        return fail("has a key with `=` or a newline in it");
      }
      auto item = line(value, secrets, secret);
      if (!item) return item;
      if (!text.empty()) text += '\n';
      text += key + "=" + *item;
    }
    return text;
  }
  Result<std::string> operator()(const plan::SecretRef& ref) const {
    secret = true;
    return reveal(ref, secrets);
  }
  Result<std::string> operator()(const plan::Deferred&) const { return fail("has no value yet"); }
};

}  // namespace

Result<std::string> reveal(const plan::SecretRef& ref, const std::vector<Secret>& secrets) {
  if (ref.index >= secrets.size()) return fail("is a secret that was not resolved");
  return secrets[ref.index].reveal();
}

Result<std::string> script_text(const Value& value, const std::vector<Secret>& secrets,
                                bool& secret) {
  auto text = std::visit(ToText{secrets, secret}, value.data);
  if (text && text->find('\0') != std::string::npos) return fail("holds a NUL byte");
  return text;
}

Result<remote::Variable> variable(const plan::Param& param, const Value& value,
                                  const std::vector<Secret>& secrets) {
  remote::Variable v;
  v.name = param.name;
  v.secret = param.secret;
  auto text = script_text(value, secrets, v.secret);
  if (!text) return fail("the parameter `" + param.name + "` " + text.error().what);
  v.value = *std::move(text);
  v.path = param.path && value.as<std::string>() != nullptr;
  if (const auto* items = value.as<plan::List>(); items && param.path) {
    for (const Value& item : *items) {
      const auto* path = item.as<std::string>();
      if (path == nullptr || (*path != "~" && !path->starts_with("~/"))) continue;
      return fail("the parameter `" + param.name + "` has `" + *path +
                  "` in a list: write the home directory out there");
    }
  }
  return v;
}

void set_environment(remote::Task& task, const plan::Node& node, std::size_t position) {
  for (const plan::EnvironmentVariable& variable : node.environment) {
    const auto* text = variable.value.at(position).as<std::string>();
    if (text != nullptr) task.environment.emplace_back(variable.name, *text);
  }
  if (node.search_path.empty()) return;
  const auto* folders = node.search_path.at(position).as<plan::List>();
  if (folders == nullptr) return;
  for (const plan::Value& folder : *folders) {
    if (const auto* text = folder.as<std::string>()) task.search_path.push_back(*text);
  }
}

}  // namespace cnplay::run
