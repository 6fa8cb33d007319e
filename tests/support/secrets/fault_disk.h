// A disk whose n-th operation fails, and a person who types what the test says.
#pragma once

#include <deque>
#include <filesystem>
#include <string>

#include "base/disk.h"
#include "secrets/sources.h"

namespace cnplay::testing {

// A directory of its own, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cnplay-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// The real disk; operation number `fail_at` (1: the first that writes) is refused instead of done.
class FaultDisk final : public Disk {
 public:
  int fail_at = 0;
  int operations = 0;

  Status make_directory(const std::string& path) override {
    return fails() ? Status(broken(path)) : disk_.make_directory(path);
  }
  Result<std::unique_ptr<AppendFile>> create(const std::string& path) override {
    if (fails()) return broken(path);
    return disk_.create(path);
  }
  Result<std::unique_ptr<AppendFile>> append(const std::string& path) override {
    if (fails()) return broken(path);
    return disk_.append(path);
  }
  Status sync_directory(const std::string& path) override {
    return fails() ? Status(broken(path)) : disk_.sync_directory(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, std::string_view who) override {
    if (fails()) return broken(path);
    return disk_.lock(path, who);
  }
  Status replace(const std::string& path, std::string_view bytes) override {
    return fails() ? Status(broken(path)) : disk_.replace(path, bytes);
  }
  Result<std::string> read(const std::string& path, std::size_t limit) const override {
    return disk_.read(path, limit);
  }
  std::vector<std::string> list(const std::string& path) const override { return disk_.list(path); }

 private:
  bool fails() { return ++operations == fail_at; }
  static Error broken(const std::string& path) {
    return fail(path + ": no space left", "free some");
  }

  SystemDisk disk_;
};

// Types the answers, one a question; then there is nobody.
class TypedAnswers final : public secrets::Prompter {
 public:
  explicit TypedAnswers(std::deque<std::string> answers) : answers_(std::move(answers)) {}
  Result<Secret> ask(const std::string& prompt) override {
    asked.push_back(prompt);
    if (answers_.empty()) return fail("cannot ask `" + prompt + "`: there is no terminal");
    Secret answer(answers_.front());
    answers_.pop_front();
    return answer;
  }
  std::vector<std::string> asked;

 private:
  std::deque<std::string> answers_;
};

}  // namespace cnplay::testing
