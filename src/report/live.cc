#include "report/live.h"

#include <algorithm>
#include <utility>

#include "base/columns.h"
#include "base/lines.h"
#include "base/terminal_text.h"
#include "base/words.h"
#include "report/plain.h"
#include "report/summary.h"

namespace cnplay::report {
namespace {

using namespace events;

constexpr std::size_t kLongestLine = 4096;  // of output that does not end

// Short and steady, so that a column of them does not jump: `8 s`, `2:05`, `1:02:05`.
std::string stopwatch(Duration d) {
  const auto seconds = std::max<std::int64_t>(0, d.count() / 1000);
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + ":" + two(seconds % 60);
  return std::to_string(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60);
}

// `text` ends with a newline, and may hold several lines: the first gets the time.
std::string with_time(const Options& options, Instant at, const std::string& text) {
  return paint(options, Style::dim, format_clock(at, options.zone)) + " " + text;
}

}  // namespace

LiveSink::LiveSink(const plan::Plan& plan, Options options, Terminal& terminal)
    : plan_(plan),
      options_(std::move(options)),
      terminal_(terminal),
      host_width_(host_column(plan)),
      attempts_(plan),
      news_(plan),
      failed_(plan) {
  options_.folds = true;
}

LiveSink::~LiveSink() {
  const std::string bytes = erased();
  if (!bytes.empty()) terminal_.write(bytes);
}

void LiveSink::on(const Event& event) {
  news_.on(event);
  failed_.on(event);
  std::string lines = finished(event);
  attempts_.on(event);
  follow(event);
  if (ended_) {
    if (!lines.empty()) terminal_.write(erased() + lines);
    return;
  }
  // What is only begun is shown by the next tick: many hosts begin at once.
  if (!lines.empty()) redraw(event.at, lines);
}

void LiveSink::recall(const Event& event) {
  if (std::holds_alternative<RunStarted>(event.what)) return on(event);
  news_.recall(event);
  failed_.on(event);
  attempts_.on(event);
  follow(event);
}

// Shown by the next tick: hosts by the hundred say so twice a second.
void LiveSink::progress(const Progress& progress, Instant now) {
  const auto running = running_.find(progress.task);
  if (running != running_.end()) running->second.copying.moved(progress.done, progress.size, now);
}

void LiveSink::tick(Instant now) {
  if (!ended_) redraw(now, "");
}

void LiveSink::follow(const Event& event) {
  const auto& what = event.what;
  if (const auto* begun = std::get_if<RunStarted>(&what)) {
    if (begun->mode != Mode::check) past_ = begun->past;
  } else if (const auto* e = std::get_if<ActionStarted>(&what)) {
    running_[e->task] = {*e, event.at, "", {}};
  } else if (const auto* ended = std::get_if<ActionEnded>(&what)) {
    running_.erase(ended->task);
  } else if (const auto* connecting = std::get_if<HostConnecting>(&what)) {
    connecting_[connecting->host] = event.at;
  } else if (const auto* connected = std::get_if<HostConnected>(&what)) {
    connecting_.erase(connected->host);
  } else if (const auto* unreachable = std::get_if<HostUnreachable>(&what)) {
    connecting_.erase(unreachable->host);
  } else if (const auto* phase = std::get_if<PhaseStarted>(&what)) {
    phases_.push_back({phase->phase, event.at});
    if (!options_.dry && plan_.phases[phase->phase].outage && !outage_since_)
      outage_since_ = event.at;
  } else if (const auto* phase_end = std::get_if<PhaseEnded>(&what)) {
    std::erase_if(phases_, [&](const OpenPhase& p) { return p.phase == phase_end->phase; });
    const bool outage = std::any_of(phases_.begin(), phases_.end(), [&](const OpenPhase& p) {
      return plan_.phases[p.phase].outage;
    });
    // An outage that was broken off goes on: only a phase that came to its end ends it.
    if (!outage && phase_end->complete) outage_since_.reset();
  } else if (const auto* wait = std::get_if<WaitStarted>(&what)) {
    waiting_ = *wait;
  } else if (std::holds_alternative<WaitEnded>(what)) {
    waiting_.reset();
  } else if (std::holds_alternative<HumanStarted>(what)) {
    asking_ = true;
  } else if (std::holds_alternative<HumanEnded>(what)) {
    asking_ = false;
  } else if (const auto* closed = std::get_if<WindowClosed>(&what)) {
    asking_ = !closed->past_pivot;
  } else if (std::holds_alternative<WindowAnswered>(what)) {
    asking_ = false;
  } else if (std::holds_alternative<RunParked>(what)) {
    parked_ = true;
  } else if (std::holds_alternative<PlanTaken>(what)) {
    ended_ = asking_ = false;
    doing_.clear();
  } else if (std::holds_alternative<RunResumed>(what)) {
    // It may stand at a human step still: first the hosts are connected to, and that is shown.
    parked_ = false;
    asking_later_ = std::exchange(asking_, false);
  } else if (std::holds_alternative<PreflightEnded>(what)) {
    asking_ = std::exchange(asking_later_, false);
  } else if (std::holds_alternative<FailureDeclared>(what) ||
             std::holds_alternative<DeadlinePassed>(what)) {
    asking_ = false;
    waiting_.reset();
  } else if (std::holds_alternative<RollbackStarted>(what)) {
    doing_ = "going back";
    waiting_.reset();
  } else if (std::holds_alternative<RollbackEnded>(what)) {
    doing_.clear();
  } else if (const auto* undo = std::get_if<UndoStarted>(&what)) {
    doing_ = undo->nodes.empty() ? "" : "undoing";
    waiting_.reset();
  } else if (std::holds_alternative<UndoEnded>(what)) {
    doing_.clear();
  } else if (const auto* abort = std::get_if<AbortRequested>(&what)) {
    asking_ = false;
    doing_ = abort->times == 1 ? "stopping: waiting for the tasks in flight"
                               : "stopping at once: killing the tasks in flight";
    waiting_.reset();
  } else if (std::holds_alternative<RunEnded>(what)) {
    ended_ = true;
  }
}

std::string LiveSink::finished(const Event& event) {
  if (const auto* e = std::get_if<RunStarted>(&event.what)) {
    options_.run = e->run;
    options_.dry = e->mode == Mode::check;
    return with_time(options_, event.at,
                     paint(options_, Style::bold, e->play) +
                         (e->title.empty() ? "" : ": " + one_line(e->title)) + " on " +
                         e->inventory + " (" + count_of(e->hosts.size(), "host") + ")" +
                         special(plan_, *e) + "  run " + e->run + "\n");
  }
  if (const auto* output = std::get_if<Output>(&event.what)) return take_output(*output);
  if (const auto* ended = std::get_if<ActionEnded>(&event.what)) {
    return rest_of_output(ended->task) +
           with_time(options_, event.at,
                     action_line(plan_, *ended, options_, host_width_) + "\n" +
                         attempts_.fresh(*ended, action_detail(plan_, *ended, options_)));
  }
  if (const auto* end = std::get_if<RunEnded>(&event.what)) {
    return summary(plan_, *end, options_, wants_timings(plan_), failed_,
                   {terminal_.width(), terminal_.height()});
  }
  const std::string text = news_.lines(event, options_, host_width_);
  return text.empty() ? text : with_time(options_, event.at, text);
}

std::string LiveSink::output_line(HostIndex host, const std::string& text) const {
  return indented(
      text.empty() ? "\n" : text,
      paint(options_, Style::dim, pad_right(plan_.hosts[host].name, host_width_) + " | "));
}

// Whole lines of the new output, and the last of them kept to be shown beside its task.
std::string LiveSink::take_output(const Output& output) {
  auto& [host, text] = partial_[{output.task, output.stream}];
  host = output.host;
  text += output.bytes.raw();
  std::string lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    // A carriage return redraws a progress bar: what stands before it is over, too.
    std::size_t end = text.find_first_of("\n\r", begin);
    if (end == std::string::npos) {
      if (text.size() - begin <= kLongestLine) break;
      end = begin + kLongestLine;
    }
    const std::string shown = Untrusted(text.substr(begin, end - begin)).display();
    const auto running = running_.find(output.task);
    if (running != running_.end() && !shown.empty()) running->second.output = one_line(shown);
    const bool newline = end < text.size() && text[end] == '\n';
    if (options_.verbosity > 0 && (newline || !shown.empty())) lines += output_line(host, shown);
    begin = end;
    while (begin < text.size() && text[begin] == '\r') ++begin;
    if (begin < text.size() && text[begin] == '\n') ++begin;
  }
  text.erase(0, begin);
  return lines;
}

