#include "cli/modules_page.h"

#include <algorithm>

namespace cnplay::cli {
namespace {

constexpr std::size_t kColumns = 100;

constexpr std::string_view kIntroduction = R"(# The standard modules

<!-- Printed by `cnplay modules --markdown`: the texts are the comments in modules/*.play. -->

The standard modules are written in the module language (`modules/*.play`) and embedded in the
binary. `cnplay modules` lists them, `cnplay modules --search WORD` those whose description has the
word, and `cnplay modules git.rebase` prints one. A project's own `modules/` is searched first. An
unchanged copy of a built-in file there counts as built-in. The plain `sh` is part of the language,
not a module.

All of them keep these rules:

- **check** never changes anything. (A fetch into remote-tracking refs and downloads to a temporary
  directory do not count.) A run makes exactly the change that it reports; `--diff` shows the
  details. After the change it must report `ok`, unless the section has "verified by".
- A **failure** is one line: where, why, and the remedy. The output of the tools is printed above
  it.
- **Other output** of a tool, a site or a library is not an answer: warnings on stderr, lines that
  settings print, a daemon that keeps stdout open. Modules read exit codes, files of their own, and
  formats made for programs (`--porcelain`, JSON, `-W -f`, `-s` plans, `systemctl show`), in the
  locale C.UTF-8. Each file in `modules/` lists at its top what its tool prints where.
- Values are never executed, nor read as options. A value that begins with `-` is refused where a
  tool could take it for an option.
- `as root` is written at the step or action. Modules never call sudo themselves.
- A parameter with a default, or of a type with `?`, may be left out.
- **Facts** are what the check found. They are saved before the change: `saved.before` in an `undo`.
- The commands that a module needs are looked for on the host before the first change of a run.
- Actions on one host whose modules use the same resource (`dpkg`, `database`) never run at the same
  time.

`..site` in the examples is `let site = { dir: app, venv: venv, settings: settings }`.

## The list

)";

constexpr std::string_view kTouches = R"(
## What they touch

A dry run knows from this which later check depends on a change that was not made
([dry-run.md](dry-run.md)). `${name}` stands for the parameter's value, `*` for all. Parameters of
type `path` are looked at without being listed. Nobody knows what `django.manage` changes.

| module | changes and looks at | also looks at |
| --- | --- | --- |
)";

// The anchor of a heading.
std::string anchor(std::string name) {
  std::erase(name, '.');
  return "#" + name;
}

// One item for each family, wrapped.
std::string list(const std::vector<std::string>& names) {
  std::string out, line;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    const std::string family = name.substr(0, name.find('.') + 1);
    const bool begins = i == 0 || !names[i - 1].starts_with(family);
    const bool ends = i + 1 == names.size() || !names[i + 1].starts_with(family);
    const std::string link = "[" + name + "](" + anchor(name) + ")" + (ends ? "" : ",");
    if (begins) {
      line = "- " + link;
    } else if (line.size() + 1 + link.size() > kColumns) {
      out += line + "\n";
      line = "  " + link;
    } else {
      line += " " + link;
    }
    if (ends) out += line + "\n";
  }
  return out;
}

std::string code_list(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "`" : ", `") + word + "`";
  return out;
}

std::string cell(const std::string& text) { return text.empty() ? " " : " " + text + " "; }

// A string literal as it was written, without its quotes.
std::string things(const std::vector<std::string>& params,
                   const std::vector<const syntax::StringLit*>& literals) {
  std::vector<std::string> out;
  for (const auto& param : params) out.push_back("${" + param + "}");
  for (const auto* literal : literals) {
    std::string text;
    for (const auto& part : literal->parts) {
      const auto* ref = part.expr ? std::get_if<syntax::NameRef>(&part.expr->node) : nullptr;
      text += ref != nullptr ? "${" + ref->name.text + "}" : part.text;
    }
    out.push_back(text);
  }
  return code_list(out);
}

struct Writer {
  const diag::SourceMap& sources;

  std::string type(const catalog::Param& param) const {
    return std::string(sources.text(param.type->span));
  }

  std::string fallback(const catalog::Param& param) const {
    return param.fallback ? std::string(sources.text(param.fallback->span)) : "";
  }

  std::string signature(const catalog::Module& module) const {
    std::string out = module.name + "(";
    for (const auto& param : module.params) {
      if (out.back() != '(') out += ", ";
      out += param.name + ": " + type(param);
      if (param.fallback != nullptr) out += " = " + fallback(param);
    }
    return out + ")";
  }

  std::string table(const catalog::Module& module) const {
    if (module.params.empty()) return "";
    std::string out = "| parameter | type | default | |\n| --- | --- | --- | --- |\n";
    for (const auto& param : module.params) {
      const std::string otherwise = param.fallback ? "`" + fallback(param) + "`" : "";
      std::string doc = param.doc;
      for (std::size_t at = 0; (at = doc.find('|', at)) != std::string::npos; at += 2) {
        doc.insert(at, "\\");
      }
      out += "| `" + param.name + "` | `" + type(param) + "` |" +
             cell(otherwise.empty() && param.type->optional ? "none" : otherwise) + "|" +
             cell(doc) + "|\n";
    }
    return out + "\n";
  }

  // The parameters come before the first paragraph about facts or stages.
  std::string section(const catalog::Module& module) const {
    const std::string title = module.title + ".", call = "`" + signature(module) + "`";
    std::string out = "\n## " + module.name + "\n\n" + title +
                      (title.size() + 1 + call.size() > kColumns ? "\n" : " ") + call + "\n\n";
    const std::string doc = "\n\n" + module.doc;
    const std::size_t at =
        std::min({doc.find("\n\nFacts:"), doc.find("\n\n**"), doc.find("\n\n```"), doc.size()});
    if (at > 2) out += doc.substr(2, at - 2) + "\n\n";
    out += table(module);
    if (!module.needs.empty()) out += "Needs: " + code_list(module.needs) + ".\n\n";
    out += doc.substr(std::min(at + 2, doc.size()));
    while (out.ends_with('\n')) out.pop_back();
    return out + "\n";
  }
};

}  // namespace

std::string modules_page(const catalog::Catalog& catalog, const diag::SourceMap& sources) {
  std::vector<std::string> names = catalog.names();
  std::erase_if(names, [&](const auto& name) { return !catalog.find(name)->builtin; });
  std::string out = std::string(kIntroduction) + list(names) + std::string(kTouches);
  for (const auto& name : names) {
    const catalog::Module& module = *catalog.find(name);
    out += "| `" + name + "` |" + cell(things(module.writes, module.touches)) + "|" +
           cell(things(module.reads, module.looks)) + "|\n";
  }
  const Writer writer{sources};
  for (const auto& name : names) out += writer.section(*catalog.find(name));
  return out;
}

}  // namespace cnplay::cli
