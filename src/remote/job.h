// A task on its way through a host session: waiting, in a shell, being killed, over.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "remote/collector.h"
#include "remote/remote.h"

namespace cnplay::remote {

class Shell;
class Transfer;

struct Job {
  Task task;
  // Of a job of the session's own (a kill, a removal): told in place of the runner. Null else.
  std::function<void(TaskResult)> done;
  bool urgent = false;  // a kill: may use the channel that is kept free

  std::shared_ptr<Shell> shell;  // that runs it; set when it is sent
  std::unique_ptr<Collector> collector;
  std::chrono::steady_clock::time_point sent;
  std::unique_ptr<boost::asio::steady_timer> timer;  // its timeout, then the kill's

  std::optional<Ended> kill;  // as what it is to end
  std::string kill_why;
  std::weak_ptr<Job> killer;
  bool over = false;  // reported

  // The runner has not come to it yet. As long as that is so, it is only sent after the task that
  // it follows; if it has lost that place, it is deferred.
  bool ahead = false;
  bool withdrawn = false;  // the runner does not come to it any more
  int put_off = 0;         // so often the host did not begin it in its turn

  // Whether the task may be started but once: one of the runner that can change something.
  bool once() const { return !done && task.mode == Mode::apply && !task.apply.empty(); }

  // It was sent before, and the connection was lost: whether the host has it is not known yet.
  bool sent_before = false;
  Collector::Passed passed{};  // of its output by then

  // A file on its way to the host, or from it. Kept over a lost connection.
  std::shared_ptr<Transfer> transfer;
  // The shell is at work on that file, not on the scripts.
  bool transferring = false;
};

}  // namespace cnplay::remote
