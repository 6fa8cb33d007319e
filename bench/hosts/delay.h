// Part of bench/hosts: a line that is long. What a client sends comes out of it a while later, each
// byte as much as any other; what the host says goes through at once. So a question and its answer
// cost one delay, however busy the machine is: a host that only looked up late would see what came
// while it worked without any.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "command.h"

namespace cnplay::bench {

struct World;

class DelayLine {
 public:
  // `outside`: the client's socket, non-blocking, taken over. `number`: World::lines knows it by.
  DelayLine(World& world, int outside, std::uint64_t number);
  // What the host has said goes out before, as far as the client takes it.
  ~DelayLine();
  DelayLine(const DelayLine&) = delete;
  DelayLine& operator=(const DelayLine&) = delete;

  // The host's end: whoever asks for it closes it.
  int inside() const { return ends_.second; }
  int outside() const { return outside_.fd; }
  // Lets through the oldest of what is on its way: World::late has an entry for each.
  void deliver();

 private:
  struct End final : Watcher {
    End(DelayLine& l, int f, void (DelayLine::*t)()) : line(l), fd(f), then(t) {}
    void ready(std::uint32_t) override { (line.*then)(); }
    DelayLine& line;
    const int fd;
    void (DelayLine::*const then)();
    std::uint64_t watch = 0;
  };
  void outside_ready();
  void middle_ready();
  void send_out();
  void send_in();
  void arm();

  World& world_;
  const std::uint64_t number_;
  const std::pair<int, int> ends_;  // ours, in the middle, and the host's
  End outside_, middle_;
  std::deque<std::string> way_in_;  // an empty one: the end
  std::string due_, out_;           // not taken yet
  bool client_ended_ = false, told_ = false, host_ended_ = false;
};

}  // namespace cnplay::bench
