#include "plan/shell_shorten.h"

#include <algorithm>
#include <utility>

#include "plan/shell_eval.h"
#include "plan/shell_patterns.h"
#include "plan/shell_sweep.h"

namespace cnplay::plan {
namespace {

using Strings = std::vector<std::string>;

class Shortener {
 public:
  // `kept_files`: files of the script whose contents something reads that stays.
  Shortener(ShellKnown known, Stage stage, std::set<std::string> kept_files)
      : known_(std::move(known)),
        check_(stage != Stage::apply),
        only_check_(stage == Stage::only_check),
        kept_files_(std::move(kept_files)) {
    for (const auto& [name, value] : known_.values) params_.insert(name);
  }

  ShellList run(const ShellList& list) {
    ShellList out = shorten(list, true);
    return out;
  }
  bool polls() const { return polls_; }
  const std::string& look() const { return look_; }
  // Files that nothing writes any more.
  const std::set<std::string>& dropped() const { return dropped_; }

 private:
  ShellList shorten(const ShellList& list, bool top) {
    ShellList out;
    for (std::size_t i = 0; i < list.size() && !ended_; ++i) {
      if (top && polls_to_the_end(list, i)) {
        polls_ = true;
        ask(list[i].lists[1].at(0));
        break;
      }
      if (prints_what_it_said(list, i)) {
        said(list[i], out);
        ++i;
        continue;
      }
      one(list[i], out, top);
    }
    return out;
  }
  // What stands inside of something that stays: on a state of its own, for it may not be reached.
  ShellList inside(const ShellList& list) {
    const ShellKnown before = known_;
    ShellList out = shorten(list, false);
    known_ = before;
    ended_ = false;
    return out;
  }

  // --- pieces that a person does by looking
  // `status=$(command 2>&1) || :` at the loop's beginning: the command shows how it stands.
  void ask(const ShellCommand& c) {
    if (!is_said(c)) return;
    ShellList out;
    said(c, out);
    if (out.size() == 1 && names_read(out).empty()) look_ = write_shell(out);
  }
  void said(const ShellCommand& c, ShellList& out) {
    const std::string& word = c.lists[0].at(0).words[0];
    const std::size_t n = assignment_length(word) + 3;
    const auto inner = read_shell(std::string_view(word).substr(n, word.size() - n - 1));
    if (!inner || inner->size() != 1 || (*inner)[0].kind != ShellKind::simple) {
      out.push_back(c);
      known_.forget(names_set({c}));
      return;
    }
    ShellCommand command = (*inner)[0];
    std::erase_if(command.redirects, [](const auto& r) { return r.op == "2>&"; });
    ShellList list;
    one(command, list, false);
    out.insert(out.end(), list.begin(), list.end());
    known_.forget(names_set({c}));
  }

  // --- what stays, with the known put in
  void put_in(ShellCommand& c) {
    if (c.kind == ShellKind::simple) {
      Strings words;
      for (const auto& word : c.words) {
        for (auto& w : words_of_word(in_substitution(word), known_)) words.push_back(std::move(w));
      }
      c.words = std::move(words);
    }
    for (ShellRedirect& r : c.redirects) {
      if (!r.body.empty()) continue;
      const auto words = words_of_word(r.target, known_);
      if (words.size() == 1) r.target = words[0];
    }
    // The reasons of a failure are not collected: they are seen.
    std::erase_if(c.redirects, [&](const auto& r) { return r.op == "2>" && drops(r.target); });
  }
  // `x=$(...)` and `"$(...)"` with the known put in, if it stays one line.
  std::string in_substitution(const std::string& word) {
    const std::size_t n = assignment_length(word);
    std::size_t begin = n == 0 ? 0 : n + 1;
    std::size_t end = word.size();
    if (end > begin + 1 && word[begin] == '"' && word.back() == '"') {
      ++begin;
      --end;
    }
    if (word.compare(begin, 2, "$(") != 0 || word.compare(begin, 3, "$((") == 0 ||
        word[end - 1] != ')') {
      return word;
    }
    auto inner = read_shell(std::string_view(word).substr(begin + 2, end - begin - 3));
    if (!inner || inner->size() != 1) return word;
    put_in_deep((*inner)[0]);
    std::string text = write_shell(*inner);
    if (!text.empty()) text.pop_back();
    if (text.find('\n') != std::string::npos) return word;
    return word.substr(0, begin + 2) + text + word.substr(end - 1);
  }
  // Everything in it as it is, with the known put in.
  void put_in_deep(ShellCommand& c) {
    put_in(c);
    for (ShellList& list : c.lists) {
      for (ShellCommand& inner : list) put_in_deep(inner);
    }
  }
  bool drops(const std::string& file) {
    if (!in_temp(file) || kept_files_.contains(file)) return false;
    dropped_.insert(file);
    return true;
  }
  void keep(ShellCommand c, ShellList& out) {
    const auto names = names_set({c});
    if (names.contains("@") || c.kind == ShellKind::function) write_args(out);
    known_.forget(names);
    put_in_deep(c);
    out.push_back(std::move(c));
  }
  // `set -- ...`, so that what follows finds "$@".
  void write_args(ShellList& out) {
    if (!known_.args) return;
    ShellCommand set;
    set.words = {"set", "--"};
    set.words.insert(set.words.end(), known_.args->begin(), known_.args->end());
    out.push_back(std::move(set));
    known_.args.reset();
  }

