#include <algorithm>
#include <deque>
#include <iostream>

#include "base/shell_word.h"
#include "cli/commands.h"
#include "cli/project.h"
#include "cli/stand_in.h"
#include "render/runbook.h"
#include "syntax/parse.h"

namespace cnplay::cli {
namespace {

// The files that a play uses, directly or not. Those that cannot be read or parsed are the
// compiler's to complain of.
void read_uses(const std::string& from, const syntax::File& file, diag::SourceMap& sources,
               std::deque<std::pair<std::string, syntax::File>>& libraries) {
  for (const syntax::Use& use : file.uses) {
    const auto* path = std::get_if<syntax::StringLit>(&use.path.node);
    if (path == nullptr || path->parts.size() != 1 || path->parts[0].expr) continue;
    auto library = read_library(from, path->parts[0].text);
    if (!library) continue;
    const bool known = std::any_of(libraries.begin(), libraries.end(),
                                   [&](const auto& l) { return l.first == library->first; });
    if (known) continue;
    diag::Diagnostics diags;
    const auto& source = sources.add(library->first, std::move(library->second));
    libraries.emplace_back(library->first, syntax::parse(source, diags));
    read_uses(library->first, libraries.back().second, sources, libraries);
  }
}

// No inventory was named: one that stands for any, if the play lets it.
Result<std::set<std::string>> use_stand_in(Project& project, const Options& options) {
  auto path = find_play(options.play);
  if (!path) return path.error();
  auto text = read_file(*path);
  if (!text) return text.error();
  diag::SourceMap sources;
  diag::Diagnostics diags;
  const syntax::File file = syntax::parse(sources.add(*path, std::move(*text)), diags);
  const syntax::Play* play = nullptr;
  for (const auto& p : file.plays) {
    if (options.play_name.empty() ? file.plays.size() == 1 : p.name.text == options.play_name) {
      play = &p;
    }
  }
  if (diags.has_errors() || play == nullptr) {
    return fail(
        "no inventory was named, and without one it is not known which play to read from " + *path,
        "`cnplay check -i NAME " + options.play + "` says what is wrong with it");
  }
  std::deque<std::pair<std::string, syntax::File>> libraries;
  read_uses(*path, file, sources, libraries);
  std::vector<const syntax::File*> files{&file};
  for (const auto& library : libraries) files.push_back(&library.second);
  auto made = stand_in(*play, files);
  if (!made) return made.error();
  project.inventory_text = made->text;
  return std::move(made->words);
}

std::string command_of(const Options& options, bool local_alone) {
  std::string out = "cnplay -i " + shell_word(options.inventory);
  if (options.inventory.empty()) out = local_alone ? "cnplay" : "cnplay -i INVENTORY";
  out += " " + shell_word(options.play);
  if (!options.play_name.empty()) out += " --play " + shell_word(options.play_name);
  if (!options.limit.empty()) out += " -l " + shell_word(options.limit);
  for (const std::string& extra : options.extra) out += " -e " + shell_word(extra);
  return out;
}

}  // namespace

int docs_command(const Options& options) {
  Project project;
  render::RunbookOptions how;
  how.generic = options.inventory.empty();
  if (how.generic) {
    if (!options.limit.empty()) {
      return usage_error(fail("`-l` selects hosts of an inventory, and no inventory was named",
                              "add `-i NAME`, or leave `-l` out"));
    }
    auto words = use_stand_in(project, options);
    if (!words) return usage_error(words.error());
    how.stand_ins = std::move(*words);
  }
  if (auto status = load(project, options); !status) return usage_error(status.error());
  if (!project.plan && how.generic) {
    print_diagnostics(project, options);
    return usage_error(
        fail("no inventory was named, and without one the play has "
             "the mistakes above",
             "add `-i NAME`; `-i staging` means inventories/staging.inv"));
  }
  if (!project.plan) return print_diagnostics(project, options);
  print_diagnostics(project, options);  // warnings
  how.title_of = [&project](std::string_view name) -> std::string {
    const catalog::Module* module = project.catalog.find(name);
    return module == nullptr ? "" : module->title;
  };
  how.commands_of = [&project](std::string_view name) -> std::string {
    const catalog::Module* module = project.catalog.find(name);
    return module == nullptr || !module->commands ? "" : module->commands->text;
  };
  const auto local = plan::find_local(*project.plan);
  how.command = command_of(options, local && project.plan->hosts.size() == 1);
  const render::Runbook book = render::runbook(*project.plan, how);
  std::cout << (options.docs_format == "html" ? render::to_html(book) : render::to_markdown(book));
  return std::cout.flush() ? kSuccess : kFailed;
}

}  // namespace cnplay::cli
