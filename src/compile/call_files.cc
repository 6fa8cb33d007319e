// Files beside the play: those that go to hosts as they are, those that are texts with values in
// them, and the places that files of hosts are brought to.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>

#include "compile/calls.h"
#include "plan/controller_path.h"
#include "syntax/parse.h"

namespace cnplay::compile {

namespace {

// A template goes through the shell as a variable.
constexpr std::size_t kMostText = 1024 * 1024;

plan::Column map_column(const plan::Column& column,
                        const std::function<plan::Value(const plan::Value&)>& change) {
  std::vector<plan::Value> values;
  for (const plan::Value& value : column.values()) values.push_back(change(value));
  if (column.uniform()) return plan::Column(std::move(values.front()));
  return {std::move(values), column.index()};
}

}  // namespace

void Calls::unreadable(const std::string& name, const Error& why, Span at) {
  context_.error("E0125", "file " + code(name) + " cannot be read", at, why.what,
                 why.help.empty() ? "the path is relative to the play's directory" : why.help);
}

bool Calls::names_known(const plan::Column& names, Span at) {
  for (const plan::Value& name : names.values()) {
    if (name.as<std::string>() != nullptr) continue;
    context_.error("E0115", "the name of a file beside the play must be known before the run", at,
                   "known only during the run", "name the file, or use a host variable");
    return false;
  }
  return true;
}

void Calls::send_file(plan::Action& action, Span at) {
  const std::string param = action.params.back().name;
  const plan::Column names = action.params.back().value;
  if (!names_known(names, at)) return;
  std::map<std::string, Input::LocalFile> found;
  for (const plan::Value& value : names.values()) {
    const std::string& name = *value.as<std::string>();
    if (found.contains(name)) continue;
    const auto file = context_.input.file ? context_.input.file(name)
                                          : Result<Input::LocalFile>(fail("no files here"));
    if (!file) {
      return unreadable(name, file.error(), at);
    }
    found.emplace(name, *file);
    context_.program_texts["file " + name] = file->sha256;
    const auto known = std::ranges::find(context_.plan.files, name, &plan::File::name);
    if (known == context_.plan.files.end()) {
      context_.plan.files.push_back(
          {name, file->path, static_cast<std::int64_t>(file->size), file->sha256});
    }
  }
  const auto add = [&](const char* part, auto get) {
    auto column = map_column(names, [&](const plan::Value& name) {
      return plan::Value(get(found.at(*name.as<std::string>())));
    });
    action.params.push_back({param + part, std::move(column), false, false});
  };
  add("_sum", [](const Input::LocalFile& file) { return file.sha256; });
  add("_size", [](const Input::LocalFile& file) { return std::to_string(file.size); });
  add("_mode", [](const Input::LocalFile& file) {
    char text[16];
    std::snprintf(text, sizeof text, "%o", file.mode & 0777U);
    return std::string(text);
  });
}

// A directory, and what of it is left out, may be others for each host; what they come to is looked
// at once.
void Calls::send_tree(plan::Action& action, const catalog::Module& module,
                      const std::vector<HostIndex>& hosts, Span at) {
  const auto column = [&](const std::string& name) -> const plan::Column* {
    const auto param = std::ranges::find(action.params, name, &plan::Param::name);
    return param == action.params.end() ? nullptr : &param->value;
  };
  const plan::Column* names = column(module.sends_tree);
  const plan::Column* without = column(module.sends_tree_without);
  if (names == nullptr || without == nullptr || !names_known(*names, at)) return;
  std::map<std::string, std::uint32_t> known;  // by name and patterns: which of the values
  std::vector<plan::Value> manifests;
  std::vector<plan::Value> sizes;
  std::vector<std::uint32_t> index;
  const bool uniform = names->uniform() && without->uniform();
  for (std::size_t i = 0; i < (uniform ? 1 : hosts.size()); ++i) {
    const std::string& name = *names->at(i).as<std::string>();
    std::vector<std::string> patterns;
    std::string key = name;
    const auto* list = without->at(i).as<plan::List>();
    for (const plan::Value& item : list != nullptr ? *list : plan::List{}) {
      const auto* pattern = item.as<std::string>();
      if (pattern != nullptr) {
        patterns.push_back(*pattern);
        key += '\0' + *pattern;
      } else {
        list = nullptr;
        break;
      }
    }
    if (list == nullptr) {
      context_.error("E0115", "what is left out of a directory must be known before the run", at,
                     "known only during the run", "write the patterns, or host variables");
      return;
    }
    const auto [found, fresh] = known.emplace(key, static_cast<std::uint32_t>(manifests.size()));
    index.push_back(found->second);
    if (!fresh) continue;
    auto tree = context_.input.tree ? context_.input.tree(name, patterns)
                                    : Result<Input::LocalTree>(fail("no files here"));
    if (!tree) return unreadable(name, tree.error(), at);
    context_.program_texts["tree " + key] = tree->manifest;
    if (std::ranges::find(context_.plan.trees, name, &plan::Tree::name) ==
        context_.plan.trees.end()) {
      context_.plan.trees.push_back({name, tree->path});
    }
    manifests.emplace_back(std::move(tree->manifest));
    sizes.emplace_back(std::to_string(tree->size));
  }
  const auto add = [&](const char* part, std::vector<plan::Value> values) {
    auto made = values.size() == 1 ? plan::Column(std::move(values.front()))
                                   : plan::Column(std::move(values), index);
    action.params.push_back({module.sends_tree + part, std::move(made), false, false});
  };
  add("_manifest", std::move(manifests));
  add("_size", std::move(sizes));
}

const syntax::Expr* Calls::template_of(const std::string& name, Span at) {
  if (const auto known = templates_.find(name); known != templates_.end()) {
    return known->second.get();
  }
  auto& slot = templates_[name];
  auto loaded = context_.input.load
                    ? context_.input.load(context_.input.play->name, name)
                    : Result<std::pair<std::string, std::string>>(fail("no files here"));
  if (loaded && loaded->second.size() > kMostText) {
    loaded = fail("it is larger than 1 MiB", "send it as it is: file.copy");
  } else if (loaded && loaded->second.find('\0') != std::string::npos) {
    loaded = fail("it has a NUL byte: it is not text", "send it as it is: file.copy");
  }
  if (!loaded) {
    unreadable(name, loaded.error(), at);
    return nullptr;
  }
  context_.program_texts["template " + name] = loaded->second;
  const auto& source = context_.input.sources->add(loaded->first, std::move(loaded->second));
  slot = syntax::parse_template(source, context_.diags);
  return slot.get();
}

void Calls::render_file(plan::Action& action, const std::vector<HostIndex>& hosts,
                        const std::string& label, Span at) {
  const std::string param = action.params.back().name;
  const plan::Column names = action.params.back().value;
  if (!names_known(names, at)) return;
  bool secret = false;
  std::vector<plan::Column> texts;
  for (const plan::Value& value : names.values()) {
    const syntax::Expr* text = template_of(*value.as<std::string>(), at);
    if (text == nullptr) return;
    const Evaluated rendered = argument(*text, nullptr);
    if (rendered.poison()) return;
    secret = secret || holds_secret(rendered.type);
    // Of a name that only some hosts have, only their values count.
    std::vector<HostIndex> its;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      if (names.at(i) == value) its.push_back(hosts[i]);
    }
    auto column = evaluator_.column(rendered, its, label, text->span);
    if (!column) return;
    texts.push_back(std::move(*column));
  }
  plan::Column out = texts.front();
  if (!names.uniform()) {
    std::vector<plan::Value> all;
    std::vector<std::uint32_t> index;
    std::vector<std::size_t> next(texts.size(), 0);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      const std::uint32_t which = names.index()[i];
      const plan::Value& text = texts[which].at(next[which]++);
      const auto at_value = std::ranges::find(all, text);
      index.push_back(static_cast<std::uint32_t>(at_value - all.begin()));
      if (at_value == all.end()) all.push_back(text);
    }
    out = all.size() == 1 ? plan::Column(std::move(all.front()))
                          : plan::Column(std::move(all), std::move(index));
  }
  action.params.push_back({param + "_text", std::move(out), secret, false});
  action.params.push_back({param + "_mode",
                           plan::Column(plan::Value(std::string(secret ? "600" : "644"))), false,
                           false});
}

// What two hosts would bring to one file is lost for one of them.
void Calls::fetch_file(plan::Action& action, const std::vector<HostIndex>& hosts, Span at) {
  const plan::Column& to = action.params.back().value;
  std::map<std::string, std::size_t> uses;
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    if (!plan::is_below_a_place(to.at(i))) {
      context_.error("E0308", "a host would choose a path on the controller", at, "from a fact",
                     "name the place, and let the fact be one name below it: "
                     "`\"logs/${a.f.name}\"`");
      return;
    }
    const auto* path = to.at(i).as<std::string>();
    if (path == nullptr || path->ends_with('/')) continue;
    if (path->empty()) {
      context_.error("E0126", "the path to fetch the file to is empty", at, "empty",
                     "name a file, or a directory with a `/` at its end");
      return;
    }
    if (++uses[*path] < 2) continue;
    context_.error("E0126", count_of(hosts.size(), "host") + " would write the same file", at,
                   code(*path) + " for more than one host",
                   "name a directory with a `/` at its end: each host's file gets a directory with "
                   "the host's name there");
    return;
  }
}

}  // namespace cnplay::compile
