// POSIX shell text as a tree of commands, read and written: what by_hand.h shortens. Inside of
// plan/. It knows the grammar, not what any command does, and never runs anything.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cnplay::plan {

struct ShellCommand;
using ShellList = std::vector<ShellCommand>;

struct ShellRedirect {
  std::string op;      // with its descriptor: "2>", ">", "<<"
  std::string target;  // the word as written; of a here-document its delimiter
  std::string body;    // of a here-document, the closing line included
};

enum class ShellKind {
  simple,    // words: assignments first, then the command
  and_or,    // lists[i] holds one command each; labels[i] stands between i and i + 1
  pipeline,  // lists[i] holds one command each
  if_,       // lists: condition, body, condition, body, ..., and the `else` if their number is odd
  case_,     // words[0]; labels[i] are the patterns of lists[i]
  for_,      // words[0] the variable, the rest what it runs over; lists[0]
  while_,    // lists: condition, body; words[0]: while or until
  group,     // { lists[0] }
  subshell,  // ( lists[0] )
  function,  // words[0]; lists[0] holds its body, one command
  comment,   // words[0]
};

struct ShellCommand {
  ShellKind kind = ShellKind::simple;
  std::vector<std::string> words;
  std::vector<ShellList> lists;
  std::vector<std::string> labels;
  std::vector<ShellRedirect> redirects;
  bool negated = false;  // `! command`; only of a pipeline
};

// nullopt for what this reader does not know (`&`, an unfinished quote, ...): show such a text as
// it is.
std::optional<ShellList> read_shell(std::string_view text);

// The text of commands, one a line, what stands inside of others indented by two. Reads back as
// the same tree.
std::string write_shell(const ShellList& list);

// Every name that is read as $x anywhere in the list, in here-documents and substitutions too; "@"
// for the positional parameters.
std::set<std::string> names_read(const ShellList& list);
// Every name that the list itself may set: `x=`, `for x`, `read x`, `export x=`; "@" by `set --`
// and `shift`.
std::set<std::string> names_set(const ShellList& list);
// The first words of all simple commands that the list itself holds, as written; those inside of
// $( ) only if `within` says so.
std::set<std::string> commands_of(const ShellList& list, bool within);

// `x=word`: the length of x, or 0 for any other word.
std::size_t assignment_length(std::string_view word);

}  // namespace cnplay::plan
