#include "compile/loader.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "syntax/parse.h"

namespace cnplay::compile {

namespace {

// Whether a line begins as a part of a program does.
bool looks_like_program(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kWords = {"play",      "procedure", "module",
                                                             "inventory", "use",       "#!"};
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
    if (std::ranges::find(kWords, word) != kWords.end()) return true;
  }
  return false;
}

}  // namespace

LoadedFile* Loader::load_play() { return load(context_.input.play->name, *context_.input.play); }

LoadedFile* Loader::load(const std::string& name, const diag::SourceMap::Source& source) {
  auto& slot = files_[name];
  slot = std::make_unique<LoadedFile>();
  LoadedFile& file = *slot;
  file.name = name;
  diag::Diagnostics own;
  file.tree = syntax::parse(source, own);
  // Of a file that is no program, such as one that was named by mistake or on purpose, one line is
  // printed at most.
  const bool is_program = looks_like_program(source.text);
  for (const diag::Diagnostic& one : own.sorted()) {
    context_.diags.add(one);
    if (!is_program) break;
  }
  context_.program_texts[name] = source.text;
  path_.push_back(name);
  index(file);
  for (const auto& use : file.tree.uses) this->use(file, use);
  path_.pop_back();
  return &file;
}

void Loader::index(LoadedFile& file) {
  for (const auto& procedure : file.tree.procedures) {
    const auto [at, fresh] = file.procedures.emplace(procedure.name.text, &procedure);
    if (!fresh) {
      context_.error_with("E0104", "procedure " + code(procedure.name.text) + " is declared twice",
                          procedure.name.span, "again here", at->second->name.span, "first here",
                          "give one of them another name");
    }
  }
  for (const auto& module : file.tree.modules) {
    context_.error("E0502", "a module is not allowed here", module.name.span, "in a file of plays",
                   "move it to a file of its own in `modules/`");
  }
  for (const auto& inventory : file.tree.inventories) {
    context_.error("E0502", "an inventory is not allowed here", inventory.name.span,
                   "in a file of plays", "move it to a file of its own in `inventories/`");
  }
}

void Loader::use(LoadedFile& file, const syntax::Use& use) {
  const auto declared = file.aliases.find(use.alias.text);
  if (declared != file.aliases.end()) {
    const auto first = std::ranges::find(file.tree.uses, use.alias.text,
                                         [](const syntax::Use& u) { return u.alias.text; });
    context_.error_with("E0104", code(use.alias.text) + " is declared twice", use.alias.span,
                        "again here", first->alias.span, "first here",
                        "give one of them another name");
    return;
  }
  LoadedFile*& slot = file.aliases[use.alias.text];
  slot = nullptr;
  const auto* text = std::get_if<syntax::StringLit>(&use.path.node);
  std::string path;
  bool plain = text != nullptr;
  if (text) {
    for (const auto& part : text->parts) {
      plain = plain && !part.expr;
      path += part.text;
    }
  }
  if (!plain) {
    context_.error("E0108", "the path of a library is written out", use.path.span,
                   "must be a plain text", "the files of a program must be known before it runs");
    return;
  }
  const auto loaded = context_.input.load
                          ? context_.input.load(file.name, path)
                          : Result<std::pair<std::string, std::string>>(fail("no libraries here"));
  if (!loaded) {
    context_.error("E0108", "library " + code(path) + " cannot be read", use.path.span,
                   loaded.error().what,
                   loaded.error().help.empty() ? "the path is relative to the file that uses it"
                                               : loaded.error().help);
    return;
  }
  const auto& [name, content] = *loaded;
  if (const auto on_path = std::ranges::find(path_, name); on_path != path_.end()) {
    std::string cycle;
    for (auto at = on_path; at != path_.end(); ++at) cycle += *at + " -> ";
    context_.error("E0109", "files use each other in a circle: " + cycle + name, use.path.span,
                   "closes the circle", "move what both need to a third file");
    return;
  }
  if (const auto known = files_.find(name); known != files_.end()) {
    slot = known->second.get();
    return;
  }
  slot = load(name, context_.input.sources->add(name, content));
}

}  // namespace cnplay::compile
