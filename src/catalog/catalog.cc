#include "catalog/catalog.h"

#include <algorithm>
#include <utility>

#include "catalog/declaration.h"
#include "syntax/parse.h"

namespace cnplay::catalog {
namespace {

// The comment lines right above a declaration, `#` and one blank taken off each.
std::string doc_above(std::string_view text, std::size_t declaration) {
  std::vector<std::string_view> lines;
  std::size_t end = text.rfind('\n', declaration);
  if (declaration == 0 || end == std::string_view::npos) return "";
  while (end > 0) {
    const std::size_t before = text.rfind('\n', end - 1);
    const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
    std::string_view line = text.substr(begin, end - begin);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line[0] != '#') break;
    line.remove_prefix(1);
    if (!line.empty() && line[0] == ' ') line.remove_prefix(1);
    lines.push_back(line);
    if (begin == 0) break;
    end = begin - 1;
  }
  std::string out;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (!out.empty()) out += '\n';
    out += *line;
  }
  return out;
}

}  // namespace

void Catalog::add(const diag::SourceMap::Source& source, bool builtin, diag::Diagnostics& diags) {
  files_.push_back(std::make_unique<syntax::File>(syntax::parse(source, diags)));
  const syntax::File& file = *files_.back();
  if (!builtin) own_files_.push_back(&file);
  const auto stray = [&](diag::Span span, std::string_view what) {
    diags.error("E0420", "a file of modules holds nothing but modules",
                {span, std::string(what) + " has no place here"}, "move it to a file of its own");
  };
  for (const auto& use : file.uses) stray(use.span, "`use`");
  for (const auto& play : file.plays) stray(play.name.span, "a play");
  for (const auto& procedure : file.procedures) stray(procedure.name.span, "a procedure");
  for (const auto& inventory : file.inventories) stray(inventory.name.span, "an inventory");
  for (const auto& node : file.modules) {
    Module module = read_declaration(node, diags);
    module.builtin = builtin;
    module.source = source.name;
    module.doc = doc_above(source.text, node.span.begin - source.base);
    const auto [at, fresh] = modules_.emplace(module.name, module);
    if (fresh || at->second.builtin != builtin) continue;  // the first one wins
    diag::Diagnostic d;
    d.code = "E0410";
    d.summary = "module `" + module.name + "` is declared twice";
    d.subject = {module.span, "declared again here"};
    d.notes.push_back({at->second.span, "first declared here"});
    d.help = "keep one of them: which one is meant must be clear";
    diags.add(std::move(d));
  }
}

void Catalog::add_when_needed(std::string prefix, std::function<void()> add) {
  later_.emplace(std::move(prefix), std::move(add));
}

const Module* Catalog::find(std::string_view name) const {
  auto at = modules_.find(name);
  const std::size_t dot = name.find('.');
  if (at == modules_.end() && dot != std::string_view::npos) {
    const auto later = later_.find(name.substr(0, dot));
    if (later == later_.end()) return nullptr;
    later_.extract(later).mapped()();
    at = modules_.find(name);
  }
  return at == modules_.end() ? nullptr : &at->second;
}

std::vector<std::string> Catalog::names() const {
  for (const auto& [prefix, add] : std::exchange(later_, {})) add();
  std::vector<std::string> out;
  for (const auto& [name, module] : modules_) out.push_back(name);
  return out;
}

std::string Catalog::source_text(const Module& module, const diag::SourceMap& sources) const {
  std::string out;
  std::string_view doc = module.doc;
  while (!doc.empty()) {
    const std::size_t end = std::min(doc.find('\n'), doc.size());
    out += end == 0 ? "#" : "# " + std::string(doc.substr(0, end));
    out += '\n';
    doc.remove_prefix(std::min(end + 1, doc.size()));
  }
  out += sources.text(module.whole);
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

}  // namespace cnplay::catalog
