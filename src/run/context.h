// What the parts of one run share: the plan, the hosts, the clock, the numbered stream of events.
#pragma once

#include <cassert>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"
#include "run/facts.h"
#include "run/run.h"

namespace cnplay::run {

// Numbers the events without gaps and hands them on.
class Emitter {
 public:
  Emitter(events::Sink& sink, const Clock& clock) : sink_(sink), clock_(clock) {}

  template <class T>
  void operator()(T what) {
    events::Event event;
    event.seq = ++seq_;
    event.at = clock_.now();
    event.what = std::move(what);
    sink_.on(event);
  }
  void notice(std::string text) { (*this)(events::Notice{std::move(text)}); }

 private:
  events::Sink& sink_;
  const Clock& clock_;
  std::uint64_t seq_ = 0;
};

struct HostState {
  bool connected = false;  // logged in to, and not lost since
  bool failed = false;     // counts against `tolerate`; takes no further part in the main section
  std::string why;         // connected is false: what the remote said
};

struct Context {
  Context(const plan::Plan& p, remote::Hosts& h, events::Sink& s, Clock& c, const Options& o)
      : plan(p),
        remote(h),
        sink(s),
        clock(c),
        options(o),
        emit(s, c),
        facts(p),
        hosts(p.hosts.size()) {}

  bool dry() const { return options.mode == events::Mode::check; }
  const std::string& name(plan::HostIndex host) const { return plan.hosts[host].name; }

  // The only way to a host's sh. In a dry run nothing is ever started that could apply. What may
  // change something waits for the next commit(): its ActionStarted is on disk before its first
  // byte goes out.
  void start(remote::Task task) {
    assert(!dry() || task.mode != remote::Mode::apply);
    if (task.mode == remote::Mode::apply && !task.apply.empty()) {
      intents.push_back(std::move(task));
    } else {
      remote.start(std::move(task));
    }
  }

  // What was not sent yet never will be.
  void cancel(remote::TaskId task) {
    for (const remote::Task& intent : intents) {
      if (intent.id == task) return withdrawn.push_back(task);
    }
    remote.cancel(task);
  }

  const plan::Plan& plan;
  remote::Hosts& remote;
  events::Sink& sink;
  Clock& clock;
  const Options& options;
  Emitter emit;
  FactStore facts;
  std::vector<Secret> secrets;  // as Plan::secrets, resolved by the preflight
  std::vector<HostState> hosts;
  remote::TaskId last_task = 0;
  std::vector<remote::Task> intents;      // told, not sent yet
  std::vector<remote::TaskId> withdrawn;  // of these: cancelled
};

}  // namespace cnplay::run
