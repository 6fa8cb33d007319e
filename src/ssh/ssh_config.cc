#include "ssh/ssh_config.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>

namespace cnplay::ssh {
namespace {

constexpr int kDeepestInclude = 16;  // as ssh
constexpr std::size_t kMostLines = 1'000'000;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

Error at(const ConfigLine& line, const std::string& what, const std::string& help) {
  return fail(line.where + ": " + what, help);
}

// Words, with quotes as ssh has them; a word that begins with # ends the line.
Result<std::vector<std::string>> split(std::string_view text, const std::string& where) {
  std::vector<std::string> words;
  std::size_t i = 0;
  while (i < text.size()) {
    if (is_space(text[i])) {
      ++i;
      continue;
    }
    if (text[i] == '#') break;
    std::string word;
    char quote = 0;
    for (; i < text.size() && (quote != 0 || !is_space(text[i])); ++i) {
      const char c = text[i];
      if (c == '\\' && i + 1 < text.size() &&
          (text[i + 1] == '"' || text[i + 1] == '\'' || text[i + 1] == '\\' ||
           (quote == 0 && text[i + 1] == ' '))) {
        word += text[++i];
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    }
    if (quote != 0) return fail(where + ": a quote is not closed", "close it on the same line");
    words.push_back(std::move(word));
  }
  return words;
}

// One line; an empty keyword if there is nothing on it.
Result<ConfigLine> read_line(std::string_view text, std::string where) {
  ConfigLine line;
  line.where = std::move(where);
  std::size_t i = 0;
  while (i < text.size() && is_space(text[i])) ++i;
  if (i == text.size() || text[i] == '#') return line;
  const bool quoted = text[i] == '"';
  if (quoted) ++i;
  while (i < text.size() && !is_space(text[i]) && text[i] != '=' && text[i] != '"') {
    line.keyword += text[i++];
  }
  if (quoted && i < text.size()) ++i;
  line.keyword = lower(line.keyword);
  while (i < text.size() && is_space(text[i])) ++i;
  if (i < text.size() && text[i] == '=') ++i;
  while (i < text.size() && is_space(text[i])) ++i;
  std::string_view rest = text.substr(i);
  while (!rest.empty() && is_space(rest.back())) rest.remove_suffix(1);
  line.rest = rest;
  auto words = split(rest, line.where);
  if (!words) return words.error();
  line.words = *std::move(words);
  return line;
}

bool matches_one(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t back = 0;
  while (n < name.size()) {
    if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      back = n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++back;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> at_commas(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t comma = text.find(',', begin);
    parts.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

Result<bool> yes_or_no(const ConfigLine& line) {
  const std::string word = line.words.empty() ? "" : lower(line.words[0]);
  if (word == "yes" || word == "true") return true;
  if (word == "no" || word == "false") return false;
  return at(line, "`" + line.keyword + "` takes yes or no", "");
}

template <class T>
Result<T> number(const ConfigLine& line) {
  T value = 0;
  const std::string word = line.words.empty() ? "" : line.words[0];
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || error != std::errc{} || end != word.data() + word.size()) {
    return at(line, "`" + line.keyword + "` takes a number", "");
  }
  return value;
}

// Seconds, or 1h30m.
Result<Duration> time_of(const ConfigLine& line) {
  const std::string word = line.words.empty() ? "" : lower(line.words[0]);
  if (word == "none") return Duration{0};
  std::int64_t total = 0;
  std::int64_t digits = -1;
  for (const char c : word) {
    if (c >= '0' && c <= '9') {
      digits = std::max<std::int64_t>(digits, 0) * 10 + (c - '0');
      if (digits > 1'000'000'000) return at(line, "the time is too long", "");
      continue;
    }
    const std::int64_t unit = c == 's'   ? 1
                              : c == 'm' ? 60
                              : c == 'h' ? 3600
                              : c == 'd' ? 86400
                              : c == 'w' ? 604800
                                         : 0;
    if (unit == 0 || digits < 0)
      return at(line, "`" + line.keyword + "` takes a time", "such as 30 or 2m");
    total += digits * unit;
    digits = -1;
  }
  if (digits >= 0) total += digits;
  if (word.empty()) return at(line, "`" + line.keyword + "` takes a time", "such as 30 or 2m");
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(total));
}

// What holds while a configuration is walked for one destination.
struct Asked {
  const std::string& destination;
  const std::string& user;
  const std::string& local_user;
  ClientHost found;

  std::string host() const { return found.host_name.empty() ? destination : found.host_name; }
  std::string remote_user() const {
    return !user.empty() ? user : !found.user.empty() ? found.user : local_user;
  }
};

Result<bool> match(const ConfigLine& line, const Asked& asked) {
  if (line.words.empty()) return at(line, "`Match` names no condition", "");
  bool all = true;
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    std::string condition = lower(line.words[i]);
    const bool negated = condition.starts_with('!');
    if (negated) condition.erase(0, 1);
    if (condition == "all") {
      if (line.words.size() != 1) return at(line, "`Match all` stands alone here", "");
      all = all && !negated;
      continue;
    }
    std::string value;
    if (const std::size_t equals = condition.find('='); equals != std::string::npos) {
      value = line.words[i].substr(line.words[i].find('=') + 1);
      condition.resize(equals);
    } else if (i + 1 < line.words.size()) {
      value = line.words[++i];
    }
    std::string subject;
    if (condition == "host") {
      subject = asked.host();
    } else if (condition == "originalhost") {
      subject = asked.destination;
    } else if (condition == "user") {
      subject = asked.remote_user();
    } else if (condition == "localuser") {
      subject = asked.local_user;
    } else {
      return at(line, "`Match " + condition + "` is not supported",
                "cnplay reads Match host, originalhost, user, localuser and all; name another file "
                "with -F, or `-F none`");
    }
    if (value.empty()) return at(line, "`Match " + condition + "` names nothing", "");
    all = all && matches({value}, subject) != negated;
  }
  return all;
}

template <class T>
void first(std::optional<T>& to, T value) {
  if (!to) to = std::move(value);
}

Status take(const ConfigLine& line, Asked& asked) {
  ClientHost& found = asked.found;
  const std::string& key = line.keyword;
  const std::string word = line.words.empty() ? "" : line.words[0];
  const auto text = [&](std::string& to) {
    if (to.empty()) to = word;
  };
  const auto list = [&](std::vector<std::string>& to) {
    if (to.empty()) to = line.words;
  };
  static const std::vector<std::string> kNeedValue = {"hostname",
                                                      "port",
                                                      "user",
                                                      "identityfile",
                                                      "identitiesonly",
                                                      "certificatefile",
                                                      "identityagent",
                                                      "proxyjump",
                                                      "proxycommand",
                                                      "userknownhostsfile",
                                                      "globalknownhostsfile",
                                                      "hostkeyalias",
                                                      "stricthostkeychecking",
                                                      "connecttimeout",
                                                      "serveraliveinterval",
                                                      "serveralivecountmax"};
  if (std::find(kNeedValue.begin(), kNeedValue.end(), key) == kNeedValue.end()) return {};
  if (line.words.empty()) return at(line, "`" + key + "` has no value", "");
  if (key == "hostname") {
    if (found.host_name.empty()) {
      for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] != '%') {
          found.host_name += word[i];
        } else if (++i < word.size() && (word[i] == 'h' || word[i] == '%')) {
          found.host_name += word[i] == 'h' ? asked.destination : "%";
        } else {
          return at(line, "`HostName` knows %h and %% alone", "");
        }
      }
    }
  } else if (key == "port") {
    const auto port = number<std::uint16_t>(line);
    if (!port || *port == 0) return at(line, "`Port` takes a number from 1 to 65535", "");
    first(found.port, *port);
  } else if (key == "user") {
    text(found.user);
  } else if (key == "identityfile" || key == "certificatefile") {
    auto& to = key == "identityfile" ? found.identities : found.certificates;
    if (std::find(to.begin(), to.end(), word) == to.end()) to.push_back(word);
  } else if (key == "identitiesonly") {
    const auto value = yes_or_no(line);
    if (!value) return value.error();
    first(found.identities_only, *value);
  } else if (key == "identityagent") {
    text(found.identity_agent);
  } else if (key == "proxyjump") {
    // The first of the two wins, whichever it is.
    if (found.proxy_jump.empty() && found.proxy_command.empty()) found.proxy_jump = word;
  } else if (key == "proxycommand") {
    if (found.proxy_jump.empty() && found.proxy_command.empty()) found.proxy_command = line.rest;
  } else if (key == "userknownhostsfile") {
    list(found.user_known_hosts);
  } else if (key == "globalknownhostsfile") {
    list(found.global_known_hosts);
  } else if (key == "hostkeyalias") {
    text(found.host_key_alias);
  } else if (key == "stricthostkeychecking") {
    const std::string how = lower(word);
    if (how == "no" || how == "off") {
      return at(line, "`StrictHostKeyChecking " + word + "` would trust whoever answers",
                "cnplay checks host keys: write accept-new, or name another file with -F");
    }
    first(found.accept_new, how == "accept-new");
  } else if (key == "connecttimeout" || key == "serveraliveinterval") {
    const auto value = time_of(line);
    if (!value) return value.error();
    first(key == "connecttimeout" ? found.connect_timeout : found.alive_interval, *value);
  } else if (key == "serveralivecountmax") {
    const auto value = number<std::uint32_t>(line);
    if (!value) return value.error();
    first(found.alive_count, *value);
  }
  return {};
}

std::vector<std::string> files_of(const std::string& pattern) {
  std::vector<std::string> files;
  glob_t found{};
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  return files;
}

}  // namespace

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  bool any = false;
  for (const std::string& words : patterns) {
    for (const std::string& part : at_commas(words)) {
      const bool negated = part.starts_with('!');
      const bool is = matches_one(lower(part.substr(negated ? 1 : 0)), lower(name));
      if (is && negated) return false;
      any = any || is;
    }
  }
  return any;
}

