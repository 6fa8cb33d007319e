#include "inventory/notify.h"

#include <algorithm>
#include <map>

#include "inventory/evaluate.h"
#include "inventory/ssh_settings.h"

namespace cnplay::inventory {
namespace {

constexpr std::string_view kSettings[] = {"on",   "command", "webhook", "token",   "mail",
                                          "from", "server",  "user",    "password"};
constexpr std::string_view kWays =
    "say one of `command: [\"/usr/local/bin/page\"]`, `webhook: "
    "\"https://...\"` and `mail: \"ops@example.org\"`";

std::optional<std::vector<std::string>> texts_of(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value.data)) return std::vector{*text};
  const auto* list = std::get_if<Value::List>(&value.data);
  if (list == nullptr || list->empty()) return std::nullopt;
  std::vector<std::string> out;
  for (const Value& item : *list) {
    const auto* text = std::get_if<std::string>(&item.data);
    if (text == nullptr) return std::nullopt;
    out.push_back(*text);
  }
  return out;
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '<' && c != '>' && c != '\\';
  });
}

// What may stand between angle brackets in a mail's head, and nothing that ends them.
bool is_address(std::string_view text) {
  const std::size_t at = text.find('@');
  return is_plain(text) && at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
         text.find('@', at + 1) == std::string_view::npos && text[0] != '-' &&
         text.find_first_of(",;:()[]") == std::string_view::npos;
}

// `scheme://host[:port][/...]`, without a user and a password.
bool is_url(std::string_view text, std::initializer_list<std::string_view> schemes) {
  if (!is_plain(text)) return false;
  for (const std::string_view scheme : schemes) {
    if (!text.starts_with(scheme)) continue;
    const std::string_view rest = text.substr(scheme.size());
    const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
    return !host.empty() && host.find('@') == std::string_view::npos;
  }
  return false;
}

bool is_here(std::string_view url) {
  const std::string_view rest = url.substr(url.find("//") + 2);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  for (const std::string_view here : {"127.0.0.1", "localhost", "[::1]"}) {
    if (host == here || host.starts_with(std::string(here) + ":")) return true;
  }
  return false;
}

class Block {
 public:
  Block(const syntax::NotifyNode& node, std::string_view inventory, diag::Diagnostics& diags)
      : node_(node), inventory_(inventory), diags_(diags) {}

  std::optional<Notification> read() {
    collect();
    out_.span = node_.span;
    moments();
    const int ways = int{has("command")} + int{has("webhook")} + int{has("mail")};
    if (ways != 1) {
      wrong(node_.span, ways == 0 ? "it does not say how to notify" : "it says more than one way",
            std::string(kWays) + (ways == 0 ? "" : "; write one block for each"));
    }
    if (has("command")) command();
    if (has("webhook")) webhook();
    if (has("mail")) mail();
    if (!good_) return std::nullopt;
    return std::move(out_);
  }

 private:
  void wrong(Span span, const std::string& what, std::string help) {
    good_ = false;
    diags_.error("E0616", "this `notify` cannot be carried out", {span, what}, std::move(help));
  }
  bool has(std::string_view name) const { return values_.contains(name); }

  void collect() {
    for (const auto& argument : node_.settings) {
      if (argument.spread || argument.name.text.empty() || !argument.value) {
        wrong(argument.span, "a name and a value are needed here", "write `name: value`");
        continue;
      }
      const std::string& name = argument.name.text;
      if (std::ranges::find(kSettings, name) == std::end(kSettings)) {
        const std::string near = diag::did_you_mean(
            name, std::vector<std::string>(std::begin(kSettings), std::end(kSettings)));
        wrong(argument.name.span, "not a setting of `notify`",
              near.empty() ? "settings are on, command, webhook, token, mail, from, server, user "
                             "and password"
                           : "did you mean `" + near + "`?");
        continue;
      }
      Uses uses;
      if (!check_expression(*argument.value, diags_, uses)) {
        good_ = false;
        continue;
      }
      if (!values_.emplace(name, evaluate(*argument.value, {"host", 1, inventory_})).second) {
        wrong(argument.name.span, "set again here", "keep one of the two");
      }
    }
  }

