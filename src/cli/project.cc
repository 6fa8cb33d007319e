#include "cli/project.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>

#include "catalog/embedded.h"
#include "cli/local_file.h"
#include "cli/local_tree.h"
#include "cli/shell_check.h"
#include "syntax/parse.h"

namespace cnplay::cli {
namespace fs = std::filesystem;

namespace {

constexpr std::uintmax_t kMaxFile = 16u << 20;

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Plays and inventories that are near enough in name to be meant.
std::string suggestion(const std::string& directory, const std::string& name) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::string near = diag::did_you_mean(name, names);
  return near.empty() ? "" : "; did you mean `" + near + "`?";
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return fail(path + ": cannot be read: " + error.message());
  if (size > kMaxFile) return fail(path + ": is larger than 16 MiB", "is it really a playbook?");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return fail(path + ": cannot be read: " + std::strerror(errno));
  return std::move(text).str();
}

Result<std::string> find_inventory(const std::string& name) {
  if (is_file(name)) return name;
  const std::string in_folder = "inventories/" + name + ".inv";
  if (name.find('/') == std::string::npos && is_file(in_folder)) return in_folder;
  return fail("no inventory `" + name + "`: there is neither a file " + name + " nor " + in_folder +
                  suggestion("inventories", name + ".inv"),
              "run cnplay in the folder that holds inventories/, or give a path");
}

std::string inventory_option(const std::string& name) {
  return name.empty() ? "" : "-i " + name + " ";
}

Result<std::string> find_play(const std::string& name) {
  if (is_file(name)) return name;
  const std::string in_folder = "playbooks/" + name;
  if (name.find('/') == std::string::npos && is_file(in_folder)) return in_folder;
  return fail("no play `" + name + "`: there is neither a file " + name + " nor " + in_folder +
                  suggestion("playbooks", name),
              "run cnplay in the folder that holds playbooks/, or give a path");
}

namespace {

bool is_inside(const fs::path& path, const fs::path& directory) {
  const auto [at, end] =
      std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
  return at == directory.end();
}

// Whether the file is a copy of a built-in one, as those of cnplay's own repository are. It is then
// read as the built-in: a plan is the same there as in any other project.
bool is_builtin(const std::string& file, const std::string& text) {
  return std::ranges::any_of(catalog::embedded_modules(), [&](const EmbeddedFile& known) {
    return known.name == file && known.text == text;
  });
}

// The project of a file: the nearest directory above that holds playbooks/, inventories/ or
// modules/; else where cnplay runs, if the file is below; else the file's own directory.
fs::path project_of(const fs::path& file) {
  std::error_code ignored;
  for (fs::path at = file.parent_path(); at != at.root_path(); at = at.parent_path()) {
    for (const char* part : {"playbooks", "inventories", "modules"}) {
      if (fs::is_directory(at / part, ignored)) return at;
    }
  }
  const fs::path here = fs::weakly_canonical(fs::current_path(ignored), ignored);
  return here != here.root_path() && is_inside(file, here) ? here : file.parent_path();
}

// "" if `library` is in the project of the file that uses it, links resolved; else that project.
std::string outside_of(const std::string& from, const std::string& library) {
  std::error_code ignored;
  const fs::path root = project_of(fs::weakly_canonical(fs::absolute(from, ignored), ignored));
  const fs::path named = fs::weakly_canonical(fs::absolute(library, ignored), ignored);
  return is_inside(named, root) ? "" : root.string();
}

}  // namespace

Result<std::pair<std::string, std::string>> read_library(const std::string& from,
                                                         const std::string& relative) {
  const std::string library = (fs::path(from).parent_path() / relative).lexically_normal().string();
  if (const std::string root = outside_of(from, library); !root.empty()) {
    return fail("outside the project " + root,
                "copy it into the project: a program is made of files of its project alone");
  }
  auto content = read_file(library);
  if (!content) return content.error();
  return std::pair{library, std::move(*content)};
}

Status load_modules(Project& project) {
  struct stat st {};
  if (::stat("modules", &st) == 0 && S_ISDIR(st.st_mode)) {
    if ((st.st_mode & S_IWOTH) != 0) {
      return fail("the folder modules/ is writable by everybody: not read",
                  "chmod o-w modules, and look at what is in it");
    }
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("modules", error)) {
      if (entry.path().extension() == ".play") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) {
      auto text = read_file(file);
      if (!text) return text.error();
      if (is_builtin(file, *text)) continue;
      project.catalog.add(project.sources.add(file, std::move(*text)), false, project.diags);
    }
  }
  for (const EmbeddedFile& file : catalog::embedded_modules()) {
    const auto add = [&project, &file] {
      const auto& source =
          project.sources.add("built-in " + std::string(file.name), std::string(file.text));
      project.catalog.add(source, true, project.diags);
    };
    // Its modules are called as it is: `git.rebase` is in git.play.
    project.catalog.add_when_needed(fs::path(file.name).stem().string(), add);
  }
  return {};
}

