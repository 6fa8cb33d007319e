#include "plan/by_hand.h"

#include <utility>

#include "plan/shell_shorten.h"
#include "plan/shell_sweep.h"

namespace cnplay::plan {

ByHand by_hand(const ByHandInput& input) {
  ByHand out;
  const bool only_check = input.apply.empty();
  const auto check = read_shell(input.check);
  const auto apply = read_shell(input.apply);
  if (!check || !apply) return out;
  for (const auto* list : {&*check, &*apply}) {
    const auto names = commands_of(*list, true);
    if (names.contains("eval") || names.contains(".") || names.contains("source")) return out;
  }
  ShellList all;
  if (!only_check) {
    Shortened made = shorten(input.known, *apply, Stage::apply, {});
    all = std::move(made.list);
    out.polls = made.polls;
    out.look = made.look;
    sweep(all, {});
  }
  std::set<std::string> wanted = input.wanted;
  const auto reads = names_read(all);
  for (const auto& fact : input.facts) {
    if (reads.contains(fact)) wanted.insert(fact);
  }
  if (only_check || !wanted.empty()) {
    ShellList looked =
        shorten(input.known, *check, only_check ? Stage::only_check : Stage::before, wanted).list;
    if (!only_check && !slice(looked, wanted)) return out;
    all.insert(all.begin(), looked.begin(), looked.end());
  }
  sweep(all, wanted);
  // Alone it may fail as it likes.
  if (all.size() == 1 && all[0].kind == ShellKind::and_or &&
      all[0].labels == std::vector<std::string>{"||"} &&
      all[0].lists[1].at(0).words == std::vector<std::string>{":"}) {
    ShellCommand alone = all[0].lists[0].at(0);
    all[0] = std::move(alone);
  }
  out.understood = true;
  out.text = write_shell(all);
  const auto set = names_set(all);
  for (const auto& name : names_read(all)) {
    if (!set.contains(name) || input.known.contains(name)) out.reads.insert(name);
  }
  out.commands = commands_of(all, true);
  out.one_command = all.size() == 1 && all[0].kind == ShellKind::simple && out.reads.empty() &&
                    names_set(all).empty();
  return out;
}

}  // namespace cnplay::plan
