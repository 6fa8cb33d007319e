#include "remote/around.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>

namespace cnplay::remote {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestLine = 4096;
constexpr int kMostAncestors = 1000;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line(kLongestLine, '\0');
  file.getline(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(std::min(line.find('\0'), line.size()));
  return line;
}

struct Process {
  std::string parent, since;
};

// What /proc says behind the name, which may hold anything: the state first, then the parent.
std::optional<Process> process(const std::string& pid) {
  const std::string stat = first_line("/proc/" + pid + "/stat");
  const std::size_t paren = stat.rfind(')');
  if (paren == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(paren + 1));
  std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  if (words.size() < 20) return std::nullopt;
  return Process{words[1], words[19]};
}

// Process ids, and when each was started.
std::map<std::string, std::string> ancestors_of(pid_t child) {
  std::map<std::string, std::string> out;
  std::string pid = std::to_string(child);
  for (int i = 0; i < kMostAncestors && pid != "0"; ++i) {
    const auto found = process(pid);
    if (!found) break;  // hidden from us: it is no task's shell of our own user
    out.emplace(pid, found->since);
    pid = found->parent;
  }
  return out;
}

bool is_ours(const fs::path& path, mode_t type) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0 && (s.st_mode & S_IFMT) == type &&
         s.st_uid == ::geteuid() && (s.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// A claim that is going on: its shell, since when, on which boot; and no second line yet.
bool names_one_of(const fs::path& claim, const std::map<std::string, std::string>& ancestors,
                  const std::string& boot) {
  std::ifstream file(claim);
  std::string spool, pid, since, claimed_on, rest, ended;
  if (!(file >> spool >> pid >> since >> claimed_on) || !std::getline(file, rest)) return false;
  if (std::getline(file, ended) || claimed_on != boot) return false;
  const auto found = ancestors.find(pid);
  return found != ancestors.end() && found->second == since;
}

}  // namespace

bool is_run_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && id[0] != '.' &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

Around runs_around(const std::string& inside, pid_t process) {
  if (inside.empty()) return {};
  const fs::path directory(inside);
  const std::string name = directory.filename().string();
  constexpr std::string_view kPrefix = "run-";
  const std::string run = name.substr(std::min(kPrefix.size(), name.size()));
  if (!directory.is_absolute() || !name.starts_with(kPrefix) || !is_run_id(run)) {
    return {{}, "CNPLAY_INSIDE does not name the directory of a run"};
  }
  const auto no = [&](const std::string& why) {
    return Around{{}, "CNPLAY_INSIDE names the run " + run + ", but " + why};
  };
  if (!is_ours(directory, S_IFDIR))
    return no("its directory here does not exist, or is another user's");
  const auto ancestors = ancestors_of(process);
  const std::string boot = first_line("/proc/sys/kernel/random/boot_id");
  std::error_code error;
  bool found = false;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (!at->path().filename().string().starts_with("t-") || !is_ours(at->path(), S_IFREG))
      continue;
    if (names_one_of(at->path(), ancestors, boot)) found = true;
    if (found) break;
  }
  if (!found) return no("none of its running tasks has started this process");
  Around around{{run}, ""};
  // What that run is inside of, it has found out in the same way.
  if (is_ours(directory / "around", S_IFREG)) {
    std::istringstream line(first_line(directory / "around"));
    for (std::string outer; line >> outer;) {
      if (is_run_id(outer)) around.runs.push_back(outer);
    }
  }
  return around;
}

}  // namespace cnplay::remote