Status load_inventory(Project& project, const Options& options) {
  if (project.inventory_text.empty() && options.inventory.empty()) {
    auto vault = VaultAccess::make(options, "");
    if (!vault) return vault.error();
    project.vault = *std::move(vault);
    return {};
  }
  std::string path = "stand-in";
  std::string content = project.inventory_text;
  if (content.empty()) {
    auto found = find_inventory(options.inventory);
    if (!found) return found.error();
    path = *found;
    project.inventory_file = path;
    auto text = read_file(path);
    if (!text) return text.error();
    content = std::move(*text);
    auto vault = VaultAccess::make(options, vault_file_of(path));
    if (!vault) return vault.error();
    project.vault = *std::move(vault);
  }
  const auto& source = project.sources.add(path, std::move(content));
  syntax::File file = syntax::parse(source, project.diags);
  if (project.diags.has_errors()) return {};
  project.inventory = inventory::read(std::move(file), project.sources, project.diags);
  if (project.inventory && !options.limit.empty()) {
    const auto& pattern = project.sources.add("--limit", options.limit);
    project.limit = inventory::select(*project.inventory, pattern, project.diags);
  }
  return {};
}

void give_vault(compile::Input& input, Project& project, const Options& options) {
  const bool connects = options.command == Command::run || options.command == Command::preflight ||
                        options.command == Command::exec || options.command == Command::tunnel;
  // Something stands in for the inventory, or there is none.
  if (!project.vault || project.vault->file().empty()) return;
  input.vault_name = project.vault->file();
  input.vault_paths = [&project, connects] { return project.vault->paths(connects); };
}

void note_vault(plan::Plan& plan, const Project& project) {
  using Kind = plan::SecretSource::Kind;
  const bool needed = std::ranges::any_of(plan.secrets, [](const plan::SecretSource& secret) {
    return secret.kind == Kind::vault || secret.kind == Kind::generate;
  });
  // In full: a run is resumed from anywhere. Where something stands in for an inventory, there is
  // none.
  if (needed && project.vault && !project.vault->file().empty())
    plan.vault_file = fs::absolute(project.vault->file()).lexically_normal().string();
}

Status load(Project& project, const Options& options) {
  auto path = find_play(options.play);
  if (!path) return path.error();
  auto text = read_file(*path);
  if (!text) return text.error();
  if (auto status = load_modules(project); !status) return status;
  if (auto status = load_inventory(project, options); !status) return status;

  compile::Input input;
  input.sources = &project.sources;
  input.play = &project.sources.add(*path, std::move(*text));
  input.play_name = options.play_name;
  input.inventory = project.inventory.get();
  input.catalog = &project.catalog;
  input.limited = !options.limit.empty();
  input.stands_in = !project.inventory_text.empty();
  input.limit = project.limit;
  for (const std::string& extra : options.extra) {
    const auto equals = extra.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail("`-e " + extra + "` is not of the form NAME=VALUE", "write `-e branch=master`");
    }
    input.extra.emplace_back(extra.substr(0, equals), extra.substr(equals + 1));
  }
  input.check_shell = [](const std::vector<std::string>& scripts) { return check_shell(scripts); };
  input.tags = options.tags;
  input.skip_tags = options.skip_tags;
  input.start_at = options.start_at;
  input.begun_batches = project.begun_batches;
  input.load = read_library;
  // Read once, however many steps send it: they all mean the same content.
  using Files = std::map<std::string, compile::Input::LocalFile>;
  input.file = [base = fs::path(*path).parent_path(), known = std::make_shared<Files>()](
                   const std::string& name) -> Result<compile::Input::LocalFile> {
    if (const auto found = known->find(name); found != known->end()) return found->second;
    auto file = read_local_file(base / name);
    if (file) known->emplace(name, *file);
    return file;
  };
  input.tree = [base = fs::path(*path).parent_path()](const std::string& name,
                                                      const std::vector<std::string>& without) {
    return read_local_tree(base / name, without);
  };
  const bool none_named = project.inventory_text.empty() && options.inventory.empty();
  if (!project.inventory && !none_named) {
    // The play's own mistakes are shown together with the inventory's.
    syntax::parse(*input.play, project.diags);
    return {};
  }
  give_vault(input, project, options);
  project.plan = compile::compile(input, project.diags);
  if (project.diags.has_errors()) project.plan.reset();
  if (!project.plan) return {};
  note_vault(*project.plan, project);
  plan::Origin& origin = project.plan->origin;
  std::error_code ignored;
  origin.directory = fs::current_path(ignored).string();
  origin.file = *path;
  origin.play = options.play_name;
  origin.inventory = project.inventory_file;
  origin.limit = options.limit;
  origin.extra = options.extra;
  return {};
}

int usage_error(const Error& error) {
  std::cerr << "cnplay: " << error.what << "\n";
  if (!error.help.empty()) std::cerr << "help: " << error.help << "\n";
  return kUsage;
}

int refused(const Error& error) {
  usage_error(error);
  return kRefused;
}

bool wants_colour(const Options& options, int descriptor) {
  if (options.colour) return *options.colour == "always";
  const char* no_colour = std::getenv("NO_COLOR");
  return ::isatty(descriptor) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

int print_diagnostics(const Project& project, const Options& options) {
  if (options.json) {
    std::cout << diag::to_json(project.diags, project.sources) << "\n";
  } else if (!project.diags.empty()) {
    std::cerr << diag::to_text(project.diags, project.sources, wants_colour(options, 2));
  }
  return project.diags.has_errors() ? kRefused : kSuccess;
}

}  // namespace cnplay::cli
