#include "report/html.h"

#include <algorithm>

#include "base/base64.h"
#include "base/digest.h"
#include "plan/choice.h"
#include "report/format.h"
#include "report/html_parts.h"
#include "report/html_style.h"

namespace cnplay::report {
namespace {

constexpr std::size_t kIncidents = 400;  // more are counted, not listed
constexpr std::size_t kHosts = 2000;

// What a content security policy names the style by.
std::string style_hash() {
  const std::string hex = sha256_hex(kStyle);
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return "sha256-" + base64_encode(bytes);
}

std::string verdict_words(const Account& account) {
  if (account.state == State::going) return "still going";
  if (account.state == State::cut_off) return "cut off";
  return events::name(account.ended->verdict);
}

const char* verdict_tone(const Account& account) {
  if (account.state == State::going) return "info";
  if (account.state == State::cut_off) return "bad";
  return account.ended->verdict == events::Verdict::success ? "good" : "bad";
}

const std::string& title_of(const Account& account) {
  return account.started->title.empty() ? account.started->play : account.started->title;
}

void verdict(Markup& out, const Account& account) {
  const Duration time =
      account.ended != nullptr ? account.ended->took : took(account, account.began, account.until);
  out << "<p class=\"verdict " << Text(verdict_tone(account)) << "\"><strong>"
      << Text(verdict_words(account)) << "</strong> after " << Text(human_duration(time));
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
  if (account.state == State::going) {
    out << "<p>This is the run as it stood at " << Text(moment(account, account.about.written))
        << ". It is at work still";
    if (!account.about.controller.empty()) out << ", by " << Text(account.about.controller);
    out << ".</p>\n";
  } else if (account.state == State::cut_off) {
    out << "<p>The record ends at " << Text(moment(account, account.until))
        << ", before the run did, and no controller on this machine is at work on it. What was in "
           "flight may have continued on its hosts: <code>cnplay resume "
        << Text(account.started->run) << "</code> looks there, and continues.</p>\n";
  } else if (!account.ended->advice.empty()) {
    out << "<p class=\"advice\">" << Text(account.ended->advice) << "</p>\n";
  }
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
    out << "<p class=\"bad\">Nobody was told of it by " << Text(told->way) << ": "
        << Text(told->message) << "</p>\n";
  }
  if (account.other_plan) {
    out << "<p class=\"bad\">plan.json of this record is not the one that the run began with: it "
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
  item(out, "Inventory", run.inventory + ", " + count(run.hosts.size(), "host"));
  item(out, "Mode", is_dry(account) ? "dry run (--check)" : "");
  item(out, "Incident", run.incident.value_or(""));
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

void link(Markup& nav, const Markup& section, Literal id, Literal title) {
  if (!section.empty()) nav << "<a href=\"#" << id << "\">" << title << "</a>\n";
}

}  // namespace

Markup incidents_section(const Account& account, Budget& budget) {
  Markup out;
  if (account.incidents.empty()) return out;
  out << "<section id=\"incidents\">\n<h2>What happened besides</h2>\n<table "
         "class=\"cards\">\n<tbody>\n";
  std::size_t shown = 0;
  bool all = true;
  Options options;
  options.dry = is_dry(account);
  for (const events::Event* event : account.incidents) {
    const std::string said = event_lines(*account.plan, *event, options, 0);
    if (said.empty()) continue;
    all = shown < kIncidents && budget.take(said.size());
    if (!all) break;
    ++shown;
    out << "<tr><td class=\"n\">" << Text(format_clock(event->at, account.about.zone))
        << "</td><td class=\"said\">" << Text(said) << "</td></tr>\n";
  }
  out << "</tbody>\n</table>\n";
  if (!all) {
    out << "<p class=\"cut\">Only the first " << Number(shown)
        << " are listed; the record has all.</p>\n";
  }
  out << "</section>\n";
  return out;
}

Markup hosts_section(const Account& account) {
  Markup out;
  if (account.ended == nullptr || account.ended->hosts.empty()) return out;
  out << "<section id=\"hosts\">\n<h2>Hosts</h2>\n<table class=\"cards\">\n<thead><tr><th>Host</th>"
         "<th>As</th><th class=\"n\">ok</th><th class=\"n\">changed</th><th "
         "class=\"n\">skipped</th>"
         "<th class=\"n\">failed</th><th class=\"n\">unknown</th><th>Note</th></tr></thead>\n"
         "<tbody>\n";
  const auto& hosts = account.ended->hosts;
  const auto cell = [&](Literal label, Literal tone, std::uint32_t n) {
    out << "<td class=\"n " << (n == 0 ? Literal("dim") : tone) << "\" data-label=\"" << label
        << "\">" << Number(n) << "</td>";
  };
  for (std::size_t i = 0; i < std::min(hosts.size(), kHosts); ++i) {
    const events::HostSummary& host = hosts[i];
    const HostNote& note = account.hosts[host.host];
    out << "<tr><th scope=\"row\">" << Text(account.plan->hosts[host.host].name)
        << "</th><td data-label=\"As\">" << Text(note.remote_user) << "</td>";
    cell("ok", "good", host.ok);
    cell("changed", "change", host.changed);
    cell("skipped", "info", host.skipped);
    cell("failed", "bad", host.failed);
    cell("unknown", "bad", host.unknown);
    std::string said;
    const auto say = [&](const std::string& text) { said += (said.empty() ? "" : ", ") + text; };
    if (host.unreachable) say("unreachable");
    if (host.would_change != 0) say("would change: " + std::to_string(host.would_change));
    if (host.depends != 0) say("depends: " + std::to_string(host.depends));
    if (note.reconnects != 0) say(count(note.reconnects, "reconnect"));
    out << "<td data-label=\"\">" << Text(said) << "</td></tr>\n";
  }
  out << "</tbody>\n</table>\n";
  if (hosts.size() > kHosts) {
    out << "<p class=\"cut\">Only the first " << Number(kHosts) << " of " << Number(hosts.size())
        << " hosts are listed; `cnplay report --format jsonl` lists each.</p>\n";
  }
  out << "</section>\n";
  return out;
}

std::string html(const Account& account) {
  // What matters most takes its share of the budget first.
  Budget budget;
  const Markup failures = failures_section(account, budget);
  const Markup times = times_section(account);
  const Markup timeline = timeline_section(account);
  const Markup incidents = incidents_section(account, budget);
  const Markup changes = changes_section(account, budget);
  const Markup hosts = hosts_section(account);

  Markup out;
  out << "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '"
      << Text(style_hash()) << "'; base-uri 'none'; form-action 'none'\">\n"
      << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n<title>"
      << Text(account.started->play + " on " + account.started->inventory + ": " +
              verdict_words(account))
      << "</title>\n<style>" << kStyle << "</style>\n</head>\n<body>\n<header>\n<h1>"
      << Text(title_of(account)) << "</h1>\n";
  verdict(out, account);
  facts(out, account);
  out << "<nav>\n";
  link(out, failures, "failed", "What went wrong");
  link(out, times, "times", "Timings");
  link(out, timeline, "timeline", "Timeline");
  link(out, incidents, "incidents", "What happened besides");
  link(out, changes, "changes", "Changes");
  link(out, hosts, "hosts", "Hosts");
  out << "</nav>\n</header>\n<main>\n"
      << failures << times << timeline << incidents << changes << hosts
      << "</main>\n<footer>Written by cnplay " << CNPLAY_VERSION << " at "
      << Text(moment(account, account.about.written)) << ". Times are in "
      << Text(account.about.zone) << ".</footer>\n</body>\n</html>\n";
  return out.take();
}

}  // namespace cnplay::report
