// Texts: escapes, interpolations, and the dedenting of text blocks.
#include <charconv>
#include <string_view>

#include "syntax/builder.h"

namespace cnplay::syntax {
namespace {

using L = Builder::P;

// Takes the indentation of a block's closing fence from each of its lines.
class Dedent {
 public:
  // `begin` and `end` enclose the text between the fences.
  Dedent(const std::string& text, std::size_t begin, std::size_t end) : text_(text), end_(end) {
    const auto newline = text.rfind('\n', end == 0 ? 0 : end - 1);
    multi_line_ = newline != std::string::npos && newline >= begin && newline < end;
    if (!multi_line_) return;
    indent_ = text.substr(newline + 1, end - newline - 1);
    if (indent_.find_first_not_of(" \t") != std::string::npos) indent_.clear();
    // Nothing but space behind the opening fence: the text begins on the next line.
    const auto first = text.find_first_not_of(" \t\r", begin);
    if (first < end && text[first] == '\n') skip_to_ = first + 1;
  }

  // Appends the piece [begin, end) to `out`; the offset of each line that begins in it to `lines`.
  void piece(std::size_t begin, std::size_t end, std::string& out,
             std::vector<std::size_t>* lines = nullptr) {
    std::size_t i = std::max(begin, std::min(skip_to_, end));
    while (i < end) {
      if (starts_line(i)) {
        i = after_indent(i, end);
        if (lines != nullptr && i < end_) lines->push_back(i);
      }
      while (i < end) {
        const char c = text_[i++];
        if (c == '\r' && i < end && text_[i] == '\n') continue;
        out += c;
        if (c == '\n') break;
      }
    }
  }

  // Something that is no plain text begins here: it must not be less indented either.
  void mark(std::size_t at) {
    if (starts_line(at) && !indent_.empty()) complain(at);
  }

  // Whether text stands on the opening fence's own line.
  bool keeps_first_line() const { return skip_to_ == 0; }

  // Where a line is less indented than the fence; npos if none is.
  std::size_t bad_line = std::string::npos;

 private:
  bool starts_line(std::size_t i) const { return multi_line_ && i > 0 && text_[i - 1] == '\n'; }

  std::size_t after_indent(std::size_t i, std::size_t end) {
    if (std::string_view(text_).substr(i, end - i).starts_with(indent_)) return i + indent_.size();
    const auto first = std::min(text_.find_first_not_of(" \t\r", i), end);
    const bool blank = first == end_ || (first < end && text_[first] == '\n');
    if (!blank) complain(i);
    return first;
  }
  void complain(std::size_t at) {
    if (bad_line == std::string::npos) bad_line = at;
  }

  const std::string& text_;
  std::size_t end_;
  bool multi_line_ = false;
  std::string indent_;
  std::size_t skip_to_ = 0;
};

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6)), put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12)), put(0x80 | ((c >> 6) & 0x3F)), put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18)), put(0x80 | ((c >> 12) & 0x3F)), put(0x80 | ((c >> 6) & 0x3F)),
        put(0x80 | (c & 0x3F));
  }
}

void less_indented(diag::Diagnostics& diags, Span line, Span fence) {
  diag::Diagnostic d;
  d.code = "E0016";
  d.summary = "a line of this text is less indented than its closing `\"\"\"`";
  d.subject = {line, "this line"};
  d.notes.push_back({fence, "the indentation of this fence is taken from every line"});
  d.help = "indent the line, or move the closing `\"\"\"` to the left";
  diags.add(std::move(d));
}

}  // namespace

