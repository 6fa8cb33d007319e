#include "support/run/fake.h"

#include <algorithm>

#include "run/decide.h"

namespace cnplay::run::test {

using remote::Ended;
using remote::HostIndex;
using remote::Mode;
using remote::Stage;
using remote::TaskResult;
using remote::Verdict;

namespace {

std::string key_of(const remote::Task& task) {
  const std::string& text = task.mode == Mode::preflight ? task.preflight
                            : task.check.empty()         ? task.apply
                                                         : task.check;
  if (text.starts_with("missing=")) return "needs";
  const std::string key = text.substr(0, text.find(' '));
  return task.mode == Mode::preflight ? key + " preflight" : key;
}

std::string step_of(const std::string& key) {
  const std::size_t at = key.find_first_of("#!");
  if (at == std::string::npos) return key;
  return (key[at] == '!' ? "!" : "") + key.substr(0, at);
}

}  // namespace

std::vector<const Started*> FakeHosts::started(const std::string& key) const {
  std::vector<const Started*> found;
  for (const Started& s : started_) {
    if (s.key == key) found.push_back(&s);
  }
  return found;
}

void FakeHosts::later(Duration in, remote::Event event) {
  queue_.emplace(When{clock_.steady() + in, ++serial_}, std::move(event));
}

void FakeHosts::connect_within(HostIndex host, Duration within) {
  ++connects_;
  Host& h = hosts_.at(host);
  const Duration in = h.away + Duration(random_() % 200);
  if (h.refuses || h.away > within) {
    later(in, remote::HostFailed{host, remote::Unreachable::refused, "connection refused",
                                 "is sshd up?"});
    return;
  }
  h.ready = true;
  later(in, remote::HostReady{host, "deploy", "boot-1"});
  if (h.lose_at) queue_.emplace(When{*h.lose_at, ++serial_}, host);
}

void FakeHosts::start(remote::Task task) {
  if (on_start) on_start(task);
  if (task.after == 0) return begin(std::move(task));
  ++sent_ahead_;
  const remote::TaskId id = task.id;
  ahead_.emplace(id, std::move(task));
}

void FakeHosts::adopt(remote::TaskId id) {
  if (const auto task = ahead_.extract(id)) begin(std::move(task.mapped()));
}

void FakeHosts::withdraw(remote::TaskId id) {
  ++withdrawn_;
  if (on_withdraw) on_withdraw();
  auto task = ahead_.extract(id);
  if (!task) return;
  // Begun for another controller: it is followed.
  if (std::ranges::any_of(started_, [&](const Started& s) { return s.task.id == id; })) {
    return begin(std::move(task.mapped()));
  }
  remote::TaskEnded ended;
  ended.task = id;
  ended.host = task.mapped().host;
  ended.result.ended = Ended::not_started;
  later(Duration(random_() % 50), ended);
}

// The host begins what was sent after this task, if that has ended well.
void FakeHosts::follow_up(const TaskResult& result, remote::TaskId id) {
  const auto next = std::ranges::find_if(
      ahead_, [&](const auto& task) { return task.second.after == id && task.first != id; });
  if (next == ahead_.end() || hosts_[next->second.host].lost) return;
  const remote::Task& before = started_[tasks_.at(id).started].task;
  const Shape shape{
      !before.check.empty(), !before.apply.empty(),
      before.verify == remote::Verify::none ? plan::Verify::none : plan::Verify::by_check};
  if (is_failure(decide(shape, events::Mode::apply, result).outcome)) return;
  ++begun_ahead_;
  begin(std::move(ahead_.extract(next).mapped()));
}

void FakeHosts::begin(remote::Task task) {
  Started s;
  s.task = task;
  s.key = key_of(task);
  s.step = step_of(s.key);
  s.at = clock_.steady();
  const remote::TaskId id = task.id;
  const HostIndex host = task.host;
  Behaviour behaviour;
  if (const auto rule = rules_.find({s.key, host}); rule != rules_.end()) {
    const std::size_t n = times_[{s.key, host}]++;
    behaviour = rule->second[std::min(n, rule->second.size() - 1)];
  } else if (task.mode == Mode::preflight) {
    behaviour.will = Will::ok;
  } else if (otherwise) {
    behaviour = otherwise(s);
  } else if (task.mode != Mode::preflight && task.apply.empty() && task.mode == Mode::apply) {
    behaviour.will = Will::ok;  // a module that only checks
  }
  started_.push_back(std::move(s));
  if (!hosts_[host].ready || hosts_[host].lost) {
    tasks_[id] = {started_.size() - 1, behaviour, false};
    TaskResult result;
    result.ended = Ended::not_started;
    result.error = "the host is gone";
    later(Duration{0}, end(id, result));
    return;
  }
  Duration length(1 + random_() % 1000);
  if (behaviour.length) length = *behaviour.length;
  const bool hangs = behaviour.will == Will::hang || behaviour.will == Will::deaf;
  if (hangs) length = Duration{1'000'000'000'000};
  if (task.timeout && *task.timeout < length && behaviour.will != Will::deaf) {
    length = *task.timeout;
    behaviour.will = Will::hang;
  }
  tasks_[id] = {started_.size() - 1, behaviour, false};
  const When due{clock_.steady() + length, ++serial_};
  due_[id] = due;
  queue_.emplace(due, id);
}

void FakeHosts::cancel(remote::TaskId task) {
  ++cancels_;
  const auto it = tasks_.find(task);
  if (it == tasks_.end() || it->second.behaviour.will == Will::deaf) return;
  it->second.cancelled = true;
  queue_.erase(due_[task]);
  due_[task] = {clock_.steady() + Duration(random_() % 50), ++serial_};
  queue_.emplace(due_[task], task);
}

void FakeHosts::lock(HostIndex host, std::string name, std::string) {
  remote::LockEnded ended;
  ended.host = host;
  ended.name = std::move(name);
  ended.shared = hosts_[host].lock_shared;
  ended.acquired = hosts_[host].lock_holder.empty() || ended.shared;
  ended.holder = Untrusted(hosts_[host].lock_holder);
  locks_.emplace_back(host, ended.name);
  const Duration in(random_() % 50);
  later(in, ended);
  if (!ended.acquired || !hosts_[host].lock_lost_after) return;
  ended.acquired = false;
  ended.holder = Untrusted("eve@lap");
  later(in + *hosts_[host].lock_lost_after, ended);
}

TaskResult FakeHosts::result_of(const Task& task) const {
  const remote::Task& t = started_[task.started].task;
  TaskResult r;
  r.took = clock_.steady() - started_[task.started].at;
  const auto stage = [&](Stage s, int code, Verdict verdict, const char* message = "") {
    r.stages.push_back({s, code, verdict, Untrusted(message)});
  };
  const bool applying = t.mode == Mode::apply && !t.apply.empty();
  const Will will = task.behaviour.will;
  for (const auto& [name, value] : task.behaviour.facts)
    r.facts.emplace_back(name, Untrusted(value));
  if (task.cancelled || will == Will::hang) {
    r.ended = task.cancelled ? Ended::cancelled : Ended::timed_out;
    r.apply_possible = applying;
    r.error = task.cancelled ? "" : "it ran for too long";
    return r;
  }
  if (will == Will::lose || will == Will::lose_shell) {
    r.ended = Ended::lost;
    r.apply_possible = applying;
    r.error = "connection reset";
    return r;
  }
  r.ended = Ended::finished;
  r.tail = Untrusted("tail of " + started_[task.started].key);
  if (t.mode == Mode::preflight) {
    if (will == Will::fail)
      stage(Stage::preflight, 0, Verdict::fail, "not found: git");
    else if (will == Will::exit_code)
      stage(Stage::preflight, 2, Verdict::none);
    else
      stage(Stage::preflight, 0, Verdict::ok);
    return r;
  }
  if (!t.check.empty()) {
    switch (will) {
      case Will::ok:
        stage(Stage::check, 0, Verdict::ok);
        return r;
      case Will::skip:
        stage(Stage::check, 0, Verdict::skip, "not here");
        return r;
      case Will::fail:
        stage(Stage::check, 0, Verdict::fail, "no such ref");
        return r;
      case Will::no_verdict:
        stage(Stage::check, 0, Verdict::none);
        return r;
      case Will::exit_code:
        stage(Stage::check, 3, Verdict::none);
        return r;
      default:
        stage(Stage::check, 0, Verdict::change, "a -> b");
    }
    if (t.mode == Mode::check) {
      if (!t.preview.empty()) {
        stage(Stage::preview, 0, Verdict::none);
        r.preview = "/tmp/preview/" + started_[task.started].step;
      }
      return r;
    }
    if (t.apply.empty()) return r;
  }
  if (will == Will::apply_fail || (t.check.empty() && will == Will::fail)) {
    stage(Stage::apply, 1, Verdict::none);
    return r;
  }
  stage(Stage::apply, 0, Verdict::none);
  if (t.verify != remote::Verify::none && !t.check.empty()) {
    stage(Stage::verify, 0, will == Will::unconverged ? Verdict::change : Verdict::ok);
  }
  return r;
}

remote::Event FakeHosts::end(remote::TaskId id, TaskResult result) {
  const auto it = tasks_.find(id);
  Started& s = started_[it->second.started];
  s.ended = clock_.steady();
  follow_up(result, id);
  remote::TaskEnded ended{id, started_[it->second.started].task.host, std::move(result)};
  tasks_.erase(it);
  due_.erase(id);
  return ended;
}

// All tasks in flight on it end right before its HostLost.
void FakeHosts::lose(HostIndex host) {
  if (hosts_[host].lost) return;
  hosts_[host].lost = true;
  std::vector<remote::TaskId> ids;
  for (const auto& [id, task] : tasks_) {
    if (started_[task.started].task.host == host && due_.contains(id)) ids.push_back(id);
  }
  for (const remote::TaskId id : ids) {
    queue_.erase(due_[id]);
    Task task = tasks_.at(id);
    task.cancelled = false;
    task.behaviour.will = Will::lose;
    later(Duration{0}, end(id, result_of(task)));
  }
  for (auto it = ahead_.begin(); it != ahead_.end();) {
    if (it->second.host != host) {
      ++it;
      continue;
    }
    remote::TaskEnded ended;
    ended.task = it->first;
    ended.host = host;
    ended.result.ended = Ended::lost;
    ended.result.apply_possible = !it->second.apply.empty();
    later(Duration{0}, ended);
    it = ahead_.erase(it);
  }
  later(Duration{0}, remote::HostLost{host, "connection reset"});
}

std::optional<remote::Event> FakeHosts::next(Duration wait) {
  const Duration until = clock_.steady() + wait;
  while (!queue_.empty() && queue_.begin()->first.first <= until) {
    const auto node = queue_.extract(queue_.begin());
    if (node.key().first > clock_.steady()) clock_.advance(node.key().first - clock_.steady());
    if (const auto* host = std::get_if<HostIndex>(&node.mapped())) {
      lose(*host);
      continue;
    }
    if (before_event) before_event();
    if (const auto* event = std::get_if<remote::Event>(&node.mapped())) return *event;
    const remote::TaskId id = std::get<remote::TaskId>(node.mapped());
    const Task task = tasks_.at(id);
    if (task.behaviour.will == Will::lose && !task.cancelled) {
      lose(started_[task.started].task.host);
      continue;
    }
    return end(id, result_of(task));
  }
  if (until > clock_.steady()) clock_.advance(until - clock_.steady());
  return std::nullopt;
}

}  // namespace cnplay::run::test
