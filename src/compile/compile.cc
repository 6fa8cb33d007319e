#include "compile/compile.h"

#include <algorithm>

#include "compile/builder.h"
#include "compile/convert.h"
#include "compile/holes.h"
#include "compile/scripts.h"
#include "compile/with_local.h"

namespace cnplay::compile {
namespace {

const syntax::Play* choose(Context& context, const syntax::File& file) {
  std::vector<std::string> names;
  for (const auto& play : file.plays) {
    if (std::ranges::find(names, play.name.text) != names.end()) {
      context.error("E0104", "play " + code(play.name.text) + " is declared twice", play.name.span,
                    "again here", "give one of them another name");
    }
    names.push_back(play.name.text);
  }
  const Span nowhere = {file.span.begin, file.span.begin};
  if (names.empty()) {
    context.error("E0110", "there is no play in this file", nowhere, "",
                  file.procedures.empty() ? "write `play NAME \"...\" { ... }`"
                                          : "it holds procedures only: run a play that uses it");
    return nullptr;
  }
  const std::string& wanted = context.input.play_name;
  if (wanted.empty()) {
    if (names.size() == 1) return &file.plays[0];
    context.error("E0110", "this file has " + std::to_string(names.size()) + " plays",
                  file.plays[0].name.span, "which one is to run?",
                  "name one of them: " + enumerate(names, "or"));
    return nullptr;
  }
  for (const auto& play : file.plays) {
    if (play.name.text == wanted) return &play;
  }
  const std::string near = diag::did_you_mean(wanted, names);
  context.error(
      "E0110", "there is no play " + code(wanted) + " in this file", file.plays[0].name.span,
      "not this one",
      near.empty() ? "it has " + enumerate(names) : "did you mean `--play " + near + "`?");
  return nullptr;
}

bool names_local(const diag::SourceMap& sources, const Loader& loader) {
  return std::ranges::any_of(loader.files(), [&](const auto& entry) {
    return mentions_local(sources.text(entry.second->tree.span));
  });
}

}  // namespace

std::optional<plan::Plan> compile(const Input& input, diag::Diagnostics& diags) {
  diag::Diagnostics found;
  Input with_local = input;
  Context context(with_local, found);
  Loader loader(context);
  LoadedFile* file = loader.load_play();
  // A host more in every column is a cost, however small: only plays that name it pay.
  std::optional<WithLocal> hosts;
  if (input.inventory == nullptr || names_local(*input.sources, loader)) {
    hosts.emplace(input.inventory);
    with_local.inventory = &*hosts;
    context.local = hosts->local();
  }
  Holes holes(diags);
  for (const auto& [name, loaded] : loader.files()) holes.add(loaded->tree);
  context.broken = holes.any() || diags.has_errors();
  if (const syntax::Play* play = choose(context, file->tree)) {
    Builder(context, *file).build(*play);
    look_at_texts(context, file->tree, *play);
    if (!found.has_errors() && !context.broken) check_vault(context);
  }
  look_at_scripts(context, loader);
  // A tree with holes in it would be found full of faults that nobody made.
  for (diag::Diagnostic& d : found.sorted()) {
    if (!holes.explain(d, *input.sources)) diags.add(std::move(d));
  }
  if (diags.has_errors() || context.broken) return std::nullopt;
  return std::move(context.plan);
}

}  // namespace cnplay::compile
