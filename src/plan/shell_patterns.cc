#include "plan/shell_patterns.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "plan/shell_eval.h"

namespace cnplay::plan {

using Strings = std::vector<std::string>;

namespace {

bool among(const std::string& word, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), word) != names.end();
}

// The first word that is no option; `with_value`: options that take the next word.
std::size_t operand(const Strings& words, std::size_t at,
                    std::initializer_list<std::string_view> with_value) {
  while (at < words.size() && words[at].size() > 1 && words[at][0] == '-') {
    at += among(words[at], with_value) ? 2 : 1;
  }
  return at;
}

bool asks(const Strings& words, std::size_t first) {
  const std::string& command = words[first];
  if (among(command, {":",     "[",      "awk",   "basename", "break",      "cat",  "continue",
                      "cut",   "date",   "df",    "dirname",  "diff_lines", "echo", "exit",
                      "fact",  "fail",   "false", "grep",     "head",       "id",   "journalctl",
                      "ls",    "mktemp", "ok",    "printf",   "read",       "sed",  "skip",
                      "sleep", "sort",   "stat",  "tail",     "test",       "tr",   "true",
                      "uniq",  "warn",   "wc",    "return",   "change",     "pgrep"})) {
    return true;
  }
  const auto sub = [&](std::initializer_list<std::string_view> with_value) {
    const std::size_t at = operand(words, first + 1, with_value);
    return at < words.size() ? words[at] : std::string();
  };
  if (command == "git") {
    const std::string word = sub({"-C", "-c"});
    if (word == "remote") {
      return words.back() == "remote" ||
             std::find(words.begin(), words.end(), "get-url") != words.end();
    }
    return among(word, {"diff", "log", "ls-files", "ls-remote", "merge-base", "rev-list",
                        "rev-parse", "show", "status"});
  }
  if (command == "systemctl") {
    return among(sub({}), {"is-active", "is-enabled", "show", "status"});
  }
  if (command == "supervisorctl") {
    // `${config:+-c "$config"}` may stand before it.
    return std::any_of(words.begin(), words.end(),
                       [](const auto& w) {
                         return among(w, {"status", "tail"});
                       }) &&
           std::none_of(words.begin(), words.end(), [](const auto& w) {
             return among(w, {"start", "stop", "restart", "update", "reload", "shutdown"});
           });
  }
  if (command == "dpkg")
    return words.size() > first + 1 && among(words[first + 1], {"-s", "-l", "-L"});
  return false;
}

bool word_acts(const std::string& word) {
  for (std::size_t at = 0; (at = word.find("$(", at)) != std::string::npos; ++at) {
    if (word.compare(at, 3, "$((") == 0) continue;
    bool read = false;
    // The shortest text that reads as commands: quotes and brackets are the reader's business.
    for (std::size_t end = word.find(')', at); end != std::string::npos && !read;
         end = word.find(')', end + 1)) {
      const auto inner = read_shell(std::string_view(word).substr(at + 2, end - at - 2));
      if (!inner) continue;
      read = true;
      if (acts(*inner)) return true;
      at = end;  // what stands inside has been looked at
    }
    if (!read) return true;
  }
  return false;
}

}  // namespace

bool acts(const ShellList& list) {
  for (const ShellCommand& c : list) {
    if (std::any_of(c.words.begin(), c.words.end(), word_acts)) return true;
    for (const ShellList& inner : c.lists) {
      if (acts(inner)) return true;
    }
    if (c.kind != ShellKind::simple) continue;
    std::size_t first = 0;
    while (first < c.words.size() && assignment_length(c.words[first]) != 0) ++first;
    if (first < c.words.size() && !asks(c.words, first)) return true;
  }
  return false;
}

std::optional<ShellList> acts_before_failing(const ShellList& body) {
  ShellList out;
  ShellList rest;
  for (const ShellCommand& c : body) (acts({c}) ? out : rest).push_back(c);
  const auto found = names_set(rest);
  for (const auto& name : names_read(out)) {
    if (found.contains(name)) return std::nullopt;
  }
  return out;
}

ShellCommand or_else(const ShellCommand& command, ShellList must) {
  ShellCommand negated;
  negated.kind = ShellKind::pipeline;
  negated.negated = true;
  negated.lists = {{command}};
  ShellCommand exit;
  exit.words = {"exit", "1"};
  must.push_back(std::move(exit));
  ShellCommand out;
  out.kind = ShellKind::if_;
  out.lists = {{std::move(negated)}, std::move(must)};
  return out;
}

bool is(const ShellCommand& c, std::string_view command) {
  return c.kind == ShellKind::simple && !c.words.empty() && c.words[0] == command;
}

bool ends(const ShellList& list) {
  if (list.empty()) return false;
  const ShellCommand& last = list.back();
  if (last.kind == ShellKind::group) return ends(last.lists.at(0));
  return is(last, "fail") || is(last, "ok") || is(last, "skip");
}
bool fails(const ShellCommand& c) {
  return is(c, "fail") ||
         (c.kind == ShellKind::group && !c.lists.at(0).empty() && fails(c.lists[0].back()));
}

bool only_looks(const ShellList& list) {
  static const std::set<std::string> kLookers{":", "[", "test", "grep", "true", "false"};
  const auto names = commands_of(list, false);
  return names_set(list).empty() && std::all_of(names.begin(), names.end(),
                                                [](const auto& n) { return kLookers.contains(n); });
}

bool in_temp(const std::string& word) { return word.compare(0, 7, "\"$temp/") == 0; }

bool polls_to_the_end(const ShellList& list, std::size_t at) {
  const ShellCommand& c = list[at];
  if (c.kind != ShellKind::while_ || !outcome_of(c.lists[0].at(0), {}).value_or(false)) {
    return false;
  }
  const ShellList rest(list.begin() + static_cast<std::ptrdiff_t>(at) + 1, list.end());
  return commands_of(c.lists[1], false).contains("sleep") && !acts(c.lists[1]) && ends(rest) &&
         !acts(rest);
}

bool is_said(const ShellCommand& c) {
  if (c.kind != ShellKind::and_or || c.labels != Strings{"||"} || !is(c.lists[1].at(0), ":")) {
    return false;
  }
  const ShellCommand& set = c.lists[0].at(0);
  if (set.kind != ShellKind::simple || set.words.size() != 1) return false;
  const std::string& word = set.words[0];
  const std::size_t n = assignment_length(word);
  return n != 0 && word.compare(n + 1, 2, "$(") == 0 && word.back() == ')';
}

bool prints_what_it_said(const ShellList& list, std::size_t at) {
  if (at + 1 >= list.size() || !is(list[at + 1], "printf")) return false;
  if (!is_said(list[at])) return false;
  const std::string& word = list[at].lists[0].at(0).words[0];
  return list[at + 1].words ==
         Strings{"printf", "'%s\\n'", "\"$" + word.substr(0, assignment_length(word)) + "\""};
}

}  // namespace cnplay::plan
