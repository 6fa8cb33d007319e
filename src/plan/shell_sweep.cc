#include "plan/shell_sweep.h"

#include <algorithm>

#include "plan/shell_patterns.h"

namespace cnplay::plan {
namespace {

bool only_asks(const ShellCommand& c) { return !acts({c}); }

bool is_assignment(const ShellCommand& c) {
  if (c.kind == ShellKind::and_or) {
    // `x=$(...) || :`
    return is_assignment(c.lists[0].at(0)) && c.lists.size() == 2 &&
           (is_assignment(c.lists[1].at(0)) ||
            c.lists[1].at(0).words == std::vector<std::string>{":"});
  }
  return c.kind == ShellKind::simple && c.redirects.empty() && !c.words.empty() &&
         std::all_of(c.words.begin(), c.words.end(),
                     [](const auto& w) { return assignment_length(w) != 0; });
}

// Whether nothing in it does more than set names: `case $x in a) y=1 ;; *) y=2 ;; esac`.
bool only_sets(const ShellCommand& c) {
  if (is_assignment(c)) return only_asks(c);
  if (c.kind != ShellKind::if_ && c.kind != ShellKind::case_) return false;
  if (!c.redirects.empty()) return false;
  for (std::size_t i = 0; i < c.lists.size(); ++i) {
    const bool condition = c.kind == ShellKind::if_ && i % 2 == 0 && i + 1 < c.lists.size();
    for (const ShellCommand& inner : c.lists[i]) {
      if (condition ? !only_asks(inner) : !only_sets(inner)) return false;
    }
  }
  return true;
}

// Writes a file, so that it is more than a question.
bool writes_file(const ShellCommand& c) {
  for (const ShellRedirect& r : c.redirects) {
    if (r.op.find('>') != std::string::npos && r.op.back() != '&' && r.op[0] != '2' &&
        r.target != "/dev/null") {
      return true;
    }
  }
  return std::any_of(c.lists.begin(), c.lists.end(), [](const ShellList& list) {
    return std::any_of(list.begin(), list.end(), writes_file);
  });
}

// The names that something reads which is not itself only there to set another.
std::set<std::string> live_names(const ShellList& list, const std::set<std::string>& wanted) {
  std::set<std::string> live = wanted;
  for (const ShellCommand& c : list) {
    if (!only_sets(c)) live.merge(names_read({c}));
  }
  for (bool again = true; again;) {
    const auto before = live.size();
    for (const ShellCommand& c : list) {
      const auto set = names_set({c});
      if (only_sets(c) &&
          std::any_of(set.begin(), set.end(), [&](const auto& n) { return live.contains(n); })) {
        live.merge(names_read({c}));
      }
    }
    again = live.size() != before;
  }
  return live;
}

// `trap 'rm -rf "$temp"' EXIT` and `trap 'exit 143' HUP INT TERM`.
bool is_tidy_trap(const ShellCommand& c) {
  if (c.kind != ShellKind::simple || c.words.size() < 3 || c.words[0] != "trap") return false;
  return c.words[1].compare(0, 4, "'rm ") == 0 || c.words[1].compare(0, 6, "'exit ") == 0;
}
bool is_splitting(const ShellCommand& c) {
  if (c.kind != ShellKind::simple || c.words.empty()) return false;
  const auto& w = c.words;
  return w[0].compare(0, 4, "IFS=") == 0 ||
         (w.size() == 2 && ((w[0] == "unset" && w[1] == "IFS") ||
                            (w[0] == "set" && (w[1] == "-f" || w[1] == "+f"))));
}
bool is_mark(const ShellCommand& c) {
  return c.kind == ShellKind::simple && c.words.size() == 3 && c.words[0] == ":" &&
         c.words[1] == "fact";
}

template <class Remove>
bool remove_deep(ShellList& list, const Remove& remove) {
  bool any = false;
  for (ShellCommand& c : list) {
    for (std::size_t i = 0; i < c.lists.size(); ++i) {
      const bool whole = c.kind == ShellKind::and_or || c.kind == ShellKind::pipeline ||
                         c.kind == ShellKind::function || (c.kind == ShellKind::while_ && i == 0) ||
                         (c.kind == ShellKind::if_ && i % 2 == 0 && i + 1 < c.lists.size());
      if (!whole) any = remove_deep(c.lists[i], remove) || any;
    }
  }
  const auto before = list.size();
  std::erase_if(list, remove);
  return any || list.size() != before;
}

// Branches that do nothing any more.
bool is_empty(const ShellCommand& c) {
  const bool bodies_empty = [&] {
    for (std::size_t i = 0; i < c.lists.size(); ++i) {
      const bool condition = c.kind == ShellKind::if_ && i % 2 == 0 && i + 1 < c.lists.size();
      if (!condition && !c.lists[i].empty()) return false;
    }
    return true;
  }();
  if (!bodies_empty) return false;
  switch (c.kind) {
    case ShellKind::case_:
    case ShellKind::for_:
    case ShellKind::group:
    case ShellKind::subshell:
      return c.redirects.empty();
    case ShellKind::if_:
      return only_asks(c);
    default:
      return false;
  }
}

template <class Visit>
void each(ShellList& list, const Visit& visit) {
  for (ShellCommand& c : list) {
    visit(c);
    for (ShellList& inner : c.lists) each(inner, visit);
  }
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) ++n;
  return n;
}

// `> "$temp/out"`, and no one opens it.
bool drop_unread_files(ShellList& list) {
  const std::string text = write_shell(list);
  bool any = false;
  each(list, [&](ShellCommand& c) {
    if (c.kind == ShellKind::simple && c.words.empty()) return;
    const auto before = c.redirects.size();
    std::erase_if(c.redirects, [&](const ShellRedirect& r) {
      return r.op == ">" && r.target.compare(0, 7, "\"$temp/") == 0 && count(text, r.target) == 1;
    });
    any = any || c.redirects.size() != before;
  });
  return any;
}

// `x=$(command)`, and no one reads x: the command, so that what it says is seen.
void show_unread(ShellList& list, const std::set<std::string>& read) {
  for (ShellCommand& c : list) {
    if (c.kind == ShellKind::and_or) {
      ShellList first{c.lists[0].at(0)};
      show_unread(first, read);
      c.lists[0] = std::move(first);
      continue;
    }
    if (c.kind != ShellKind::simple || c.words.size() != 1 || !c.redirects.empty()) continue;
    const std::string& word = c.words[0];
    const std::size_t n = assignment_length(word);
    if (n == 0 || read.contains(word.substr(0, n)) || word.compare(n + 1, 2, "$(") != 0 ||
        word.compare(n + 1, 3, "$((") == 0 || word.back() != ')' || only_asks(c)) {
      continue;
    }
    auto inner = read_shell(std::string_view(word).substr(n + 3, word.size() - n - 4));
    if (inner && inner->size() == 1) {
      ShellCommand command = std::move((*inner)[0]);
      c = std::move(command);
    }
  }
}

// A body must hold something.
void fill(ShellList& list) {
  for (ShellCommand& c : list) {
    for (std::size_t i = 0; i < c.lists.size(); ++i) {
      if (c.lists[i].empty() && c.kind != ShellKind::case_) {
        ShellCommand nothing;
        nothing.words = {":"};
        c.lists[i].push_back(std::move(nothing));
      }
      fill(c.lists[i]);
    }
  }
}

bool has_loop(ShellList& list) {
  bool any = false;
  each(list, [&](const ShellCommand& c) { any = any || c.kind == ShellKind::for_; });
  return any;
}

}  // namespace

