#include <algorithm>

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

std::string or_dash(const std::optional<Duration>& d) { return d ? human_duration(*d) : "-"; }

std::string rough_size(std::uint64_t bytes) {
  if (bytes < 10'000) return count(bytes, "byte");
  constexpr const char* kUnits[] = {"KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10 / 1024;
  for (; tenths >= 10'240 && unit < 2; ++unit) tenths /= 1024;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + kUnits[unit];
}

std::string count(std::uint64_t n, const char* one) { return count_of(n, one); }

Markup text_block(const Excerpt& text, Budget& budget) {
  Markup out;
  if (text.empty()) return out;
  Markup head;
  Markup tail;
  head << Text(text.head());
  tail << Text(text.tail());
  if (!budget.take(head.str().size() + tail.str().size())) {
    out << "<p class=\"cut\">"
        << Text(rough_size(text.total()) + " left out here: this report shows at most " +
                rough_size(Budget::kAll) + " of what hosts said. The record has more.")
        << "</p>\n";
    return out;
  }
  // A newline right behind <pre> is no part of the text.
  out << "<div class=\"output\" tabindex=\"0\"><div>\n<pre>\n" << head;
  if (text.left_out() != 0) {
    out << "</pre>\n<p class=\"cut\">"
        << Text(rough_size(text.left_out()) + " left out here, of " + rough_size(text.total()) +
                ". The record has more.")
        << "</p>\n<pre>\n";
  }
  out << tail << "</pre>\n</div></div>\n";
  return out;
}

}  // namespace cnplay::report