std::string LiveSink::rest_of_output(std::uint64_t task) {
  std::string lines;
  for (const auto stream : {Stream::out, Stream::err}) {
    const auto found = partial_.find({task, stream});
    if (found == partial_.end()) continue;
    auto [host, text] = std::move(found->second);
    partial_.erase(found);
    const std::string shown = Untrusted(std::move(text)).display();
    if (options_.verbosity > 0 && !shown.empty()) lines += output_line(host, shown);
  }
  return lines;
}

std::string LiveSink::phase_line(const OpenPhase& open, Instant now) const {
  const plan::Phase& phase = plan_.phases[open.phase];
  const Duration age = now - open.since;
  // The outage's own phase: one clock is enough.
  const bool own_outage = phase.outage && outage_since_ == open.since;
  std::string line = paint(options_, Style::bold, one_line(phase.title)) + "  " +
                     (own_outage ? paint(options_, Style::red, "OUTAGE ") : "") + stopwatch(age);
  if (options_.dry) return line;
  if (phase.expect) {
    const bool over = age > *phase.expect;
    line += paint(options_, over ? Style::yellow : Style::plain,
                  " of " + human_duration(*phase.expect) + " expected");
  }
  if (phase.budget) {
    const bool over = age > *phase.budget;
    line += paint(options_, over ? Style::red : Style::plain,
                  over ? ", OVER the budget of " + human_duration(*phase.budget)
                       : ", budget " + human_duration(*phase.budget));
  }
  return line;
}

