#include <algorithm>
#include <map>
#include <tuple>

#include "base/lines.h"
#include "report/format.h"
#include "report/html_parts.h"

namespace cnplay::report {
namespace {

using events::Outcome;

std::string whole_text(const ActionRun& action) {
  std::string text;
  for (const StageOutput& part : action.output) {
    (text += events::name(part.stage)).append(part.text.head()).append(part.text.tail());
    text += std::to_string(part.text.total());
  }
  return text;
}

// What went wrong in one step on hosts that said the same.
struct Failure {
  const StepRun* run;
  const ActionRun* action;  // nullptr: none began
  std::vector<plan::HostIndex> hosts;
};

// The action that a run ended in, if that is the one that went wrong.
const ActionRun* culprit(const StepRun& run) {
  if (run.actions.empty()) return nullptr;
  const ActionRun& last = run.actions.back();
  return last.end == nullptr || is_bad(last.end->outcome) ? &last : nullptr;
}

bool went_wrong(const Account& account, const StepRun& run) {
  return run.outcome ? is_bad(*run.outcome) : account.state != State::running;
}

std::vector<Failure> failures_of(const Account& account, const Step& step) {
  std::vector<Failure> out;
  using Key = std::tuple<std::optional<Outcome>, std::string, std::string, std::string>;
  std::map<Key, std::size_t> known;
  for (const StepRun& run : step.runs) {
    if (!went_wrong(account, run)) continue;
    const ActionRun* action = culprit(run);
    std::string says = run.reason;
    std::string text;
    std::string which;
    if (action != nullptr) {
      which = std::to_string(action->action);
      text = whole_text(*action);
      if (const auto* end = action->end) {
        which += " " + (end->exit_code ? std::to_string(*end->exit_code) : "-");
        says += '\0' + end->reason + '\0' + end->message.raw();
        text += '\0' + end->tail.raw();
      }
    }
    const auto [place, fresh] =
        known.try_emplace({run.outcome, which, std::move(says), std::move(text)}, out.size());
    if (fresh) out.push_back({&run, action, {}});
    out[place->second].hosts.push_back(run.host);
  }
  return out;
}

void output(Markup& out, const ActionRun& action, Budget& budget) {
  if (action.output.empty()) {
    if (action.end != nullptr && !action.end->tail.empty()) {
      out << "<h4>Last output</h4>\n" << text_block(excerpt(action.end->tail.raw()), budget);
    } else {
      out << "<p class=\"cut\">It printed nothing.</p>\n";
    }
    return;
  }
  for (const StageOutput& part : action.output) {
    out << "<h4>Output of `" << Text(events::name(part.stage)) << "`</h4>\n";
    out << text_block(part.text, budget);
  }
}

void failure(Markup& out, const Account& account, const Step& step, const Failure& f,
             Budget& budget) {
  const plan::Plan& plan = *account.plan;
  out << "<div class=\"failure\">\n<h3>" << Text(step_label(plan, step.node, step.part));
  out << Text(" on " + host_list(plan, f.hosts, 20)) << ": <span class=\"bad\">";
  out << Text(f.run->outcome ? words(*f.run->outcome) : "its end is not in the record")
      << "</span></h3>\n";

  const events::ActionEnded* end = f.action == nullptr ? nullptr : f.action->end;
  if (end != nullptr && !end->message.empty()) {
    out << text_block(excerpt(end->message.raw()), budget);
  }
  std::string said;
  if (end != nullptr && !end->reason.empty()) said = end->reason;
  if (!f.run->reason.empty() && f.run->reason != said) {
    said += (said.empty() ? "" : "; ") + f.run->reason;
  }
  if (!said.empty()) out << "<p>" << Text(said) << "</p>\n";

  out << "<p class=\"dim\">";
  if (f.action != nullptr) {
    const plan::Action& action = action_of(plan, step.node, f.action->action, step.part);
    out << Text(action_name(plan, step.node, f.action->action, step.part) + " at " + action.where);
    if (!action.become.empty()) out << Text(", as " + action.become);
  } else {
    out << Text("at " + plan.node(step.node).where);
  }
  if (end != nullptr && end->exit_code.value_or(0) != 0)
    out << Text(", exit code " + std::to_string(*end->exit_code));
  if (f.run->attempts > 1) out << Text(", " + count(f.run->attempts, "attempt"));
  out << Text(", after " + human_duration(took(account, f.run->from, f.run->to))) << "</p>\n";
  if (f.action != nullptr) output(out, *f.action, budget);
  out << "</div>\n";
}

// Lines of a diff that are in sight; the others are folded.
constexpr std::size_t kDiffInSight = 24;
constexpr std::size_t kDiffWorthFolding = 8;

Markup diff_line(std::string_view line) {
  Markup out;
  if (line.starts_with('+')) {
    out << "<ins>" << Text(line) << "</ins>\n";
  } else if (line.starts_with('-')) {
    out << "<del>" << Text(line) << "</del>\n";
  } else {
    out << Text(line) << "\n";
  }
  return out;
}

Markup diff_block(const Excerpt& diff, Budget& budget) {
  if (diff.left_out() != 0) return text_block(diff, budget);
  const std::string text = std::string(diff.head()) + std::string(diff.tail());
  std::vector<Markup> lines;
  std::size_t size = 0;
  for (const std::string_view line : lines_of(text)) {
    lines.push_back(diff_line(line));
    size += lines.back().str().size();
  }
  if (!budget.take(size)) {
    Budget none(0);
    return text_block(diff, none);
  }
  const std::size_t shown =
      lines.size() < kDiffInSight + kDiffWorthFolding ? lines.size() : kDiffInSight;
  Markup out;
  out << "<pre class=\"diff\" tabindex=\"0\">\n";
  for (std::size_t i = 0; i < shown; ++i) out << lines[i];
  out << "</pre>\n";
  if (shown == lines.size()) return out;
  out << "<details><summary>" << Text(count(lines.size() - shown, "more line"))
      << "</summary>\n<pre class=\"diff\" tabindex=\"0\">\n";
  for (std::size_t i = shown; i < lines.size(); ++i) out << lines[i];
  out << "</pre>\n</details>\n";
  return out;
}

// Actions that changed something alike.
struct Change {
  const ActionRun* action;
  std::vector<plan::HostIndex> hosts;
};

std::vector<Change> changes_of(const Step& step) {
  std::vector<Change> out;
  std::map<std::tuple<std::uint32_t, std::string_view, std::string_view>, std::size_t> known;
  for (const StepRun& run : step.runs) {
    for (const ActionRun& action : run.actions) {
      if (action.end == nullptr || action.end->diff.empty()) continue;
      const auto [place, fresh] = known.try_emplace(
          {action.action, action.end->message.raw(), action.end->diff.raw()}, out.size());
      if (fresh) out.push_back({&action, {}});
      out[place->second].hosts.push_back(run.host);
    }
  }
  return out;
}

}  // namespace

Markup failures_section(const Account& account, Budget& budget) {
  Markup body;
  for (const events::PreflightProblem* problem : account.problems) {
    body << "<div class=\"failure\">\n<h3>Preflight";
    if (problem->host) body << Text(" of " + account.plan->hosts[*problem->host].name);
    body << "</h3>\n" << text_block(excerpt(problem->message), budget);
    if (!problem->help.empty()) body << "<p>help: " << Text(problem->help) << "</p>\n";
    body << "</div>\n";
  }
  for (std::size_t i = 0; i < account.steps.size(); ++i) {
    const auto failures = failures_of(account, account.steps[i]);
    if (failures.empty()) continue;
    body << "<div id=\"failed-" << Number(i + 1) << "\">\n";
    for (const Failure& f : failures) failure(body, account, account.steps[i], f, budget);
    body << "</div>\n";
  }
  if (account.held != nullptr) {
    body << "<p class=\"hold\"><strong>On hold:</strong> " << Text(account.held->message)
         << "</p>\n";
  }
  Markup out;
  if (body.empty()) return out;
  out << "<section id=\"failed\">\n<h2>What went wrong</h2>\n" << body << "</section>\n";
  return out;
}

Markup changes_section(const Account& account, Budget& budget) {
  Markup body;
  const plan::Plan& plan = *account.plan;
  for (const Step& step : account.steps) {
    for (const Change& change : changes_of(step)) {
      const events::ActionEnded& end = *change.action->end;
      body << "<div class=\"change\">\n<h3>" << Text(step_label(plan, step.node, step.part));
      body << Text(": " + action_name(plan, step.node, end.action, step.part) + " on " +
                   host_list(plan, change.hosts, 20))
           << "</h3>\n<p>";
      body << Text(words(end.outcome));
      if (!end.message.empty()) body << Text(": " + end.message.display(400));
      body << "</p>\n" << diff_block(excerpt(end.diff.raw()), budget) << "</div>\n";
    }
  }
  Markup out;
  if (body.empty()) return out;
  out << "<section id=\"changes\">\n<h2>Changes</h2>\n" << body << "</section>\n";
  return out;
}

}  // namespace cnplay::report
