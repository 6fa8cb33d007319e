#include "cli/local_tree.h"

#include <fnmatch.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>
#include <utility>

#include "base/text.h"
#include "cli/local_file.h"

namespace cnplay::cli {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  Reader(fs::path root, const std::vector<std::string>& without, const TreeLimits& limits)
      : root_(std::move(root)), without_(without), limits_(limits) {}

  Result<compile::Input::LocalTree> read() {
    if (Status found = look("", 0); !found) return found.error();
    std::sort(found_.begin(), found_.end());
    compile::Input::LocalTree tree;
    tree.path = root_.string();
    for (Result<Line>& line : lines()) {
      if (!line) return line.error();
      tree.size += line->size;
      if (tree.manifest.size() + line->text.size() > limits_.manifest) return too_large();
      tree.manifest += (tree.manifest.empty() ? "" : "\n") + line->text;
    }
    if (tree.manifest.empty()) {
      return fail(root_.string() + " has nothing in it that is to be sent",
                  "correct the path, or the patterns of what is excluded");
    }
    return tree;
  }

 private:
  struct Line {
    std::string text;
    std::uint64_t size = 0;
  };

  // Of all that was found, in its order. Many files are read by several threads: what takes time
  // is to open them and to sum them up.
  std::vector<Result<Line>> lines() const {
    constexpr std::size_t kWorthAThread = 200;
    std::vector<Result<Line>> all(found_.size(), fail("not read"));
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < all.size(); i = next++) all[i] = line(found_[i]);
    };
    const std::size_t cores = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
    const std::size_t threads = std::min(cores, all.size() / kWorthAThread + 1);
    std::vector<std::future<void>> others;
    for (std::size_t i = 1; i < threads; ++i) {
      others.push_back(std::async(std::launch::async, work));
    }
    work();
    for (auto& other : others) other.get();
    return all;
  }

  Result<Line> line(const std::pair<std::string, bool>& found) const {
    const auto& [path, directory] = found;
    if (directory) {
      std::error_code error;
      const auto mode = fs::status(root_ / path, error).permissions();
      if (error) return fail((root_ / path).string() + ": " + error.message());
      return Line{"d " + octal(static_cast<unsigned>(mode) & 0777U) + " 0 - " + path};
    }
    auto file = read_local_file(root_ / path);
    if (!file) return file.error();
    if (file->size > limits_.file) {
      return fail(file->path + " is larger than 8 GiB", "exclude it, and use file.copy");
    }
    return Line{"f " + octal(file->mode) + " " + std::to_string(file->size) + " " + file->sha256 +
                    " " + path,
                file->size};
  }

  static std::string octal(unsigned mode) {
    std::string text;
    do {
      text.insert(text.begin(), static_cast<char>('0' + mode % 8));
      mode /= 8;
    } while (mode != 0);
    return text;
  }

  Error too_large() const {
    return fail(root_.string() + " has more than " + std::to_string(limits_.entries) +
                    " files and directories, or their names are too long together",
                "exclude some of it, send parts of it, or an archive (file.copy)");
  }

  bool left_out(const std::string& path) const {
    const std::string name = path.substr(path.rfind('/') + 1);
    return std::any_of(without_.begin(), without_.end(), [&](const std::string& pattern) {
      const bool whole = pattern.find('/') != std::string::npos;
      const char* from = pattern.c_str() + (pattern.starts_with('/') ? 1 : 0);
      return ::fnmatch(from, whole ? path.c_str() : name.c_str(), 0) == 0;
    });
  }

  Status look(const std::string& in, int depth) {
    std::error_code error;
    fs::directory_iterator entry(root_ / in, error);
    if (error) return fail((root_ / in).lexically_normal().string() + ": " + error.message());
    if (depth > 200) return fail((root_ / in).string() + ": too deep");
    for (; entry != fs::directory_iterator(); entry.increment(error)) {
      const std::string path = (in.empty() ? "" : in + "/") + entry->path().filename().string();
      if (left_out(path)) continue;
      // The directory knows them; nothing is asked of each.
      const bool link = entry->is_symlink(error);
      const bool directory = !link && !error && entry->is_directory(error);
      const bool file = !link && !error && entry->is_regular_file(error);
      if (error) return fail(entry->path().string() + ": " + error.message());
      if (auto named = name_fits(path); !named) return named;
      if (!directory && !file) {
        return fail(
            entry->path().string() + " is " + (link ? "a link" : "neither a file nor a directory"),
            "exclude it" +
                std::string(link ? ", or copy the file that it points to into its place" : ""));
      }
      if (found_.size() == limits_.entries) return too_large();
      found_.emplace_back(path, directory);
      if (!directory) continue;
      if (Status inside = look(path, depth + 1); !inside) return inside;
    }
    if (error) return fail((root_ / in).lexically_normal().string() + ": " + error.message());
    return {};
  }

  // The lists are lines of text, to shells, awk, tar and sha256sum.
  Status name_fits(const std::string& path) const {
    const bool odd = std::any_of(path.begin(), path.end(), [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte < 0x20 || byte == 0x7f || c == '\\';
    });
    if (!odd && to_valid_utf8(path) == path) return {};
    return fail("the name of " + Untrusted((root_ / path).string()).display() +
                    " has a control character, a `\\`, or is not UTF-8",
                "rename it, or exclude it");
  }

  fs::path root_;
  const std::vector<std::string>& without_;
  const TreeLimits& limits_;
  std::vector<std::pair<std::string, bool>> found_;  // path, whether it is a directory
};

}  // namespace

Result<compile::Input::LocalTree> read_local_tree(const fs::path& path,
                                                  const std::vector<std::string>& without,
                                                  const TreeLimits& limits) {
  std::error_code error;
  auto root = fs::absolute(path, error).lexically_normal();
  if (error) return fail(path.string() + ": " + error.message());
  if (!root.has_filename()) root = root.parent_path();
  if (!fs::is_directory(root, error)) {
    return fail(
        root.string() + (fs::exists(root, error) ? " is not a directory" : ": no such directory"),
        "a file alone is sent by file.copy");
  }
  return Reader(root, without, limits).read();
}

}  // namespace cnplay::cli
