// The shells of one host: which there are, and whether there is room for another.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "remote/host_context.h"
#include "remote/host_locks.h"
#include "remote/host_traces.h"
#include "remote/shell.h"

namespace cnplay::remote {

class ShellPool {
 public:
  using ShellPtr = std::shared_ptr<Shell>;
  ShellPool(HostContext& context, ShellOwner& owner, const HostTraces& traces,
            const HostLocks& locks)
      : context_(context),
        owner_(owner),
        traces_(traces),
        locks_(locks),
        max_channels_(std::max(2U, context.options.max_channels)) {}

  const std::vector<ShellPtr>& all() const { return shells_; }
  bool empty() const { return shells_.empty(); }
  // An idle shell of the user. `fresh`: one that has kept no output on the host, for all that a
  // shell prints after its first claim is kept there. Null: there is none.
  ShellPtr find_idle(const std::string& user, bool fresh) const;
  bool has_opening() const;
  // How many are opening, by user.
  std::map<std::string, int> opening() const;
  // Whether a shell of the user is idle or busy.
  bool has_live(const std::string& user) const;
  // Whether there is a channel for another one. `urgent`: the one that is kept free may be taken.
  bool has_room(bool urgent) const;
  // Sudo is asked by one shell at a time: a wrong password must not be tried twice.
  bool may_open(const std::string& user) const;

  void open(const std::string& user);
  // Ends an idle shell of another user; or, where a fresh one is wanted, a used one.
  void make_room(const std::string& for_user, bool fresh = false);
  // Ends any idle shell.
  void end_one_idle();
  // The shell's channel is closed. It lives as long as the result.
  ShellPtr remove(Shell& shell);
  // At once: the connection is gone.
  void abandon_all();
  void resume_output();
  // The server gives no further channel: it allows fewer than we thought.
  void lower_limit();

  // Users that cannot be become, and why.
  void refuse(const std::string& user, const ShellFailure& failure) {
    refused_.emplace(user, failure);
  }
  const ShellFailure* refusal(const std::string& user) const;

 private:
  bool has_ending() const;

  HostContext& context_;
  ShellOwner& owner_;
  const HostTraces& traces_;
  const HostLocks& locks_;
  std::vector<ShellPtr> shells_;
  unsigned max_channels_;
  SudoMemory sudo_;
  std::map<std::string, ShellFailure> refused_;
};

}  // namespace cnplay::remote
