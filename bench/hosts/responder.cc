// A shell that is none: a state machine of a few hundred bytes in place of three processes, so that
// one machine can be ten thousand hosts and still measure the other side.
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "command.h"

namespace cnplay::bench {
namespace {

// More than this without an end is no request that we could run.
constexpr std::size_t kMostHeld = 4 * 1024 * 1024;
constexpr std::size_t kMostPrinted = 16 * 1024 * 1024;
// With more since the last task that was not sent ahead, a shell holds back what was (prelude.cc).
constexpr std::size_t kHoldsBack = 128 * 1024;
constexpr std::string_view kBootId = "c0ffee00-0000-4000-8000-000000000000";

// Words in single quotes, as base/text.h's quote() writes them, up to the end of the line or to `;
// `. Nothing if that has not come yet; `used` is its length.
std::optional<std::vector<std::string>> quoted_words(std::string_view text, std::size_t& used) {
  std::vector<std::string> words;
  bool open = false;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'') {
      open = !open;
      if (!in_word) words.emplace_back();
      in_word = true;
    } else if (open) {
      words.back() += c;
    } else if (c == '\\' && i + 1 < text.size()) {
      if (in_word) words.back() += text[++i];
    } else if (c == ' ') {
      in_word = false;
    } else if (c == '\n' || (c == ';' && i + 1 < text.size())) {
      used = c == '\n' ? i + 1 : i + 2;
      return words;
    }
  }
  return std::nullopt;
}

