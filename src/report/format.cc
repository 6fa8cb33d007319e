#include "report/format.h"

#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"
#include "events/about.h"
#include "events/shown.h"
#include "plan/choice.h"

namespace cnplay::report {
namespace {

using namespace events;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

const char* outcome_words(Outcome outcome) {
  switch (outcome) {
    case Outcome::would_change:
      return "would change";
    case Outcome::would_run:
      return "would run";
    default:
      return events::name(outcome);
  }
}

std::string with_help(const Options& options, std::string line, const std::string& help) {
  line += "\n";
  if (!help.empty()) line += paint(options, Style::cyan, "  help: ") + help + "\n";
  return line;
}

std::string node_title(const plan::Plan& plan, NodeId node) {
  const plan::Node& n = plan.node(node);
  return n.title.empty() ? step_name(plan, node) : one_line(n.title);
}

}  // namespace

std::string paint(const Options& options, Style style, std::string_view text) {
  if (!options.colour || style == Style::plain) return std::string(text);
  const char* code = "0";
  switch (style) {
    case Style::bold:
      code = "1";
      break;
    case Style::dim:
      code = "2";
      break;
    case Style::green:
      code = "32";
      break;
    case Style::yellow:
      code = "33";
      break;
    case Style::red:
      code = "1;31";
      break;
    case Style::cyan:
      code = "36";
      break;
    case Style::plain:
      break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

Style style_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
      return Style::green;
    case Outcome::changed:
    case Outcome::would_change:
    case Outcome::would_run:
      return Style::yellow;
    case Outcome::skipped:
    case Outcome::depends:
      return Style::cyan;
    default:
      return Style::red;
  }
}

std::string step_name(const plan::Plan& plan, NodeId node) {
  const std::string& path = plan.node(node).path;
  // A slash inside a loop key's brackets is no separator.
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '[') ++depth;
    if (path[i] == ']') --depth;
    if (path[i] == '/' && depth == 0) begin = i + 1;
  }
  return one_line(path.substr(begin));
}

const plan::Action& action_of(const plan::Plan& plan, NodeId node, std::uint32_t action,
                              Part part) {
  const plan::Node& n = plan.node(node);
  return actions_of(n, part).at(action);
}

std::string action_name(const plan::Plan& plan, NodeId node, std::uint32_t action, Part part) {
  const plan::Action& a = action_of(plan, node, action, part);
  return a.name.empty() || a.module != "sh" ? a.module : a.module + " " + a.name;
}

std::string part_prefix(Part part) {
  switch (part) {
    case Part::forward:
      return "";
    case Part::handler:
      return "handler ";
    case Part::undo:
      return "undo ";
    case Part::on_failure:
      return "on_failure ";
    case Part::always:
      return "always ";
    case Part::rollback:
      return "rollback ";
  }
  return "";
}

std::string host_list(const plan::Plan& plan, const std::vector<HostIndex>& hosts,
                      std::size_t at_most) {
  std::string out;
  const std::size_t shown = hosts.size() > at_most + 1 ? at_most : hosts.size();
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + plan.hosts[hosts[i]].name;
  if (shown < hosts.size()) out += " and " + std::to_string(hosts.size() - shown) + " more";
  return out;
}

std::string indented(std::string_view text, std::string_view prefix) {
  std::string out;
  for (const std::string_view line : lines_of(text)) {
    out += std::string(prefix) + std::string(line) + "\n";
  }
  return out;
}

namespace {
constexpr std::size_t kLineMessage = 400;  // characters of a message in an action's one line
}  // namespace

std::string action_line(const plan::Plan& plan, const ActionEnded& e, const Options& options,
                        std::size_t host_width) {
  std::string line = pad_right(plan.hosts[e.host].name, host_width) + "  " + part_prefix(e.part) +
                     step_name(plan, e.node) + ": " + action_name(plan, e.node, e.action, e.part) +
                     "  " + paint(options, style_of(e.outcome), outcome_words(e.outcome));
  std::string message = e.message.display(kLineMessage);
  if (const auto newline = message.find('\n'); newline != std::string::npos)
    message.resize(newline);
  std::string said = message.empty() ? one_line(e.reason) : message;
  // Of an `ok`: what may still change it.
  if (e.outcome == Outcome::ok && !message.empty() && !e.reason.empty()) {
    said += ", " + one_line(e.reason);
  }
  if (!said.empty()) line += "  " + said;
  if (e.took.count() >= 100) {
    line += paint(options, Style::dim, "  (" + human_duration(e.took) + ")");
  }
  return line;
}

