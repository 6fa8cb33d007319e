// Plans of every shape, by a seed; and a person who answers.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "run/people.h"
#include "support/run/builder.h"

namespace cnplay::run::test {

// A person at a terminal who thinks for a while, and mostly says yes.
class Somebody final : public Prompter {
 public:
  explicit Somebody(std::uint64_t seed) : random_(seed) {}
  void begin(const Asked&) override { thinks_ = random_() % 5; }
  std::optional<Reply> poll() override {
    if (thinks_-- > 0) return std::nullopt;
    Reply reply;
    reply.later = random_() % 4 == 0;
    reply.answer.yes = random_() % 4 != 0;
    return reply;
  }
  void end(const std::string&) override {}

 private:
  std::mt19937_64 random_;
  std::uint64_t thinks_ = 0;
};

// Steps, phases, barriers, pivots, handlers, retries and human steps, and what answers a failure.
// Every step has a timeout, so that a task that hangs ends.
class RandomPlan {
 public:
  RandomPlan(Builder& builder, std::mt19937_64& random);
  void make();

 private:
  std::uint32_t one_in(std::uint32_t n) { return static_cast<std::uint32_t>(random_() % n); }
  bool chance(std::uint32_t n) { return one_in(n) == 0; }
  void piece(int depth);
  void human();
  void batches();
  void step();
  void trim(plan::Node& node);
  std::string name() { return "s" + std::to_string(++names_); }

  Builder& b_;
  std::mt19937_64& random_;
  plan::NodeId reload_;
  int in_parallel_ = 0;  // where all hosts cannot be made to wait
  int names_ = 0;
};

}  // namespace cnplay::run::test