// The script's output and exit code, as `sh -eu` would have it.
int run_script(std::string_view script, std::string& out, std::string& err) {
  while (!script.empty()) {
    const std::size_t end = std::min(script.find('\n'), script.size());
    std::string_view line = script.substr(0, end);
    script.remove_prefix(std::min(end + 1, script.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    line = line.substr(0, line.find_last_not_of(" \t") + 1);
    if (line.empty() || line == "true" || line == ":" || line.starts_with('#')) continue;
    if (line == "false") return 1;
    if (line.starts_with("exit ")) {
      int code = 0;
      std::from_chars(line.data() + 5, line.data() + line.size(), code);
      return code & 255;
    }
    // printf '%1048576s\n' x: text of that many bytes, and a newline.
    if (static constexpr std::string_view kFill = "printf '%"; line.starts_with(kFill)) {
      std::size_t size = 0;
      std::from_chars(line.data() + kFill.size(), line.data() + line.size(), size);
      out.append(std::min(size, kMostPrinted), 'x').append("\n");
      continue;
    }
    if (line.starts_with("echo ")) {
      out.append(line.substr(5)).append("\n");
      continue;
    }
    err.append("this host does not know `").append(line).append("`\n");
    return 127;
  }
  return 0;
}

class Responder final : public Command {
 public:
  Responder(HostMemory& memory, Speaker speaker) : memory_(memory), speaker_(std::move(speaker)) {
    static long pids = 1000;
    pid_ = ++pids;
  }

  void input(std::string_view bytes) override {
    if (ended_) return;
    held_ += bytes;
    std::size_t at = 0;
    while (const std::size_t used = take(std::string_view(held_).substr(at))) at += used;
    held_.erase(0, at);
    if (held_.size() > kMostHeld) end(91);
    // Most of ten thousand shells wait: they keep nothing of what they have read.
    if (held_.empty()) held_.shrink_to_fit();
  }

  void input_ended() override { end(0); }

 private:
  // One line, or one request. How much of the text it was; 0: not whole yet.
  std::size_t take(std::string_view text) {
    static constexpr std::string_view kRun = "_cn_run '";
    if (text.starts_with(kRun)) {
      std::size_t used = 0;
      const auto words = quoted_words(text.substr(kRun.size() - 1), used);
      if (!words) return 0;
      run(*words);
      return kRun.size() - 1 + used;
    }
    for (const std::string_view joint : {"_cn_m=1; ", "_cn_m=; "}) {
      if (text.starts_with(joint)) return joint.size();
    }
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return 0;
    const std::string_view line = text.substr(0, end);
    if (line.find("printf '%s%s %s %s %s %s / %s\\n'") != std::string_view::npos) answer(line);
    if (line.starts_with("_cn_n=")) nonce_ = line.substr(6);
    if (line.starts_with("_cn_id=")) run_ = line.substr(7);
    if (line.starts_with("_cn_tidy ")) memory_.tasks.clear();
    if (nonce_.empty() && line.find("_cn_") == std::string_view::npos) plain(line);
    return end + 1;
  }

  // Opener::ask(): who are you?
  void answer(std::string_view line) {
    std::size_t used = 0;
    // The last printf of the line answers; the one before it asks for the halves on stderr as well.
    const std::string quoted = std::string(line.substr(line.rfind(" printf ") + 8)) + "\n";
    const auto words = quoted_words(quoted, used);
    if (!words || words->size() < 3) return;
    speaker_.say(1, "\n" + (*words)[1] + (*words)[2] + "\n");
    const std::string pid = std::to_string(pid_);
    const std::string zeros = " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 7 0 0";
    speaker_.say(0, (*words)[1] + (*words)[2] + " 42 " + pid + " " + std::string(kBootId) +
                        " S 1 1" + zeros + " / " + pid + " (sh) S 1 " + pid + zeros + "\n");
  }

  // What others send to a shell, the limit for one: commands on a line.
  void plain(std::string_view line) {
    std::string script(line);
    for (std::size_t at = 0; (at = script.find("; ", at)) != std::string::npos;) script[at] = '\n';
    std::string out;
    std::string err;
    run_script(script, out, err);
    if (!out.empty()) speaker_.say(0, out);
    if (!err.empty()) speaker_.say(1, err);
  }

  std::string mark(const std::string& words) const { return "\036" + nonce_ + " " + words + "\n"; }

  // ID MODE SECONDS VERIFY VARIABLES CHECK APPLY VERIFY-SCRIPT PREVIEW PREFLIGHT CLAIM FILE end-ID
  void run(const std::vector<std::string>& words) {
    if (words.size() != 13 || words[12] != "end-" + words[0]) return end(91);
    const std::string& id = words[0];
    std::string out;
    std::string err;
    if (words[1] == "preflight") {
      out = err = mark("S " + id) + mark("B preflight");
      out += mark("X preflight 0");
      err += mark("V ok") + mark("v");
    } else if (words[1] != "apply" || !words[5].empty() ||
               (words[10] == "once" ? !words[11].empty() : words[10] != "ahead")) {
      out = mark("N") + "this host runs plain commands alone" + mark("n");
    } else if (const auto known = memory_.tasks.find(run_ + " " + id);
               known != memory_.tasks.end()) {
      const HostMemory::Task& task = known->second;
      const std::string follow =
          mark("A " + id + " " + task.nonce + " " + std::to_string(task.pid));
      out = follow + task.out + mark("Q " + id + " ended");
      err = follow + task.err;
    } else if (words[10] == "ahead" &&
               (words[11].substr(0, words[11].find(' ')) != well_ || printed_ > kHoldsBack)) {
      out = mark("K " + id);
    } else {
      if (words[10] == "once") printed_ = 0;
      out = err = mark("S " + id) + mark("B apply");
      const int code = run_script(words[6], out, err);
      out += mark("X apply " + std::to_string(code));
      well_ = code == 0 ? id : "";
      printed_ += out.size() + err.size();
      memory_.tasks[run_ + " " + id] = {nonce_, pid_, out + mark("E " + id + " out"),
                                        err + mark("E " + id + " err")};
    }
    speaker_.say(0, out + mark("E " + id + " out"));
    speaker_.say(1, err + mark("E " + id + " err"));
  }

  void end(int status) {
    if (std::exchange(ended_, true)) return;
    speaker_.exit(status);
  }

  HostMemory& memory_;
  const Speaker speaker_;
  long pid_ = 0;
  std::string held_;
  std::string nonce_;
  std::string run_;
  std::string well_;         // the task that it has done last, if that ended well
  std::size_t printed_ = 0;  // since the last task that was not sent ahead
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Command> make_responder(HostMemory& memory, Speaker speaker) {
  return std::make_unique<Responder>(memory, std::move(speaker));
}

}  // namespace cnplay::bench