std::string Builder::escape(antlr4::Token* token) {
  const Span place = span(token);
  const std::string written = text(place);
  const char letter = written.size() > 1 ? written[1] : '\0';
  switch (letter) {
    case 'n':
      return "\n";
    case 't':
      return "\t";
    case '"':
    case '\\':
    case '$':
      return std::string(1, letter);
    case 'u': {
      std::uint32_t code = 0;
      const char* first = written.data() + 3;
      const char* last = written.data() + written.size() - 1;
      if (written.size() > 4 && written[2] == '{' && *last == '}') {
        const auto [stop, error] = std::from_chars(first, last, code, 16);
        const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
        if (error == std::errc{} && stop == last && code != 0 && code <= 0x10FFFF && !surrogate) {
          std::string out;
          append_utf8(out, code);
          return out;
        }
      }
      diags_.error("E0008", "`" + written + "` is not a character", {place, "unknown escape"},
                   "write the character's number in hexadecimal, as in `\\u{e9}`");
      return {};
    }
    default:
      break;
  }
  diags_.error("E0008", "`" + written + "` is not an escape of this language",
               {place, "unknown escape"},
               "the escapes are \\n \\t \\\" \\\\ \\$ \\u{...}; a backslash itself is `\\\\`");
  return {};
}

Expr Builder::string(P::StringContext* ctx) {
  StringLit literal;
  const Span whole = span(ctx);
  if (auto* quoted = ctx->SINGLE_QUOTED()) {
    const std::string written = text(span(quoted));
    literal.parts.push_back({written.substr(1, written.size() - 2), nullptr, whole});
    return {std::move(literal), whole};
  }
  const Span open = span(ctx->STRING_OPEN()), close = span(ctx->STRING_CLOSE());
  literal.block = text(open) == "\"\"\"";
  look_for_habits(text({open.end, close.begin}), open.end, false);
  Dedent dedent(text_, open.end - source_.base, close.begin - source_.base);
  StringPart plain;
  const auto flush = [&] {
    if (!plain.text.empty()) literal.parts.push_back(std::move(plain));
    plain = {};
  };
  P::ExprContext* inner = nullptr;
  for (auto* child : ctx->children) {
    if (auto* rule = dynamic_cast<P::ExprContext*>(child)) {
      inner = rule;
      continue;
    }
    auto* token = static_cast<antlr4::tree::TerminalNode*>(child)->getSymbol();
    const Span place = span(token);
    const std::size_t begin = place.begin - source_.base, end = place.end - source_.base;
    switch (token->getType()) {
      case L::TEXT:
        plain.span = diag::join(plain.span, place);
        dedent.piece(begin, end, plain.text);
        break;
      case L::ESCAPE:
        plain.span = diag::join(plain.span, place);
        dedent.mark(begin);
        plain.text += escape(token);
        break;
      case L::INTERP_OPEN:
        dedent.mark(begin);
        flush();
        break;
      case L::INTERP_CLOSE: {
        StringPart part;
        part.span = span(inner);
        part.expr = std::make_unique<Expr>(expr(inner));
        literal.parts.push_back(std::move(part));
        break;
      }
      default:
        break;
    }
  }
  flush();
  if (dedent.bad_line != std::string::npos) {
    const auto at = source_.base + static_cast<std::uint32_t>(dedent.bad_line);
    less_indented(diags_, {at, at + 1}, close);
  }
  return {std::move(literal), whole};
}

std::optional<Expr> Builder::maybe_string(P::StringContext* ctx) {
  if (ctx == nullptr) return std::nullopt;
  return string(ctx);
}

ShellText Builder::script_text(P::ScriptTextContext* ctx) {
  ShellText out;
  out.span = span(ctx);
  const Span open = span(ctx->SCRIPT_OPEN()), close = span(ctx->SCRIPT_CLOSE());
  const std::size_t begin = open.end - source_.base, end = close.begin - source_.base;
  Dedent dedent(text_, begin, end);
  std::vector<std::size_t> lines;
  dedent.piece(begin, end, out.text, &lines);
  if (!out.text.empty() && dedent.keeps_first_line()) lines.insert(lines.begin(), begin);
  for (const std::size_t at : lines) {
    out.line_offsets.push_back(source_.base + static_cast<std::uint32_t>(at));
  }
  if (dedent.bad_line != std::string::npos) {
    const auto at = source_.base + static_cast<std::uint32_t>(dedent.bad_line);
    less_indented(diags_, {at, at + 1}, close);
  }
  look_for_habits(text_.substr(begin, end - begin),
                  source_.base + static_cast<std::uint32_t>(begin), true);
  scripts_.push_back(out);
  return out;
}

}  // namespace cnplay::syntax
