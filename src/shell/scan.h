// A reader of POSIX shell text that knows just enough of its grammar to say which variables it
// reads and sets and which commands it calls. It never runs anything and never fails: text that
// no shell would accept is read as well as can be.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnplay::shell {

struct ShellWord {
  std::string name;
  std::size_t offset = 0;  // in the text
};

struct ShellScan {
  std::vector<ShellWord> reads;     // `$x`, `${x%...}`, `x` in `$((x + 1))`
  std::vector<ShellWord> guarded;   // `${x:-...}`, `${x+...}`
  std::vector<ShellWord> assigned;  // `x=`, `for x`, `read x`, `: "${x:=...}"`
  std::vector<ShellWord> commands;  // literal words in the place of a command
  std::vector<ShellWord> facts;     // X of `fact X value`
  bool computed_fact = false;       // a `fact` whose name is not literal
};

ShellScan scan_shell(std::string_view text);

// The `$name`s of a shell text that it neither assigns itself nor may take for granted (HOME,
// PATH, PWD, OLDPWD, IFS, PPID, OPTARG, OPTIND, LC_ALL, nl, preview, digits and specials): with the
// offset of each in the text. `${x:-y}` and `${x:+y}` do not count as reading x: they are the
// way to ask whether it is set.
struct ShellName {
  std::string name;
  std::size_t offset = 0;
};
std::vector<ShellName> free_names(std::string_view script);
// Names that the script itself assigns (`x=`, `for x in`, `read -r x`, `: "${x:=...}"`).
std::vector<std::string> assigned_names(std::string_view script);

}  // namespace cnplay::shell