  void one(const ShellCommand& c, ShellList& out, bool top) {
    switch (c.kind) {
      case ShellKind::simple:
        simple(c, out, top);
        break;
      case ShellKind::and_or:
        and_or(c, out, top);
        break;
      case ShellKind::pipeline:
        pipeline(c, out, top);
        break;
      case ShellKind::if_:
        if_else(c, out, top);
        break;
      case ShellKind::case_:
        case_of(c, out, top);
        break;
      case ShellKind::for_:
        for_loop(c, out);
        break;
      case ShellKind::while_:
        while_loop(c, out, top);
        break;
      case ShellKind::group:
        if (c.redirects.empty()) {
          for (const auto& inner : c.lists.at(0)) {
            if (!ended_) one(inner, out, false);
          }
        } else {
          keep_inside(c, out);
        }
        break;
      case ShellKind::subshell:
        keep_inside(c, out);
        break;
      case ShellKind::function:
      case ShellKind::comment:
        keep(c, out);
        break;
    }
  }

  void simple(const ShellCommand& c, ShellList& out, bool top) {
    if (c.words.empty()) return keep(c, out);
    const std::string& command = c.words[0];
    if (assignment_length(c.words.back()) != 0 && assignment_length(command) != 0) {
      return assignments(c, out);
    }
    if (command == "set" && c.words.size() > 1 && c.words[1] == "--") return set_args(c, out);
    if ((command == ":" || command == "true") && c.redirects.empty()) return;
    if (check_ && (command == "ok" || command == "skip")) {
      ended_ = ended_ || top;
      return;
    }
    if (check_ && command == "change") return;
    if (check_ && command == "fact" && c.words.size() == 3) {
      ShellCommand set;
      set.words = {c.words[1] + "=" + c.words[2]};
      if (c.words[2] != "\"$" + c.words[1] + "\"") return assignments(set, out);
      set.words = {":", "fact", c.words[1]};  // marks the place
      out.push_back(std::move(set));
      return;
    }
    if (top && command == "exit" && c.words.size() == 2 && c.words[1] == "0") {
      ended_ = true;
      return;
    }
    const bool shows = command == "cat" && !c.redirects.empty() && c.redirects[0].op == ">&" &&
                       std::all_of(c.words.begin() + 1, c.words.end(),
                                   [&](const auto& w) { return dropped_.contains(w); });
    if (shows) return;
    keep(c, out);
  }
  void assignments(const ShellCommand& c, ShellList& out) {
    ShellCommand kept = c;
    for (std::string& word : kept.words) {
      const std::size_t n = assignment_length(word);
      const auto value = value_of_word(std::string_view(word).substr(n + 1), known_, false);
      const std::string name = word.substr(0, n);
      if (name == "IFS") known_.split_lines = word == "IFS=$nl";
      ShellCommand one = c;
      one.words = {word};
      put_in(one);
      word = one.words.at(0);
      if (value) {
        known_.values[name] = *value;
      } else {
        known_.values.erase(name);
      }
    }
    out.push_back(std::move(kept));
  }
  void set_args(const ShellCommand& c, ShellList& out) {
    Strings args;
    bool all = known_.args.has_value();
    for (std::size_t i = 2; i < c.words.size(); ++i) {
      if (c.words[i] != "\"$@\"") {
        for (auto& w : words_of_word(c.words[i], known_)) args.push_back(std::move(w));
      } else if (known_.args) {
        args.insert(args.end(), known_.args->begin(), known_.args->end());
      }
    }
    all = all || std::find(c.words.begin(), c.words.end(), "\"$@\"") == c.words.end();
    // A word that is read later must mean then what it means now.
    for (const auto& word : args) all = all && word.find('$') == std::string::npos;
    if (!all) return keep(c, out);
    known_.args = std::move(args);
  }

