// The habits of modules' scripts that by_hand.cc knows. Inside of plan/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "plan/shell_tree.h"

namespace cnplay::plan {

// A simple command of that name.
bool is(const ShellCommand& c, std::string_view command);
// Whether the list ends the script for certain, in a failure or in a verdict.
bool ends(const ShellList& list);
// `fail "..."`, or a group that ends so.
bool fails(const ShellCommand& c);
// Whether something in the list, in its $( ) too, may change anything outside of the script: all
// that is not known to be a question (`git diff`, `sed`). Files that are written by `>` do not
// count.
bool acts(const ShellList& list);
// Of what is done behind a failed command, before `fail`: what acts. nullopt if that reads what the
// rest has found out.
std::optional<ShellList> acts_before_failing(const ShellList& body);
// `if ! command; then must...; exit 1; fi`
ShellCommand or_else(const ShellCommand& command, ShellList must);
// Tests, and nothing else: no command that might act, no name that is set.
bool only_looks(const ShellList& list);
// A file in the script's private directory: "$temp/x".
bool in_temp(const std::string& word);
// Whether a loop stands at `at` that asks until all is well, behind which there are only failures.
bool polls_to_the_end(const ShellList& list, std::size_t at);
// `said=$(command 2>&1) || :`
bool is_said(const ShellCommand& c);
// That, and then `printf '%s\n' "$said"`.
bool prints_what_it_said(const ShellList& list, std::size_t at);

}  // namespace cnplay::plan
