#include "ssh/ssh_config.h"

#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "ssh/ssh_match.h"

namespace cnplay::ssh {

// What holds while a configuration is walked for one destination.
struct Asked {
  const std::string& destination;
  const std::string& user;
  const std::string& local_user;
  ClientHost found;
  std::string tag;
  std::optional<bool> canonicalize;

  std::string host() const { return found.host_name.empty() ? destination : found.host_name; }
  std::string remote_user() const {
    return !user.empty() ? user : !found.user.empty() ? found.user : local_user;
  }
};

namespace {

constexpr int kDeepestInclude = 16;  // as ssh
constexpr std::size_t kMostLines = 1'000'000;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f'; }

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
                                                      "serveralivecountmax",
                                                      "canonicalizehostname",
                                                      "tag"};
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
    if (found.accept_new) return {};
    const std::string how = lower(word);
    if (how == "no" || how == "off") {
      return at(line, "`StrictHostKeyChecking " + word + "` would trust whoever answers",
                "cnplay checks host keys: write accept-new, or name another file with -F");
    }
    found.accept_new = how == "accept-new";
  } else if (key == "connecttimeout" || key == "serveraliveinterval") {
    const auto value = time_of(line);
    if (!value) return value.error();
    first(key == "connecttimeout" ? found.connect_timeout : found.alive_interval, *value);
  } else if (key == "serveralivecountmax") {
    const auto value = number<std::uint32_t>(line);
    if (!value) return value.error();
    first(found.alive_count, *value);
  } else if (key == "canonicalizehostname") {
    const std::string how = lower(word);
    first(asked.canonicalize, how == "yes" || how == "true" || how == "always");
  } else if (key == "tag") {
    text(asked.tag);
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
  config.home_ = home;
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
  Asked asked{destination, user, local_user, {}, {}, {}};
  const auto again = walk(asked, false);
  if (!again) return again.error();
  asked.found.host_name = asked.host();
  // The name counts as canonical in the second reading; what was set first stays. Names are not
  // looked up in CanonicalDomains.
  if (*again || asked.canonicalize.value_or(false)) {
    if (const auto last = walk(asked, true); !last) return last.error();
  }
  return std::move(asked.found);
}

Result<bool> ClientConfig::walk(Asked& asked, bool final) const {
  bool active = true;
  bool again = false;
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
      active = reachable && matches(line.words, asked.destination);
    } else if (line.keyword == "match") {
      const auto holds = match({.host = asked.host(),
                                .original = asked.destination,
                                .user = asked.remote_user(),
                                .local_user = asked.local_user,
                                .home = home_,
                                .alias = asked.found.host_key_alias,
                                .tag = asked.tag,
                                .port = asked.found.port.value_or(22),
                                .final = final,
                                .reachable = reachable,
                                .may_exec = may_exec_},
                               line);
      if (!holds) return holds.error();
      active = holds->holds;
      again = again || holds->wants_final;
    } else if (active) {
      if (auto status = take(line, asked); !status) return status.error();
    }
  }
  return again;
}

Result<std::string> expand(const std::string& text, const Tokens& tokens) {
  std::string rest = text;
  std::string out;
  if (text == "~" || text.starts_with("~/")) {
    out = tokens.home;
    rest.erase(0, 1);
  }
  for (std::size_t begin = 0; begin <= rest.size();) {
    const std::size_t at = std::min(rest.find("${", begin), rest.size());
    const auto plain = expand_tokens(std::string_view(rest).substr(begin, at - begin), tokens);
    if (!plain) return fail(plain.error().what + " in " + text);
    out += *plain;
    if (at == rest.size()) break;
    const std::size_t end = rest.find('}', at);
    if (end == std::string::npos) return fail("`${` is not closed in " + text);
    const std::string name = rest.substr(at + 2, end - at - 2);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return fail("${" + name + "} is not set, in " + text);
    out += value;
    begin = end + 1;
  }
  return out;
}

}  // namespace cnplay::ssh
