#include "report/junit.h"

#include <algorithm>
#include <map>
#include <vector>

#include "base/lines.h"
#include "report/format.h"
#include "report/html_parts.h"
#include "report/markup.h"

namespace cnplay::report {
namespace {

using events::Outcome;

// Counts of one suite, or of all.
struct Totals {
  std::uint64_t tests = 0, failures = 0, errors = 0, skipped = 0;
  Duration time{0};
  void add(const Totals& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    time += other.time;
  }
};

struct Suite {
  std::string name;
  Totals totals;
  Markup cases;
};

void attributes(Markup& out, const Totals& t) {
  out << " tests=\"" << Number(t.tests) << "\" failures=\"" << Number(t.failures) << "\" errors=\""
      << Number(t.errors) << "\" skipped=\"" << Number(t.skipped) << "\" time=\""
      << Thousandths(t.time.count()) << "\"";
}

// Indented: none of its lines looks like one of ours.
void text_of(std::string& out, const Excerpt& text) {
  std::string all = Untrusted(std::string(text.head())).display();
  if (text.left_out() != 0) {
    all += "\n... (" + std::to_string(text.left_out()) + " bytes left out here)\n";
  }
  out += indented(all + Untrusted(std::string(text.tail())).display(), "  ");
}

// What a person needs to know of a step that went wrong.
std::string story(const Account& account, const Step& step, const StepRun& run, Budget& budget) {
  std::string out;
  for (const ActionRun& action : run.actions) {
    const bool bad = action.end == nullptr || is_bad(action.end->outcome);
    if (!bad) continue;
    const auto& what = action_of(*account.plan, step.node, action.action, step.part);
    out += action_name(*account.plan, step.node, action.action, step.part) + " at " + what.where;
    if (action.end != nullptr && action.end->exit_code.value_or(0) != 0) {
      out += ", exit code " + std::to_string(*action.end->exit_code);
    }
    out += "\n";
    std::string said;
    if (action.end != nullptr) {
      for (const std::string* text : {&action.end->message.raw(), &action.end->reason}) {
        if (!text->empty()) text_of(said, excerpt(*text));
      }
      if (action.output.empty() && !action.end->tail.empty()) {
        text_of(said, excerpt(action.end->tail.raw()));
      }
    }
    for (const StageOutput& part : action.output) {
      said += std::string("-- ") + events::name(part.stage) + "\n";
      text_of(said, part.text);
    }
    Markup escaped;
    escaped << Text(said);
    out += budget.take(escaped.str().size()) ? said
                                             : "(its output is left out here: the file is full)\n";
  }
  if (!run.reason.empty()) out += one_line(run.reason) + "\n";
  return out;
}

// The one line of it.
std::string headline(const StepRun& run) {
  std::string text = run.reason;
  if (!run.actions.empty() && run.actions.back().end != nullptr) {
    const events::ActionEnded& end = *run.actions.back().end;
    if (text.empty()) text = end.message.empty() ? end.reason : end.message.display(400);
  }
  if (const auto newline = text.find('\n'); newline != std::string::npos) text.resize(newline);
  if (text.empty()) text = run.outcome ? words(*run.outcome) : "its end is not in the record";
  return text;
}

void open_case(Markup& out, const Account& account, const std::string& of, const std::string& name,
               Duration time) {
  out << "    <testcase classname=\"" << Attribute(account.started->play + "." + of) << "\" name=\""
      << Attribute(name) << "\" time=\"" << Thousandths(time.count()) << "\"";
}

void step_case(Suite& suite, const Account& account, const Step& step, const StepRun& run,
               Budget& budget) {
  const Duration time = took(account, run.from, run.to);
  ++suite.totals.tests;
  suite.totals.time += time;
  Markup& out = suite.cases;
  open_case(out, account, suite.name, step_label(*account.plan, step.node, step.part), time);
  if (run.outcome == Outcome::skipped || run.outcome == Outcome::depends) {
    ++suite.totals.skipped;
    out << "><skipped message=\"" << Attribute(headline(run)) << "\"/></testcase>\n";
  } else if (run.outcome && !is_bad(*run.outcome)) {
    out << "/>\n";
  } else {
    const bool failed = run.outcome == Outcome::failed;
    ++(failed ? suite.totals.failures : suite.totals.errors);
    const Literal element = failed ? Literal("failure") : Literal("error");
    out << "><" << element << " type=\""
        << Attribute(run.outcome ? events::name(*run.outcome) : "not_ended") << "\" message=\""
        << Attribute(headline(run)) << "\">" << Text(story(account, step, run, budget)) << "</"
        << element << "></testcase>\n";
  }
}

Suite run_suite(const Account& account) {
  Suite suite{"run", {}, {}};
  const bool success =
      account.state == State::ended && account.ended->verdict == events::Verdict::success;
  suite.totals.tests = 1;
  open_case(suite.cases, account, "run", "verdict", took(account, account.began, account.until));
  if (success) {
    suite.cases << "/>\n";
  } else {
    ++suite.totals.errors;
    const bool ended = account.state == State::ended;
    const std::string verdict = ended ? events::name(account.ended->verdict) : name(account.state);
    const std::string said = ended                             ? account.ended->advice
                             : account.state == State::running ? "the run is still running"
                             : account.state == State::parked
                                 ? account.parked->reason + "\n" + account.parked->advice
                                 : "the run was interrupted: cnplay resume " + account.started->run;
    suite.cases << "><error type=\"" << Attribute(verdict) << "\" message=\"" << Attribute(verdict)
                << "\">" << Text(said) << "</error></testcase>\n";
  }
  for (std::size_t i = 0; i < account.problems.size(); ++i) {
    const events::PreflightProblem& problem = *account.problems[i];
    ++suite.totals.tests;
    ++suite.totals.errors;
    const std::string of = problem.host ? account.plan->hosts[*problem.host].name : "";
    open_case(suite.cases, account, "run",
              "preflight" + (of.empty() ? "" : " of " + of) + " " + std::to_string(i + 1),
              Duration{0});
    suite.cases << "><error type=\"preflight\" message=\"" << Attribute(problem.message) << "\">"
                << Text(continued(problem.help)) << "</error></testcase>\n";
  }
  return suite;
}

std::vector<Suite> suites_of(const Account& account) {
  std::vector<Suite> hosts;
  for (const plan::Host& host : account.plan->hosts) hosts.push_back({host.name, {}, {}});
  Budget budget;
  for (const Step& step : account.steps) {
    for (const StepRun& run : step.runs) {
      step_case(hosts[run.host], account, step, run, budget);
    }
  }
  for (const plan::NodeId node : account.not_begun) {
    for (const plan::HostIndex host : account.plan->node(node).hosts) {
      Suite& suite = hosts[host];
      ++suite.totals.tests;
      ++suite.totals.skipped;
      open_case(suite.cases, account, suite.name,
                step_label(*account.plan, node, events::Part::forward), Duration{0});
      suite.cases << "><skipped message=\"not begun\"/></testcase>\n";
    }
  }
  std::vector<Suite> out;
  out.push_back(run_suite(account));
  for (Suite& suite : hosts) {
    if (suite.totals.tests != 0) out.push_back(std::move(suite));
  }
  return out;
}

void property(Markup& out, Literal name, const std::string& value) {
  out << "      <property name=\"" << name << "\" value=\"" << Attribute(value) << "\"/>\n";
}

void properties(Markup& out, const Account& account) {
  const events::RunStarted& run = *account.started;
  out << "    <properties>\n";
  property(out, "run", run.run);
  property(out, "inventory", run.inventory);
  property(out, "mode", events::name(run.mode));
  if (run.incident) property(out, "incident", *run.incident);
  if (run.reviewed) property(out, "reviewed", *run.reviewed);
  property(out, "state", name(account.state));
  property(out, "user", run.user);
  property(out, "controller", run.controller);
  for (const auto& [at, resume] : account.resumes) {
    property(out, "resumed",
             format_rfc3339(at) + " by " + resume->user + " on " + resume->controller);
  }
  for (const auto& [at, taken] : account.taken) {
    property(out, "taken_up",
             format_rfc3339(at) + " by " + taken->user + " on " + taken->controller +
                 (taken->changes.empty() ? "" : ", with the changed play"));
  }
  if (account.outage) {
    property(out, "outage_ms", std::to_string(account.outage->total.count()));
    property(out, "outage_excluding_testing_ms",
             std::to_string(account.outage->excluding_testing.count()));
  }
  out << "    </properties>\n";
}

}  // namespace

std::string junit(const Account& account) {
  const std::vector<Suite> suites = suites_of(account);
  Totals all;
  for (const Suite& suite : suites) all.add(suite.totals);
  all.time = took(account, account.began, account.until);
  Markup out;
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\""
      << Attribute(account.started->play) << "\"";
  attributes(out, all);
  out << ">\n";
  // Without milliseconds and zone, as the readers of JUnit's format want it; UTC.
  const std::string timestamp = format_rfc3339(account.began).substr(0, 19);
  for (const Suite& suite : suites) {
    out << "  <testsuite name=\"" << Attribute(suite.name) << "\" timestamp=\"" << Text(timestamp)
        << "\" hostname=\""
        << Attribute(suite.name == "run" ? account.started->controller : suite.name) << "\"";
    attributes(out, suite.totals);
    out << ">\n";
    if (&suite == &suites.front()) properties(out, account);
    out << suite.cases << "  </testsuite>\n";
  }
  out << "</testsuites>\n";
  return out.take();
}

}  // namespace cnplay::report
