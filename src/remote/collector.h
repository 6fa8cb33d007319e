// What a task in flight has said so far: stages, verdicts, facts, diff, the tail of its output.
// Fed with the text and marks of both streams; everything is capped, for the host may be hostile.
//
// A task that was claimed before comes as the copy of another shell's spool, marks of that shell's
// and all: it is taken in as if it came from there, up to what is known already.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/frame.h"
#include "remote/remote.h"

namespace cnplay::remote {

class Collector {
 public:
  static constexpr std::size_t kMaxFact = 64 * 1024;
  static constexpr std::size_t kMaxFacts = 256;
  static constexpr std::size_t kMaxMessage = 4 * 1024;
  static constexpr std::size_t kMaxDiff = 256 * 1024;
  static constexpr std::size_t kMaxWanted = 1024 * 1024;
  static constexpr std::size_t kMaxPath = 4 * 1024;
  static constexpr std::size_t kMaxRefusal = 1024;

  using Output = std::function<void(Stage, Stream, std::string_view)>;
  Collector(const Task& task, std::size_t tail_bytes, Output output);

  void text(Stream stream, std::string_view bytes);
  void mark(Stream stream, std::string_view words);

  // Bytes of its output, of each stream, that went to `output`, these included that it was told of.
  using Passed = std::array<std::uint64_t, 2>;
  const Passed& passed() const { return passed_; }
  // The first of them went to it by an earlier collector, and are left out.
  void skip(const Passed& passed) { skip_ = passed; }

  bool started() const { return started_; }  // its variables are set
  bool ended() const { return end_seen_[0] && end_seen_[1]; }
  // The host wants the file first: check has said change, and nothing was claimed.
  bool wants_upload() const { return wants_upload_ && says_change(); }
  // What it wants of a tree, in its own words; what is longer than kMaxWanted is cut.
  const std::string& wanted() const { return wanted_; }
  // Whether apply is due: check said change and ended well, or there is none.
  bool says_change() const;
  // It was sent ahead, and the host has not begun it: what was before it did not end well.
  bool held_back() const { return held_back_; }
  // Why the host would not start it; "" if it did not say so.
  const std::string& refusal() const { return refusal_; }
  // It was claimed before, and is followed; by its shell's process group.
  bool followed() const { return followed_; }
  long group() const { return group_; }
  // Followed to its own end; and else the state in which the host left it, in a word of the
  // protocol.
  bool followed_to_end() const { return inner_end_[0] && inner_end_[1]; }
  const std::string& state() const { return state_; }
  // Whether apply may have begun, or may still begin on the host, as far as we know.
  bool apply_possible() const;
  // Apply has ended: well, or killed by a signal.
  bool applied() const;
  // Whether there is an end marker on a stream: then the task is over on the host.
  bool end_seen() const { return end_seen_[0] || end_seen_[1]; }
  bool end_seen(Stream stream) const { return end_seen_[static_cast<std::size_t>(stream)]; }

  // Whether a stage that has ended was killed by TERM or KILL.
  bool died_of_signal() const;

  // The result as far as known, for finish, kill and loss alike.
  TaskResult take();

 private:
  enum class Section { none, verdict, fact, diff, wanted, path, refusal };
  struct Side {  // one of the two streams
    std::optional<Stage> stage;
    Section section = Section::none;
    std::string name;  // of the fact; the word of the verdict
    std::string value;
    std::uint64_t left_out = 0;  // bytes over the cap
  };
  struct Record {
    Stage stage{};
    bool exited = false;
    int code = 0;
    Verdict verdict = Verdict::none;
    std::string message;
  };

  struct Inner final : FrameSink {  // one stream of another shell's spool
    Inner(Collector& of, Stream which, std::string_view nonce)
        : collector(of), stream(which), parser(nonce) {}
    void text(std::string_view bytes) override;
    void mark(std::string_view words) override;
    Collector& collector;
    Stream stream;
    FrameParser parser;
    bool inside = false;  // between its task's first mark and its last
  };

  void follow(Stream stream, std::string_view words);
  void take_text(Stream stream, std::string_view bytes);
  void take_mark(Stream stream, std::string_view kind, std::string_view words);
  void pass(Stage stage, Stream stream, std::string_view bytes);
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
  std::array<std::optional<Inner>, 2> inner_;
  std::array<bool, 2> inner_end_{};
  bool followed_ = false;
  long group_ = 0;
  std::string state_;
  bool wants_upload_ = false;
  bool held_back_ = false;
  std::string refusal_;
  Passed passed_{};
  Passed skip_{};
  std::array<Side, 2> sides_;
  std::vector<Record> records_;
  std::vector<std::pair<std::string, Untrusted>> facts_;
  std::string diff_;
  std::string wanted_;
  std::string tail_;
  std::string preview_;
  std::uint64_t output_bytes_ = 0;
};

}  // namespace cnplay::remote