std::string LiveSink::outage_line(Instant now) const {
  if (!outage_since_) return "";
  if (!phases_.empty() && plan_.phases[phases_.back().phase].outage &&
      phases_.back().since == outage_since_) {
    return "";  // said by its phase
  }
  return paint(options_, Style::red, "OUTAGE " + stopwatch(now - *outage_since_));
}

// All that is on its way together, if it is more than one: "3 files: copying ...".
std::string LiveSink::copying_line(Instant now) const {
  std::vector<const Copying*> all;
  for (const auto& [id, running] : running_) {
    if (running.copying.at_work()) all.push_back(&running.copying);
  }
  if (all.size() < 2) return "";
  return std::to_string(all.size()) + " files: " + copying_together(all, now);
}

// One line a task at work, the longest at work first.
std::vector<std::string> LiveSink::work_lines(Instant now, std::size_t room) const {
  std::vector<const Running*> tasks;
  for (const auto& [id, running] : running_) tasks.push_back(&running);
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const Running* a, const Running* b) { return a->since < b->since; });
  std::vector<std::string> lines;
  if (const std::string all = copying_line(now); !all.empty() && room > 1) {
    lines.push_back("  " + all);
    --room;
  }
  const std::size_t summed = lines.size();
  const std::size_t total = tasks.size() + connecting_.size();
  // One row is for those that do not fit.
  const std::size_t shown = total > room ? (room == 0 ? 0 : room - 1) : total;
  for (const Running* task : tasks) {
    if (lines.size() - summed == shown) break;
    const ActionStarted& e = task->what;
    std::string line = "  " + pad_right(plan_.hosts[e.host].name, host_width_) + "  " +
                       pad_left(stopwatch(now - task->since), 6) + "  " + part_prefix(e.part) +
                       step_name(plan_, e.node) + ": " +
                       action_name(plan_, e.node, e.action, e.part);
    const plan::PastStep* past = plan::past_of(past_ ? &*past_ : nullptr, e.node);
    if (past != nullptr && e.part != Part::undo) {
      const bool over = now - task->since > past->worst;
      line += paint(options_, over ? Style::yellow : Style::dim,
                    over ? "  longer than ever (" + human_duration(past->worst) + ")"
                         : "  usually " + human_duration(past->median));
    }
    if (task->copying.at_work()) {
      line += "  " + task->copying.text(now);
    } else if (!task->output.empty()) {
      line += "  " + paint(options_, Style::dim, "| " + task->output);
    }
    lines.push_back(std::move(line));
  }
  for (const auto& [host, since] : connecting_) {
    if (lines.size() - summed == shown) break;
    lines.push_back("  " + pad_right(plan_.hosts[host].name, host_width_) + "  " +
                    pad_left(stopwatch(now - since), 6) + "  connecting");
  }
  if (shown < total && room > 0) {
    const std::size_t more = total - shown;
    lines.push_back("  … and " + std::to_string(more) + " more");
  }
  return lines;
}

