#include "report/grouped.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/lines.h"

namespace cnplay::report {

using events::Outcome;

GroupedSink::GroupedSink(const plan::Plan& plan, Options options, Write write)
    : plan_(plan),
      options_(std::move(options)),
      write_(std::move(write)),
      answers_(plan.hosts.size()),
      cap_(std::min(kOutputCap, kOutputCapOfAll / std::max<std::size_t>(1, plan.hosts.size()))) {}

void GroupedSink::on(const events::Event& event) {
  if (const auto* out = std::get_if<events::Output>(&event.what)) {
    Answer& answer = answers_[out->host];
    const std::string& bytes = out->bytes.raw();
    const std::size_t room =
        std::min(cap_ - answer.output.size() - answer.errors.size(), bytes.size());
    const bool err = out->stream == events::Stream::err;
    (err ? answer.errors : answer.output).append(bytes, 0, room);
    answer.left_out += bytes.size() - room;
  } else if (const auto* ended = std::get_if<events::ActionEnded>(&event.what)) {
    Answer& answer = answers_[ended->host];
    answer.outcome = ended->outcome;
    answer.exit_code = ended->exit_code;
    answer.reason = ended->reason;
  } else if (const auto* gone = std::get_if<events::HostUnreachable>(&event.what)) {
    answers_[gone->host].outcome = Outcome::unreachable;
    answers_[gone->host].reason = gone->message;
  } else if (const auto* problem = std::get_if<events::PreflightProblem>(&event.what)) {
    if (!problem->host) {
      write_(continued(problem->message) + "\n" +
             (problem->help.empty() ? "" : "help: " + continued(problem->help) + "\n"));
    } else if (Answer& answer = answers_[*problem->host]; !answer.outcome) {
      answer.outcome = Outcome::failed;
      answer.reason = problem->message;
    }
  } else if (std::holds_alternative<events::RunEnded>(event.what)) {
    tell();
  }
}

std::string GroupedSink::head(const Answer& answer) const {
  if (!answer.outcome) return paint(options_, Style::red, "not run");
  switch (*answer.outcome) {
    case Outcome::ok:
    case Outcome::changed:
      return paint(options_, Style::green, "ok");
    case Outcome::failed:
      if (answer.exit_code && *answer.exit_code != 0) {
        return paint(options_, Style::red, "exit " + std::to_string(*answer.exit_code));
      }
      [[fallthrough]];
    default:
      return paint(options_, Style::red, events::name(*answer.outcome)) +
             (answer.reason.empty() ? "" : "  " + one_line(answer.reason, 400));
  }
}

void GroupedSink::tell() {
  const auto badness = [](const Answer& a) {
    if (!a.outcome || *a.outcome == Outcome::unreachable) return 2;
    return *a.outcome == Outcome::ok || *a.outcome == Outcome::changed ? 0 : 1;
  };
  using Key = std::tuple<int, std::string, std::string, std::uint64_t>;
  std::map<Key, std::vector<plan::HostIndex>> groups;
  for (plan::HostIndex h = 0; h < answers_.size(); ++h) {
    Answer& a = answers_[h];
    const bool open = !a.output.empty() && !a.output.ends_with('\n') && !a.errors.empty();
    std::string text = std::exchange(a.output, {});
    if (open) text += "\n";
    text += std::exchange(a.errors, {});
    groups[{badness(a), head(a), std::move(text), a.left_out}].push_back(h);
  }
  std::vector<const std::pair<const Key, std::vector<plan::HostIndex>>*> order;
  for (const auto& group : groups) order.push_back(&group);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    const int bad_a = std::get<0>(a->first);
    const int bad_b = std::get<0>(b->first);
    if (bad_a != bad_b) return bad_a < bad_b;
    if (a->second.size() != b->second.size()) return a->second.size() > b->second.size();
    return a->second.front() < b->second.front();
  });
  for (const auto* group : order) {
    const auto& [bad, title, output, left_out] = group->first;
    const std::size_t n = group->second.size();
    write_(paint(options_, Style::bold, host_list(plan_, group->second)) +
           (n > 1 ? " (" + std::to_string(n) + " hosts)" : "") + "  " + title + "\n");
    write_(indented(Untrusted(output).display(), "    "));
    if (left_out > 0) {
      write_("    (" + format_size(Size{static_cast<std::int64_t>(left_out)}) +
             " more are left out; the record has them)\n");
    }
  }
}

}  // namespace cnplay::report
