// Part of bench/hosts: what a host of ours does with an exec request. One thread, one loop; nothing
// here blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace cnplay::bench {

// Whoever waits for a descriptor.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void ready(std::uint32_t events) = 0;
};

// An epoll set whose entries are known by numbers that are never used again: an event that comes
// late finds nobody. Entries are one-shot.
class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::uint64_t add(int fd, Watcher& watcher);  // waits for nothing yet
  void wait(std::uint64_t id, int fd, std::uint32_t events);
  // To be called before the descriptor is closed.
  void remove(std::uint64_t id, int fd);
  // Calls who is ready; waits at most so long for the first. -1: without end.
  void run_once(int milliseconds);

 private:
  int epoll_ = -1;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Watcher*> watchers_;
};

// What a command says. None of it is called from the command's constructor, nor after `exit`.
struct Speaker {
  std::function<void(int stream, std::string_view bytes)> say;  // 0: stdout, 1: stderr
  std::function<void(int status)> exit;
};

class Command {
 public:
  virtual ~Command() = default;
  virtual void input(std::string_view bytes) = 0;
  virtual void input_ended() = 0;
};

// What a host keeps from one connection to the next.
struct HostMemory {
  struct Task {
    std::string nonce;  // of the shell that ran it
    long pid = 0;
    std::string out, err;  // what that shell said of it
  };
  std::map<std::string, Task> tasks;  // by run and id
  bool hit = false;                   // its fault has come about
};

// Plays a POSIX shell as far as src/remote/ needs one (request.cc and prelude.cc there): answers
// the question who it is, says `ok` to every preflight, runs requests of one `apply` stage whose
// script is made of `true`, `false`, `exit N` and `echo WORDS`, keeps the promise that none is run
// twice, tidies up. Any other script ends with 127. Before the protocol has begun, lines of such
// commands, parted by `; `, are run as well: the limit speaks so.
std::unique_ptr<Command> make_responder(HostMemory& memory, Speaker speaker);

// A real `sh -c COMMAND`, in a session of its own and in `directory`, which is its HOME. Two
// descriptors of ours. Null, with errno set, if it cannot be started.
std::unique_ptr<Command> make_child(Loop& loop, const std::string& directory,
                                    const std::string& command, Speaker speaker);
// To be called after a SIGCHLD.
void reap_children();

}  // namespace cnplay::bench
