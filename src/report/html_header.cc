#include <string_view>

#include "base/lines.h"
#include "plan/choice.h"
#include "plan/host_text.h"
#include "report/format.h"
#include "report/html_parts.h"

namespace cnplay::report {
namespace {

const char* verdict_tone(const Account& account) {
  switch (account.state) {
    case State::running:
    case State::parked:
      return "info";
    case State::interrupted:
      return "bad";
    case State::ended:
      break;
  }
  return account.ended->verdict == events::Verdict::success ? "good" : "bad";
}

void result(Markup& out, const Account& account) {
  const Duration time =
      account.ended != nullptr ? account.ended->took : took(account, account.began, account.until);
  out << "<p class=\"result\"><strong>" << Text(verdict_words(account)) << "</strong> after "
      << Text(human_duration(time));
  if (is_dry(account)) out << ", a dry run: nothing was changed";
  if (account.started->only_preflight.value_or(false)) out << ", a preflight alone";
  if (account.started->rollback) {
    out << ", the rollback <code>" << Text(*account.started->rollback) << "</code> of <code>"
        << Text(account.started->rollback_of.value_or("")) << "</code>";
  }
  if (account.started->inside) {
    out << ", inside the run <code>" << Text(*account.started->inside) << "</code>";
  }
  out << "</p>\n";
}

void outage(Markup& out, const Account& account) {
  if (!account.outage) return;
  const Outage& outage = *account.outage;
  out << "<p class=\"figure\">Outage: <strong>" << Text(human_duration(outage.total))
      << "</strong>";
  if (outage.expect) out << Text(", expected " + human_duration(*outage.expect));
  if (outage.excluding_testing != outage.total) {
    out << Text("; excluding testing " + human_duration(outage.excluding_testing));
  }
  out << ".";
  if (outage.open) {
    out << " <span class=\"bad\">"
        << (account.state == State::running || account.state == State::parked
                ? Literal("It continues: the site is down.")
                : Literal("It continues: the site was still down when the record ended."))
        << "</span>";
  }
  out << "</p>\n";
}

// What a run that ended advises: first what remains on hosts, below it what was undone and what to
// do next.
struct Advice {
  Markup remains;
  std::string rest;
};

Advice advice_of(const Account& account) {
  Advice advice;
  if (account.ended == nullptr) return advice;
  for (const std::string_view line : lines_of(account.ended->advice)) {
    if (events::names_what_remains(line)) {
      advice.remains << "<p class=\"remains\">" << Text(line) << "</p>\n";
    } else {
      (advice.rest += advice.rest.empty() ? "" : "\n") += line;
    }
  }
  return advice;
}

// The first band: the verdict, the outage, what was not undone. Below it what a person does next.
void band(Markup& out, const Account& account) {
  const Advice advice = advice_of(account);
  out << "<div class=\"verdict " << Text(verdict_tone(account)) << "\">\n";
  result(out, account);
  outage(out, account);
  out << advice.remains << "</div>\n";
  switch (account.state) {
    case State::running:
      out << "<p>This is the run as it stood at " << Text(moment(account, account.about.written))
          << ". It is still running";
      if (!account.about.controller.empty()) out << ", by " << Text(account.about.controller);
      out << ".</p>\n";
      break;
    case State::parked:
      out << "<p class=\"advice\">";
      if (account.parked->node) {
        out << Text(step_label(*account.plan, *account.parked->node, events::Part::forward))
            << ": ";
      }
      out << Text(account.parked->reason + "\n" + account.parked->advice) << "</p>\n";
      break;
    case State::interrupted:
      out << "<p>The record ends at " << Text(moment(account, account.until))
          << ", before the run did, and no controller on this machine is at work on it. Tasks in "
             "flight may have continued on their hosts. To look there and continue: <code>cnplay "
             "resume "
          << Text(account.started->run) << "</code></p>\n";
      break;
    case State::ended:
      if (!advice.rest.empty()) out << "<p class=\"advice\">" << Text(advice.rest) << "</p>\n";
      break;
  }
}

void warnings(Markup& out, const Account& account) {
  for (const auto& [when, closed] : account.closed_windows) {
    out << "<p class=\"bad\">The window closed at " << Text(format_time(closed->until))
        << ", before the run had ended";
    if (closed->past_pivot)
      out << " and past its point of no return: it continued without a rollback";
    for (const auto& [then, said] : account.window_answers) {
      if (said->choice == events::AtWindow::go_on) {
        out << ": " << Text(said->user) << " let it continue";
      } else {
        out << ": " << Text(said->user) << " had it undone";
      }
    }
    out << ".</p>\n";
  }
  for (const auto& [when, told] : account.not_told) {
    out << "<p class=\"bad\">The notification by " << Text(told->way) << " (" << Text(told->where)
        << ") failed at " << Text(format_clock(when, account.about.zone)) << ": "
        << Text(told->message) << "</p>\n";
  }
  if (account.other_plan) {
    out << "<p class=\"bad\">plan.json of this record is not the plan that the run began with: it "
           "was changed, or written by another version of cnplay. What was expected, and what was "
           "not begun, may be wrong below.</p>\n";
  }
}

void item(Markup& out, Literal term, std::string_view text) {
  if (!text.empty()) out << "<dt>" << term << "</dt><dd>" << Text(text) << "</dd>\n";
}

std::string who(const std::string& user, const std::string& machine) {
  return user + " on " + machine;
}

void facts(Markup& out, const Account& account) {
  const events::RunStarted& run = *account.started;
  const plan::Plan& plan = *account.plan;
  out << "<dl>\n";
  item(out, "Run", run.run);
  item(out, "Play", run.play + (plan.file.empty() ? "" : " (" + plan.file + ")"));
  item(out, "Inventory",
       plan::inventory_text(run.inventory, run.hosts.size(),
                            !run.hosts.empty() && run.hosts.back() == plan::kLocal));
  item(out, "Mode", is_dry(account) ? "dry run (--check)" : "");
  item(out, "Incident", run.incident.value_or(""));
  item(out, "Reviewed plan", run.reviewed.value_or(""));
  item(out, "Part", plan::chosen_part(plan));
  item(out, "Begun", moment(account, account.began) + " by " + who(run.user, run.controller));
  for (const auto& [at, resume] : account.resumes) {
    std::string text = moment(account, at) + " by " + who(resume->user, resume->controller);
    if (resume->from) text += ", from " + step_name(plan, *resume->from) + " on again";
    if (resume->changed) text += ", with the recorded plan though the play had changed";
    item(out, "Resumed", text);
  }
  for (const auto& [at, taken] : account.taken) {
    std::string text = moment(account, at) + " by " + who(taken->user, taken->controller);
    text += taken->changes.empty() ? ", with the same plan" : ", with the changed play";
    for (const std::string& change : taken->changes) text += "; " + change;
    item(out, "Resumed", text);
  }
  if (account.ended != nullptr) item(out, "Ended", moment(account, account.until));
  item(out, "Owner", plan.owner);
  std::string params;
  for (const auto& [name, value] : plan.params) {
    params += (params.empty() ? "" : ", ") + name + " = " + plan::describe(value, plan);
  }
  item(out, "Parameters", params);
  std::string locks;
  for (const std::string& lock : plan.locks) locks += (locks.empty() ? "" : ", ") + lock;
  item(out, "Locks", locks);
  if (run.forks) item(out, "Hosts at once", std::to_string(*run.forks));
  item(out, "Program", run.program_hash.substr(0, 16));
  item(out, "Plan", run.plan_hash.substr(0, 16));
  out << "</dl>\n";
}

}  // namespace

std::string verdict_words(const Account& account) {
  switch (account.state) {
    case State::running:
      return "still running";
    case State::parked:
    case State::interrupted:
      return name(account.state);
    case State::ended:
      break;
  }
  return events::name(account.ended->verdict);
}

Markup header(const Account& account) {
  Markup out;
  const std::string& title = account.started->title;
  out << "<h1>" << Text(title.empty() ? account.started->play : title) << "</h1>\n";
  band(out, account);
  warnings(out, account);
  facts(out, account);
  return out;
}

}  // namespace cnplay::report
