// Writing a tree of shell commands, and what its names are.
#include <utility>

#include "plan/shell_tree.h"

namespace cnplay::plan {
namespace {

class ShellWriter {
 public:
  std::string out;

  void list(const ShellList& commands, std::size_t indent) {
    for (const ShellCommand& c : commands) {
      out.append(indent, ' ');
      command(c, indent);
      newline();
    }
  }

 private:
  void newline() {
    out += '\n';
    out += std::exchange(bodies_, {});
  }
  void line(std::size_t indent, const char* text) {
    out.append(indent, ' ');
    out += text;
  }
  // A condition: on one line if it is one command.
  void condition(const ShellList& commands, std::size_t indent) {
    if (commands.size() == 1) {
      command(commands[0], indent);
      out += bodies_.empty() ? "; " : "";
      if (!bodies_.empty()) {
        newline();
        out.append(indent, ' ');
      }
    } else {
      newline();
      list(commands, indent + 2);
      out.append(indent, ' ');
    }
  }
  void words(const std::vector<std::string>& all) {
    for (std::size_t i = 0; i < all.size(); ++i) out += (i == 0 ? "" : " ") + all[i];
  }

  void command(const ShellCommand& c, std::size_t indent) {
    switch (c.kind) {
      case ShellKind::simple:
      case ShellKind::comment:
        words(c.words);
        break;
      case ShellKind::and_or:
        for (std::size_t i = 0; i < c.lists.size(); ++i) {
          if (i != 0) out += " " + c.labels[i - 1] + " ";
          command(c.lists[i].at(0), indent);
        }
        break;
      case ShellKind::pipeline:
        if (c.negated) out += "! ";
        for (std::size_t i = 0; i < c.lists.size(); ++i) {
          if (i != 0) out += " | ";
          command(c.lists[i].at(0), indent);
        }
        break;
      case ShellKind::if_:
        for (std::size_t i = 0; i + 1 < c.lists.size(); i += 2) {
          i == 0 ? static_cast<void>(out += "if ") : line(indent, "elif ");
          condition(c.lists[i], indent);
          out += "then";
          newline();
          list(c.lists[i + 1], indent + 2);
        }
        if (c.lists.size() % 2 == 1) {
          line(indent, "else");
          newline();
          list(c.lists.back(), indent + 2);
        }
        line(indent, "fi");
        break;
      case ShellKind::case_:
        out += "case " + c.words.at(0) + " in";
        newline();
        for (std::size_t i = 0; i < c.lists.size(); ++i) {
          line(indent, "");
          out += c.labels[i] + ")";
          newline();
          list(c.lists[i], indent + 2);
          line(indent + 2, ";;");
          newline();
        }
        line(indent, "esac");
        break;
      case ShellKind::for_:
        out += "for " + c.words.at(0) + " in";
        for (std::size_t i = 1; i < c.words.size(); ++i) out += " " + c.words[i];
        out += "; do";
        body(c.lists.at(0), indent, "done");
        break;
      case ShellKind::while_:
        out += c.words.at(0) + " ";
        condition(c.lists.at(0), indent);
        out += "do";
        body(c.lists.at(1), indent, "done");
        break;
      case ShellKind::group:
        out += "{";
        body(c.lists.at(0), indent, "}");
        break;
      case ShellKind::subshell:
        out += "(";
        body(c.lists.at(0), indent, ")");
        break;
      case ShellKind::function:
        out += c.words.at(0) + "() ";
        command(c.lists.at(0).at(0), indent);
        break;
    }
    for (const ShellRedirect& r : c.redirects) {
      const bool joined = r.op.back() == '&' || r.op.find("<<") != std::string::npos;
      out += (c.words.empty() && c.kind == ShellKind::simple ? "" : " ") + r.op +
             (joined ? "" : " ") + r.target;
      bodies_ += r.body;
    }
  }
  void body(const ShellList& commands, std::size_t indent, const char* end) {
    newline();
    list(commands, indent + 2);
    line(indent, end);
  }

