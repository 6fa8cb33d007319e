// Hosts that outlive their controllers: what each has claimed, what runs there, what came of it.
// A controller reaches them through FleetHosts, and may die at any call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "events/event.h"
#include "remote/remote.h"
#include "support/run/fake.h"

namespace cnplay::run::test {

// Thrown where a controller dies.
struct Killed {};

// Counts the calls of a controller to its hosts and its record; it dies at the n-th.
class Doom {
 public:
  explicit Doom(std::optional<std::uint64_t> at) : at_(at) {}
  void call() {
    if (at_ && ++calls_ == *at_) throw Killed{};
  }

 private:
  std::optional<std::uint64_t> at_;
  std::uint64_t calls_ = 0;
};

class Fleet {
 public:
  explicit Fleet(std::size_t hosts) : boots_(hosts, 1) {}

  struct Claim {
    remote::HostIndex host{};
    bool withdrawn = false;                    // nobody is to start it
    std::optional<remote::TaskResult> result;  // nullopt: it still runs
    Duration over{0};                          // by the steady clock, if there is a result
  };
  // Whether the task is to be started by whoever asks. True once, and again only if its claim is
  // forgotten.
  bool claim(remote::TaskId task, remote::HostIndex host);
  void withdraw(remote::TaskId task, remote::HostIndex host);
  void ended(remote::TaskId task, const remote::TaskResult& result, Duration at);
  // Its host was gone before it arrived there.
  void never_came(remote::TaskId task);
  const Claim* find(remote::TaskId task) const;

  // The directory of the run is removed.
  void forget(remote::HostIndex host);
  // Nothing runs any more at `now`; each claim may be gone, for nothing was synced.
  void reboot(remote::HostIndex host, Duration now, std::mt19937_64& random);
  std::string boot_id(remote::HostIndex host) const;

  // The witness: how often the task was started.
  int starts(remote::TaskId task) const;
  int most_starts() const;
  std::size_t claims() const { return claims_.size(); }

 private:
  std::vector<int> boots_;
  std::map<remote::TaskId, Claim> claims_;
  std::map<remote::TaskId, int> starts_;
};

class FleetHosts final : public remote::Hosts {
 public:
  // `inner` says what comes of a task that is started; not owned, as all the others.
  FleetHosts(Fleet& fleet, FakeHosts& inner, FakeClock& clock, Doom& doom, std::uint64_t seed)
      : fleet_(fleet), inner_(inner), clock_(clock), doom_(doom), random_(seed) {}

  void connect_within(remote::HostIndex host, Duration within) override;
  void start(remote::Task task) override;
  void on_record(remote::HostIndex host, remote::TaskId task) override;
  void adopt(remote::TaskId task) override;
  void withdraw(remote::TaskId task) override;
  void cancel(remote::TaskId task) override;
  void lock(remote::HostIndex host, std::string name, std::string owner) override;
  std::optional<remote::Event> next(Duration wait) override;
  void wake() override {}
  bool close(Duration within, remote::Traces traces) override;

  // The controller is gone, however it ended. What it had sent may arrive still, or never; what has
  // arrived runs to its end. Moves the clock.
  void leave();

 private:
  void deliver(remote::Task task);
  void follow(const remote::Task& task);
  void note_starts();
  std::optional<remote::Event> take(std::optional<remote::Event> event);

  Fleet& fleet_;
  FakeHosts& inner_;
  FakeClock& clock_;
  Doom& doom_;
  std::mt19937_64 random_;
  std::vector<remote::Task> on_the_way_;
  std::map<remote::TaskId, remote::Task> held_;      // sent ahead, and claimed before
  std::map<remote::TaskId, remote::Task> ahead_;     // sent ahead, and not started yet
  std::map<remote::TaskId, remote::Task> followed_;  // it still runs
  std::map<remote::TaskId, remote::HostIndex> at_work_;
  std::vector<remote::HostIndex> connected_;
  std::size_t noted_ = 0;  // of inner_.started()
};

// A record that its controller may die at: before a line, after it, before a sync, after it.
class DoomedSink final : public events::Sink {
 public:
  DoomedSink(Recorder& recorder, Doom& doom) : recorder_(recorder), doom_(doom) {}
  void on(const events::Event& event) override {
    doom_.call();
    recorder_.on(event);
    doom_.call();
  }
  Status commit() override {
    doom_.call();
    Status status = recorder_.commit();
    doom_.call();
    return status;
  }
  Status healthy() const override { return recorder_.healthy(); }

 private:
  Recorder& recorder_;
  Doom& doom_;
};

}  // namespace cnplay::run::test
