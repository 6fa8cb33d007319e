#include "report/notify.h"

#include <date/date.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/json_text.h"
#include "base/lines.h"
#include "report/format.h"
#include "report/notify_ways.h"

namespace cnplay::report {
namespace {

using json = nlohmann::ordered_json;

bool is_parked(const Occasion& o) { return o.verdict.empty() && !o.parked_at.empty(); }

const char* event_of(const Occasion& o) {
  return is_parked(o) ? "parked" : o.verdict == "success" ? "finished" : "failed";
}

// ASCII as it is; else as an encoded word of RFC 2047, in pieces of whole characters.
std::string head_text(const std::string& text) {
  const bool plain =
      text.size() <= 60 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; }) &&
      text.find("=?") == std::string::npos;
  if (plain) return text;
  constexpr std::size_t kPiece = 42;  // bytes: 56 of base64, and 12 around them
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = std::min(begin + kPiece, text.size());
    while (end < text.size() && end > begin + 1 &&
           (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
      --end;
    }
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") +
           base64_encode(text.substr(begin, end - begin)) + "?=";
    begin = end;
  }
  return out;
}

std::string lines_of_base64(const std::string& text) {
  const std::string all = base64_encode(text);
  std::string out;
  for (std::size_t at = 0; at < all.size(); at += 76) out += all.substr(at, 76) + "\r\n";
  return out;
}

}  // namespace

void OccasionSink::on(const events::Event& event) {
  Occasion& o = occasion_;
  o.ended = event.at;
  if (const auto* e = std::get_if<events::RunStarted>(&event.what)) {
    o.run = e->run;
    o.play = e->play;
    o.title = e->title;
    o.inventory = e->inventory;
    o.user = e->user;
    o.controller = e->controller;
    o.dry = e->mode == events::Mode::check;
    o.began = event.at;
  } else if (const auto* step = std::get_if<events::StepEnded>(&event.what)) {
    using events::Outcome;
    const bool bad = step->outcome == Outcome::failed || step->outcome == Outcome::unknown ||
                     step->outcome == Outcome::unreachable || step->outcome == Outcome::aborted;
    if (!bad) return;
    ++o.bad_in_all;
    if (o.bad.size() == kBad) return;
    o.bad.push_back({part_prefix(step->part) + plan_.node(step->node).path,
                     plan_.hosts[step->host].name, events::name(step->outcome)});
  } else if (const auto* parked = std::get_if<events::RunParked>(&event.what)) {
    o.parked_at = parked->node ? plan_.node(*parked->node).path : "the end of the window";
    o.parked_why = parked->reason;
    o.advice = parked->advice;
  } else if (std::holds_alternative<events::PlanTaken>(event.what)) {
    o.verdict.clear();  // what had failed is done again
    o.bad.clear();
    o.bad_in_all = 0;
  } else if (std::holds_alternative<events::RunResumed>(event.what)) {
    o.parked_at.clear();
  } else if (const auto* end = std::get_if<events::RunEnded>(&event.what)) {
    o.verdict = events::name(end->verdict);
    o.advice = end->advice;
    o.outage = end->outage;
    o.outage_open = end->outage_open;
  }
}

bool wants(const plan::Notification& n, const Occasion& o) {
  if (o.dry || o.run.empty()) return false;
  if (is_parked(o)) return n.on_parked;
  if (o.verdict.empty()) return false;
  return n.on_finish || (n.on_failure && o.verdict != "success");
}

std::string document(const Occasion& o) {
  json out{{"version", 1},
           {"event", event_of(o)},
           {"run", o.run},
           {"play", o.play},
           {"title", o.title},
           {"inventory", o.inventory},
           {"user", o.user},
           {"controller", o.controller},
           {"began", format_rfc3339(o.began)},
           {"ended", format_rfc3339(o.ended)},
           {"took_ms", (o.ended - o.began).count()},
           {"verdict", is_parked(o) ? "parked" : o.verdict}};
  if (is_parked(o)) out["waits_for"] = o.parked_at;
  if (o.outage) {
    out["outage_ms"] = o.outage->count();
    out["outage_open"] = o.outage_open;
  }
  json bad = json::array();
  for (const auto& b : o.bad) {
    bad.push_back({{"step", b.step}, {"host", b.host}, {"outcome", b.outcome}});
  }
  out["failed"] = std::move(bad);
  out["failed_in_all"] = o.bad_in_all;
  out["advice"] = o.advice;
  out["record"] = o.record;
  return dump_json(out, -1, JsonCharacters::ascii) + "\n";
}

