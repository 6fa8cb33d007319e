#include "base/markup.h"
#include "render/runbook.h"

namespace cnplay::render {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>)";
constexpr const char* kStyle = R"(</title>
<style>
:root { color-scheme: light dark; --line: #8884; --note: #c60; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 1.6em 0 .5em; }
h1 { margin-top: 0; }
h2 { border-bottom: 1px solid var(--line); padding-bottom: .2em; }
.step { border-top: 1px solid var(--line); padding-top: .8em; }
.step input { width: 1em; height: 1em; margin-right: .5em; }
code, pre { font: .875em/1.45 ui-monospace, monospace; }
code { background: var(--soft); padding: .1em .3em; border-radius: .2em; overflow-wrap: anywhere; }
pre { background: var(--soft); padding: .8em; border-radius: .3em; overflow-x: auto; }
pre code { background: none; padding: 0; overflow-wrap: normal; }
.note { border-left: .3em solid var(--note); padding: .4em .8em; background: var(--soft); }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid var(--line); padding: .3em .6em; text-align: left; vertical-align: top; }
@media print { body { max-width: none; margin: 0; } pre { white-space: pre-wrap; } .step { break-after: avoid; } }
</style>
</head>
<body>
)";

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const std::string_view entity = entity_of(c);
    if (entity.empty()) {
      out += c;
    } else {
      out += entity;
    }
  }
  return out;
}

std::string element(const std::string& name, const std::string& inner) {
  return "<" + name + ">" + inner + "</" + name + ">";
}

std::string inline_text(const Text& text) {
  std::string out;
  for (const TextSpan& span : text) {
    const std::string inner = html_text(span.text);
    switch (span.kind) {
      case SpanKind::plain:
        out += inner;
        break;
      case SpanKind::code:
        out += element("code", inner);
        break;
      case SpanKind::strong:
        out += element("strong", inner);
        break;
      case SpanKind::em:
        out += element("em", inner);
        break;
    }
  }
  return out;
}

void html_table(const RunbookBlock& b, std::string& out) {
  out += "<table>\n";
  for (std::size_t i = 0; i < b.rows.size(); ++i) {
    out += "<tr>";
    for (const Text& cell : b.rows[i]) out += element(i == 0 ? "th" : "td", inline_text(cell));
    out += "</tr>\n";
  }
  out += "</table>\n";
}

}  // namespace

std::string to_html(const Runbook& book) {
  std::string out =
      kHead + html_text(book.title) + kStyle + element("h1", html_text(book.title)) + "\n";
  for (const RunbookBlock& b : book.blocks) {
    const std::string level = "h" + std::to_string(b.level);
    switch (b.kind) {
      case BlockKind::heading:
        out += element(level, inline_text(b.text)) + "\n";
        break;
      case BlockKind::step:
        out += "<" + level + " class=\"step\"><label><input type=\"checkbox\">" +
               inline_text(b.text) + "</label></" + level + ">\n";
        break;
      case BlockKind::paragraph:
        out += element("p", inline_text(b.text)) + "\n";
        break;
      case BlockKind::note:
        out += "<p class=\"note\">" + inline_text(b.text) + "</p>\n";
        break;
      case BlockKind::list:
        out += "<ul>\n";
        for (const auto& row : b.rows) out += element("li", inline_text(row.at(0))) + "\n";
        out += "</ul>\n";
        break;
      case BlockKind::table:
        html_table(b, out);
        break;
      case BlockKind::code:
        out += "<pre><code>" + html_text(b.code) + "</code></pre>\n";
        break;
    }
  }
  return out + "</body>\n</html>\n";
}

}  // namespace cnplay::render
