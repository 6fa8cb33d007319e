// What a task in flight has said so far: stages, verdicts, facts, diff, the tail of its output.
// Fed with the text and marks of both streams; everything is capped, for the host may be hostile.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/remote.h"

namespace cnplay::remote {

class Collector {
 public:
  static constexpr std::size_t kMaxFact = 64 * 1024;
  static constexpr std::size_t kMaxFacts = 256;
  static constexpr std::size_t kMaxMessage = 4 * 1024;
  static constexpr std::size_t kMaxDiff = 256 * 1024;
  static constexpr std::size_t kMaxPath = 4 * 1024;

  using Output = std::function<void(Stage, Stream, std::string_view)>;
  Collector(const Task& task, std::size_t tail_bytes, Output output);

  void text(Stream stream, std::string_view bytes);
  void mark(Stream stream, std::string_view words);

  bool started() const { return started_; }  // its variables are set
  bool ended() const { return end_seen_[0] && end_seen_[1]; }
  // Whether apply may have begun, or may still begin on the host, as far as we know.
  bool apply_possible() const;
  // Whether there is an end marker on a stream: then the task is over on the host.
  bool end_seen() const { return end_seen_[0] || end_seen_[1]; }

  // Whether a stage that has ended was killed by TERM or KILL.
  bool died_of_signal() const;

  // The result as far as known, for finish, kill and loss alike.
  TaskResult take();

 private:
  enum class Section { none, verdict, fact, diff, path };
  struct Side {  // one of the two streams
    std::optional<Stage> stage;
    Section section = Section::none;
    std::string name;  // of the fact; the word of the verdict
    std::string value;
    bool overflow = false;
  };
  struct Record {
    Stage stage{};
    bool exited = false;
    int code = 0;
    Verdict verdict = Verdict::none;
    std::string message;
  };

  Record& record(Stage stage);
  const Record* find(Stage stage) const;
  void begin(Side& side, Section section, std::string_view name);
  void finish(Side& side);
  void add_verdict(Side& side);
  void add_fact(Side& side);
  static bool check_said_change(const Record& check);

  std::uint64_t id_;
  bool may_apply_;  // mode and scripts allow an apply at all
  bool has_check_;
  std::size_t tail_bytes_;
  Output output_;
  bool started_ = false;
  std::array<bool, 2> end_seen_{};
  std::array<Side, 2> sides_;
  std::vector<Record> records_;
  std::vector<std::pair<std::string, Untrusted>> facts_;
  std::string diff_;
  std::string tail_;
  std::string preview_;
  std::uint64_t output_bytes_ = 0;
};

}  // namespace cnplay::remote
