#include "compile/things.h"

#include <algorithm>
#include <map>

namespace cnplay::compile {
namespace {

using plan::Action;
using plan::HostIndex;
using plan::Node;

// A thing whose name may have parameters in it. A `path` parameter is a thing by itself.
struct Thing {
  const syntax::StringLit* text = nullptr;
  std::string param;    // a path that `writes`, `reads` or a parameter's type names
  bool uniform = true;  // the same on all hosts of the node
};

struct ActionThings {
  const Node* node = nullptr;
  std::uint32_t action = 0;
  std::vector<Thing> looks;
  std::vector<Thing> changes;
};

constexpr const char* kAny = "*";
constexpr const char* kAnyPath = "/*";

const plan::Param* find_value(const Action& action, const std::string& name) {
  const auto at = std::ranges::find(action.params, name, &plan::Param::name);
  return at == action.params.end() ? nullptr : &*at;
}

const std::string* parameter_of(const syntax::StringPart& part) {
  const auto* ref = part.expr ? std::get_if<syntax::NameRef>(&part.expr->node) : nullptr;
  return ref != nullptr ? &ref->name.text : nullptr;
}

// The texts of a value; one that is not known yet may be any. None if it was left out.
std::vector<std::string> texts_of(const plan::Param* param, std::size_t position) {
  if (param == nullptr) return {kAny};
  const plan::Value& value = param->value.at(position);
  if (std::holds_alternative<std::monostate>(value.data)) return {};
  const auto text = [](const plan::Value& one) {
    return one.is_deferred() ? kAny : plan::text_of(one).value_or(kAny);
  };
  const auto* list = value.as<plan::List>();
  if (list == nullptr) return {text(value)};
  std::vector<std::string> texts;
  for (const plan::Value& item : *list) texts.push_back(text(item));
  return texts;
}

// What one thing is on the host at `position`. What stands after a part that may be any is of no
// use any more.
std::vector<std::string> names_of(const Action& action, const Thing& thing, std::size_t position) {
  if (thing.text == nullptr) {
    auto paths = texts_of(find_value(action, thing.param), position);
    std::ranges::replace(paths, std::string(kAny), std::string(kAnyPath));
    return paths;
  }
  std::vector<std::string> names{""};
  for (const syntax::StringPart& part : thing.text->parts) {
    const std::string* param = parameter_of(part);
    std::vector<std::string> texts{part.text};
    if (param != nullptr) texts = texts_of(find_value(action, *param), position);
    if (texts.empty()) texts = {kAny};
    std::vector<std::string> longer;
    for (const std::string& name : names) {
      for (const std::string& text : texts) {
        longer.push_back(name.ends_with('*') ? name : name + text);
      }
    }
    names = std::move(longer);
  }
  std::ranges::replace(names, std::string(kAny), std::string(kAnyPath));  // only a path begins so
  return names;
}

bool is_uniform(const Action& action, const Thing& thing) {
  const auto one = [&](const std::string& name) {
    const plan::Param* param = find_value(action, name);
    return param == nullptr || param->value.uniform();
  };
  if (thing.text == nullptr) return one(thing.param);
  return std::ranges::all_of(thing.text->parts, [&](const syntax::StringPart& part) {
    const std::string* param = parameter_of(part);
    return param == nullptr || one(*param);
  });
}

ActionThings place_of(const Node& node, std::uint32_t number, const catalog::Module& module) {
  const Action& action = node.actions[number];
  ActionThings place{&node, number, {}, {}};
  const auto add = [&](std::vector<Thing>& to, Thing thing) {
    thing.uniform = is_uniform(action, thing);
    to.push_back(std::move(thing));
  };
  for (const auto* text : module.touches) {
    add(place.changes, {text, "", true});
    add(place.looks, {text, "", true});
  }
  for (const auto* text : module.looks) add(place.looks, {text, "", true});
  for (const std::string& name : action.writes) add(place.changes, {nullptr, name, true});
  for (const plan::Param& param : action.params) {
    if (param.path) add(place.looks, {nullptr, param.name, true});
  }
  return place;
}

// The name by which the tools know it: `nginx.service` is `nginx`, `redis:amd64=7.0` is `redis`.
std::string plain_name(const std::string& kind, std::string name) {
  if (kind == "service" && name.ends_with(".service")) name.resize(name.size() - 8);
  if (kind == "package") name.resize(std::min(name.find_first_of("=:"), name.size()));
  if (kind == "supervisor" && name == "all") return kAny;
  return name;
}

bool path_inside(const std::string& path, const std::string& of) {
  return path == of || of == "/" ||
         (path.size() > of.size() && path.starts_with(of) && path[of.size()] == '/');
}

std::string plain_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

bool covers(const std::string& pattern, const std::string& name) {
  if (!pattern.ends_with('*')) return pattern == name;
  const std::string_view begin(pattern.data(), pattern.size() - 1);
  return name.starts_with(begin) || begin == name + ":";  // `group:*` is also `group`
}

// The thing that both may mean; nullptr: none.
const std::string* common_thing(const std::vector<std::string>& a,
                                const std::vector<std::string>& b) {
  for (const std::string& one : a) {
    for (const std::string& other : b) {
      if (same_thing(one, other)) return &one;
    }
  }
  return nullptr;
}

// Previews stand for what a parameter's path would become, so a dry run compares those paths.
bool compared_by_run(const Thing& a, const Thing& b) { return !a.text && !b.text; }

bool kinds_differ(const Thing& a, const Thing& b) {
  if (!a.text || !b.text) return false;
  const auto kind = [](const Thing& thing) {
    const std::string& first = thing.text->parts.front().text;
    return std::string_view(first).substr(0, first.find(':'));
  };
  const bool paths = !kind(a).empty() && !kind(b).empty() && kind(a)[0] != '/' && kind(b)[0] != '/';
  return paths && kind(a) != kind(b);
}

// What `later` looks at and `earlier` changes on a host of both.
void compare_things(const ActionThings& earlier, const ActionThings& later,
                    std::vector<plan::Dependence>& out) {
  const Action& before = earlier.node->actions[earlier.action];
  const Action& after = later.node->actions[later.action];
  std::vector<HostIndex> common;
  plan::Dependence found{earlier.node->id, earlier.action, "", {}};
  const auto both = [&]() -> const std::vector<HostIndex>& {
    if (common.empty()) {
      std::ranges::set_intersection(earlier.node->hosts, later.node->hosts,
                                    std::back_inserter(common));
    }
    return common;
  };
  const auto position = [](const Node& node, HostIndex host) {
    return static_cast<std::size_t>(std::ranges::lower_bound(node.hosts, host) -
                                    node.hosts.begin());
  };
  for (const Thing& change : earlier.changes) {
    for (const Thing& look : later.looks) {
      if (compared_by_run(change, look) || kinds_differ(change, look)) continue;
      if (change.uniform && look.uniform) {
        const auto changed = names_of(before, change, 0);
        const std::string* thing = common_thing(changed, names_of(after, look, 0));
        if (thing == nullptr || both().empty()) continue;
        found.thing = *thing;
        found.hosts.clear();
        out.push_back(std::move(found));
        return;
      }
      for (const HostIndex host : both()) {
        const auto changed = names_of(before, change, position(*earlier.node, host));
        const auto looked = names_of(after, look, position(*later.node, host));
        const std::string* thing = common_thing(changed, looked);
        if (thing == nullptr) continue;
        if (found.thing.empty()) found.thing = *thing;
        found.hosts.push_back(host);
      }
    }
  }
  if (found.thing.empty()) return;
  std::ranges::sort(found.hosts);
  found.hosts.erase(std::unique(found.hosts.begin(), found.hosts.end()), found.hosts.end());
  out.push_back(std::move(found));
}

// A handler may run before any step that stands after its notifier.
bool may_precede(const ActionThings& a, const ActionThings& b) {
  if (a.node == b.node) return a.action < b.action;
  return a.node->kind == plan::NodeKind::handler || a.node->id < b.node->id;
}

}  // namespace

std::vector<std::string> touched(const catalog::Module& module) {
  std::vector<std::string> out;
  for (const auto* thing : module.touches) {
    std::string text;
    for (const syntax::StringPart& part : thing->parts) {
      const std::string* param = parameter_of(part);
      text += param != nullptr ? "${" + *param + "}" : part.text;
    }
    out.push_back(std::move(text));
  }
  return out;
}

bool same_thing(const std::string& a, const std::string& b) {
  const bool path = a.starts_with('/');
  if (path != b.starts_with('/')) return false;
  if (path) {
    const std::string one = plain_path(a);
    const std::string other = plain_path(b);
    return covers(one, other) || covers(other, one) || path_inside(one, other) ||
           path_inside(other, one);
  }
  const std::size_t colon = a.find(':');
  if (colon == std::string::npos || a.substr(0, colon + 1) != b.substr(0, colon + 1)) return false;
  const std::string kind = a.substr(0, colon);
  const std::string one = plain_name(kind, a.substr(colon + 1));
  const std::string other = plain_name(kind, b.substr(colon + 1));
  return covers(one, other) || covers(other, one);
}

void find_dependences(plan::Plan& plan, const catalog::Catalog& catalog) {
  std::vector<ActionThings> changing;
  std::vector<ActionThings> looking;
  for (const Node& node : plan.nodes) {
    for (std::uint32_t i = 0; i < node.actions.size(); ++i) {
      const catalog::Module* module = catalog.find(node.actions[i].module);
      if (module == nullptr) continue;  // `sh`
      ActionThings place = place_of(node, i, *module);
      if (!place.changes.empty()) changing.push_back(place);
      // One without a check is reported as `would run` whatever stands before it.
      if (module->check && !place.looks.empty()) looking.push_back(std::move(place));
    }
  }
  for (const ActionThings& later : looking) {
    std::vector<plan::Dependence> found;
    for (const ActionThings& earlier : changing) {
      if (may_precede(earlier, later)) compare_things(earlier, later, found);
    }
    plan.nodes[later.node->id].actions[later.action].depends_on = std::move(found);
  }
}

}  // namespace cnplay::compile
