#include "support/remote/world.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace cnplay::remote::testing {
namespace fs = std::filesystem;

const std::vector<std::string>& shells() {
  static const std::vector<std::string> kShells = {"dash", "bash", "busybox", "mksh"};
  return kShells;
}

World::World(const std::string& shell) {
  std::string name = (fs::temp_directory_path() / "cnplay-remote-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  root = name;
  home = root / "home";
  bin = root / "bin";
  fs::create_directories(home);
  fs::create_directories(bin);
  fs::create_symlink("/usr/bin/" + shell, bin / "sh");
  transport = std::make_unique<FakeTransport>();
  transport->environment = {{"PATH", bin.string() + ":/usr/local/bin:/usr/bin:/bin"},
                            {"HOME", home.string()},
                            {"USER", "deploy"}};
  settings.ssh.name = "web1";
  settings.ssh.address = "fake";
  settings.ssh.user = "deploy";
  options.run_id = "test-run";
}

World::~World() {
  if (hosts) hosts->close(std::chrono::seconds(5), Traces::remove);
  hosts.reset();
  transport.reset();
  std::error_code ignored;
  fs::remove_all(root, ignored);
}

void World::make() { hosts = make_hosts(*transport, {settings}, options); }

void World::up() {
  make();
  hosts->connect(0);
  const HostReady ready = wait_for<HostReady>();
  EXPECT_EQ(ready.user, "deploy");
}

void World::pump(Duration wait) {
  auto event = hosts->next(wait);
  if (!event) return;
  if (auto* output = std::get_if<TaskOutput>(&*event)) {
    (output->stream == Stream::out ? out : err)[output->task] += output->bytes.raw();
    return;
  }
  seen.push_back(std::move(*event));
}

TaskId World::start(Task task) {
  task.id = ++last_id;
  hosts->start(std::move(task));
  return last_id;
}

TaskResult World::wait_task(TaskId id, Duration within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (std::chrono::steady_clock::now() < end) {
    for (auto it = seen.begin(); it != seen.end(); ++it) {
      auto* ended = std::get_if<TaskEnded>(&*it);
      if (!ended || ended->task != id) continue;
      TaskResult result = std::move(ended->result);
      seen.erase(it);
      return result;
    }
    pump(std::chrono::milliseconds(50));
  }
  ADD_FAILURE() << "task " << id << " did not end";
  return {};
}

TaskResult World::run(Task task) {
  const HostIndex host = task.host;
  const TaskId id = start(std::move(task));
  TaskResult result = wait_task(id);
  hosts->on_record(host, id);
  return result;
}

void World::wait_output(TaskId id, const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (out[id].find(text) == std::string::npos) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "no `" << text << "`";
    pump(std::chrono::milliseconds(20));
  }
}

fs::path World::write_file(const std::string& name, const std::string& text, int mode) {
  const fs::path path = root / name;
  std::ofstream(path) << text;
  chmod(path.c_str(), static_cast<mode_t>(mode));
  return path;
}

Task apply_task(std::string script) {
  Task task;
  task.apply = std::move(script);
  task.verify = Verify::none;
  return task;
}

Task check_task(std::string check, std::string apply, Mode mode) {
  Task task;
  task.check = std::move(check);
  task.apply = std::move(apply);
  task.mode = mode;
  return task;
}

const StageResult* stage(const TaskResult& result, Stage which) {
  for (const StageResult& s : result.stages) {
    if (s.stage == which) return &s;
  }
  return nullptr;
}

std::string fact(const TaskResult& result, const std::string& name) {
  for (const auto& [key, value] : result.facts) {
    if (key == name) return value.raw();
  }
  return "<none>";
}

std::string contents(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<int> processes_with(const std::string& text) {
  std::vector<int> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "cmdline");
    std::stringstream line;
    line << file.rdbuf();
    std::string words = line.str();
    for (char& c : words) {
      if (c == '\0') c = ' ';
    }
    if (words.find(text) != std::string::npos && std::stoi(name) != getpid()) {
      found.push_back(std::stoi(name));
    }
  }
  return found;
}

bool eventually(const std::function<bool()>& holds, Duration within) {
  const auto end = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace cnplay::remote::testing
