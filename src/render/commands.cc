#include "render/commands.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/shell_word.h"

namespace cnplay::render {
namespace {

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool ends_word(char c) {
  return std::string_view(" \t\n;&|()<>").find(c) != std::string_view::npos;
}
char at_or_nul(std::string_view text, std::size_t at) { return at < text.size() ? text[at] : '\0'; }

std::string_view name_at(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (is_name_char(at_or_nul(text, end))) ++end;
  return text.substr(at, end - at);
}

// Lines without the indentation that all of them have.
std::string without_indent(std::string_view text) {
  std::vector<std::string_view> lines;
  std::size_t indent = text.size();
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    const std::size_t first = lines.back().find_first_not_of(" \n");
    if (first != std::string_view::npos) indent = std::min(indent, first);
    text.remove_prefix(end);
  }
  std::string out;
  for (const std::string_view line : lines) out += line.substr(std::min(indent, line.size() - 1));
  return out;
}

std::size_t skip(std::string_view text, std::size_t at);

// Just past the `closer` that belongs to what was opened before `at`.
std::size_t skip_to(std::string_view text, std::size_t at, char closer) {
  while (at < text.size() && text[at] != closer) {
    at = closer == ')' && text[at] == '(' ? skip_to(text, at + 1, ')') : skip(text, at);
  }
  return std::min(at + 1, text.size());
}

// Just past what stands at `at`: a quoted text, an expansion, or one character.
std::size_t skip(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '\\':
      return std::min(at + 2, text.size());
    case '\'': {
      const std::size_t end = text.find('\'', at + 1);
      return end == std::string_view::npos ? text.size() : end + 1;
    }
    case '"':
      for (++at; at < text.size() && text[at] != '"';) {
        at = text[at] == '\'' ? at + 1 : skip(text, at);
      }
      return std::min(at + 1, text.size());
    case '`':
      return skip_to(text, at + 1, '`');
    case '$':
      if (at_or_nul(text, at + 1) == '(') return skip_to(text, at + 2, ')');
      if (at_or_nul(text, at + 1) == '{') return skip_to(text, at + 2, '}');
      return at + 1;
    default:
      return at + 1;
  }
}

// The expansion at `at`: of `${x:+y}` the name `x`, the form ":+" and the words `y`.
struct Expansion {
  std::string name;
  std::string_view form;
  std::string_view words;
  std::size_t end = 0;
};
Expansion expansion_at(std::string_view text, std::size_t at) {
  Expansion out;
  const bool braces = at_or_nul(text, at + 1) == '{';
  const std::string_view name = name_at(text, at + (braces ? 2 : 1));
  out.name = std::string(name);
  if (!braces) {
    out.end = at + 1 + name.size();
    return out;
  }
  out.end = skip(text, at);
  const std::size_t after = at + 2 + name.size();
  const std::string_view rest = text.substr(after, out.end - 1 - after);
  out.form = rest.substr(0, std::min<std::size_t>(rest.size(), 2));
  out.words = rest.substr(out.form.size());
  return out;
}

// A part of a text in double quotes: itself, or what the shell is to expand.
struct Piece {
  bool raw = false;
  std::string text;
};

class Filler {
 public:
  Filler(const std::map<std::string, CommandValue>& values,
         const std::map<std::string, bool>& facts)
      : values_(values), facts_(facts) {}

  FilledCommands fill(std::string_view text) {
    out_.text = commands(text);
    return std::move(out_);
  }

