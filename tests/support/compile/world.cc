#include "support/compile/world.h"
#include "support/source_directory.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/digest.h"
#include "syntax/parse.h"

namespace cnplay::testing {
namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

namespace {

void add_modules(World& world) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(source_directory() / "tests/compile/modules")) {
    if (entry.path().extension() == ".play") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  for (const auto& file : files) {
    const auto& source = world.sources.add("modules/" + file.filename().string(), read_text(file));
    world.catalog.add(source, true, world.diags);
  }
}

void run(World& world, const std::string& play_name, const std::string& play,
         const std::string& inventory_name, const std::string& inventory,
         const fs::path& directory) {
  add_modules(world);
  const auto& inv = world.sources.add(inventory_name, inventory);
  world.inventory = inventory::read(syntax::parse(inv, world.diags), world.sources, world.diags);
  if (!world.inventory) return;
  compile::Input input;
  input.sources = &world.sources;
  input.play = &world.sources.add(play_name, play);
  input.inventory = world.inventory.get();
  input.catalog = &world.catalog;
  std::istringstream lines(play);
  for (std::string line; std::getline(lines, line) && line.starts_with("#");) {
    if (line.starts_with("# -e ")) {
      const std::string pair = line.substr(5);
      input.extra.emplace_back(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
    } else if (line.starts_with("# limit: ")) {
      input.limited = true;
      input.limit = inventory::select(*world.inventory,
                                      world.sources.add("--limit", line.substr(9)), world.diags);
      if (input.limit.empty()) return;
    } else if (line.starts_with("# begun: ")) {  // the phase's path, and the hosts of a batch
      std::istringstream words(line.substr(9));
      compile::Input::Batch batch;
      words >> batch.phase;
      for (std::string host; words >> host;) batch.hosts.push_back(host);
      input.begun_batches.push_back(std::move(batch));
    } else if (line == "# no inventory") {
      input.inventory = nullptr;
    } else if (line.starts_with("# tags: ")) {
      input.tags = line.substr(8);
    } else if (line.starts_with("# skip-tags: ")) {
      input.skip_tags = line.substr(13);
    } else if (line.starts_with("# start-at: ")) {
      input.start_at = line.substr(12);
    } else if (line.starts_with("# play: ")) {
      input.play_name = line.substr(8);
    } else if (line.starts_with("# vault: ")) {
      input.vault_name = "inventories/default.vault";
      input.vault_paths = [line]() -> Result<std::optional<std::vector<std::string>>> {
        std::vector<std::string> paths;
        std::istringstream words(line.substr(9));
        for (std::string word; words >> word;) paths.push_back(word);
        return std::optional(paths);
      };
    } else if (line.starts_with("# vault error: ")) {
      input.vault_paths = [line]() -> Result<std::optional<std::vector<std::string>>> {
        return fail(line.substr(15), "mend it");
      };
    } else if (line == "# vault closed") {
      input.vault_paths = []() -> Result<std::optional<std::vector<std::string>>> {
        return std::optional<std::vector<std::string>>();
      };
    }
  }
  input.load = [&](const std::string& from,
                   const std::string& path) -> Result<std::pair<std::string, std::string>> {
    const fs::path name = (fs::path(from).parent_path() / path).lexically_normal();
    if (!fs::exists(directory / name)) return fail("there is no such file");
    return std::pair(name.string(), read_text(directory / name));
  };
  input.file = [&](const std::string& path) -> Result<compile::Input::LocalFile> {
    if (!fs::is_regular_file(directory / path)) return fail("there is no such file");
    const std::string text = read_text(directory / path);
    return compile::Input::LocalFile{"/play/" + path, text.size(), sha256_hex(text), 0640};
  };
  input.tree = [&](const std::string& path,
                   const std::vector<std::string>& without) -> Result<compile::Input::LocalTree> {
    if (!fs::is_directory(directory / path)) return fail("there is no such directory");
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory / path)) {
      const std::string name = entry.path().filename();
      if (std::ranges::find(without, name) == without.end()) names.push_back(name);
    }
    std::ranges::sort(names);
    compile::Input::LocalTree tree;
    tree.path = "/play/" + path;
    for (const std::string& name : names) {
      const std::string text = read_text(directory / path / name);
      tree.size += text.size();
      tree.manifest += (tree.manifest.empty() ? "f 640 " : "\nf 640 ") +
                       std::to_string(text.size()) + " " + sha256_hex(text) + " " + name;
    }
    return tree;
  };
  // In place of `sh -n`, which is not asked in these tests.
  input.check_shell = [](const std::vector<std::string>& scripts) {
    std::vector<std::optional<compile::Input::ShellFault>> faults(scripts.size());
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      const auto at = scripts[i].find("CANNOT_BE_READ");
      if (at == std::string::npos) continue;
      const auto before = std::string_view(scripts[i]).substr(0, at);
      faults[i].emplace();
      faults[i]->line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
      faults[i]->message = "the shell's own words";
    }
    return faults;
  };
  world.plan = compile::compile(input, world.diags);
}

}  // namespace

std::unique_ptr<World> compile_file(const fs::path& directory, const std::string& play) {
  auto world = std::make_unique<World>();
  fs::path inventory = fs::path(play).replace_extension(".inv");
  if (!fs::exists(directory / inventory)) inventory = "default.inv";
  run(*world, play, read_text(directory / play), inventory.string(),
      read_text(directory / inventory), directory);
  return world;
}

std::unique_ptr<World> compile_text(const std::string& play, const std::string& inventory) {
  auto world = std::make_unique<World>();
  run(*world, "test.play", play, "test.inv", inventory, {});
  return world;
}

}  // namespace cnplay::testing
