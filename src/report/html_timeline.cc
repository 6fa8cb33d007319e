#include <algorithm>
#include <array>
#include <map>

#include "report/format.h"
#include "report/html_parts.h"

namespace cnplay::report {
namespace {

// More hosts of one step than this are not all listed: those that went wrong, the slowest, and a
// word about the rest.
constexpr std::size_t kAllHosts = 40;
constexpr std::size_t kBadHosts = 30;
constexpr std::size_t kSlowHosts = 10;

// The part of the axis that lies between two times, in thousandths of a percent.
class Axis {
 public:
  explicit Axis(const Account& account)
      : began_(account.began), whole_(std::max(account.until - account.began, Duration{1})) {}
  long long at(Instant t) const { return share(t - began_); }
  long long share(Duration d) const {
    return std::clamp(d.count(), Duration::rep{0}, whole_.count()) * 100'000 / whole_.count();
  }
  Duration whole() const { return whole_; }

 private:
  Instant began_;
  Duration whole_;
};

void stretch(Markup& out, long long x, long long width) {
  out << " x=\"" << Thousandths(x) << "%\" width=\"" << Thousandths(std::min(width, 100'000 - x))
      << "%\"/>";
}

void frame(Markup& out, long long x, long long width) {
  out << "<rect class=\"expect\" y=\"1\" height=\"15\"";
  stretch(out, x, width);
}

void fill(Markup& out, bool open, const char* tone, long long x, long long width) {
  out << "<rect class=\"run " << Text(tone) << (open ? Literal(" open") : Literal(""))
      << "\" y=\"4\" height=\"9\"";
  stretch(out, x, width);
}

void bar(Markup& out, const Account& account, Instant from, const std::optional<Instant>& to,
         const std::optional<Duration>& expect, const char* tone) {
  const Axis axis(account);
  out << "<td class=\"bar\"><svg aria-hidden=\"true\">";
  if (expect) frame(out, axis.at(from), axis.share(*expect));
  fill(out, !to, tone, axis.at(from), axis.share(took(account, from, to)));
  out << "</svg></td>";
}

// Times that a person reads off: at most three, at round distances, short enough for paper.
void scale(Markup& out, const Account& account) {
  constexpr std::array<std::int64_t, 20> kSteps{
      1,    2,    5,     10,    20,    50,     100,    200,    500,    1'000,
      2000, 5000, 10000, 15000, 30000, 60'000, 120000, 300000, 600000, 900'000};
  const Axis axis(account);
  std::int64_t step = 1'800'000;
  for (const std::int64_t s : kSteps) {
    if (axis.whole().count() / s <= 3) {
      step = s;
      break;
    }
  }
  while (axis.whole().count() / step > 3) step *= 2;
  out << "<th class=\"bar\"><svg aria-hidden=\"true\">";
  for (std::int64_t t = 0; t <= axis.whole().count() * 7 / 10; t += step) {
    out << "<text y=\"13\" x=\"" << Thousandths(axis.share(Duration{t}));
    out << "%\">" << Text(t == 0 ? "0" : format_duration(Duration{t})) << "</text>";
  }
  out << "</svg></th>";
}

void cells(Markup& out, const Account& account, Instant from, const std::optional<Duration>& expect,
           Duration actual, bool open) {
  out << "<td class=\"n\" data-label=\"Began\">" << Text(format_clock(from, account.about.zone));
  out << "</td>" << duration_cell("Expected", expect) << "<td class=\"n\" data-label=\"Actual\">"
      << Text(human_duration(actual) + (open ? " so far" : ""));
  out << "</td>";
}

// What became of a step on one host, and its times.
void outcome_cells(Markup& out, const Account& account, const Step& step, const StepRun& run,
                   std::size_t index) {
  const bool bad = run.outcome ? is_bad(*run.outcome) : account.state != State::running;
  const char* colour = run.outcome ? tone(*run.outcome) : bad ? "bad" : "info";
  std::string said = run.outcome                       ? words(*run.outcome)
                     : account.state == State::running ? "running"
                                                       : "not ended";
  if (run.attempts > 1) said += " (attempt " + std::to_string(run.attempts) + ")";
  out << "<td class=\"" << Text(colour) << "\">";
  if (bad) {
    out << "<a href=\"#failed-" << Number(index + 1) << "\">" << Text(said) << "</a>";
  } else {
    out << Text(said);
  }
  out << "</td>";
  cells(out, account, run.from, step.expect, took(account, run.from, run.to), !run.to);
  bar(out, account, run.from, run.to, step.expect, colour);
}

void host_row(Markup& out, const Account& account, const Step& step, const StepRun& run,
              std::size_t index) {
  out << "<tr><th scope=\"row\" class=\"host\">" << Text(account.plan->hosts[run.host].name)
      << "</th>";
  outcome_cells(out, account, step, run, index);
  out << "</tr>\n";
}

// Which hosts of a step are listed, in the order of the plan.
std::vector<const StepRun*> listed(const Account& account, const Step& step) {
  std::vector<const StepRun*> all;
  for (const StepRun& run : step.runs) all.push_back(&run);
  if (all.size() <= kAllHosts) return all;
  const auto bad = [](const StepRun* run) { return !run->outcome || is_bad(*run->outcome); };
  std::stable_sort(all.begin(), all.end(), [&](const StepRun* a, const StepRun* b) {
    if (bad(a) != bad(b)) return bad(a);
    return took(account, a->from, a->to) > took(account, b->from, b->to);
  });
  const auto wrong = static_cast<std::size_t>(std::count_if(all.begin(), all.end(), bad));
  // Of those that went wrong the longest, and the slowest of the others.
  std::vector<const StepRun*> out(
      all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(wrong, kBadHosts)));
  const std::size_t slow = std::min(all.size() - wrong, kSlowHosts);
  for (std::size_t i = wrong; i < wrong + slow; ++i) out.push_back(all[i]);
  std::sort(out.begin(), out.end(),
            [](const StepRun* a, const StepRun* b) { return a->host < b->host; });
  return out;
}

void rest_row(Markup& out, const Step& step, const std::vector<const StepRun*>& shown) {
  std::map<std::string, std::size_t> outcomes;
  for (const StepRun& run : step.runs) {
    ++outcomes[run.outcome ? words(*run.outcome) : "not ended"];
  }
  for (const StepRun* run : shown) --outcomes[run->outcome ? words(*run->outcome) : "not ended"];
  std::string said;
  for (const auto& [outcome, n] : outcomes) {
    if (n != 0) said += (said.empty() ? "" : ", ") + std::to_string(n) + " " + outcome;
  }
  out << "<tr><td class=\"dim\" colspan=\"6\">"
      << Text("and " + count(step.runs.size() - shown.size(), "host") + " more: " + said +
              "; `cnplay report --format jsonl` lists each")
      << "</td></tr>\n";
}

// `on`: the host of a step that has only one.
void head_label(Markup& out, const plan::Plan& plan, plan::NodeId node, events::Part part,
                std::string_view on = {}) {
  out << "<tr class=\"step\"><th scope=\"rowgroup\">" << Text(step_label(plan, node, part));
  if (!on.empty()) out << " <span class=\"on\">on " << Text(on) << "</span>";
  const std::string& title = plan.node(node).title;
  if (title != step_name(plan, node)) out << " <small>" << Text(title) << "</small>";
  out << "</th>";
}

// What all hosts, or people, took for a node.
void head_row(Markup& out, const Account& account, plan::NodeId node, events::Part part,
              const std::string& who, Instant from, const std::optional<Instant>& to,
              const std::optional<Duration>& expect, const char* tone) {
  head_label(out, *account.plan, node, part);
  out << "<td class=\"dim\">" << Text(who) << "</td>";
  cells(out, account, from, expect, took(account, from, to), !to);
  bar(out, account, from, to, expect, tone);
  out << "</tr>\n";
}

void step_body(Markup& out, const Account& account, const Step& step, std::size_t index) {
  out << "<tbody id=\"step-" << Number(index + 1) << "\">\n";
  if (step.runs.size() == 1) {
    head_label(out, *account.plan, step.node, step.part,
               account.plan->hosts[step.runs.front().host].name);
    outcome_cells(out, account, step, step.runs.front(), index);
    out << "</tr>\n</tbody>\n";
    return;
  }
  head_row(out, account, step.node, step.part, count(step.runs.size(), "host"), step.from, step.to,
           step.expect, "all");
  const auto shown = listed(account, step);
  for (const StepRun* run : shown) host_row(out, account, step, *run, index);
  if (shown.size() < step.runs.size()) rest_row(out, step, shown);
  out << "</tbody>\n";
}

// "approved by kim, lee"; "waiting for people".
std::string human_words(const Account& account, const HumanRun& human) {
  if (!human.how)
    return account.state == State::interrupted ? "not answered" : "waiting for people";
  switch (*human.how) {
    case events::HumanEnd::answered:
    case events::HumanEnd::refused:
      break;
    case events::HumanEnd::fell_back:
      return "not answered: default taken";
    case events::HumanEnd::timed_out:
      return "not answered in time";
    case events::HumanEnd::skipped:
      return "skipped";
  }
  const bool yes = *human.how == events::HumanEnd::answered;
  std::string who;
  for (const auto& [when, answer] : account.answers) {
    if (answer->node != human.node || answer->yes != yes) continue;
    who += (who.empty() ? " by " : ", ") + answer->user;
  }
  const auto& asked = account.plan->node(human.node).human;
  if (!yes)
    return (asked && asked->kind == plan::HumanKind::manual ? "cannot be done" : "refused") + who;
  if (!asked || asked->kind == plan::HumanKind::ask) return "answered" + who;
  return (asked->kind == plan::HumanKind::approve ? "approved" : "done") + who;
}

void human_body(Markup& out, const Account& account, const HumanRun& human) {
  out << "<tbody>\n";
  head_row(out, account, human.node, events::Part::forward, human_words(account, human), human.from,
           human.to, expected_of(account, account.plan->node(human.node).expect), "info");
  out << "</tbody>\n";
}

void phase_body(Markup& out, const Account& account, const PhaseRun& run) {
  const plan::Phase& phase = account.plan->phases[run.phase];
  out << "<tbody>\n<tr class=\"phase\"><th scope=\"rowgroup\">Phase: " << Text(phase.title);
  out << "</th><td>"
      << (!phase.outage     ? Literal("")
          : is_dry(account) ? Literal("an outage in a run")
                            : Literal("<span class=\"bad\">outage</span>"));
  if (run.to && !run.complete) out << " stopped";
  if (const auto budget = expected_of(account, phase.budget);
      budget && took(account, run.from, run.to) > *budget) {
    out << " <span class=\"bad\">over its budget of " << Text(human_duration(*budget)) << "</span>";
  }
  out << "</td>";
  const auto expect = expected_of(account, phase.expect);
  cells(out, account, run.from, expect, took(account, run.from, run.to), !run.to);
  const bool down = phase.outage && !is_dry(account);
  bar(out, account, run.from, run.to, expect, down ? "change" : "all");
  out << "</tr>\n</tbody>\n";
}

}  // namespace

Markup timeline_section(const Account& account) {
  Markup out;
  if (account.steps.empty() && account.humans.empty()) return out;
  out << "<section id=\"timeline\">\n<h2>Timeline</h2>\n"
         "<p class=\"dim\">Bars: what it took"
      << (is_dry(account) ? Literal("") : Literal("; frames: what was expected"))
      << ".</p>\n"
         "<table class=\"timeline\">\n<thead><tr><th>Step, host</th><th>Outcome</th>"
         "<th class=\"n\">Began</th><th class=\"n\">Expected</th><th class=\"n\">Actual</th>";
  scale(out, account);
  out << "</tr></thead>\n";
  auto phase = account.phases.begin();
  auto human = account.humans.begin();
  const auto phases_until = [&](Instant at) {
    for (; phase != account.phases.end() && phase->from <= at; ++phase) {
      phase_body(out, account, *phase);
    }
  };
  const auto people_until = [&](Instant at) {
    for (; human != account.humans.end() && human->from <= at; ++human) {
      phases_until(human->from);
      human_body(out, account, *human);
    }
  };
  for (std::size_t i = 0; i < account.steps.size(); ++i) {
    people_until(account.steps[i].from);
    phases_until(account.steps[i].from);
    step_body(out, account, account.steps[i], i);
  }
  people_until(account.until);
  out << "</table>\n</section>\n";
  return out;
}

}  // namespace cnplay::report
