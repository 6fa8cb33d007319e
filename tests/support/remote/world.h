// One fake host, ready for tasks: a home in a temporary directory, a chosen `sh`, the Hosts on it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "remote/session.h"
#include "support/remote/fake_transport.h"

namespace cnplay::remote::testing {

// How long an event may take: only a test that fails waits so long, on a machine however busy.
inline constexpr std::chrono::seconds kPatience{120};

const std::vector<std::string>& shells();  // dash, bash, busybox, mksh

class World {
 public:
  explicit World(const std::string& shell = "dash");
  ~World();

  // Makes the Hosts; up() also connects and expects HostReady.
  void make();
  void up();
  Event wait_event(Duration within = kPatience);
  // Starts a task (its id is given here) and waits for its end.
  // Runs a task to its end; its result counts as recorded.
  TaskResult run(Task task);
  TaskId start(Task task);
  TaskResult wait_task(TaskId id, Duration within = kPatience);
  // Waits until the task has printed `text`.
  void wait_output(TaskId id, const std::string& text);
  template <class T>
  T wait_for(Duration within = kPatience) {
    const auto end = std::chrono::steady_clock::now() + within;
    while (std::chrono::steady_clock::now() < end) {
      for (auto it = seen.begin(); it != seen.end(); ++it) {
        if (auto* found = std::get_if<T>(&*it)) {
          T result = std::move(*found);
          seen.erase(it);
          return result;
        }
      }
      pump(std::chrono::milliseconds(50));
    }
    ADD_FAILURE() << "the event did not come";
    return {};
  }
  void pump(Duration wait);

  std::filesystem::path write_file(const std::string& name, const std::string& text, int mode);

  std::filesystem::path root;
  std::filesystem::path home;
  std::filesystem::path bin;  // first in PATH: holds `sh`
  std::unique_ptr<FakeTransport> transport;
  HostSettings settings;
  Options options;
  std::unique_ptr<Hosts> hosts;

  std::vector<Event> seen;  // not yet taken; without outputs
  std::map<TaskId, std::string> out;
  std::map<TaskId, std::string> err;
  TaskId last_id = 0;
};

Task apply_task(std::string script);
Task check_task(std::string check, std::string apply = {}, Mode mode = Mode::apply);
const StageResult* stage(const TaskResult& result, Stage which);
std::string fact(const TaskResult& result, const std::string& name);
std::string contents(const std::filesystem::path& path);
// Whether a process has `text` in its command line.
std::vector<int> processes_with(const std::string& text);
bool eventually(const std::function<bool()>& holds, Duration within = kPatience);

}  // namespace cnplay::remote::testing
