#include "compile/compile.h"

#include <algorithm>

#include "compile/builder.h"
#include "compile/convert.h"

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
  context.error("E0110", "there is no play " + code(wanted) + " in this file",
                file.plays[0].name.span, "not this one",
                near.empty() ? "it has " + enumerate(names) : "did you mean " + code(near) + "?");
  return nullptr;
}

}  // namespace

std::optional<plan::Plan> compile(const Input& input, diag::Diagnostics& diags) {
  Context context(input, diags);
  Loader loader(context);
  LoadedFile* file = loader.load_play();
  // A tree with holes in it would be found full of faults that nobody made.
  const auto all = diags.has_errors() ? diags.sorted() : std::vector<diag::Diagnostic>{};
  if (std::ranges::any_of(all, [](const auto& d) { return d.code.starts_with("E00"); })) {
    return std::nullopt;
  }
  const syntax::Play* play = choose(context, file->tree);
  if (!play) return std::nullopt;
  Builder(context, *file).build(*play);
  if (!diags.has_errors()) check_vault(context);
  if (diags.has_errors()) return std::nullopt;
  return std::move(context.plan);
}

}  // namespace cnplay::compile