std::vector<std::string> LiveSink::region(Instant now) const {
  std::vector<std::string> lines;
  if (asking_ || parked_) return lines;
  std::string head;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) head += (head.empty() ? "" : "  ·  ") + part;
  };
  add(outage_line(now));
  add(doing_.empty() ? "" : paint(options_, Style::yellow, doing_));
  if (!phases_.empty()) add(phase_line(phases_.back(), now));
  if (waiting_) {
    add("waiting until " + format_time(waiting_->until) + ", " +
        (waiting_->until.at > now ? stopwatch(waiting_->until.at - now) + " to go"
                                  : std::string("now")));
  }
  const std::size_t height = terminal_.height();
  // At least one finished line stays in sight, and the row that the cursor is on.
  const std::size_t room = height > 3 ? height - 3 : 0;
  const std::size_t for_work = room > 1 ? room - 1 : 0;
  const auto work = work_lines(now, for_work);
  if (head.empty() && !work.empty()) {
    head = std::to_string(running_.size() + connecting_.size()) + " at work";
  }
  if (head.empty() || room == 0) return lines;
  lines.push_back("── " + head);
  lines.insert(lines.end(), work.begin(), work.end());
  return lines;
}

// To the first row of the region, and all below it gone. A terminal that was made narrower since
// has wrapped the region's lines: each stands on as many rows as its width asks for.
std::string LiveSink::erased() {
  if (drawn_.empty()) return "";
  const std::size_t width = std::max<std::size_t>(1, terminal_.width());
  std::size_t rows = 0;
  for (const std::size_t columns : drawn_)
    rows += std::max<std::size_t>(1, (columns + width - 1) / width);
  drawn_.clear();
  last_region_.clear();
  // What has been wrapped out of the screen is out of reach.
  rows = std::min(rows, std::max<std::size_t>(1, terminal_.height()) - 1);
  if (rows == 0) return "\r\x1b[J";
  return "\r\x1b[" + std::to_string(rows) + "A\x1b[J";
}

void LiveSink::redraw(Instant now, const std::string& lines) {
  const std::size_t width = terminal_.width();
  std::string text;
  std::vector<std::size_t> widths;
  for (const std::string& line : region(now)) {
    // One column less than there is: no terminal then wraps of itself.
    const std::string cut = cut_to(for_terminal(line), width > 1 ? width - 1 : 1);
    widths.push_back(columns_of(cut));
    text += cut + "\x1b[K\n";
  }
  if (lines.empty() && text == last_region_) return;
  if (lines.empty() && drawn_.size() == widths.size() && !drawn_.empty()) {
    // In place, line over line: nothing is blank in between, so nothing flickers.
    const bool as_drawn = std::all_of(drawn_.begin(), drawn_.end(),
                                      [&](std::size_t columns) { return columns <= width; });
    if (as_drawn) {
      terminal_.write("\r\x1b[" + std::to_string(drawn_.size()) + "A" + text);
      drawn_ = std::move(widths);
      last_region_ = std::move(text);
      return;
    }
  }
  terminal_.write(erased() + for_terminal(lines) + text);
  drawn_ = std::move(widths);
  last_region_ = std::move(text);
}

}  // namespace cnplay::report