Result<ClientConfig> ClientConfig::read(const std::vector<std::string>& files,
                                        const std::string& home, bool must_exist) {
  ClientConfig config;
  for (const std::string& file : files) {
    // What a file says last holds no longer in the next one.
    config.lines_.push_back({.keyword = "include-begin", .words = {}, .rest = {}, .where = file});
    if (auto status = config.read_file(file, home, must_exist, 0); !status) return status.error();
    config.lines_.push_back({.keyword = "include-end", .words = {}, .rest = {}, .where = file});
  }
  return config;
}

Status ClientConfig::read_file(const std::string& path, const std::string& home, bool must_exist,
                               int depth) {
  if (depth > kDeepestInclude) return fail(path + ": more than 16 files include each other");
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    if (!must_exist) return {};
    return fail(path + ": cannot be read", "name a file of the format of ssh_config(5), or `none`");
  }
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    auto line = read_line(text, path + ":" + std::to_string(number));
    if (!line) return line.error();
    if (line->keyword.empty()) continue;
    if (lines_.size() > kMostLines) return fail(path + ": too many lines");
    if (line->keyword != "include") {
      lines_.push_back(*std::move(line));
      continue;
    }
    for (std::string name : line->words) {
      if (name.starts_with("~/")) name = home + name.substr(1);
      if (!name.starts_with('/')) {
        name = (path.starts_with("/etc/") ? "/etc/ssh/" : home + "/.ssh/") + name;
      }
      for (const std::string& file : files_of(name)) {
        lines_.push_back(
            {.keyword = "include-begin", .words = {}, .rest = {}, .where = line->where});
        if (auto status = read_file(file, home, false, depth + 1); !status) return status;
        lines_.push_back({.keyword = "include-end", .words = {}, .rest = {}, .where = line->where});
      }
    }
  }
  return {};
}