 private:
  std::string commands(std::string_view text) {
    std::string out;
    std::size_t line = 0;  // where the line begins in `out`
    bool dropped = false;  // a word of the line
    const auto line_is_blank = [&] {
      return std::all_of(out.begin() + static_cast<std::ptrdiff_t>(line), out.end(), is_blank);
    };
    for (std::size_t at = 0; at < text.size();) {
      const char c = text[at];
      if (c == '#') {  // a comment, for no expansion ends in `#`
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out += text.substr(at, end - at);
        at = end;
      } else if (c == '\n') {
        if (dropped && line_is_blank()) {
          out.resize(line);
        } else {
          out += c;
        }
        line = out.size();
        dropped = false;
        ++at;
      } else if (ends_word(c)) {
        out += c;
        ++at;
      } else {
        std::size_t end = at;
        while (end < text.size() && !ends_word(text[end])) end = skip(text, end);
        const std::string word = words(text.substr(at, end - at));
        at = end;
        if (word.empty()) {
          dropped = true;
          if (line_is_blank()) {
            while (is_blank(at_or_nul(text, at))) ++at;
          } else {
            while (is_blank(out.back())) out.pop_back();
          }
        }
        out += word;
      }
    }
    if (dropped && line_is_blank()) out.resize(line);
    return out;
  }

  // What one word becomes: none, one or several.
  std::string words(std::string_view word) {
    const std::string name(name_at(word, 0));
    const auto fact = facts_.find(name);
    if (fact != facts_.end() && fact->second && at_or_nul(word, name.size()) == '=') {
      out_.facts.insert(name);
    }
    const CommandValue* list = list_in(word);
    if (list == nullptr) return one_word(word);
    std::string out;
    const auto around = std::make_pair(list_, item_);
    list_ = list;
    for (const std::string& item : list->words) {
      item_ = &item;
      out += (out.empty() ? "" : " ") + one_word(word);
    }
    std::tie(list_, item_) = around;
    return out;
  }

  // The list that the word is repeated for.
  const CommandValue* list_in(std::string_view word) const {
    bool in_quotes = false;
    for (std::size_t at = 0; at < word.size();) {
      if (word[at] == '"') in_quotes = !in_quotes;
      if (word[at] == '$' && at_or_nul(word, at + 1) != '(') {
        const Expansion e = expansion_at(word, at);
        const CommandValue* value = find(e.name);
        if (value != nullptr && value->known && value->list && e.form.empty()) return value;
        at = std::max(e.end, at + 1);
      } else {
        const bool one = word[at] == '"' || (in_quotes && word[at] == '\'');
        at = one ? at + 1 : skip(word, at);
      }
    }
    return nullptr;
  }