namespace {

// The end of an output, which says why: the rest is in the record.
std::string last_lines(std::string_view text, const Options& options) {
  constexpr std::size_t kLines = 20;
  if (!options.folds) return std::string(text);
  const std::size_t begin = begin_of_last_lines(text, kLines);
  if (begin == 0) return std::string(text);
  const auto above =
      std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
  return "... " + count_of(static_cast<std::size_t>(above), "line") + " above: cnplay show " +
         options.run + "\n" + std::string(text.substr(begin));
}

}  // namespace

std::string action_detail(const plan::Plan& plan, const ActionEnded& e, const Options& options) {
  std::string out;
  if (options.diff && !e.diff.empty()) {
    for (const std::string_view raw : lines_of(e.diff.raw())) {
      const std::string line = Untrusted(std::string(raw)).display();
      const Style style = line.starts_with('+')   ? Style::green
                          : line.starts_with('-') ? Style::red
                                                  : Style::plain;
      out += "    " + paint(options, style, continued(line)) + "\n";
    }
  }
  const bool bad = e.outcome == Outcome::failed || e.outcome == Outcome::unknown ||
                   e.outcome == Outcome::unreachable || e.outcome == Outcome::aborted;
  if (!bad) return out;
  if (!e.reason.empty() && !e.message.empty()) out += "    " + one_line(e.reason) + "\n";
  // What the line above has no room for: all lines but the first, or the whole of an overlong one.
  const std::string message = e.message.display();
  const std::size_t first = std::min(message.find('\n'), message.size());
  if (first > kLineMessage) {
    out += indented(message, "    ");
  } else if (first < message.size()) {
    out += indented(std::string_view(message).substr(first + 1), "    ");
  }
  const std::string tail = e.tail.display();
  if (!tail.empty()) {
    out += paint(options, Style::dim, "    last output:") + "\n" +
           indented(last_lines(tail, options), "    | ");
  }
  out += paint(options, Style::dim, "    at " + action_of(plan, e.node, e.action, e.part).where) +
         "\n";
  return out;
}

