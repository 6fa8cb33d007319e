#include <algorithm>
#include <cctype>
#include <iostream>
#include <sstream>

#include "cli/commands.h"
#include "cli/modules_page.h"
#include "cli/project.h"
#include "diag/habits.h"

namespace cnplay::cli {
namespace {

void print_list(const catalog::Catalog& catalog, const std::vector<std::string>& names) {
  std::size_t widest = 0;
  for (const auto& name : names) widest = std::max(widest, name.size());
  for (const auto& name : names) {
    const catalog::Module* module = catalog.find(name);
    std::cout << name << std::string(widest + 2 - name.size(), ' ') << module->title
              << (module->builtin ? "" : "  (" + module->source + ")") << "\n";
  }
}

// Upper and lower case of ASCII are the same.
bool holds(const std::string& text, const std::string& word) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

// What the comment says, without examples.
std::string prose_of(const catalog::Module& module) {
  std::istringstream doc(module.doc);
  std::string out;
  bool fenced = false;
  for (std::string line; std::getline(doc, line);) {
    if (line.starts_with("```")) fenced = !fenced;
    if (!fenced) out += line + "\n";
  }
  return out;
}

// Its name, its title, what stands above it, or what a parameter says of itself.
bool speaks_of(const catalog::Module& module, const std::string& word) {
  if (holds(module.name, word) || holds(module.title, word)) return true;
  if (holds(prose_of(module), word)) return true;
  return std::ranges::any_of(module.params, [&](const catalog::Param& param) {
    return holds(param.name, word) || holds(param.doc, word);
  });
}

int search(const catalog::Catalog& catalog, const std::string& word) {
  std::vector<std::string> found;
  for (const auto& name : catalog.names()) {
    if (speaks_of(*catalog.find(name), word)) found.push_back(name);
  }
  if (found.empty()) {
    return usage_error(fail("no module has this word in its description: `" + word + "`",
                            "`cnplay modules` lists them all"));
  }
  print_list(catalog, found);
  return kSuccess;
}

}  // namespace

int modules_command(const Options& options) {
  Project project;
  if (auto status = load_modules(project); !status) return usage_error(status.error());
  if (project.diags.has_errors()) return print_diagnostics(project, options);
  if (options.markdown) {
    std::cout << modules_page(project.catalog, project.sources);
    return kSuccess;
  }
  if (!options.search.empty()) return search(project.catalog, options.search);
  if (options.topic.empty()) {
    print_list(project.catalog, project.catalog.names());
    return kSuccess;
  }
  const catalog::Module* module = project.catalog.find(options.topic);
  if (module == nullptr) {
    // `git`: the modules that begin with it.
    const auto names = project.catalog.names();
    std::vector<std::string> family;
    for (const auto& name : names) {
      if (name.starts_with(options.topic + ".")) family.push_back(name);
    }
    if (!family.empty()) {
      print_list(project.catalog, family);
      return kSuccess;
    }
    const std::string habit = diag::module_habit(options.topic);
    const std::string near = diag::did_you_mean(options.topic, names);
    return usage_error(fail("there is no module `" + options.topic + "`",
                            !habit.empty() ? habit
                            : near.empty() ? "`cnplay modules` lists them all"
                                           : "did you mean `" + near + "`?"));
  }
  std::cout << "# " << module->source << "\n"
            << project.catalog.source_text(*module, project.sources) << "\n";
  return kSuccess;
}

}  // namespace cnplay::cli
