#include "report/plain.h"

#include <algorithm>

#include "base/columns.h"
#include "base/lines.h"
#include "base/words.h"
#include "report/summary.h"

namespace cnplay::report {
namespace {

constexpr Duration kFirstWord{10'000};
// A line of output that does not end is shown in pieces of this size.
constexpr std::size_t kMaxLine = 4096;

}  // namespace

bool wants_timings(const plan::Plan& plan) {
  return std::any_of(plan.sections.begin(), plan.sections.end(),
                     [](const plan::Section& s) { return s.report_timings; });
}

std::size_t host_column(const plan::Plan& plan) {
  std::size_t width = 4;
  for (const plan::Host& host : plan.hosts) width = std::max(width, host.name.size());
  return std::min<std::size_t>(width, 24);
}

PlainSink::PlainSink(const plan::Plan& plan, Options options, Write write)
    : plan_(plan),
      options_(std::move(options)),
      write_(std::move(write)),
      host_width_(host_column(plan)),
      attempts_(plan),
      news_(plan),
      failed_(plan) {}

void PlainSink::line(Instant at, const std::string& text) {
  write_(paint(options_, Style::dim, format_clock(at, options_.zone)) + " " + text);
}

void PlainSink::on(const events::Event& event) {
  attempts_.on(event);
  news_.on(event);
  failed_.on(event);
  if (const auto* e = std::get_if<events::RunStarted>(&event.what)) {
    options_.run = e->run;
    options_.dry = e->mode == events::Mode::check;
    line(event.at,
         paint(options_, Style::bold, e->play) +
             (e->title.empty() ? "" : ": " + one_line(e->title)) + " on " + e->inventory + " (" +
             count_of(e->hosts.size(), "host") + ")" + special(plan_, *e) +
             (e->rollback ? ", the rollback " + *e->rollback + " of " + e->rollback_of.value_or("")
                          : "") +
             "  run " + e->run + "\n");
  } else if (const auto* started = std::get_if<events::ActionStarted>(&event.what)) {
    running_[started->task] = {*started, event.at, kFirstWord};
  } else if (const auto* out = std::get_if<events::Output>(&event.what)) {
    if (options_.verbosity > 0) output(event.at, *out);
  } else if (const auto* ended = std::get_if<events::ActionEnded>(&event.what)) {
    running_.erase(ended->task);
    flush_output(ended->task, event.at);
    line(event.at, action_line(plan_, *ended, options_, host_width_) + "\n" +
                       attempts_.fresh(*ended, action_detail(plan_, *ended, options_)));
  } else if (const auto* end = std::get_if<events::RunEnded>(&event.what)) {
    write_(summary(plan_, *end, options_, wants_timings(plan_), failed_));
  } else if (const std::string text = news_.lines(event, options_, host_width_); !text.empty()) {
    line(event.at, text);
  }
}

void PlainSink::recall(const events::Event& event) {
  if (std::holds_alternative<events::RunStarted>(event.what)) return on(event);
  attempts_.on(event);
  news_.recall(event);
  failed_.on(event);
}

void PlainSink::output(Instant at, const events::Output& e) {
  auto& [host, text] = partial_[{e.task, e.stream}];
  host = e.host;
  text += e.bytes.raw();
  for (std::size_t end = text.find('\n'); end != std::string::npos || text.size() > kMaxLine;
       end = text.find('\n')) {
    end = std::min({end, kMaxLine, text.size()});
    const std::string shown = Untrusted(text.substr(0, end)).display();
    line(at, indented(shown.empty() ? "\n" : shown,
                      pad_right(plan_.hosts[host].name, host_width_) + " | "));
    text.erase(0, end + (end < text.size() && text[end] == '\n' ? 1 : 0));
  }
}

void PlainSink::flush_output(std::uint64_t task, Instant at) {
  for (const auto stream : {events::Stream::out, events::Stream::err}) {
    const auto it = partial_.find({task, stream});
    if (it == partial_.end()) continue;
    auto [host, text] = std::move(it->second);
    partial_.erase(it);
    const std::string shown = Untrusted(std::move(text)).display();
    if (!shown.empty())
      line(at, indented(shown, pad_right(plan_.hosts[host].name, host_width_) + " | "));
  }
}

void PlainSink::tick(Instant now) {
  for (auto& [task, running] : running_) {
    const Duration age = now - running.since;
    if (age < running.next_word) continue;
    running.next_word *= 2;
    const auto& e = running.what;
    line(now, pad_right(plan_.hosts[e.host].name, host_width_) + "  " + part_prefix(e.part) +
                  step_name(plan_, e.node) + ": " + action_name(plan_, e.node, e.action, e.part) +
                  "  still running after " + human_duration(age) + "\n");
  }
}

}  // namespace cnplay::report