namespace {

std::string asked_lines(const plan::Plan& plan, const HumanStarted& e, const Options& options) {
  if (!plan.node(e.node).human) return "";  // the record of another plan
  const plan::Human& human = *plan.node(e.node).human;
  const char* verb = human.kind == plan::HumanKind::manual    ? "to do"
                     : human.kind == plan::HumanKind::approve ? "to approve"
                                                              : "asked";
  const std::string title = node_title(plan, e.node);
  std::string out = paint(options, Style::yellow, verb) + "  " + step_name(plan, e.node);
  if (title != step_name(plan, e.node)) out += ": " + paint(options, Style::bold, title);
  out += "\n";
  for (const std::string& item : e.items) out += "  [ ] " + Untrusted(item).display() + "\n";
  for (std::size_t i = 0; i < human.questions.size() && i < e.questions.size(); ++i) {
    if (e.questions[i].empty()) continue;
    out += "  " + human.questions[i].name + ": " + Untrusted(e.questions[i]).display() + "\n";
  }
  if (!human.by.empty() || human.count > 1) {
    std::string by;
    for (const std::string& who : human.by) by += (by.empty() ? "" : ", ") + who;
    out += "  by " + (by.empty() ? "anybody" : by);
    if (human.count > 1) out += ": " + std::to_string(human.count) + " different people";
    out += "\n";
  }
  if (e.until) {
    const bool* yes = human.fallback.as<bool>();
    const std::string then = human.fallback.is_none() ? "the step has failed"
                             : human.kind == plan::HumanKind::approve
                                 ? (*yes ? "it counts as approved" : "it counts as refused")
                                 : "the answer is " + plan::text_of(human.fallback).value_or("");
    out += "  until " + format_time(*e.until) + "; then " + then + "\n";
  }
  return out;
}

std::string answer_lines(const plan::Plan& plan, const HumanAnswered& e, const Options& options) {
  if (!plan.node(e.node).human) return "";  // the record of another plan
  const plan::Human& human = *plan.node(e.node).human;
  const bool approval = human.kind == plan::HumanKind::approve;
  const bool question = human.kind == plan::HumanKind::ask;
  std::string out = step_name(plan, e.node) + "  ";
  if (e.yes) {
    const char* said = approval ? "approved" : question ? "answered" : "done";
    out += paint(options, Style::green, said);
  } else {
    out += paint(options, Style::red, approval ? "refused" : "cannot be done");
  }
  out += " by " + one_line(e.user, 80) + " on " + one_line(e.controller, 80);
  if (e.by.starts_with('@')) out += " for " + e.by;
  if (!e.remark.empty()) out += ": " + one_line(e.remark.raw(), kLineMessage);
  out += "\n";
  for (const auto& [name, value] : e.values) {
    out += "  " + one_line(name, 80) + ": " + one_line(value.raw(), kLineMessage) + "\n";
  }
  return out;
}

std::string human_end_line(const plan::Plan& plan, const HumanEnded& e, const Options& options) {
  if (!plan.node(e.node).human) return "";  // the record of another plan
  const plan::Human& human = *plan.node(e.node).human;
  if (e.how == HumanEnd::timed_out) {
    return step_name(plan, e.node) + "  " + paint(options, Style::red, "nobody answered in time") +
           "\n";
  }
  if (e.how == HumanEnd::skipped) {
    return step_name(plan, e.node) + "  " + paint(options, Style::cyan, "skipped") +
           (plan.node(e.node).left_out.empty() ? "  its `when` does not hold"
                                               : "  " + plan.node(e.node).left_out) +
           "\n";
  }
  if (e.how != HumanEnd::fell_back) return "";
  const bool* yes = human.fallback.as<bool>();
  const std::string taken = human.kind == plan::HumanKind::approve
                                ? (yes != nullptr && *yes ? "approve" : "refuse")
                                : plan::text_of(human.fallback).value_or("");
  return step_name(plan, e.node) + "  " +
         paint(options, Style::yellow, "nobody answered in time: its default is taken, " + taken) +
         "\n";
}

}  // namespace

std::string special(const plan::Plan& plan, const RunStarted& e) {
  std::string out;
  if (e.mode == Mode::check) out += ", dry run: nothing is changed";
  if (e.incident) out += ", incident " + one_line(*e.incident, kLineMessage);
  if (const std::string part = plan::chosen_part(plan); !part.empty()) {
    out += ", a part of it: " + one_line(part, kLineMessage);
  }
  if (e.reviewed) out += ", by the reviewed plan of " + one_line(*e.reviewed, kLineMessage);
  if (e.stepwise.value_or(false)) out += ", step by step";
  if (e.inside) out += ", inside the run " + one_line(*e.inside, kLineMessage);
  return out;
}

