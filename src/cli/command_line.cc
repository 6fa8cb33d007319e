#include "cli/command_line.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "diag/diagnostic.h"

namespace cnplay::cli {
namespace {

using Words = std::vector<std::string>;

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }
bool names_option(const Words& words, const std::string& name) {
  return std::ranges::any_of(
      words, [&](const std::string& word) { return word == name || word.starts_with(name + "="); });
}
bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == text.npos; }

// `--name` of `--name=value`; `-n` of `-nvalue`.
std::string name_of(const std::string& word) {
  if (word.starts_with("--")) return word.substr(0, word.find('='));
  return word.substr(0, 2);
}

std::vector<std::string> names_in(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
    for (const auto& name : option->get_snames()) out.push_back("-" + name);
  }
  return out;
}

const CLI::Option* find(const CLI::App& app, const std::string& name) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional() && option->check_name(name)) return option;
  }
  return nullptr;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  std::vector<const CLI::App*> out;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    out.push_back(sub);
  return out;
}

const CLI::App* command_of(const CLI::App& app, const std::string& word) {
  for (const CLI::App* sub : commands_of(app)) {
    if (sub->get_name() == word) return sub;
  }
  return nullptr;
}

// An option of this name, wherever it is: whether a value follows it does not depend on the
// command.
const CLI::Option* find_anywhere(const CLI::App& app, const std::string& name) {
  if (const auto* option = find(app, name)) return option;
  for (const CLI::App* sub : commands_of(app)) {
    if (const auto* option = find_anywhere(*sub, name)) return option;
  }
  return nullptr;
}

// The option at the end of this word whose value is the next word; nullptr: it takes none.
const CLI::Option* takes_next(const CLI::App& app, const std::string& word) {
  if (word.starts_with("--")) {
    if (word.find('=') != std::string::npos) return nullptr;
    const auto* option = find_anywhere(app, word);
    return option != nullptr && option->get_items_expected_max() > 0 ? option : nullptr;
  }
  // `-vi staging`: flags, then one that takes a value.
  for (std::size_t i = 1; i < word.size(); ++i) {
    const auto* option = find_anywhere(app, std::string("-") + word[i]);
    if (option == nullptr) return nullptr;
    if (option->get_items_expected_max() == 0) continue;
    return i + 1 == word.size() ? option : nullptr;
  }
  return nullptr;
}

// Places of the words that are neither options nor their values, up to `--`.
std::vector<std::size_t> positionals(const CLI::App& app, const Words& words) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--") break;
    if (!is_option(words[i])) {
      out.push_back(i);
    } else if (takes_next(app, words[i]) != nullptr) {
      ++i;
    }
  }
  return out;
}

void to_front(Words& words, std::size_t at, std::size_t front) {
  std::rotate(words.begin() + static_cast<std::ptrdiff_t>(front),
              words.begin() + static_cast<std::ptrdiff_t>(at),
              words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " and " : ", ";
    out += names[i];
  }
  return out;
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* sub : commands_of(app)) out.push_back(sub->get_name());
  return out;
}

// What other tools call a command of ours.
std::string habit(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 13> known{{
      {"init",
       "`cnplay vault init` makes a vault; a project needs no set-up: playbooks/, inventories/"},
      {"set", "did you mean `cnplay vault set`?"},
      {"get", "did you mean `cnplay vault get`?"},
      {"edit", "did you mean `cnplay vault edit`?"},
      {"rekey", "did you mean `cnplay vault rekey`?"},
      {"list", "`cnplay hosts` lists hosts, `cnplay modules` modules, `cnplay runs` runs"},
      {"apply", "a play is run without a command: cnplay -i staging update_code.play"},
      {"playbook", "a play is run without a command: cnplay -i staging update_code.play"},
      {"inventory", "did you mean `cnplay hosts`?"},
      {"doc", "did you mean `cnplay docs`, or `cnplay modules` for a module?"},
      {"lint", "did you mean `cnplay check`?"},
      {"validate", "did you mean `cnplay check`?"},
      {"shell", "did you mean `cnplay exec`?"},
  }};
  const auto at = std::ranges::find(known, word, [](const auto& k) { return k.first; });
  return at == known.end() ? "" : std::string(at->second);
}

std::string vault_habit(std::string_view word) {
  if (word == "view" || word == "show" || word == "cat")
    return "`vault list` prints the paths, `vault get PATH` a value";
  if (word == "create") return "did you mean `vault init`?";
  if (word == "encrypt" || word == "add" || word == "put") return "did you mean `vault set`?";
  if (word == "decrypt" || word == "read") return "did you mean `vault get`?";
  return "";
}

// A file that may be a play, whatever it is called.
bool may_be_a_play(const std::string& word) {
  std::error_code ignored;
  return word.find('/') != word.npos || word.find('.') != word.npos ||
         std::filesystem::exists(word, ignored) ||
         std::filesystem::exists("playbooks/" + word, ignored);
}

