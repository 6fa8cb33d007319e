// What the parts of one run share: the plan, the hosts, the clock, the numbered stream of events.
#pragma once

#include <cassert>
#include <map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/words.h"
#include "events/event.h"
#include "plan/plan.h"
#include "remote/remote.h"
#include "run/facts.h"
#include "run/replay.h"
#include "run/run.h"

namespace cnplay::run {

// Numbers the events without gaps and hands them on; or, while a record is followed, holds them
// against it.
class Emitter {
 public:
  Emitter(events::Sink& sink, const Clock& clock, Replay& replay)
      : sink_(sink), clock_(clock), replay_(replay), seq_(replay.last_seq()) {}

  template <class T>
  void operator()(T what) {
    events::Event event;
    event.what = std::move(what);
    if ((replay_.active() || !replay_.problem().empty()) && replay_.follow(event)) return;
    event.seq = ++seq_;
    event.at = clock_.now();
    sink_.on(event);
  }
  // What is followed is over already: nothing of it is on its way.
  void progress(const events::Progress& progress) {
    if (!replay_.active() && replay_.problem().empty()) sink_.progress(progress, clock_.now());
  }
  void notice(std::string text) { (*this)(events::Notice{std::move(text)}); }

 private:
  events::Sink& sink_;
  const Clock& clock_;
  Replay& replay_;
  std::uint64_t seq_;
};

struct Context {
  Context(const plan::Plan& p, remote::Hosts& h, events::Sink& s, Clock& c, const Options& o)
      : plan(p),
        remote(h),
        sink(s),
        replay(p, o.record),
        clock(c, replay),
        options(o),
        emit(s, clock, replay),
        facts(p),
        hosts(p.hosts.size()),
        last_task(replay.last_task()) {
    rollback_of.assign(p.nodes.size(), plan::kNone);
    for (std::uint32_t s = 0; s < p.sections.size(); ++s) {
      if (p.sections[s].kind != plan::SectionKind::rollback) continue;
      for (const plan::NodeId id : p.sections[s].nodes) rollback_of[id] = s;
    }
  }

  bool dry() const { return options.mode == events::Mode::check; }
  // What values are resolved with that are no step's own: `now`, and the facts so far. No longer
  // than this.
  plan::Environment environment() const {
    plan::Environment environment;
    environment.now = options.now;
    environment.fact = [this](const plan::FactRef& ref, plan::HostIndex host) {
      return facts.get(ref, host);
    };
    return environment;
  }

  // Of a run that takes another one back: the section that it carries out. nullptr: the way
  // forward.
  const plan::Section* way_back() const {
    if (options.way_back == nullptr) return nullptr;
    const plan::Rollback* way = plan::find_rollback(plan, options.way_back->rollback);
    return way == nullptr ? nullptr : &plan.sections[way->section];
  }
  const std::string& name(plan::HostIndex host) const { return plan.hosts[host].name; }
  // "web1, web2 and 3 more".
  std::string names(const std::vector<plan::HostIndex>& hosts) const {
    std::vector<std::string> all;
    for (const plan::HostIndex host : hosts) all.push_back(name(host));
    return name_some(all);
  }

  // The only way to a host's sh. In a dry run nothing is ever started that could apply. What may
  // change something waits for the next commit(): its ActionStarted is on disk before its first
  // byte goes out.
  void start(remote::Task task) {
    assert(!dry() || task.mode != remote::Mode::apply);
    if (!replay.problem().empty()) return;
    if (task.after != 0 || (task.mode == remote::Mode::apply && !task.apply.empty())) {
      intents.push_back(std::move(task));
    } else {
      remote.start(std::move(task));
    }
  }

  // The run has come to a task that was sent ahead.
  void adopt(remote::TaskId task) {
    for (remote::Task& intent : intents) {
      if (intent.id == task) {
        intent.after = 0;
        return;
      }
    }
    remote.adopt(task);
  }
  // The run does not come to it. True: it was not sent yet, and never will be.
  bool withdraw(remote::TaskId task) {
    const auto unsent = std::erase_if(intents, [&](const auto& i) { return i.id == task; });
    if (unsent == 0) remote.withdraw(task);
    return unsent != 0;
  }

  // What was not sent yet never will be.
  void cancel(remote::TaskId task) {
    if (replay.active() || !replay.problem().empty()) return;
    for (const remote::Task& intent : intents) {
      if (intent.id == task) return withdrawn.push_back(task);
    }
    remote.cancel(task);
  }

  const plan::Plan& plan;
  remote::Hosts& remote;
  events::Sink& sink;
  Replay replay;
  RunClock clock;
  const Options& options;
  Emitter emit;
  FactStore facts;
  std::vector<std::uint32_t>
      rollback_of;              // by node: its section, if that is a rollback; else kNone
  std::vector<Secret> secrets;  // as Plan::secrets, resolved by the preflight
  std::vector<HostState> hosts;
  remote::TaskId last_task;
  // While a record is followed: tasks that it has not ended yet. At its end they are started, under
  // their ids: the host knows whether they were before.
  std::map<remote::TaskId, remote::Task> unsettled;
  std::vector<remote::Task> intents;      // told, not sent yet
  std::vector<remote::TaskId> withdrawn;  // of these: cancelled
  // Tasks whose results were emitted since the last commit.
  std::vector<std::pair<plan::HostIndex, remote::TaskId>> results;
};

}  // namespace cnplay::run