Result<ClientHost> ClientConfig::lookup(const std::string& destination, const std::string& user,
                                        const std::string& local_user) const {
  Asked asked{destination, user, local_user, {}};
  bool active = true;
  // Of the files that include this one, whether their section holds, and what it was before.
  std::vector<bool> outside;
  bool reachable = true;  // all of the sections around hold
  for (const ConfigLine& line : lines_) {
    if (line.keyword == "include-begin") {
      outside.push_back(active);
      outside.push_back(reachable);
      reachable = reachable && active;
    } else if (line.keyword == "include-end") {
      reachable = outside.back();
      outside.pop_back();
      active = outside.back();
      outside.pop_back();
    } else if (line.keyword == "host") {
      if (line.words.empty()) return at(line, "`Host` names no host", "");
      active = reachable && matches(line.words, destination);
    } else if (line.keyword == "match") {
      const auto holds = match(line, asked);
      if (!holds) return holds.error();
      active = reachable && *holds;
    } else if (active) {
      if (auto status = take(line, asked); !status) return status.error();
    }
  }
  if (asked.found.host_name.empty()) asked.found.host_name = destination;
  return std::move(asked.found);
}

Result<std::string> expand(const std::string& text, const Tokens& tokens) {
  std::string out;
  std::size_t i = 0;
  if (text == "~" || text.starts_with("~/")) {
    out = tokens.home;
    i = 1;
  }
  for (; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string::npos) return fail("`${` is not closed in " + text);
      const std::string name = text.substr(i + 2, end - i - 2);
      const char* value = std::getenv(name.c_str());
      if (value == nullptr) return fail("${" + name + "} is not set, in " + text);
      out += value;
      i = end;
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const char token = ++i < text.size() ? text[i] : '\0';
    char machine[256] = "localhost";
    switch (token) {
      case '%':
        out += '%';
        break;
      case 'h':
        out += tokens.host_name;
        break;
      case 'n':
        out += tokens.original;
        break;
      case 'p':
        out += std::to_string(tokens.port);
        break;
      case 'r':
        out += tokens.user;
        break;
      case 'u':
        out += tokens.local_user;
        break;
      case 'd':
        out += tokens.home;
        break;
      case 'k':
        out += tokens.alias.empty() ? tokens.original : tokens.alias;
        break;
      case 'j':
        out += tokens.jump;
        break;
      case 'i':
        out += std::to_string(::getuid());
        break;
      case 'l':
      case 'L': {
        ::gethostname(machine, sizeof machine - 1);
        std::string name = machine;
        if (token == 'L') name.resize(std::min(name.find('.'), name.size()));
        out += name;
        break;
      }
      default:
        return fail("unknown token %" + std::string(1, token) + " in " + text);
    }
  }
  return out;
}

}  // namespace cnplay::ssh
