#include "report/html.h"

#include <algorithm>

#include "base/base64.h"
#include "base/digest.h"
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

void link(Markup& nav, const Markup& section, Literal id, Literal title) {
  if (!section.empty()) nav << "<a href=\"#" << id << "\">" << title << "</a>\n";
}

}  // namespace

Markup incidents_section(const Account& account, Budget& budget) {
  Markup out;
  if (account.incidents.empty()) return out;
  out << "<section id=\"incidents\">\n<h2>Other events</h2>\n<table "
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
  if (shown == 0 && all) return {};
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
      << "</title>\n<style>" << kStyle << "</style>\n</head>\n<body>\n<header>\n"
      << header(account) << "<nav>\n";
  link(out, failures, "failed", "What went wrong");
  link(out, times, "times", "Timings");
  link(out, timeline, "timeline", "Timeline");
  link(out, incidents, "incidents", "Other events");
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
