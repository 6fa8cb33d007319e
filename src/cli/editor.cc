#include "cli/editor.h"

#include <linux/magic.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <vector>

#include "base/disk.h"
#include "cli/wiring.h"

namespace cnplay::cli {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxText = 16u << 20;
constexpr std::array kSignals = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

bool in_memory(const std::string& directory) {
  struct statfs st {};
  return !directory.empty() && ::statfs(directory.c_str(), &st) == 0 &&
         (st.f_type == TMPFS_MAGIC || st.f_type == RAMFS_MAGIC);
}

// A directory of our own in memory; all files in it are overwritten and removed at the end,
// those of the editor as well.
class PrivateDirectory {
 public:
  PrivateDirectory() = default;
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory() {
    if (path_.empty()) return;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(path_, ignored)) {
      if (!entry.is_regular_file(ignored)) continue;
      const auto size = entry.file_size(ignored);
      if (ignored) continue;
      if (FILE* file = std::fopen(entry.path().c_str(), "r+")) {
        for (std::uintmax_t i = 0; i < size; ++i) std::fputc(0, file);
        std::fclose(file);
      }
    }
    fs::remove_all(path_, ignored);
  }

  Status make() {
    for (const std::string& parent :
         {environment("XDG_RUNTIME_DIR"), std::string("/dev/shm"), std::string("/tmp")}) {
      if (!in_memory(parent)) continue;
      std::string pattern = parent + "/cnplay-edit-XXXXXX";
      if (::mkdtemp(pattern.data()) == nullptr) continue;
      path_ = pattern;
      return {};
    }
    return fail("there is no directory in memory to edit it in, and it must not reach a disk",
                "set XDG_RUNTIME_DIR, or mount /dev/shm; `cnplay vault set` needs neither");
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// While the editor runs, signals of the terminal are for it; and none leaves the text behind.
class Deaf {
 public:
  Deaf() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &ignore, &before_[i]);
    }
  }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;
  ~Deaf() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &before_[i], nullptr);
    }
  }

 private:
  std::array<struct sigaction, kSignals.size()> before_{};
};

Status run_editor(const std::string& file) {
  std::string command = environment("VISUAL");
  if (command.empty()) command = environment("EDITOR");
  if (command.empty()) command = "vi";
  std::vector<std::string> words;
  std::istringstream in(command);
  for (std::string word; in >> word;) words.push_back(word);
  if (words.empty()) words.emplace_back("vi");
  words.push_back(file);
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const Deaf deaf;
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t usual;
  sigemptyset(&usual);
  for (const int signal : kSignals) sigaddset(&usual, signal);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int spawned = ::posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (spawned != 0) {
    return fail("the editor `" + words[0] + "` cannot be started: " + std::strerror(spawned),
                "set EDITOR to one that is installed");
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR)
      return fail("the editor `" + words[0] + "` is gone: " + std::strerror(errno));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return fail("the editor `" + words[0] + "` " +
                  (WIFEXITED(status) ? "ended with exit code " + std::to_string(WEXITSTATUS(status))
                                     : std::string("was killed")) +
                  ": nothing was changed",
              "edit again");
}

}  // namespace

Result<Secret> edit_in_memory(const Secret& text, const std::string& name) {
  PrivateDirectory directory;
  if (auto status = directory.make(); !status) return status.error();
  const std::string path = directory.path() + "/" + name;
  SystemDisk disk;
  {
    auto file = disk.create(path);
    if (!file) return file.error();
    if (auto status = (*file)->append(text.reveal()); !status) return status.error();
  }
  if (auto status = run_editor(path); !status) return status.error();
  auto read = disk.read(path, kMaxText);
  if (!read) return read.error();
  return Secret(*std::move(read));
}

}  // namespace cnplay::cli