void sweep(ShellList& list, const std::set<std::string>& wanted) {
  remove_deep(list, is_mark);
  for (bool again = true; again;) {
    ShellList without_traps = list;
    remove_deep(without_traps, is_tidy_trap);
    const auto read = live_names(without_traps, wanted);
    const bool loops = has_loop(list);
    again = remove_deep(list, [&](const ShellCommand& c) {
      if (is_splitting(c)) return !loops;
      if (is_tidy_trap(c)) {
        const auto names = names_read({c});
        return names.empty() || !std::all_of(names.begin(), names.end(),
                                             [&](const auto& n) { return read.contains(n); });
      }
      if (is_empty(c)) return true;
      if (!only_sets(c)) return false;
      const auto names = names_set({c});
      return std::none_of(names.begin(), names.end(),
                          [&](const auto& n) { return read.contains(n); });
    });
    again = drop_unread_files(list) || again;
  }
  auto read = names_read(list);
  read.insert(wanted.begin(), wanted.end());
  show_unread(list, read);
  fill(list);
}

bool slice(ShellList& list, const std::set<std::string>& wanted) {
  std::set<std::string> unset = wanted;
  std::size_t end = 0;
  const auto sets = [](const ShellCommand& c) {
    auto names = names_set({c});
    if (is_mark(c)) names.insert(c.words[2]);
    return names;
  };
  for (std::size_t i = 0; i < list.size(); ++i) {
    for (const auto& name : sets(list[i])) {
      if (!wanted.contains(name)) continue;
      unset.erase(name);
      end = i + 1;
    }
  }
  if (!unset.empty()) return false;
  list.resize(end);
  std::vector<bool> kept(end, false);
  std::set<std::string> needed = wanted;
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = end; i-- > 0;) {
      if (kept[i]) continue;
      const auto names = sets(list[i]);
      const bool leads = std::any_of(names.begin(), names.end(),
                                     [&](const auto& n) { return needed.contains(n); });
      // Commands, as far as they are not only asked: `export` and `cd` are among them.
      const bool acts = !is_mark(list[i]) && !is_assignment(list[i]) &&
                        (!only_asks(list[i]) || writes_file(list[i]) ||
                         commands_of({list[i]}, false).contains("fail"));
      if (!leads && !acts) continue;
      kept[i] = again = true;
      needed.merge(names_read({list[i]}));
    }
  }
  ShellList out;
  for (std::size_t i = 0; i < end; ++i) {
    if (kept[i] || is_splitting(list[i])) out.push_back(std::move(list[i]));
  }
  list = std::move(out);
  return true;
}

}  // namespace cnplay::plan
