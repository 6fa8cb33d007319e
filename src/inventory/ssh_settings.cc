#include "inventory/ssh_settings.h"

#include <algorithm>

#include "inventory/evaluate.h"

namespace cnplay::inventory {

enum class SettingKind { text, port, texts, secret, flag };

struct KnownSetting {
  std::string_view name;
  SettingKind kind;
};

namespace {

constexpr KnownSetting kSshSettings[] = {
    {"address", SettingKind::text},      {"port", SettingKind::port},
    {"user", SettingKind::text},         {"identity", SettingKind::texts},
    {"known_hosts", SettingKind::texts}, {"jump", SettingKind::text},
    {"password", SettingKind::secret},   {"become_password", SettingKind::secret},
    {"tunnel_run", SettingKind::flag},
};

}  // namespace

bool is_ssh_setting(const syntax::Name& name, diag::Diagnostics& diags) {
  std::vector<std::string> names;
  for (const auto& setting : kSshSettings) {
    if (setting.name == name.text) return true;
    names.emplace_back(setting.name);
  }
  const std::string near = diag::did_you_mean(name.text, names);
  std::string help = near.empty()
                         ? "ssh settings are address, port, user, identity, known_hosts, "
                           "jump, password, become_password and tunnel_run; a variable belongs in "
                           "`vars { " +
                               name.text + ": ... }`"
                         : "did you mean `" + near + "`?";
  diags.error("E0604", "unknown ssh setting " + backquoted(name.text), {name.span, "not a setting"},
              std::move(help));
  return false;
}

void SshChecker::check(const Settings& settings, const Host* host) {
  for (const auto& known : kSshSettings) {
    const auto at = settings.find(known.name);
    if (at == settings.end() || !at->second.valid) continue;
    const HostContext context{host ? std::string_view(host->name) : "host",
                              host ? host->index : std::optional<std::int64_t>(1),
                              inventory_.name()};
    check_setting(known, evaluate(*at->second.value, context));
  }
}

// The first stop of a way that is a bare name, and no host's: that is mistyped more often than
// meant.
std::optional<std::string> SshChecker::unknown_stop(const std::string& way) const {
  for (std::size_t begin = 0; begin <= way.size();) {
    const std::size_t comma = std::min(way.find(',', begin), way.size());
    std::string stop = way.substr(begin, comma - begin);
    begin = comma + 1;
    if (stop.find_first_of("@:") == std::string::npos && !inventory_.find_host(stop)) return stop;
  }
  return std::nullopt;
}

void SshChecker::check_setting(const KnownSetting& known, const Value& value) {
  const auto wrong = [&](std::string what, std::string help) {
    diags_.error("E0607", "ssh setting " + backquoted(known.name) + " " + std::move(what),
                 {value.span, "this is " + std::string(describe_kind(value))}, std::move(help));
  };
  const auto* text = std::get_if<std::string>(&value.data);
  switch (known.kind) {
    case SettingKind::port: {
      const auto* port = std::get_if<std::int64_t>(&value.data);
      if (!port) {
        wrong("must be an int", "write `port: 22`");
      } else if (*port < 1 || *port > 65535) {
        diags_.error("E0607", "a port is between 1 and 65535", {value.span, "out of range"},
                     "the usual port is 22");
      }
      break;
    }
    case SettingKind::text:
      if (!text) {
        wrong("must be a string", "write it in quotes: `" + std::string(known.name) + ": \"...\"`");
      } else if (text->empty() || (*text)[0] == '-' ||
                 text->find_first_of(" \t\n'\"\\$`") != std::string::npos) {
        diags_.error(
            "E0605", "ssh setting " + backquoted(known.name) + " cannot be " + backquoted(*text),
            {value.span, text->empty() ? "it is empty"
                         : (*text)[0] == '-'
                             ? "begins with `-`: ssh would take it for an option"
                             : "has a character that is not allowed in an address or a user"},
            "write the bare address or name");
      } else if (const auto unknown = known.name == "jump" ? unknown_stop(*text) : std::nullopt) {
        diags_.error("E0608", "there is no host " + backquoted(*unknown),
                     {value.span, "not in this inventory"},
                     "`jump` names a host of this inventory; write user@host for another one");
      }
      break;
    case SettingKind::texts: {
      const auto* list = std::get_if<Value::List>(&value.data);
      const bool good = text || (list && std::ranges::all_of(*list, [](const Value& v) {
                                   return std::holds_alternative<std::string>(v.data);
                                 }));
      if (!good) wrong("must be a string or a list of strings", "write `\"~/.ssh/id_ed25519\"`");
      break;
    }
    case SettingKind::flag:
      if (!std::holds_alternative<bool>(value.data)) {
        wrong("must be true or false", "write `" + std::string(known.name) + ": false`");
      }
      break;
    case SettingKind::secret:
      if (!std::holds_alternative<Value::Secret>(value.data)) {
        diags_.error("E0607", "a password does not belong in an inventory",
                     {value.span, "anyone who reads the file has it"},
                     "name its source: `env(\"X\")`, `command([...])` or `ask(\"prompt\")`");
      }
      break;
  }
}

}  // namespace cnplay::inventory
