#include "ssh/ssh_match.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

#include "ssh/sha1.h"

extern char** environ;

namespace cnplay::ssh {
namespace {

std::string machine_name() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string hex(const Sha1State& digest) {
  std::string text;
  for (const std::uint32_t word : digest) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", word);
    text += digits;
  }
  return text;
}

// Whether the command ends with 0. As ssh: the user's shell, stdin and stdout empty.
Result<bool> succeeds(const std::string& command) {
  const char* shell = std::getenv("SHELL");
  if (shell == nullptr || *shell == '\0') shell = "/bin/sh";
  const char* argv[] = {shell, "-c", command.c_str(), nullptr};
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t set;
  ::sigemptyset(&set);
  posix_spawnattr_setsigmask(&attributes, &set);
  ::sigaddset(&set, SIGPIPE);  // ignored here
  posix_spawnattr_setsigdefault(&attributes, &set);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int rc =
      ::posix_spawn(&child, shell, &files, &attributes, const_cast<char* const*>(argv), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (rc != 0) return fail(std::string(shell) + " cannot be started: " + std::strerror(rc));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return fail(std::string("waiting for it failed: ") + std::strerror(errno));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

struct Network {
  int family = AF_INET;
  std::array<unsigned char, 16> address{};
  unsigned bits = 0;
};

// ADDRESS/BITS, or an address alone.
std::optional<Network> read_network(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string address = text.substr(0, slash);
  Network network;
  network.family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
  if (::inet_pton(network.family, address.c_str(), network.address.data()) != 1) {
    return std::nullopt;
  }
  const unsigned most = network.family == AF_INET ? 32 : 128;
  network.bits = most;
  if (slash == std::string::npos) return network;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, network.bits);
  if (error != std::errc{} || stop != end || network.bits > most) return std::nullopt;
  return network;
}

bool within(const unsigned char* address, const Network& network) {
  for (unsigned bit = 0; bit < network.bits; ++bit) {
    const unsigned mask = 0x80U >> (bit % 8);
    if ((address[bit / 8] & mask) != (network.address[bit / 8] & mask)) return false;
  }
  return true;
}

// Whether an interface of this machine that is up has an address in one of the networks.
Result<bool> on_network(const std::string& list) {
  std::vector<Network> networks;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto network = read_network(part);
    if (!network) return fail("`" + part + "` is not a network such as 10.1.0.0/16");
    networks.push_back(*network);
  }
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) {
    return fail(std::string("the addresses of this machine cannot be read: ") +
                std::strerror(errno));
  }
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, &::freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    std::array<unsigned char, 16> address{};
    if (family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, one->ifa_addr, sizeof in);
      std::memcpy(address.data(), &in.sin_addr, sizeof in.sin_addr);
    } else {
      sockaddr_in6 in{};
      std::memcpy(&in, one->ifa_addr, sizeof in);
      std::memcpy(address.data(), &in.sin6_addr, sizeof in.sin6_addr);
    }
    for (const Network& network : networks) {
      if (network.family == family && within(address.data(), network)) return true;
    }
  }
  return false;
}

Result<bool> exec_holds(const Subject& subject, const ConfigLine& line, const std::string& text) {
  const Tokens tokens{.host_name = subject.host,
                      .original = subject.original,
                      .user = subject.user,
                      .local_user = subject.local_user,
                      .home = subject.home,
                      .alias = subject.alias.empty() ? subject.host : subject.alias,
                      .jump = {},
                      .port = subject.port};
  const auto command = expand_tokens(text, tokens);
  if (!command) return at(line, "`Match exec`: " + command.error().what + " in " + text);
  if (!subject.may_exec) {
    return at(line, "`Match exec " + text + "` is not run (--no-exec)",
              "leave --no-exec out, name another file with -F, or `-F none`");
  }
  const auto good = succeeds(*command);
  if (!good) return at(line, "`Match exec " + text + "`: " + good.error().what);
  return *good;
}

}  // namespace

Error at(const ConfigLine& line, const std::string& what, const std::string& help) {
  return fail(line.where + ": " + what, help);
}

Result<Matched> match(const Subject& subject, const ConfigLine& line) {
  if (line.words.empty()) return at(line, "`Match` names no condition");
  Matched matched{.holds = subject.reachable, .wants_final = false};
  std::string unknown;
  int conditions = 0;  // before `all`
  for (std::size_t i = 0; i < line.words.size(); ++i) {
    std::string condition = line.words[i];
    std::string value;
    const std::size_t equals = condition.find('=');
    if (equals != std::string::npos) {
      value = condition.substr(equals + 1);
      condition.resize(equals);
    }
    for (char& c : condition) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool negated = condition.starts_with('!');
    if (negated) condition.erase(0, 1);
    if (condition == "all") {
      if (conditions > 1 || i + 1 < line.words.size()) {
        return at(line, "`Match all` cannot be combined with other conditions");
      }
      matched.holds = matched.holds && !negated;
      continue;
    }
    ++conditions;
    if (condition == "final" || condition == "canonical") {
      matched.wants_final = matched.wants_final || condition == "final";
      matched.holds = matched.holds && subject.final != negated;
      continue;
    }
    if (equals == std::string::npos && i + 1 < line.words.size()) value = line.words[++i];
    if (value.empty()) return at(line, "`Match " + condition + "` names nothing");
    const bool is_text = condition == "host" || condition == "originalhost" ||
                         condition == "user" || condition == "localuser" || condition == "tagged";
    bool holds = false;
    if (is_text) {
      const std::string& text = condition == "host"           ? subject.host
                                : condition == "originalhost" ? subject.original
                                : condition == "user"         ? subject.user
                                : condition == "localuser"    ? subject.local_user
                                                              : subject.tag;
      holds = matches({value}, text);
    } else if (condition == "exec") {
      // ssh runs it only if what stands before it holds.
      if (!matched.holds || !unknown.empty()) continue;
      const auto good = exec_holds(subject, line, value);
      if (!good) return good.error();
      holds = *good;
    } else if (condition == "localnetwork") {
      if (!matched.holds) continue;
      const auto there = on_network(value);
      if (!there) return at(line, "`Match localnetwork`: " + there.error().what);
      holds = *there;
    } else {
      unknown = condition;
      continue;
    }
    matched.holds = matched.holds && holds != negated;
  }
  if (matched.holds && !unknown.empty()) {
    return at(line, "`Match " + unknown + "` is not supported",
              "cnplay reads Match host, originalhost, user, localuser, tagged, localnetwork, exec, "
              "final, canonical and all; name another file with -F, or `-F none`");
  }
  return matched;
}

Result<std::string> expand_tokens(std::string_view text, const Tokens& tokens) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const char token = ++i < text.size() ? text[i] : '\0';
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
        out += machine_name();
        break;
      case 'L': {
        const std::string name = machine_name();
        out += name.substr(0, name.find('.'));
        break;
      }
      case 'C':
        out += hex(sha1(machine_name() + tokens.host_name + std::to_string(tokens.port) +
                        tokens.user + tokens.jump));
        break;
      case '\0':
        return fail("a lone % at the end");
      default:
        return fail("unknown token %" + std::string(1, token));
    }
  }
  return out;
}

}  // namespace cnplay::ssh