  // The text of a setting; "" if it is not there, or wrong.
  std::string text(std::string_view name) {
    const auto at = values_.find(name);
    if (at == values_.end()) return "";
    const auto* text = std::get_if<std::string>(&at->second.data);
    if (text == nullptr) {
      wrong(at->second.span, "this is " + std::string(describe_kind(at->second)),
            "write it in quotes");
    }
    return text == nullptr ? "" : *text;
  }
  std::optional<Value> secret(std::string_view name) {
    const auto at = values_.find(name);
    if (at == values_.end()) return std::nullopt;
    if (std::holds_alternative<Value::Secret>(at->second.data)) return at->second;
    wrong(at->second.span, "anyone who reads the file has it",
          "name its source: `env(\"X\")`, `command([...])` or `vault(\"path\")`");
    return std::nullopt;
  }
  // What another way of telling has no use for.
  void only(std::initializer_list<std::string_view> names) {
    for (const auto& [name, value] : values_) {
      if (name == "on" || std::ranges::find(names, name) != names.end()) continue;
      if (name == "command" || name == "webhook" || name == "mail") continue;  // said already
      wrong(value.span, backquoted(name) + " has no meaning here", "take it away");
    }
  }

  void moments() {
    const auto at = values_.find("on");
    const auto words = at == values_.end() ? std::nullopt : texts_of(at->second);
    const std::string help =
        "write `on: \"finish\"` (however it ends), `on: \"failure\"`, `on: "
        "\"parked\"` (it waits for people), or a list of them";
    if (!words)
      return wrong(at == values_.end() ? node_.span : at->second.span, "when does it notify?",
                   help);
    for (const std::string& word : *words) {
      if (word == "finish") {
        out_.on_finish = true;
      } else if (word == "failure") {
        out_.on_failure = true;
      } else if (word == "parked") {
        out_.on_parked = true;
      } else {
        wrong(at->second.span, backquoted(word) + " is not one of the moments", help);
      }
    }
  }

  void command() {
    out_.kind = NotifyKind::command;
    only({"command"});
    const Value& value = values_.at("command");
    const auto* list = std::get_if<Value::List>(&value.data);
    const auto words = list == nullptr ? std::nullopt : texts_of(value);
    if (!words || words->front().empty()) {
      return wrong(value.span, "a command is a list of words, the program first",
                   "write `command: [\"/usr/local/bin/page\", \"web\"]`; what happened comes as "
                   "JSON on its stdin");
    }
    if (std::ranges::any_of(
            *words, [](const std::string& word) { return word.find('\0') != std::string::npos; })) {
      return wrong(value.span, "a word holds a NUL byte", "take it away");
    }
    out_.command = *words;
  }

  void webhook() {
    out_.kind = NotifyKind::webhook;
    only({"webhook", "token"});
    out_.token = secret("token");
    // Many chat servers take the address itself for a password. What it is, is seen when it is
    // used.
    if (std::holds_alternative<Value::Secret>(values_.at("webhook").data)) {
      out_.secret_url = secret("webhook");
      return;
    }
    out_.url = text("webhook");
    const Span span = values_.at("webhook").span;
    if (!is_url(out_.url, {"https://", "http://"})) {
      return wrong(span, "not an http or https address without a name and password in it",
                   "write `webhook: \"https://chat.example.org/hooks/7\"`, and a secret as `token: "
                   "env(\"HOOK_TOKEN\")`: it is sent as a bearer token");
    }
    if (out_.token && !out_.url.starts_with("https://") && !is_here(out_.url)) {
      wrong(span, "the token would be readable by everybody on the network", "use https");
    }
  }

  void mail() {
    out_.kind = NotifyKind::mail;
    only({"mail", "from", "server", "user", "password"});
    const auto to = texts_of(values_.at("mail"));
    if (!to || !std::ranges::all_of(*to, is_address)) {
      wrong(values_.at("mail").span, "neither an address nor a list of addresses",
            "write `mail: \"ops@example.org\"`");
    } else {
      out_.to = *to;
    }
    out_.from = text("from");
    if (!is_address(out_.from)) {
      wrong(has("from") ? values_.at("from").span : node_.span, "whom is the mail from?",
            "write `from: \"cnplay@example.org\"`");
    }
    out_.server = text("server");
    if (!is_url(out_.server, {"smtps://", "smtp://"})) {
      wrong(has("server") ? values_.at("server").span : node_.span, "which server takes the mail?",
            "write `server: \"smtps://mail.example.org\"` or `\"smtp://localhost:25\"`");
    }
    out_.user = text("user");
    out_.password = secret("password");
    if (out_.password.has_value() != !out_.user.empty()) {
      wrong(node_.span, "a user and a password come together",
            "write `user: \"cnplay\"` and `password: vault(\"mail/password\")`");
    }
  }

  const syntax::NotifyNode& node_;
  std::string_view inventory_;
  diag::Diagnostics& diags_;
  std::map<std::string, Value, std::less<>> values_;
  Notification out_;
  bool good_ = true;
};

}  // namespace

std::optional<Notification> read_notify(const syntax::NotifyNode& node, std::string_view inventory,
                                        diag::Diagnostics& diags) {
  return Block(node, inventory, diags).read();
}

}  // namespace cnplay::inventory