  std::string one_word(std::string_view word) {
    std::string out;
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t end = skip(word, at);
      if (word[at] == '"') {
        out += double_quoted(word.substr(at, end - at));
        at = end;
      } else if (word[at] != '$') {
        out += word.substr(at, end - at);
        at = end;
      } else if (at_or_nul(word, at + 1) == '(') {
        out += substitution(word.substr(at, end - at));
        at = end;
      } else {
        const Expansion e = expansion_at(word, at);
        const std::size_t length = std::max(e.end, at + 1) - at;
        out += unquoted(e, word.substr(at, length));
        at += length;
      }
    }
    return out;
  }

  // `$(...)`; names in `$((...))` are read without a `$`.
  std::string substitution(std::string_view text) {
    if (!text.ends_with(')')) return std::string(text);  // without an end
    if (!text.starts_with("$((")) {
      return "$(" + commands(text.substr(2, text.size() - 3)) + ")";
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
      const std::string name(name_at(text, at));
      if (find(name) != nullptr) out_.variables.insert(name);
      at += name.size();
    }
    return std::string(text);
  }

  std::string unquoted(const Expansion& e, std::string_view written) {
    if (const auto inner = chosen(e)) return commands(*inner);
    const CommandValue* value = find(e.name);
    if (value == nullptr) return std::string(written);
    if (e.form == ":-" && value->known && value->flag) return "";
    if (is_filled(e, *value)) {
      ++filled_;
      return shell_word(text_of(*value));
    }
    out_.variables.insert(e.name);
    if (!e.form.empty() && e.form != ":-") return std::string(written);
    return value->list ? "$" + e.name : "\"$" + e.name + "\"";
  }

  std::string double_quoted(std::string_view written) {
    const std::size_t before = filled_;
    std::vector<Piece> pieces;
    inside_quotes(written.substr(1, written.size() - std::min<std::size_t>(written.size(), 2)),
                  pieces);
    if (filled_ == before) return std::string(written);
    const bool raw =
        std::any_of(pieces.begin(), pieces.end(), [](const Piece& p) { return p.raw; });
    std::string out;
    for (const Piece& piece : pieces) {
      for (const char c : piece.text) {
        const bool special = std::string_view("\"\\$`").find(c) != std::string_view::npos;
        if (raw && !piece.raw && special) out += '\\';
        out += c;
      }
    }
    return raw ? "\"" + out + "\"" : shell_word(out);
  }

  void inside_quotes(std::string_view text, std::vector<Piece>& pieces) {
    const auto plain = [&](std::string_view more) { pieces.push_back({false, std::string(more)}); };
    for (std::size_t at = 0; at < text.size();) {
      const char next = at_or_nul(text, at + 1);
      if (text[at] == '\\' && std::string_view("\"\\$`").find(next) != std::string_view::npos) {
        plain(text.substr(at + 1, 1));
        at += 2;
      } else if (text[at] == '`' || (text[at] == '$' && next == '(')) {
        const std::size_t end = skip(text, at);
        const std::string_view written = text.substr(at, end - at);
        pieces.push_back({true, next == '(' ? substitution(written) : std::string(written)});
        at = end;
      } else if (text[at] == '$') {
        const Expansion e = expansion_at(text, at);
        const std::size_t length = std::max(e.end, at + 1) - at;
        expand_inside_quotes(e, text.substr(at, length), pieces);
        at += length;
      } else {
        plain(text.substr(at++, 1));
      }
    }
  }

  void expand_inside_quotes(const Expansion& e, std::string_view written,
                            std::vector<Piece>& pieces) {
    if (const auto inner = chosen(e)) return inside_quotes(*inner, pieces);
    const CommandValue* value = find(e.name);
    if (value == nullptr) {
      pieces.push_back({true, std::string(written)});
    } else if (e.form == ":-" && value->known && value->flag) {
      ++filled_;
    } else if (is_filled(e, *value)) {
      ++filled_;
      pieces.push_back({false, text_of(*value)});
    } else {
      out_.variables.insert(e.name);
      pieces.push_back({true, e.form == ":-" ? "${" + e.name + "}" : std::string(written)});
    }
  }

  // The words that `${x:+words}` or `${x:-words}` stands for, if it is not the value of x.
  std::optional<std::string_view> chosen(const Expansion& e) {
    const CommandValue* value = find(e.name);
    const bool given = value == nullptr || !value->known || value->given;
    if (e.form == ":+") {
      const auto fact = facts_.find(e.name);
      if (value == nullptr && fact == facts_.end()) return std::nullopt;
      ++filled_;
      return given && (value != nullptr || fact->second) ? e.words : std::string_view();
    }
    if (e.form != ":-" || given) return std::nullopt;
    ++filled_;
    return e.words;
  }

  bool is_filled(const Expansion& e, const CommandValue& value) const {
    const bool plain = e.form.empty() || e.form == ":-";
    return plain && value.known && (!value.list || &value == list_);
  }
  std::string text_of(const CommandValue& value) const {
    return value.list ? *item_ : value.words.at(0);
  }
  const CommandValue* find(const std::string& name) const {
    const auto at = values_.find(name);
    return at == values_.end() ? nullptr : &at->second;
  }

  const std::map<std::string, CommandValue>& values_;
  const std::map<std::string, bool>& facts_;
  const CommandValue* list_ = nullptr;  // that a word is repeated for
  const std::string* item_ = nullptr;   // of it, whose turn it is
  std::size_t filled_ = 0;              // how many expansions were replaced
  FilledCommands out_;
};

}  // namespace

FilledCommands fill_commands(std::string_view commands,
                             const std::map<std::string, CommandValue>& values,
                             const std::map<std::string, bool>& facts) {
  return Filler(values, facts).fill(without_indent(commands));
}

}  // namespace cnplay::render
