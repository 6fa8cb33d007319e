#include <algorithm>

#include "render/runbook.h"

namespace cnplay::render {
namespace {

// Text that Markdown would read as anything else.
std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>#|~&").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::size_t longest_run(std::string_view text, char wanted) {
  std::size_t longest = 0;
  std::size_t run = 0;
  for (const char c : text) {
    run = c == wanted ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

std::string code_span(const std::string& text, bool in_table) {
  const std::string fence(longest_run(text, '`') + 1, '`');
  std::string inner;
  for (const char c : text) {
    if (c == '|' && in_table) inner += '\\';
    inner += c == '\n' ? ' ' : c;
  }
  const bool pad = inner.empty() || inner.front() == '`' || inner.back() == '`';
  return fence + (pad ? " " + inner + " " : inner) + fence;
}

std::string inline_text(const Text& text, bool in_table) {
  std::string out;
  for (const TextSpan& span : text) {
    switch (span.kind) {
      case SpanKind::plain:
        out += markdown_text(span.text);
        break;
      case SpanKind::code:
        out += code_span(span.text, in_table);
        break;
      case SpanKind::strong:
        out += "**" + markdown_text(span.text) + "**";
        break;
      case SpanKind::em:
        out += "*" + markdown_text(span.text) + "*";
        break;
    }
  }
  return out;
}

// A line must not begin as a list, a heading or a number by chance.
std::string paragraph(const Text& text) {
  std::string out = inline_text(text, false);
  if (!out.empty() && (out[0] == '-' || out[0] == '+' || out[0] == '=')) out.insert(0, "\\");
  return out;
}

void markdown_table(const RunbookBlock& b, std::string& out) {
  for (std::size_t i = 0; i < b.rows.size(); ++i) {
    out += "|";
    for (const Text& cell : b.rows[i]) out += " " + inline_text(cell, true) + " |";
    out += "\n";
    if (i != 0) continue;
    out += "|";
    for (std::size_t n = 0; n < b.rows[0].size(); ++n) out += " --- |";
    out += "\n";
  }
}

}  // namespace

std::string to_markdown(const Runbook& book) {
  std::string out = "# " + markdown_text(book.title) + "\n";
  for (const RunbookBlock& b : book.blocks) {
    out += "\n";
    switch (b.kind) {
      case BlockKind::heading:
      case BlockKind::step:
        out += std::string(b.level, '#') + " " + inline_text(b.text, false) + "\n";
        break;
      case BlockKind::paragraph:
        out += paragraph(b.text) + "\n";
        break;
      case BlockKind::note:
        out += "> " + inline_text(b.text, false) + "\n";
        break;
      case BlockKind::list:
        for (const auto& row : b.rows) out += "- " + inline_text(row.at(0), false) + "\n";
        break;
      case BlockKind::table:
        markdown_table(b, out);
        break;
      case BlockKind::code: {
        const std::string fence(std::max<std::size_t>(3, longest_run(b.code, '`') + 1), '`');
        out += fence + "sh\n" + b.code + (b.code.empty() || b.code.back() != '\n' ? "\n" : "") +
               fence + "\n";
        break;
      }
    }
  }
  return out;
}

}  // namespace cnplay::render