Error unknown_command(const CLI::App& app, const std::string& word, const std::string& owner) {
  const auto names = command_names(app);
  const std::string near = diag::did_you_mean(word, names);
  std::string help = owner.empty() ? habit(word) : vault_habit(word);
  if (!near.empty()) help = "did you mean `" + near + "`?";
  if (help.empty()) {
    help = "the commands are " + listed(names) +
           (owner.empty() ? "; a play is a file, such as update_code.play" : "");
  }
  return fail("there is no command `" + (owner.empty() ? "" : owner + " ") + word + "`", help);
}

// Every option of the words is one of `app`, and has a value that is not empty if it takes one.
Status check_words(const CLI::App& root, const CLI::App& app, const Words& words,
                   std::size_t begin) {
  const std::string of = &app == &root ? "" : " of `" + app.get_name() + "`";
  bool dashes = false;
  for (std::size_t i = begin; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--" && !dashes) {
      dashes = true;
      continue;
    }
    if (dashes || !is_option(word)) {
      // A command on hosts may have empty arguments.
      if (is_blank(word) && !(dashes && app.get_name() == "exec")) {
        return fail("an argument is empty: is it a variable that is not set?",
                    "leave it out, or write a value");
      }
      continue;
    }
    const std::string name = name_of(word);
    const CLI::Option* option = find(app, name);
    if (option == nullptr) {
      std::string near = word.starts_with("--") ? diag::did_you_mean(name, names_in(app)) : "";
      std::string help =
          "`cnplay " + (of.empty() ? "" : app.get_name() + " ") + "--help` lists the options";
      if (!near.empty()) {
        help = "did you mean `" + near + "`?";
      } else if (app.get_name() == "exec") {
        help = "write the words of a command after `--`: cnplay exec -i staging web -- ls -la";
      } else {
        for (const CLI::App* other : commands_of(root)) {
          if (other != &app && find(*other, name) != nullptr) {
            help = "it belongs to `cnplay " + other->get_name() + "`";
            break;
          }
        }
        if (&app != &root && find(root, name) != nullptr)
          help = "it belongs to a run: cnplay -i staging PLAY " + name;
      }
      return fail("there is no option `" + name + "`" + of, help);
    }
    const auto equals = word.starts_with("--") ? word.find('=') : word.npos;
    const CLI::Option* next = takes_next(app, word);
    const bool has_value = equals != word.npos || next != nullptr;
    if (!has_value) continue;
    if (next != nullptr && i + 1 >= words.size()) continue;  // CLI11 says what is missing
    const std::string value = equals != word.npos ? word.substr(equals + 1) : words[++i];
    if (is_blank(value)) {
      return fail("`" + name + "` has an empty value: is it a variable that is not set?",
                  "leave the option out, or give it a value");
    }
  }
  return {};
}

}  // namespace

Result<Words> arrange(const CLI::App& app, Words words) {
  bool help = false;
  const auto first = positionals(app, words);
  if (!first.empty() && words[first[0]] == "help") {
    help = true;
    words.erase(words.begin() + static_cast<std::ptrdiff_t>(first[0]));
  }
  const auto places = positionals(app, words);
  const CLI::App* command = &app;
  std::size_t depth = 0;
  if (!places.empty()) {
    const std::string word = words[places[0]];
    if (word == "run" && !help && !names_option(words, "--plan") &&
        !names_option(words, "--help")) {
      return fail("`cnplay run` runs a reviewed plan, and none is named",
                  "a play is run without a command: cnplay -i staging update_code.play; a plan "
                  "with: cnplay run --plan FILE");
    }
    if (const CLI::App* sub = command_of(app, word)) {
      to_front(words, places[0], depth++);
      command = sub;
      // The words of a command on hosts are not looked at any further.
      if (!commands_of(*sub).empty() && places.size() > 1) {
        const std::string action = words[places[1]];
        if (const CLI::App* inner = command_of(*sub, action)) {
          to_front(words, places[1], depth++);
          command = inner;
        } else {
          return unknown_command(*sub, action, sub->get_name());
        }
      }
    } else if (help) {
      return unknown_command(app, word, "");
    } else if (!may_be_a_play(word) && !is_blank(word)) {
      const bool alone = places.size() == 1 && std::ranges::any_of(words, [](const std::string& w) {
                           return w.starts_with("-i") || w.starts_with("--inventory");
                         });
      // The value of an option that is misspelt looks like a command.
      if (auto status = check_words(app, app, words, 0); !status) return status.error();
      if (!alone || !habit(word).empty() || !diag::did_you_mean(word, command_names(app)).empty()) {
        return unknown_command(app, word, "");
      }
    }
  }
  if (help) {
    words.resize(depth);
    words.emplace_back("--help");
    return words;
  }
  if (auto status = check_words(app, *command, words, depth); !status) return status.error();
  return words;
}

}  // namespace cnplay::cli
