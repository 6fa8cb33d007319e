// Fake hosts over a fake clock: a discrete simulation. A seed gives every task its length, and so
// every interleaving; rules say what comes of a task; everything that was started is recorded.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "events/event.h"
#include "remote/remote.h"
#include "run/run.h"

namespace cnplay::run::test {

class FakeClock final : public Clock {
 public:
  Instant now() const override { return start + steady_ + set_; }
  Duration steady() const override { return steady_; }
  void advance(Duration by) { steady_ += by; }
  // Somebody sets the wall clock: it is off by so much from now on.
  void set_by(Duration by) { set_ = by; }

  static constexpr Instant start{Duration{1'790'000'000'000}};

 private:
  Duration steady_{0};
  Duration set_{0};
};

enum class Will {
  change,
  ok,
  skip,
  fail,
  no_verdict,
  exit_code,
  apply_fail,
  unconverged,
  lose,        // the host is lost while it runs
  lose_shell,  // the task is lost, the host stays
  hang,        // until it is cancelled, or its timeout
  deaf,        // does not even hear that
};

struct Behaviour {
  Will will = Will::change;
  std::vector<std::pair<std::string, std::string>> facts = {};
  std::optional<Duration> length = {};
};

struct Started {
  remote::Task task;
  std::string key;   // "code#0", "code!0", "needs"
  std::string step;  // "code", "!code" for an undo
  Duration at{};
  std::optional<Duration> ended;
};

class FakeHosts final : public remote::Hosts {
 public:
  FakeHosts(FakeClock& clock, std::size_t hosts, std::uint64_t seed = 1)
      : clock_(clock), hosts_(hosts), random_(seed) {}

  // What comes of the tasks of action `key` ("code#0") on a host: one behaviour for each time it is
  // started, the last for all further times. Unset: it changes.
  void on(const std::string& key, remote::HostIndex host, std::vector<Behaviour> behaviours) {
    rules_[{key, host}] = std::move(behaviours);
  }
  void on(const std::string& key, std::vector<Behaviour> behaviours) {
    for (remote::HostIndex h = 0; h < hosts_.size(); ++h) on(key, h, behaviours);
  }
  // Asked where no rule is set.
  std::function<Behaviour(const Started&)> otherwise;
  void refuse(remote::HostIndex host) { hosts_[host].refuses = true; }
  // It cannot be reached before so long.
  void away(remote::HostIndex host, Duration time) { hosts_[host].away = time; }
  // Asked for so far, in this order.
  const std::vector<std::pair<remote::HostIndex, std::string>>& locks() const { return locks_; }
  // A lock that was given is lost, `after` it was.
  void lose_lock(remote::HostIndex host, Duration after) { hosts_[host].lock_lost_after = after; }
  void hold_lock(remote::HostIndex host, const std::string& by) { hosts_[host].lock_holder = by; }
  // The same by a run around this one.
  void share_lock(remote::HostIndex host, const std::string& by) {
    hosts_[host].lock_holder = by;
    hosts_[host].lock_shared = true;
  }
  void lose_at(remote::HostIndex host, Duration steady) { hosts_[host].lose_at = steady; }
  // One more event, in so long.
  void tell(Duration in, remote::Event event) { later(in, std::move(event)); }
  // Called with each task that is started.
  std::function<void(const remote::Task&)> on_start;
  // Called before each event is handed out: to ask for an abort at a moment of the test's choice.
  std::function<void()> before_event;

  const std::vector<Started>& started() const { return started_; }
  // What another controller has started before.
  void started_before(std::vector<Started> started) { started_ = std::move(started); }
  std::vector<const Started*> started(const std::string& key) const;
  std::size_t count(const std::string& key) const { return started(key).size(); }
  std::size_t connects() const { return connects_; }
  std::size_t cancels() const { return cancels_; }
  std::size_t withdrawn() const { return withdrawn_; }
  std::function<void()> on_withdraw;
  std::function<void(remote::TaskId)> when_recorded;
  // Tasks that were sent ahead; of these: begun before the run came to them.
  std::size_t sent_ahead() const { return sent_ahead_; }
  std::size_t begun_ahead() const { return begun_ahead_; }

  void connect_within(remote::HostIndex host, Duration within) override;
  void start(remote::Task task) override;
  void on_record(remote::HostIndex, remote::TaskId task) override {
    if (when_recorded) when_recorded(task);
  }
  void adopt(remote::TaskId task) override;
  void withdraw(remote::TaskId task) override;
  void cancel(remote::TaskId task) override;
  void lock(remote::HostIndex host, std::string name, std::string owner) override;
  std::optional<remote::Event> next(Duration wait) override;
  void wake() override {}
  bool close(Duration, remote::Traces) override { return true; }

 private:
  struct Host {
    bool refuses = false;
    Duration away{0};
    bool ready = false;
    bool lost = false;
    std::string lock_holder;
    bool lock_shared = false;
    std::optional<Duration> lock_lost_after;
    std::optional<Duration> lose_at;
  };
  struct Task {
    std::size_t started;
    Behaviour behaviour;
    bool cancelled = false;
  };
  using When = std::pair<Duration, std::uint64_t>;

  void begin(remote::Task task);
  void follow_up(const remote::TaskResult& result, remote::TaskId id);
  void later(Duration in, remote::Event event);
  void lose(remote::HostIndex host);
  remote::Event end(remote::TaskId id, remote::TaskResult result);
  remote::TaskResult result_of(const Task& task) const;

  FakeClock& clock_;
  std::vector<Host> hosts_;
  std::mt19937_64 random_;
  std::map<std::pair<std::string, remote::HostIndex>, std::vector<Behaviour>> rules_;
  std::map<std::pair<std::string, remote::HostIndex>, std::size_t> times_;
  std::vector<Started> started_;
  std::vector<std::pair<remote::HostIndex, std::string>> locks_;
  std::map<remote::TaskId, Task> tasks_;
  std::map<When, std::variant<remote::Event, remote::TaskId, remote::HostIndex>> queue_;
  std::map<remote::TaskId, When> due_;
  std::map<remote::TaskId, remote::Task> ahead_;  // sent, not begun, not come to
  std::uint64_t serial_ = 0;
  std::size_t connects_ = 0;
  std::size_t cancels_ = 0;
  std::size_t withdrawn_ = 0;
  std::size_t sent_ahead_ = 0;
  std::size_t begun_ahead_ = 0;
};

// Keeps everything.
class Recorder final : public events::Sink {
 public:
  void on(const events::Event& event) override { events.push_back(event); }
  void progress(const events::Progress& progress, Instant) override { shown.push_back(progress); }
  Status commit() override {
    if (auto status = healthy(); !status) return status;
    for (; committed < events.size(); ++committed) {
      const auto* intent = std::get_if<events::ActionStarted>(&events[committed].what);
      if (intent != nullptr) durable.insert(intent->task);
      const auto* ahead = std::get_if<events::SentAhead>(&events[committed].what);
      if (ahead != nullptr) durable.insert(ahead->task);
    }
    ++commits;
    return {};
  }
  Status healthy() const override {
    if (sick_after && events.size() >= *sick_after) return fail("the disk is full", "make room");
    return {};
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& e : events) {
      if (const T* what = std::get_if<T>(&e.what)) found.push_back(*what);
    }
    return found;
  }

  std::vector<events::Progress> shown;
  std::vector<events::Event> events;
  std::size_t committed = 0;  // of these
  std::size_t commits = 0;
  std::unordered_set<std::uint64_t> durable;  // tasks whose intent is
  std::optional<std::size_t> sick_after;
};

}  // namespace cnplay::run::test
