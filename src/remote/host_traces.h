// What the run has on a host: directories of users, and in them the output of tasks ("spools").
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "remote/remote.h"

namespace cnplay::remote {

class HostTraces {
 public:
  // --- spools
  // A task of the user is claimed in a shell, which keeps its output in this spool.
  void claimed(const std::string& spool, const std::string& user, TaskId task);
  // The results of these tasks are on disk.
  void recorded(const std::vector<TaskId>& tasks);
  bool has_spool(const std::string& spool) const { return spools_.contains(spool); }
  void shell_gone(const std::string& spool);
  void all_shells_gone();
  // The lines for a shell of the user that remove spools which nobody needs: their shell is gone,
  // and all results in them are on disk.
  std::string remove_old(const std::string& user);

  // --- directories
  // The user's directory of the run may exist.
  void used(const std::string& user) { users_.insert(user); }
  // A task of the user was lost: what it has left there stays.
  void lost_task(const std::string& user) { kept_.insert(user); }
  bool is_kept(const std::string& user) const { return kept_.contains(user); }
  // Takes the user from those whose directory is to be removed. False: it was not among them.
  bool take(const std::string& user) { return users_.erase(user) > 0; }
  // A user whose directory is to be removed; those of kept ones are not.
  std::optional<std::string> next_user();
  // Nothing is removed.
  void keep_all() { users_.clear(); }

 private:
  struct Spool {
    std::string user;
    std::set<TaskId> tasks;  // whose results are not yet on record
    bool closed = false;     // its shell is gone
  };
  std::map<std::string, Spool> spools_;  // by name
  std::set<std::string> users_;
  std::set<std::string> kept_;
};

}  // namespace cnplay::remote
