#include <iostream>

#include "cli/commands.h"
#include "cli/project.h"

namespace cnplay::cli {

int modules_command(const Options& options) {
  Project project;
  if (auto status = load_modules(project); !status) return usage_error(status.error());
  if (project.diags.has_errors()) return print_diagnostics(project, options);
  if (options.topic.empty()) {
    std::size_t widest = 0;
    const auto names = project.catalog.names();
    for (const auto& name : names) widest = std::max(widest, name.size());
    for (const auto& name : names) {
      const catalog::Module* module = project.catalog.find(name);
      std::cout << name << std::string(widest + 2 - name.size(), ' ') << module->title
                << (module->builtin ? "" : "  (" + module->source + ")") << "\n";
    }
    return kSuccess;
  }
  const catalog::Module* module = project.catalog.find(options.topic);
  if (module == nullptr) {
    const std::string near = diag::did_you_mean(options.topic, project.catalog.names());
    return usage_error(
        fail("there is no module `" + options.topic + "`",
             near.empty() ? "`cnplay modules` lists them all" : "did you mean `" + near + "`?"));
  }
  std::cout << "# " << module->source << "\n"
            << project.catalog.source_text(*module, project.sources) << "\n";
  return kSuccess;
}

}  // namespace cnplay::cli
