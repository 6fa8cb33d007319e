#include <string_view>

#include "base/lines.h"
#include "base/words.h"
#include "report/format.h"
#include "report/html_parts.h"

namespace cnplay::report {

using events::Outcome;

std::string step_label(const plan::Plan& plan, plan::NodeId node, events::Part part) {
  std::string path = plan.node(node).path;
  if (path.starts_with(plan.play + "/")) path.erase(0, plan.play.size() + 1);
  return part_prefix(part) + path;
}

std::string words(Outcome outcome) {
  std::string text = events::name(outcome);
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

const char* tone(Outcome outcome) {
  switch (style_of(outcome)) {
    case Style::green:
      return "good";
    case Style::yellow:
      return "change";
    case Style::cyan:
      return "info";
    default:
      return "bad";
  }
}

std::string moment(const Account& account, Instant at) {
  return format_time({std::chrono::floor<std::chrono::seconds>(at), account.about.zone});
}

Markup duration_cell(Literal label, const std::optional<Duration>& d) {
  Markup out;
  out << "<td class=\"n" << (d ? Literal("") : Literal(" none")) << "\" data-label=\"" << label
      << "\">" << Text(d ? human_duration(*d) : "-") << "</td>";
  return out;
}

std::string rough_size(std::uint64_t bytes) {
  if (bytes < 10'000) return count(bytes, "byte");
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10 / 1024;
  for (; tenths >= 10'240 && unit < 2; ++unit) tenths /= 1024;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + kUnits[unit];
}

std::string count(std::uint64_t n, const char* one) { return count_of(n, one); }

namespace {

// A long output shows its end, because that is where a task failed; the lines before it are folded.
constexpr std::size_t kLinesInSight = 12;
constexpr std::size_t kBytesInSight = 4000;
constexpr std::size_t kWorthFolding = 4;  // lines

// Where the lines begin that stay in sight; 0: all of them.
std::size_t in_sight(std::string_view text) {
  return begin_of_last_lines(text, kLinesInSight, kBytesInSight);
}

// HTML drops the newline after <pre>: a text that begins with one keeps it.
Markup pre(std::string_view text) {
  Markup out;
  out << "<pre tabindex=\"0\">\n" << Text(text) << "</pre>\n";
  return out;
}

}  // namespace

Markup text_block(const Excerpt& text, Budget& budget) {
  Markup out;
  if (text.empty()) return out;
  Markup written;
  written << Text(text.head()) << Text(text.tail());
  if (!budget.take(written.str().size())) {
    out << "<p class=\"cut\">"
        << Text(rough_size(text.total()) + " left out here: this report shows at most " +
                rough_size(Budget::kAll) + " of what hosts printed. The record has more.")
        << "</p>\n";
    return out;
  }
  if (text.left_out() == 0) {
    const std::string all = std::string(text.head()) + std::string(text.tail());
    const std::size_t begin = in_sight(all);
    const std::size_t folded = lines_of(std::string_view(all).substr(0, begin)).size();
    if (folded < kWorthFolding) return pre(all);
    out << "<details><summary>" << Text(count(folded, "earlier line")) << "</summary>\n"
        << pre(std::string_view(all).substr(0, begin)) << "</details>\n"
        << pre(std::string_view(all).substr(begin));
    return out;
  }
  const std::size_t begin = in_sight(text.tail());
  out << "<details><summary>Earlier output</summary>\n" << pre(text.head());
  out << "<p class=\"cut\">"
      << Text(rough_size(text.left_out()) + " left out here, of " + rough_size(text.total()) +
              ". The record has more.")
      << "</p>\n";
  if (begin != 0) out << pre(text.tail().substr(0, begin));
  out << "</details>\n" << pre(text.tail().substr(begin));
  return out;
}

}  // namespace cnplay::report
