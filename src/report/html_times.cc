#include <algorithm>
#include <utility>

#include "report/format.h"
#include "report/html_parts.h"

namespace cnplay::report {
namespace {

std::vector<plan::HostIndex> hosts_of(const Step& step) {
  std::vector<plan::HostIndex> hosts;
  for (const StepRun& run : step.runs) hosts.push_back(run.host);
  return hosts;
}

struct TimeRow {
  Instant from{};  // rows stand in this order, and then in that of the play
  plan::NodeId node{};
  std::string label, title, on, note;
  std::optional<Duration> expect;
  std::optional<Duration> actual;        // unset: not begun
  const plan::PastStep* past = nullptr;  // nullptr: nothing is known
};

std::string title_of(const plan::Plan& plan, plan::NodeId node) {
  const std::string& title = plan.node(node).title;
  return title == step_name(plan, node) ? "" : title;
}

// What a person looks for: over time, not ended, tests.
std::string note_of(const Account& account, bool test, const std::optional<Duration>& expect,
                    Duration actual, bool ended) {
  std::string note = test ? "test" : "";
  const auto say = [&](const std::string& text) { note += (note.empty() ? "" : ", ") + text; };
  if (expect && actual > *expect) say("over by " + human_duration(actual - *expect));
  if (!ended) say(account.state == State::running ? "still running" : "not ended");
  return note;
}

// A cell of the column `Past runs`, which is there if something is known of some.
void past_cell(Markup& out, const Account& account, const std::string& text) {
  if (past_of(account) == nullptr) return;
  out << "<td" << (text == "-" ? Literal(" class=\"none\"") : Literal(""))
      << " data-label=\"Past runs\">" << Text(text) << "</td>";
}

std::string median_and_worst(const std::optional<Duration>& median,
                             const std::optional<Duration>& worst) {
  if (!median || !worst) return "-";
  return *median == *worst
             ? human_duration(*median)
             : "median " + human_duration(*median) + ", worst " + human_duration(*worst);
}

std::vector<TimeRow> time_rows_of(const Account& account) {
  std::vector<TimeRow> rows;
  const plan::Plan& plan = *account.plan;
  for (const Step& step : account.steps) {
    const Duration actual = took(account, step.from, step.to);
    rows.push_back({step.from, step.node, step_label(plan, step.node, step.part),
                    title_of(plan, step.node), host_list(plan, hosts_of(step)),
                    note_of(account, step.test, step.expect, actual, step.to.has_value()),
                    step.expect, actual, step.past});
  }
  for (const WaitRun& wait : account.waits) {
    rows.push_back({wait.from, wait.node, step_label(plan, wait.node, events::Part::forward), "",
                    "until " + format_time(wait.until), wait.to ? "" : "not ended", std::nullopt,
                    took(account, wait.from, wait.to)});
  }
  for (const HumanRun& human : account.humans) {
    const Duration actual = took(account, human.from, human.to);
    const auto expect = expected_of(account, plan.node(human.node).expect);
    rows.push_back(
        {human.from, human.node, step_label(plan, human.node, events::Part::forward),
         title_of(plan, human.node), "people",
         note_of(account, plan.node(human.node).testing, expect, actual, human.to.has_value()),
         expect, actual});
  }
  std::stable_sort(rows.begin(), rows.end(), [](const TimeRow& a, const TimeRow& b) {
    return std::pair(a.from, a.node) < std::pair(b.from, b.node);
  });
  for (const plan::NodeId node : account.not_begun) {
    rows.push_back({{},
                    node,
                    step_label(plan, node, events::Part::forward),
                    title_of(plan, node),
                    host_list(plan, plan.node(node).hosts),
                    "not begun",
                    expected_of(account, plan.node(node).expect),
                    std::nullopt,
                    plan::past_of(past_of(account), node)});
  }
  return rows;
}

void figures(Markup& out, const Account& account, const char* label,
             const std::optional<Duration>& expect, const std::string& past,
             const std::string& actual) {
  out << "<tr><td></td><th scope=\"row\">" << Text(label);
  out << "</th><td data-label=\"On\"></td>" << duration_cell("Expected", expect);
  past_cell(out, account, past);
  out << "<td class=\"n\" data-label=\"Actual\">" << Text(actual)
      << "</td><td data-label=\"Note\"></td></tr>\n";
}

}  // namespace

Markup times_section(const Account& account) {
  Markup out;
  const std::vector<TimeRow> rows = time_rows_of(account);
  if (rows.empty()) return out;
  out << "<section id=\"times\">\n<h2>Timings</h2>\n<table "
         "class=\"cards\">\n<thead><tr><th>#</th><th>Step</th><th>On</th>"
         "<th class=\"n\">Expected</th>";
  if (const plan::Past* past = past_of(account)) {
    out << "<th>Past runs <small>" << Text(count(past->runs, "run") + " on " + past->inventory)
        << "</small></th>";
  }
  out << "<th class=\"n\">Actual</th><th>Note</th></tr></thead>\n<tbody>\n";
  std::size_t number = 0;
  for (const TimeRow& row : rows) {
    out << "<tr><td class=\"number n\">" << Number(++number);
    out << "</td><th scope=\"row\">" << Text(row.label);
    if (!row.title.empty()) out << " <small>" << Text(row.title) << "</small>";
    out << "</th><td data-label=\"On\">" << Text(row.on);
    out << "</td>" << duration_cell("Expected", row.expect);
    past_cell(out, account, row.past == nullptr ? "-" : plan::text_of(*row.past));
    out << duration_cell("Actual", row.actual) << "<td data-label=\"Note\">" << Text(row.note)
        << "</td></tr>\n";
  }
  out << "</tbody>\n<tbody class=\"sums\">\n";
  if (account.outage) {
    const Outage& outage = *account.outage;
    const std::string open = outage.open ? " and continues" : "";
    figures(out, account, "Outage time excluding testing", outage.expect_excluding_testing,
            median_and_worst(outage.median_excluding_testing, outage.worst_excluding_testing),
            human_duration(outage.excluding_testing) + open);
    figures(out, account, "Total outage time, including testing", outage.expect,
            median_and_worst(outage.median, outage.worst), human_duration(outage.total) + open);
  }
  figures(out, account, "Whole run", std::nullopt, "-",
          human_duration(took(account, account.began, account.until)));
  out << "</tbody>\n</table>\n";
  const bool tests = std::ranges::any_of(account.steps, &Step::test) ||
                     std::ranges::any_of(account.humans, [&](const HumanRun& human) {
                       return account.plan->node(human.node).testing;
                     });
  if (is_dry(account)) {
    out << "<p class=\"dim\">These are the times of checks. A real run takes a different "
           "time.</p>\n";
  } else if (tests) {
    out << "<p class=\"dim\">A test is a step with `testing`. \"Excluding testing\" leaves out the "
           "time "
           "in which only tests were running.</p>\n";
  }
  out << "</section>\n";
  return out;
}

}  // namespace cnplay::report
