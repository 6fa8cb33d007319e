// Diagnostics as text: the excerpt with its underlines, notes and help.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/lines.h"
#include "base/words.h"
#include "diag/diagnostic.h"
#include "diag/work.h"

namespace cnplay::diag {
namespace {

constexpr std::size_t max_columns = 100;  // of code; longer lines show a window around the span
constexpr std::size_t tab_columns = 4;
constexpr std::size_t max_bytes = 600;  // of a line are looked at

struct Style {
  bool on;
  std::string operator()(const char* code, std::string_view text) const {
    if (!on || text.empty()) return std::string(text);
    return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
  }
};
constexpr auto red = "1;31", yellow = "1;33", blue = "1;34", cyan = "1;36", bold = "1";

// One character as it is shown, and how many bytes of the source it is.
struct Glyph {
  std::string shown;
  std::size_t columns;
  std::size_t bytes;
};

std::size_t columns_of(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  static constexpr std::array<Range, 4> narrow{
      {{0x300, 0x36F}, {0x200B, 0x200F}, {0xFE00, 0xFE0F}, {0x20D0, 0x20FF}}};
  static constexpr std::array<Range, 9> wide{{{0x1100, 0x115F},
                                              {0x2E80, 0x303E},
                                              {0x3041, 0xA4CF},
                                              {0xAC00, 0xD7A3},
                                              {0xF900, 0xFAFF},
                                              {0xFE30, 0xFE6F},
                                              {0xFF00, 0xFF60},
                                              {0x1F300, 0x1F64F},
                                              {0x1F680, 0x1FAFF}}};
  const auto in = [c](const Range& r) { return c >= r.first && c <= r.last; };
  if (std::ranges::any_of(narrow, in)) return 0;
  return std::ranges::any_of(wide, in) ? 2 : 1;
}

// The first character of `s`; control characters and broken bytes are shown as U+FFFD.
Glyph glyph(std::string_view s, std::size_t column) {
  const auto lead = static_cast<unsigned char>(s[0]);
  if (lead == '\t') {
    const std::size_t columns = tab_columns - column % tab_columns;
    return {std::string(columns, ' '), columns, 1};
  }
  if (lead < 0x80) {
    const bool control = lead < 0x20 || lead == 0x7F;
    return {control ? "\xEF\xBF\xBD" : std::string(1, s[0]), 1, 1};
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 1;
  char32_t code = lead & (0xFF >> (length + 1));
  bool good = length > 1 && s.size() >= length;
  for (std::size_t i = 1; good && i < length; ++i) {
    const auto next = static_cast<unsigned char>(s[i]);
    good = (next & 0xC0) == 0x80;
    code = (code << 6) | (next & 0x3F);
  }
  // C1 controls and the signs that change the direction of writing would let a file lie.
  const bool hidden =
      code < 0xA0 || (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  if (!good) return {"\xEF\xBF\xBD", 1, 1};
  if (hidden) return {"\xEF\xBF\xBD", 1, length};
  return {std::string(s.substr(0, length)), columns_of(code), length};
}

// A line of the source, with what is underlined in it.
struct Mark {
  std::size_t begin, end;  // bytes within the line
  bool subject;
  std::string text;
};
struct Line {
  std::string_view code;
  std::size_t begin = 0;  // of `code`, in the source
  bool cut = false;       // something of the line stands before `code`
  std::vector<Mark> marks;
};

class Excerpt {
 public:
  Excerpt(const Diagnostic& d, const SourceMap& sources, Style style)
      : source_(*sources.find(d.subject.span)),
        subject_(d.subject.span.begin - source_.base),
        style_(style),
        severity_(d.severity) {
    for (const auto& label : d.context) {
      if (sources.find(label.span) == &source_) add(label, false);
    }
    add(d.subject, true);
  }

  std::size_t gutter() const {
    return std::max<std::size_t>(2, std::to_string(lines_.rbegin()->first).size());
  }

  std::string str() const {
    const std::string pad(gutter() + 1, ' ');
    const std::string bar = style_(blue, "|");
    std::string out = pad + bar + "\n";
    std::size_t last = 0;
    for (const auto& [number, line] : lines_) {
      if (last != 0 && number > last + 1) out += style_(blue, "...") + "\n";
      last = number;
      const std::string digits = std::to_string(number);
      out += style_(blue, std::string(gutter() - digits.size(), ' ') + digits) + " " + bar;
      render(line, pad + bar, out);
    }
    return out;
  }

 private:
  // `at`, or where the character that it is within begins.
  static std::size_t boundary(std::string_view text, std::size_t at) {
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
  }

  void add(const Label& label, bool subject) {
    const std::string_view text = source_.text;
    const std::size_t at = std::min<std::size_t>(label.span.begin - source_.base, text.size());
    const std::size_t number = 1 + source_.line_of(at);
    std::size_t begin = source_.lines[number - 1];
    std::size_t end = number < source_.lines.size() ? source_.lines[number] - 1 : text.size();
    if (end > begin && text[end - 1] == '\r') --end;
    Line& line = lines_[number];
    // Of a very long line only the part around its first label is read.
    if (line.code.empty()) {
      const std::size_t around = subject_ >= begin && subject_ <= end ? subject_ : at;
      line.cut = end - begin > max_bytes && around - begin > max_bytes / 2;
      if (line.cut) begin = boundary(text, around - max_bytes / 2);
      if (end - begin > max_bytes) end = boundary(text, begin + max_bytes);
      line.begin = begin;
      line.code = text.substr(begin, end - begin);
    }
    begin = line.begin;
    end = begin + line.code.size();
    // A span over several lines is underlined in its first one.
    const std::size_t from = std::clamp(at, begin, end) - begin;
    const std::size_t to = std::min<std::size_t>(label.span.end - source_.base, end);
    Mark mark{from, std::max(to > begin ? to - begin : 0, from), subject, label.text};
    line.marks.push_back(std::move(mark));
  }

  // Columns [first, last) of the line are shown.
  static std::pair<std::size_t, std::size_t> window(std::size_t width, std::size_t from,
                                                    std::size_t to) {
    if (width <= max_columns) return {0, width};
    if (to + 8 <= max_columns) return {0, max_columns};
    const std::size_t shown = std::min(to - from, max_columns * 3 / 4);
    const std::size_t before = (max_columns - shown) / 2;
    const std::size_t first = from > before ? from - before : 0;
    return {first, std::min(width, first + max_columns)};
  }

  void render(const Line& line, const std::string& gutter, std::string& out) const {
    // Where each byte of the line stands on the screen.
    work += line.code.size();
    std::vector<std::size_t> column(line.code.size() + 1);
    std::vector<std::pair<std::size_t, Glyph>> glyphs;
    std::size_t width = 0;
    for (std::size_t i = 0; i < line.code.size();) {
      Glyph g = glyph(line.code.substr(i), width);
      for (std::size_t k = 0; k < g.bytes; ++k) column[i + k] = width;
      i += g.bytes;
      const std::size_t columns = g.columns;
      glyphs.emplace_back(width, std::move(g));
      width += columns;
    }
    column.back() = width;
    const Mark& main = line.marks.back();
    const auto [first, last] = window(width, column[main.begin], column[main.end]);
    const std::string before = first > 0 || line.cut ? "... " : "";

    std::string code = before;
    for (const auto& [at, g] : glyphs) {
      if (at >= first && at + g.columns <= last) code += g.shown;
    }
    if (last < width) code += " ...";
    while (!code.empty() && code.back() == ' ') code.pop_back();
    out += (code.empty() ? "" : " ") + code + "\n";

    std::vector<const Mark*> marks;
    for (const auto& mark : line.marks) marks.push_back(&mark);
    std::ranges::stable_sort(marks, {}, &Mark::begin);
    for (const Mark* mark : marks) {
      const std::size_t from = std::clamp(column[mark->begin], first, last);
      const std::size_t to = std::clamp(column[mark->end], first, last);
      const std::string signs(std::max<std::size_t>(1, to - from), mark->subject ? '^' : '-');
      const char* colour = !mark->subject ? blue : severity_ == Severity::error ? red : yellow;
      std::string text = signs;
      if (!mark->text.empty()) text += " " + one_line(mark->text);
      out += gutter + " " + std::string(before.size() + from - first, ' ') + style_(colour, text) +
             "\n";
    }
  }

  const SourceMap::Source& source_;
  const std::size_t subject_;  // where it begins
  Style style_;
  Severity severity_;
  std::map<std::size_t, Line> lines_;
};

std::string place(Span span, const SourceMap& sources) {
  const Location at = sources.locate(span);
  return std::string(at.file) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

// Further lines of a note or help stand under its first one.
std::string indented(std::string_view text, std::size_t columns) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += std::string(columns, ' ');
  }
  return out;
}

}  // namespace

std::string to_text(const Diagnostic& d, const SourceMap& sources, bool colour) {
  const Style style{colour};
  const bool error = d.severity == Severity::error;
  std::string head = error ? "error" : "warning";
  if (!d.code.empty()) head += "[" + d.code + "]";
  std::string out =
      style(error ? red : yellow, head) + style(bold, ": " + one_line(d.summary)) + "\n";
  std::size_t gutter = 2;
  if (sources.find(d.subject.span) != nullptr) {
    const Excerpt excerpt(d, sources, style);
    gutter = excerpt.gutter();
    out += std::string(gutter, ' ') + style(blue, "-->") + " " + place(d.subject.span, sources) +
           "\n" + excerpt.str();
  }
  const auto note = [&](const Label& label) {
    out += style(bold, "note") + ": " + indented(label.text, 6) + "\n";
    if (sources.find(label.span) != nullptr) {
      out +=
          std::string(gutter, ' ') + style(blue, "-->") + " " + place(label.span, sources) + "\n";
    }
  };
  // What is in another file is not allowed in the excerpt.
  for (const auto& label : d.context) {
    if (sources.find(label.span) != sources.find(d.subject.span)) note(label);
  }
  for (const auto& label : d.notes) note(label);
  if (!d.help.empty()) out += style(cyan, "help") + ": " + indented(d.help, 6) + "\n";
  return out;
}

std::string to_text(const Diagnostics& all, const SourceMap& sources, bool colour) {
  std::string out;
  std::size_t errors = 0, warnings = 0;
  for (const auto& d : all.sorted()) {
    ++(d.severity == Severity::error ? errors : warnings);
    out += to_text(d, sources, colour) + "\n";
  }
  if (errors + warnings == 0) return out;
  std::string count;
  if (errors != 0) count = count_of(errors, "error");
  if (warnings != 0) count += (count.empty() ? "" : ", ") + count_of(warnings, "warning");
  return out + count + "\n";
}

}  // namespace cnplay::diag
