// Tasks that went to their host before the run came to them: in which order, and what they have
// said since. Steps decides which go, and what becomes of them.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "plan/pipeline.h"
#include "remote/remote.h"

namespace cnplay::run {

class Ahead {
 public:
  // Of one host; and how few are left when further ones are sent, so that they share one write to
  // disk.
  static constexpr std::size_t kMost = 32;
  static constexpr std::size_t kFew = kMost / 2;
  // Of the output of one host. More than a channel's window, which is all that a host sends before
  // the end of the task before is known; unless it does not hold back what it begins.
  static constexpr std::size_t kMostKept = std::size_t{2} << 20;

  struct Sent {
    plan::Place place;
    plan::HostIndex host = 0;
    remote::TaskId task = 0;
    bool earlier = false;    // by a controller that is gone: the hosts have not been told of it yet
    bool withdrawn = false;  // the run does not come to it any more
    std::deque<remote::Event> said = {};  // TaskOutput, TaskEnded, in their order
    std::size_t kept = 0;                 // bytes of the output in it
    std::uint64_t left_out = 0;           // and that were too much
  };
  using Chain = std::deque<Sent>;

  void add(Sent sent);
  // Those of a host, in the order in which they are to run.
  const Chain& of(plan::HostIndex host) const;
  // Takes the first one of the host, if it is this action, and is still wanted.
  std::optional<Sent> take(const plan::Place& place, plan::HostIndex host);
  // Null: it is none of them. Good until the next change.
  Sent* find(remote::TaskId task);
  void erase(remote::TaskId task);
  // What it has said goes to `said`, or is left out. Returns how many bytes are kept.
  std::size_t keep(Sent& sent, remote::TaskOutput output) const;
  bool contains(remote::TaskId task) const { return hosts_.contains(task); }
  // The ids of those that are withdrawn, or of all.
  std::vector<remote::TaskId> withdrawn() const;
  std::vector<remote::TaskId> all() const;
  std::vector<remote::TaskId> all(plan::HostIndex host) const;
  // Whether something is withdrawn that the hosts know of.
  bool any_withdrawn() const;
  void withdraw(Sent& sent);

 private:
  std::map<plan::HostIndex, Chain> chains_;
  std::unordered_map<remote::TaskId, plan::HostIndex> hosts_;
  std::size_t withdrawn_ = 0;
};

}  // namespace cnplay::run
