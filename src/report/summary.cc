#include "report/summary.h"

#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"

namespace cnplay::report {
namespace {

using events::HostSummary;

struct Column {
  const char* title;
  std::uint32_t HostSummary::*count;
  bool always;
  Style style;
};

constexpr Column kColumns[] = {
    {"ok", &HostSummary::ok, true, Style::green},
    {"changed", &HostSummary::changed, true, Style::yellow},
    {"would change", &HostSummary::would_change, false, Style::yellow},
    {"depends", &HostSummary::depends, false, Style::cyan},
    {"skipped", &HostSummary::skipped, false, Style::cyan},
    {"failed", &HostSummary::failed, true, Style::red},
    {"unknown", &HostSummary::unknown, false, Style::red},
};

// Many hosts that fared alike are one line: `web3 ... web40 (38 hosts)`.
bool alike(const HostSummary& a, const HostSummary& b) {
  for (const Column& c : kColumns) {
    if (a.*c.count != b.*c.count) return false;
  }
  return a.unreachable == b.unreachable;
}

struct Row {
  std::string name;
  const HostSummary* host;
};

std::vector<Row> rows_of(const plan::Plan& plan, const std::vector<HostSummary>& hosts) {
  constexpr std::size_t kManyHosts = 20;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < hosts.size();) {
    std::size_t end = i + 1;
    if (hosts.size() > kManyHosts) {
      while (end < hosts.size() && alike(hosts[i], hosts[end])) ++end;
    }
    std::string name = plan.hosts[hosts[i].host].name;
    if (end - i > 1) {
      name += " ... " + plan.hosts[hosts[end - 1].host].name + " (" + std::to_string(end - i) + ")";
    }
    rows.push_back({std::move(name), &hosts[i]});
    i = end;
  }
  return rows;
}

std::string host_table(const plan::Plan& plan, const std::vector<HostSummary>& hosts,
                       const Options& options) {
  std::vector<Column> columns;
  for (const Column& c : kColumns) {
    const bool occurs = std::any_of(hosts.begin(), hosts.end(),
                                    [&](const HostSummary& h) { return h.*c.count != 0; });
    if (c.always || occurs) columns.push_back(c);
  }
  const std::vector<Row> rows = rows_of(plan, hosts);
  std::size_t widest = 4;
  for (const Row& row : rows) widest = std::max(widest, columns_of(row.name));

  std::string out = pad_right("host", widest);
  for (const Column& c : columns) out += "  " + pad_left(c.title, 7);
  out += "\n";
  for (const Row& row : rows) {
    out += pad_right(row.name, widest);
    for (const Column& c : columns) {
      const std::uint32_t n = row.host->*c.count;
      const std::string cell =
          pad_left(n == 0 ? "-" : std::to_string(n), std::max<std::size_t>(7, columns_of(c.title)));
      out += "  " + paint(options, n == 0 ? Style::dim : c.style, cell);
    }
    if (row.host->unreachable) out += "  " + paint(options, Style::red, "unreachable");
    out += "\n";
  }
  return out;
}

std::string timing_table(const plan::Plan& plan, const events::RunEnded& end,
                         const Options& options) {
  std::size_t widest = 4;
  std::vector<std::string> names;
  std::vector<events::StepTiming> steps = end.steps;
  std::erase_if(steps, [](const auto& step) { return step.outcome == events::Outcome::skipped; });
  for (const auto& step : steps) {
    std::string name = plan.node(step.node).path;
    if (name.starts_with(plan.play + "/")) name.erase(0, plan.play.size() + 1);
    widest = std::max(widest, columns_of(name));
    names.push_back(std::move(name));
  }
  if (names.empty()) return "";
  const bool past = std::any_of(steps.begin(), steps.end(),
                                [](const auto& step) { return step.usual.has_value(); });
  const auto column = [](const std::optional<Duration>& d) {
    return "  " + pad_left(d ? human_duration(*d) : "-", 12);
  };
  std::string out = pad_right("step", widest) + "  " + pad_left("expected", 12) +
                    (past ? "  " + pad_left("past median", 12) : "") + "  " +
                    pad_left("actual", 12) + "\n";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& step = steps[i];
    const bool over = step.expect && step.took && *step.took > *step.expect;
    const std::string took = pad_left(step.took ? human_duration(*step.took) : "not ended", 12);
    out += pad_right(names[i], widest) + column(step.expect) + (past ? column(step.usual) : "") +
           "  " + paint(options, over ? Style::yellow : Style::plain, took) + "\n";
  }
  return out;
}

std::string verdict_line(const events::RunEnded& end, const Options& options) {
  using events::Verdict;
  const Style style = end.verdict == Verdict::success ? Style::green : Style::red;
  return paint(options, style, events::name(end.verdict)) + " after " + human_duration(end.took) +
         "\n";
}

std::size_t rows(std::string_view line, std::size_t width) {
  return std::max<std::size_t>(1, (columns_of(line) + width - 1) / width);
}

// The last lines say what to do next, and are kept. Of the others those that tell what is in order
// are folded first: "Undone: ...".
std::string folded(const std::string& advice, std::size_t room, std::size_t width,
                   const std::string& run) {
  constexpr std::size_t kKept = 3;
  std::vector<std::string_view> lines = lines_of(advice);
  std::size_t total = 0;
  for (const std::string_view line : lines) total += rows(line, width);
  if (total <= room) return advice;
  std::size_t left_out = 0;
  const auto said = [&] {
    return count_of(left_out, "line") + " of what was undone and what was not: cnplay show " + run;
  };
  const auto fold = [&](std::string_view lead) {
    for (std::size_t i = lines.size() > kKept ? lines.size() - kKept : 0; i-- > 0;) {
      if (left_out > 0 && total + rows(said(), width) <= room) return;
      if (!lines[i].starts_with(lead)) continue;
      total -= rows(lines[i], width);
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
      ++left_out;
    }
  };
  fold("Undone:");
  fold("");
  std::string out = left_out > 0 ? said() + "\n" : "";
  for (const std::string_view line : lines) out += std::string(line) + "\n";
  return out;
}

}  // namespace

std::string summary(const plan::Plan& plan, const events::RunEnded& end, const Options& options,
                    bool timings, const Failed& failed, ScreenSize screen) {
  std::string out;
  if (!end.hosts.empty()) out += "\n" + host_table(plan, end.hosts, options);
  if (timings && !options.dry && !end.steps.empty()) out += "\n" + timing_table(plan, end, options);
  if (end.outage) {
    out += "\noutage: " + human_duration(*end.outage);
    if (end.outage_expect) out += ", expected " + human_duration(*end.outage_expect);
    if (end.outage_open)
      out += paint(options, Style::red, ", and it continues: the site is still down");
    out += "\n";
  }
  out += "\n" + verdict_line(end, options);
  std::string what;
  if (end.verdict != events::Verdict::success) what = failed.lines(options, screen.width);
  out += what;
  if (end.advice.empty()) return out;
  if (screen.width == 0 || screen.height == 0) return out + indented(end.advice, "");
  std::size_t used = 2;  // the verdict, and the row that the cursor is on
  for (const std::string_view line : lines_of(what)) used += rows(line, screen.width);
  const std::size_t room = screen.height > used ? screen.height - used : 0;
  return out + indented(folded(end.advice, room, screen.width, options.run), "");
}

}  // namespace cnplay::report