  void and_or(const ShellCommand& whole, ShellList& out, bool top) {
    ShellCommand c = whole;
    while (c.lists.size() > 1) {
      const auto first = outcome_of(c.lists[0].at(0), known_);
      if (!first) break;
      const bool skips = (c.labels[0] == "||") == *first;
      c.lists.erase(c.lists.begin() + (skips ? 1 : 0));
      c.labels.erase(c.labels.begin());
    }
    if (c.lists.size() == 1) {
      if (!outcome_of(c.lists[0].at(0), known_)) one(c.lists[0].at(0), out, top);
      return;
    }
    const ShellCommand& last = c.lists.back().at(0);
    const bool verdict = is(last, "ok") || is(last, "skip") || is(last, "change");
    const bool guards =
        (c.labels.back() == "||" && fails(last) && !acts({last})) || (check_ && verdict);
    const bool notes = c.labels.back() == "||" && is(last, ":") && last.redirects.size() == 1 &&
                       drops(last.redirects[0].target);
    if (guards || notes) {
      ShellCommand rest = c;
      rest.lists.pop_back();
      rest.labels.pop_back();
      ShellList tested;
      for (const auto& list : rest.lists) tested.insert(tested.end(), list.begin(), list.end());
      if (guards && only_looks(tested)) {
        if (!leaves_out(tested, verdict)) keep(std::move(c), out);
        return;
      }
      if (rest.lists.size() == 1) return one(rest.lists[0].at(0), out, top);
      return keep(std::move(rest), out);
    }
    keep(std::move(c), out);
  }

  // Whether a guard is left to the person: in a check one that looks at no more than the parameters
  // and the host (the command itself would fail), or says that there is nothing to do; else one
  // that asks for a file which nothing writes any more.
  bool leaves_out(const ShellList& tested, bool verdict) const {
    if (verdict) return true;
    const std::string text = write_shell(tested);
    for (const auto& file : dropped_) {
      if (text.find("-e " + file + " ]") != std::string::npos && tested.size() == 1) return true;
    }
    if (!check_) return false;
    if (only_check_) return true;
    const auto names = names_read(tested);
    return std::all_of(names.begin(), names.end(),
                       [&](const auto& n) { return params_.contains(n); });
  }

  // `{ ... } | tee FILE`: what is said is seen anyway.
  void pipeline(const ShellCommand& c, ShellList& out, bool top) {
    const ShellCommand& last = c.lists.back().at(0);
    if (c.lists.size() == 2 && is(last, "tee") && last.words.size() == 2 &&
        in_temp(last.words[1]) && c.lists[0].at(0).kind == ShellKind::group &&
        !names_set(c.lists[0]).contains("@") && drops(last.words[1])) {
      ShellList inner;
      one(c.lists[0].at(0), inner, false);
      for (ShellCommand& command : inner) {
        std::erase_if(command.redirects, [](const auto& r) { return r.op == "2>&"; });
        out.push_back(std::move(command));
      }
      return;
    }
    if (check_ && is(last, "diff_lines")) return;
    if (c.lists.size() == 1 && !c.negated) return one(c.lists[0].at(0), out, top);
    keep(c, out);
  }

  void if_else(const ShellCommand& whole, ShellList& out, bool top) {
    ShellCommand c = whole;
    while (c.lists.size() >= 2) {
      const auto first =
          c.lists[0].size() == 1 ? outcome_of(c.lists[0][0], known_) : std::optional<bool>();
      if (!first) break;
      if (*first) {
        for (const auto& inner : c.lists[1]) {
          if (!ended_) one(inner, out, top);
        }
        return;
      }
      c.lists.erase(c.lists.begin(), c.lists.begin() + 2);
    }
    if (c.lists.empty()) return;
    if (c.lists.size() == 1) {
      for (const auto& inner : c.lists[0]) {
        if (!ended_) one(inner, out, top);
      }
      return;
    }
    if (c.lists.size() == 2 && ends(c.lists[1])) {
      const bool verdict = !fails(c.lists[1].back());
      const ShellCommand& test = c.lists[0].at(0);
      const bool tried = c.lists[0].size() == 1 && test.kind == ShellKind::pipeline &&
                         test.negated && test.lists.size() == 1 && !verdict &&
                         !only_looks(test.lists[0]);
      if (tried && tried_once(test.lists[0].at(0), c.lists[1], out, top)) return;
      if (!tried && !acts(c.lists[1]) && leaves_out(c.lists[0], verdict && check_)) return;
    }
    keep_inside(c, out);
  }

  // `if ! command; then ...; fail "why"; fi`: the command, and what must be done if it fails.
  bool tried_once(const ShellCommand& command, const ShellList& body, ShellList& out, bool top) {
    const auto must = acts_before_failing(body);
    if (!must) return false;
    if (must->empty()) {
      one(command, out, top);
      return true;
    }
    keep(or_else(command, *must), out);
    return true;
  }

