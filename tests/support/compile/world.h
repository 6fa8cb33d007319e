// A play compiled against an inventory and a catalog of fixtures, as the golden tests see it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "compile/compile.h"
#include "diag/diagnostic.h"
#include "inventory/inventory.h"

namespace cnplay::testing {

struct World {
  diag::SourceMap sources;
  diag::Diagnostics diags;
  catalog::Catalog catalog;
  std::unique_ptr<inventory::Inventory> inventory;
  std::optional<plan::Plan> plan;

  // The diagnostics as a person sees them.
  std::string text() const { return diag::to_text(diags, sources, false); }
};

std::string read_text(const std::filesystem::path& path);

// `directory/play`, with the inventory of the same name beside it, or default.inv, and the modules
// of tests/compile/modules. Lines at the play's beginning say how it is compiled:
//   # -e name=value
//   # limit: web1
//   # no inventory
//   # play: name
//   # tags: a,b
//   # skip-tags: c
//   # start-at: step
//   # vault: the paths that it has
//   # vault error: why it cannot be opened
//   # vault closed
std::unique_ptr<World> compile_file(const std::filesystem::path& directory,
                                    const std::string& play);

// The same for texts.
std::unique_ptr<World> compile_text(const std::string& play, const std::string& inventory);

// Without the play's name.
inline std::string name_of(const plan::Node& node) {
  return node.path.substr(node.path.find('/') + 1);
}

}  // namespace cnplay::testing