  std::string bodies_;  // of here-documents: they begin on the next line
};

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return starts_name(c) || (c >= '0' && c <= '9'); }

// All that looks like the reading of a name, quoted or not: too many are no harm.
void read_in_text(std::string_view text, std::set<std::string>& names) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '$') continue;
    if (text.substr(i, 3) == "$((") {
      for (i += 3; i < text.size() && text[i] != ')'; ++i) {
        if (!starts_name(text[i])) continue;
        const std::size_t begin = i;
        while (i < text.size() && continues_name(text[i])) ++i;
        names.insert(std::string(text.substr(begin, i - begin)));
        --i;
      }
      continue;
    }
    std::size_t at = i + 1;
    if (text[at] == '{') ++at;
    if (at < text.size() && text[at] == '#') ++at;
    if (at >= text.size()) return;
    if (starts_name(text[at])) {
      std::size_t end = at;
      while (end < text.size() && continues_name(text[end])) ++end;
      names.insert(std::string(text.substr(at, end - at)));
    } else if (std::string_view("@*#123456789").find(text[at]) != std::string_view::npos) {
      names.insert("@");
    } else if (text[at - 1] == '#') {
      names.insert("@");
    }
  }
}

template <class Visit>
void each(const ShellList& list, const Visit& visit) {
  for (const ShellCommand& c : list) {
    visit(c);
    for (const ShellList& inner : c.lists) each(inner, visit);
  }
}

// The commands of each $( ) of a word.
void substitutions(const std::string& word, std::set<std::string>& names) {
  for (std::size_t at = 0; (at = word.find("$(", at)) != std::string::npos; ++at) {
    if (word.compare(at, 3, "$((") == 0) continue;
    // The shortest text that reads as commands: quotes and brackets are the reader's business.
    for (std::size_t end = word.find(')', at); end != std::string::npos;
         end = word.find(')', end + 1)) {
      const auto inner = read_shell(std::string_view(word).substr(at + 2, end - at - 2));
      if (!inner) continue;
      names.merge(commands_of(*inner, true));
      at = end;  // what stands inside has been looked at
      break;
    }
  }
}

}  // namespace

std::string write_shell(const ShellList& list) {
  ShellWriter writer;
  writer.list(list, 0);
  return std::move(writer.out);
}

std::set<std::string> names_read(const ShellList& list) {
  std::set<std::string> names;
  each(list, [&](const ShellCommand& c) {
    if (c.kind == ShellKind::comment) return;
    for (const auto& word : c.words) read_in_text(word, names);
    for (const auto& label : c.labels) read_in_text(label, names);
    for (const auto& r : c.redirects) {
      read_in_text(r.target, names);
      read_in_text(r.body, names);
    }
  });
  return names;
}

std::set<std::string> names_set(const ShellList& list) {
  std::set<std::string> names;
  each(list, [&](const ShellCommand& c) {
    if (c.kind == ShellKind::for_) names.insert(c.words.at(0));
    if (c.kind != ShellKind::simple) return;
    std::size_t i = 0;
    for (; i < c.words.size(); ++i) {
      const std::size_t n = assignment_length(c.words[i]);
      if (n == 0) break;
      names.insert(c.words[i].substr(0, n));
    }
    if (i >= c.words.size()) return;
    const std::string& command = c.words[i];
    if (command == "shift" ||
        (command == "set" && i + 1 < c.words.size() && c.words[i + 1] == "--")) {
      names.insert("@");
    }
    if (command != "read" && command != "export" && command != "readonly" && command != "unset") {
      return;
    }
    for (++i; i < c.words.size(); ++i) {
      const std::size_t n = assignment_length(c.words[i]);
      names.insert(n == 0 ? c.words[i] : c.words[i].substr(0, n));
    }
  });
  return names;
}

std::set<std::string> commands_of(const ShellList& list, bool within) {
  std::set<std::string> names;
  each(list, [&](const ShellCommand& c) {
    if (within) {
      for (const auto& word : c.words) substitutions(word, names);
    }
    if (c.kind != ShellKind::simple) return;
    for (const auto& word : c.words) {
      if (assignment_length(word) != 0) continue;
      names.insert(word);
      break;
    }
  });
  return names;
}

}  // namespace cnplay::plan