  void case_of(const ShellCommand& c, ShellList& out, bool top) {
    const auto value = value_of_word(c.words.at(0), known_, false);
    for (std::size_t i = 0; value && i < c.lists.size(); ++i) {
      const auto match = matches(c.labels[i], *value, known_);
      if (!match) break;
      if (!*match && i + 1 == c.lists.size()) return;
      if (!*match) continue;
      for (const auto& inner : c.lists[i]) {
        if (!ended_) one(inner, out, top);
      }
      return;
    }
    const bool guards = std::all_of(c.lists.begin(), c.lists.end(), [](const auto& body) {
      return body.empty() || (body.size() == 1 && ends(body));
    });
    ShellCommand word;
    word.words = {":", c.words[0]};
    if (guards && leaves_out({word}, false)) return;
    keep_inside(c, out);
  }

  void for_loop(const ShellCommand& c, ShellList& out) {
    const std::string name = c.words.at(0);
    if (c.words.size() == 2) {
      if (const auto text = value_of_word(c.words[1], known_, !known_.split_lines)) {
        ShellKnown before = known_;
        ShellList made;
        for (std::size_t begin = 0; begin < text->size();) {
          const std::size_t end =
              known_.split_lines ? std::min(text->find('\n', begin), text->size()) : text->size();
          if (end > begin) {
            known_.values[name] = text->substr(begin, end - begin);
            for (const auto& inner : c.lists[0]) one(inner, made, false);
          }
          begin = end + 1;
        }
        if (made.empty()) return;
        known_ = std::move(before);
      }
    }
    keep_inside(c, out);
  }

  void while_loop(const ShellCommand& c, ShellList& out, bool top) {
    // `while ! command || ...; do ... sleep; done`: tried until it can be done.
    const auto names = commands_of(c.lists[1], false);
    const ShellCommand* test = c.lists[0].size() == 1 ? &c.lists[0][0] : nullptr;
    if (test != nullptr && test->kind == ShellKind::and_or) test = &test->lists[0].at(0);
    if (c.words[0] == "while" && test != nullptr && test->kind == ShellKind::pipeline &&
        test->negated && test->lists.size() == 1 && names.contains("sleep") &&
        names.contains("fail") && !acts(c.lists[1])) {
      one(test->lists[0].at(0), out, top);
      known_.forget(names_set(c.lists[1]));
      return;
    }
    keep_inside(c, out);
  }

  // It stays, with what stands in it shortened.
  void keep_inside(const ShellCommand& whole, ShellList& out) {
    ShellCommand c = whole;
    const auto names = names_set({c});
    if (names.contains("@")) write_args(out);
    if (c.kind != ShellKind::subshell) known_.forget(names);
    const ShellKnown before = known_;
    known_.forget(names);
    for (std::size_t i = 0; i < c.lists.size(); ++i) {
      const bool condition = (c.kind == ShellKind::if_ && i % 2 == 0 && i + 1 < c.lists.size()) ||
                             (c.kind == ShellKind::while_ && i == 0);
      if (condition) {
        for (ShellCommand& inner : c.lists[i]) put_in_deep(inner);
      } else {
        c.lists[i] = inside(c.lists[i]);
      }
    }
    known_ = before;
    for (std::string& word : c.words) {
      if (c.kind != ShellKind::case_) break;
      const auto words = words_of_word(word, known_);
      if (words.size() == 1) word = words[0];
    }
    put_in(c);
    const bool nothing =
        std::all_of(c.lists.begin(), c.lists.end(), [](const auto& list) { return list.empty(); });
    if (nothing && (c.kind == ShellKind::for_ || c.kind == ShellKind::case_)) return;
    out.push_back(std::move(c));
  }

  ShellKnown known_;
  bool check_;
  bool only_check_;
  std::set<std::string> kept_files_, dropped_;
  std::set<std::string> params_;
  bool ended_ = false;
  bool polls_ = false;
  std::string look_;
};

}  // namespace

// Until no file is read that nothing writes any more.
Shortened shorten(const std::map<std::string, std::string>& values, const ShellList& script,
                  Stage stage, const std::set<std::string>& wanted) {
  ShellKnown known;
  known.values = values;
  known.values["nl"] = "\n";
  std::set<std::string> kept_files;
  for (;;) {
    Shortener shortener(known, stage, kept_files);
    Shortened out{shortener.run(script), shortener.polls(), shortener.look()};
    ShellList swept = out.list;
    if (stage != Stage::before) sweep(swept, wanted);
    const std::string text = write_shell(swept);
    const auto before = kept_files.size();
    for (const auto& file : shortener.dropped()) {
      if (text.find(file) != std::string::npos) kept_files.insert(file);
    }
    if (kept_files.size() == before) return out;
  }
}

}  // namespace cnplay::plan
