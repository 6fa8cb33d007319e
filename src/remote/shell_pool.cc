#include "remote/shell_pool.h"

#include <algorithm>
#include <utility>

namespace cnplay::remote {

ShellPool::ShellPtr ShellPool::find_idle(const std::string& user, bool fresh) const {
  const auto found = std::ranges::find_if(shells_, [&](const ShellPtr& shell) {
    return shell->state() == Shell::State::idle && shell->user() == user &&
           !(fresh && traces_.has_spool(shell->spool()));
  });
  return found == shells_.end() ? nullptr : *found;
}

bool ShellPool::has_opening() const {
  return std::ranges::any_of(
      shells_, [](const ShellPtr& shell) { return shell->state() == Shell::State::opening; });
}

bool ShellPool::has_ending() const {
  return std::ranges::any_of(
      shells_, [](const ShellPtr& shell) { return shell->state() == Shell::State::ending; });
}

std::map<std::string, int> ShellPool::opening() const {
  std::map<std::string, int> opening;
  for (const ShellPtr& shell : shells_) {
    if (shell->state() == Shell::State::opening) ++opening[shell->user()];
  }
  return opening;
}

bool ShellPool::has_live(const std::string& user) const {
  return std::ranges::any_of(shells_, [&](const ShellPtr& shell) {
    return shell->user() == user &&
           (shell->state() == Shell::State::idle || shell->state() == Shell::State::busy);
  });
}

// One channel stays free for a kill, unless locks and the server's limit leave only one.
bool ShellPool::has_room(bool urgent) const {
  const std::size_t left = max_channels_ > locks_.size() ? max_channels_ - locks_.size() : 1;
  return shells_.size() < (urgent || left == 1 ? left : left - 1);
}

bool ShellPool::may_open(const std::string& user) const {
  return user.empty() || std::ranges::none_of(shells_, [](const ShellPtr& shell) {
           return shell->state() == Shell::State::opening && !shell->user().empty();
         });
}

void ShellPool::open(const std::string& user) {
  auto opener = std::make_shared<Opener>(context_.connection, context_.settings,
                                         context_.options.ready_timeout, user, sudo_,
                                         context_.options.run_id, context_.options.around);
  const auto shell = std::make_shared<Shell>(owner_, context_.executor(), std::move(opener), user);
  shells_.push_back(shell);
  shell->open();
}

void ShellPool::make_room(const std::string& for_user, bool fresh) {
  if (has_ending()) return;  // room is on its way
  for (const ShellPtr& shell : shells_) {
    if (shell->state() != Shell::State::idle) continue;
    if (shell->user() != for_user || (fresh && traces_.has_spool(shell->spool()))) {
      return shell->end();
    }
  }
}

void ShellPool::end_one_idle() {
  if (has_ending()) return;  // room is on its way
  const auto idle = std::ranges::find_if(
      shells_, [](const ShellPtr& shell) { return shell->state() == Shell::State::idle; });
  if (idle != shells_.end()) (*idle)->end();
}

ShellPool::ShellPtr ShellPool::remove(Shell& shell) {
  auto self = shell.shared_from_this();
  std::erase(shells_, self);
  return self;
}

void ShellPool::abandon_all() {
  for (const ShellPtr& shell : std::exchange(shells_, {})) shell->abandon();
}

void ShellPool::resume_output() {
  for (const ShellPtr& shell : shells_) shell->resume();
}

void ShellPool::lower_limit() {
  max_channels_ = std::max<unsigned>(1, static_cast<unsigned>(shells_.size() + locks_.size()));
}

const ShellFailure* ShellPool::refusal(const std::string& user) const {
  const auto found = refused_.find(user);
  return found == refused_.end() ? nullptr : &found->second;
}

}  // namespace cnplay::remote
