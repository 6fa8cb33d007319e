#include "cli/one_step.h"

#include <utility>

namespace cnplay::cli {

std::optional<plan::Plan> compile_one_step(Project& project, const std::string& name,
                                           const std::string& play, const Options& options) {
  compile::Input input;
  input.sources = &project.sources;
  input.play = &project.sources.add(name, play);
  input.inventory = project.inventory.get();
  input.catalog = &project.catalog;
  input.limited = true;
  input.limit = project.limit;
  give_vault(input, project, options);
  auto plan = compile::compile(input, project.diags);
  if (!plan || project.diags.has_errors()) return std::nullopt;
  note_vault(*plan, project);
  return plan;
}

}  // namespace cnplay::cli
