#include "compile/scripts.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "compile/bashisms.h"

namespace cnplay::compile {
namespace {

// Where a line of a script stands, without its indentation; the whole script if it is not known.
Span line_of(const syntax::ShellText& script, std::size_t line) {
  if (line == 0 || line > script.line_offsets.size()) return script.span;
  std::size_t begin = 0;
  for (std::size_t i = 1; i < line; ++i) begin = script.text.find('\n', begin) + 1;
  const std::size_t end = std::min(script.text.find('\n', begin), script.text.size());
  const std::size_t first = std::min(script.text.find_first_not_of(" \t", begin), end);
  const std::uint32_t base = script.line_offsets[line - 1];
  return {base + static_cast<std::uint32_t>(first - begin),
          base + static_cast<std::uint32_t>(std::max(end, first + 1) - begin)};
}

Span place_of(const syntax::ShellText& script, std::size_t offset, std::size_t length) {
  const auto line = static_cast<std::size_t>(
      std::ranges::count(std::string_view(script.text).substr(0, offset), '\n'));
  if (line >= script.line_offsets.size()) return script.span;
  const std::size_t newline = offset == 0 ? std::string::npos : script.text.rfind('\n', offset - 1);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  const auto at = script.line_offsets[line] + static_cast<std::uint32_t>(offset - begin);
  return {at, at + static_cast<std::uint32_t>(length)};
}

}  // namespace

void look_at_scripts(Context& context, const Loader& loader) {
  std::vector<const syntax::ShellText*> scripts;
  for (const auto& [name, file] : loader.files()) {
    for (const auto& script : file->tree.scripts) scripts.push_back(&script);
  }
  for (const syntax::File* file : context.input.catalog->own_files()) {
    for (const auto& script : file->scripts) scripts.push_back(&script);
  }
  // Equal texts are asked about once.
  std::vector<std::string> texts;
  std::map<std::string_view, std::size_t> place;
  for (const auto* script : scripts) {
    if (place.emplace(script->text, texts.size()).second) texts.push_back(script->text);
  }
  std::vector<std::optional<Input::ShellFault>> faults(texts.size());
  if (context.input.check_shell && !texts.empty()) faults = context.input.check_shell(texts);
  for (const auto* script : scripts) {
    const auto& fault = faults[place.at(script->text)];
    const std::vector<Bashism> bashisms = bashisms_in(script->text);
    for (const Bashism& each : bashisms) {
      diag::Diagnostic d;
      d.severity = diag::Severity::warning;
      d.code = "E0702";
      d.summary = code(each.form) + " is a form of bash, and scripts run in `sh`";
      d.subject = {place_of(*script, each.offset, each.form.size()), "fails where `sh` is dash"};
      d.help = each.help;
      if (!each.instead.empty()) d.edits = {{d.subject.span, each.instead}};
      context.diags.add(std::move(d));
    }
    if (!fault) continue;
    context.error("E0701", "the script has a syntax error: " + fault->message,
                  line_of(*script, fault->line), "`sh` cannot read this, or what is before it",
                  bashisms.empty()
                      ? "look for the quote, `if`, `{` or `(` that was opened last and not closed"
                      : "write it in POSIX sh, or call bash by name: `bash -c '...'`");
  }
}

void look_at_texts(Context& context, const syntax::File& file, const syntax::Play& play) {
  std::set<std::string> names;
  for (const auto& item : play.body.items) {
    if (const auto* n = std::get_if<syntax::ParamDecl>(&item.node)) names.insert(n->name.text);
    if (const auto* n = std::get_if<syntax::HostvarDecl>(&item.node)) names.insert(n->name.text);
    if (const auto* n = std::get_if<syntax::Let>(&item.node)) names.insert(n->name.text);
  }
  for (const syntax::Name& name : file.dollar_names) {
    if (!names.contains(name.text)) continue;
    diag::Diagnostic d;
    d.severity = diag::Severity::warning;
    d.code = "E0703";
    d.summary = "`$" + name.text + "` in a text stays as it is written";
    d.subject = {name.span, "not the value of " + code(name.text)};
    d.help = "write `${" + name.text + "}`; a literal dollar sign is `\\$`";
    d.edits = {{name.span, "${" + name.text + "}"}};
    context.diags.add(std::move(d));
  }
}

}  // namespace cnplay::compile