std::string subject(const Occasion& o) {
  std::string text = Untrusted(o.play + " on " + o.inventory + ": " +
                               (is_parked(o) ? "waits for people" : o.verdict))
                         .display(200);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string letter(const Occasion& o) {
  std::string text = o.play + (o.title.empty() ? "" : " (" + one_line(o.title) + ")") + " on " +
                     o.inventory + ": " +
                     (is_parked(o) ? "parked at " + one_line(o.parked_at) : o.verdict) + " after " +
                     human_duration(o.ended - o.began) + "\n\n";
  text += "run:     " + o.run + "\nby:      " + o.user + " on " + o.controller +
          "\nbegan:   " + format_rfc3339(o.began) + "\nended:   " + format_rfc3339(o.ended) + "\n";
  if (o.outage) {
    text += "outage:  " + human_duration(*o.outage) +
            (o.outage_open ? ", and it continues: the site is still down" : "") + "\n";
  }
  text += "record:  " + o.record + "\n";
  if (!o.bad.empty()) text += "\nWhat went wrong:\n";
  for (const auto& b : o.bad) {
    text += "  " + b.host + "  " + one_line(b.step) + ": " + b.outcome + "\n";
  }
  if (o.bad_in_all > o.bad.size()) {
    text += "  and " + std::to_string(o.bad_in_all - o.bad.size()) + " more\n";
  }
  if (!o.advice.empty()) text += "\n" + o.advice + "\n";
  return text;
}

std::string mail(const plan::Notification& n, const Occasion& o, Instant now) {
  std::string to;
  for (const std::string& address : n.to) to += (to.empty() ? "<" : ",\r\n <") + address + ">";
  // Made of the run's id, which has no other characters, and of the sender's domain.
  const std::string domain = n.from.substr(n.from.find('@') + 1);
  std::string id;
  for (const char c : o.run + "." + std::to_string(now.time_since_epoch().count())) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) id += c;
  }
  return "From: cnplay <" + n.from + ">\r\nTo: " + to +
         "\r\nSubject: " + head_text("cnplay: " + subject(o)) + "\r\nDate: " +
         date::format("%a, %d %b %Y %H:%M:%S +0000",
                      std::chrono::time_point_cast<std::chrono::seconds>(now)) +
         "\r\nMessage-ID: <" + id + "@" + domain +
         ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
         "Content-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n" +
         lines_of_base64(to_valid_utf8(letter(o)));
}

Status notify(const plan::Notification& n, const Occasion& o, const NotifyOptions& options) {
  const auto secret = [&](const std::optional<plan::SecretRef>& ref) -> Result<Secret> {
    if (!ref) return Secret();
    if (!options.secret) return fail("nothing here can resolve its secret");
    return options.secret(ref->index);
  };
  switch (n.kind) {
    case plan::NotifyKind::command:
      return to_command(n.command, document(o), options.timeout);
    case plan::NotifyKind::webhook: {
      const auto token = secret(n.token);
      if (!token) return token.error();
      const auto address = secret(n.secret_url);
      if (!address) return address.error();
      return to_webhook(n.secret_url ? *address : Secret(n.url), n.secret_url.has_value(),
                        n.token ? std::optional(*token) : std::nullopt, document(o),
                        options.timeout);
    }
    case plan::NotifyKind::mail: {
      const auto password = secret(n.password);
      if (!password) return password.error();
      return to_mail({n.server, n.from, n.to, n.user, *password},
                     mail(n, o, std::chrono::floor<Duration>(std::chrono::system_clock::now())),
                     options.timeout);
    }
  }
  return {};
}

}  // namespace cnplay::report