std::string event_lines(const plan::Plan& plan, const Event& event, const Options& options,
                        std::size_t host_width) {
  const auto host = [&](HostIndex h) { return pad_right(plan.hosts[h].name, host_width); };
  const auto bad = [&](std::string_view text) { return paint(options, Style::red, text); };
  return std::visit(
      Overloaded{
          [&](const HostUnreachable& e) {
            return with_help(options, host(e.host) + "  " + bad("unreachable") + "  " + e.message,
                             e.help);
          },
          [&](const RunResumed& e) {
            std::string text = "resumed by " + e.user + " on " + e.controller;
            if (e.from) text += ", from " + step_name(plan, *e.from) + " on again";
            if (e.changed) {
              text += ", with the recorded plan though the play has changed:\n";
              for (const auto& change : *e.changed) text += "  " + change + "\n";
              return text;
            }
            return text + "\n";
          },
          [&](const PlanTaken& e) {
            std::string text = "resumed by " + e.user + " on " + e.controller;
            text += e.changes.empty() ? ": the failed steps are repeated\n"
                                      : ", with the changed play from here on:\n";
            for (const auto& change : e.changes) text += "  " + change + "\n";
            return text;
          },
          [&](const HostReconnecting& e) {
            return host(e.host) + "  " + paint(options, Style::yellow, "connection broken") + "  " +
                   e.message + "; reconnecting, what runs there continues\n";
          },
          [&](const HostReconnected& e) { return host(e.host) + "  reconnected\n"; },
          [&](const HostLost& e) {
            return host(e.host) + "  " + bad("connection lost") + "  " + e.message + "\n";
          },
          [&](const PreflightProblem& e) {
            return with_help(options,
                             (e.host ? host(*e.host) + "  " : std::string()) + bad("preflight") +
                                 "  " + e.message,
                             e.help);
          },
          [&](const PreflightEnded& e) {
            if (!e.ok) return bad("preflight failed: nothing was started") + "\n";
            const std::string hosts = count_of(plan.hosts.size(), "host");
            return (e.left_out ? "preflight: " + std::to_string(*e.left_out) + " of " + hosts +
                                     " failed, the run continues without ("
                               : "preflight of " + hosts + " is good (") +
                   human_duration(e.took) + ")\n";
          },
          [&](const PhaseStarted& e) {
            const plan::Phase& phase = plan.phases[e.phase];
            std::string line = "-- " + one_line(phase.title);
            if (options.dry) {
              if (phase.outage) line += ", where a run would take an outage";
              return paint(options, Style::bold, line) + "\n";
            }
            if (phase.outage) line += ", the outage begins";
            if (phase.expect) line += ", expected " + human_duration(*phase.expect);
            if (phase.budget) line += ", at most " + human_duration(*phase.budget);
            return paint(options, Style::bold, line) + "\n";
          },
          [&](const PhaseEnded& e) {
            const plan::Phase& phase = plan.phases[e.phase];
            const char* ended = options.dry ? " was checked in " : " ended after ";
            return paint(options, Style::bold,
                         "-- " + one_line(phase.title) + (e.complete ? ended : " stopped after ") +
                             human_duration(e.took)) +
                   "\n";
          },
          [&](const RanAhead& e) {
            return host(e.host) + "  " + step_name(plan, e.node) + "  " +
                   paint(options, Style::yellow, name(e.outcome)) +
                   "  had begun already when the run stopped" +
                   (e.reason.empty() ? "" : ": " + e.reason) + "\n";
          },
          [&](const RetryScheduled& e) {
            return host(e.host) + "  " + step_name(plan, e.node) + ": attempt " +
                   std::to_string(e.attempt) + " of " + std::to_string(e.of) + " in " +
                   human_duration(e.in) + "\n";
          },
          [&](const StepEnded& e) -> std::string {
            // What came of its actions was said; here only what no action said.
            const bool skipped = e.outcome == Outcome::skipped;
            if (skipped && e.reason.starts_with(kPhaseIsSkipped)) return "";
            if ((skipped || e.outcome == Outcome::depends) && !e.reason.empty()) {
              return host(e.host) + "  " + part_prefix(e.part) + step_name(plan, e.node) + "  " +
                     paint(options, Style::cyan, name(e.outcome)) + "  " + e.reason + "\n";
            }
            return "";
          },
          [&](const WaitStarted& e) { return "waiting until " + format_time(e.until) + "\n"; },
          [&](const WaitEnded& e) -> std::string {
            return e.late ? std::string("it is later than that already") + "\n" : "";
          },
          [&](const AssertionChecked& e) -> std::string {
            if (e.how == AssertionEnd::holds) return "";
            if (e.how == AssertionEnd::fails)
              return bad("assertion failed") + ": " + e.message + "\n";
            return paint(options, Style::cyan, "depends") +
                   "  whether it holds depends on a change that was not made: " + e.message + "\n";
          },
          [&](const HumanStarted& e) { return asked_lines(plan, e, options); },
          [&](const HumanAnswered& e) { return answer_lines(plan, e, options); },
          [&](const HumanEnded& e) { return human_end_line(plan, e, options); },
          [&](const StepChosen& e) -> std::string {
            if (e.choice == Choice::run) return "";
            return step_name(plan, e.node) + "  " + paint(options, Style::cyan, "chosen") + "  " +
                   (e.choice == Choice::skip ? "not wanted by " + e.user
                                             : e.user + " lets all continue from here") +
                   "\n";
          },
          [&](const RunParked& e) {
            return paint(options, Style::yellow, "parked") +
                   (e.node ? " at " + node_title(plan, *e.node) : "") + ": " + e.reason + "\n" +
                   indented(e.advice, "  ");
          },
          [&](const Pivoted& e) {
            return paint(options, Style::bold,
                         std::string(options.dry ? "== here a run passes its" : "==") +
                             " point of no return" + (e.title.empty() ? "" : ": " + e.title) +
                             " ==") +
                   "\n";
          },
          [&](const FailureDeclared& e) {
            std::string line = bad("failed") + " in " + node_title(plan, e.node);
            if (!e.hosts.empty()) line += " on " + host_list(plan, e.hosts);
            return line + (e.after_pivot ? ", after the point of no return" : "") +
                   ": nothing more is started\n";
          },
          [&](const UndoStarted& e) {
            if (e.nodes.empty()) return std::string("no undo is registered\n");
            std::string line = "undoing " + count_of(e.nodes.size(), "step") + ":";
            for (const NodeId node : e.nodes) line += " " + step_name(plan, node);
            return paint(options, Style::bold, line) + "\n";
          },
          [&](const UndoEnded& e) {
            return e.complete ? std::string("no change of this run remains\n")
                              : bad("not everything was undone") + ": see the end\n";
          },
          [&](const Held& e) { return paint(options, Style::yellow, "held: ") + e.message + "\n"; },
          [&](const RollbackOffered& e) { return "rollback offered: " + e.name + "\n"; },
          [&](const DeadlinePassed& e) {
            return bad("too late") + ": " + (e.phase.empty() ? "the play" : e.phase) +
                   " was to have ended at " + format_time(e.until) +
                   ": nothing more is started; the rollback is " + e.rollback + "\n";
          },
          [&](const WindowClosed& e) {
            std::string line = bad("the window is over") + " since " + format_time(e.until);
            if (e.clock_set) {
              line += " (the clock was set " +
                      std::string(e.clock_set->count() < 0 ? "back" : "on") + " by " +
                      human_duration(std::chrono::abs(*e.clock_set)) + " meanwhile)";
            }
            return line +
                   (e.past_pivot ? ", and the run is past its point of no return: " +
                                       bad("THE RUN CONTINUES, for it cannot be undone")
                                 : std::string(": tasks in flight end, and no step begins before "
                                               "somebody has decided")) +
                   "\n";
          },
          [&](const WindowAnswered& e) {
            return e.user + " on " + e.controller +
                   (e.choice == AtWindow::go_on ? " lets the run continue after its window\n"
                                                : " has the run undone\n");
          },
          [&](const NotificationFailed& e) {
            return with_help(
                options,
                bad("notification failed") + " by " + e.way + " (" + e.where + "): " + e.message,
                e.help);
          },
          [&](const RollbackStarted& e) {
            const plan::Rollback* way = plan::find_rollback(plan, e.name);
            const bool titled = way != nullptr && way->title != e.name;
            return paint(options, Style::bold,
                         "<< rollback " + e.name + (titled ? ": " + one_line(way->title) : "") +
                             " <<") +
                   "\n";
          },
          [&](const RollbackEnded& e) {
            return e.complete
                       ? "the rollback " + e.name + " is complete\n"
                       : bad("the rollback " + e.name + " is not complete") + ": see above\n";
          },
          [&](const AbortRequested& e) {
            return e.times == 1 ? std::string(
                                      "stopping: tasks in flight end, nothing more is "
                                      "started (Ctrl-C again: stop at once)\n")
                                : std::string("stopping at once: killing the tasks in flight\n");
          },
          [&](const Notice& e) { return e.text + "\n"; },
          [](const auto&) { return std::string(); },
      },
      events::shown(event).what);
}

}  // namespace cnplay::report
