#include "events/redact.h"

#include "events/texts.h"

namespace cnplay::events {
namespace {

// The secrets, out of a text.
struct TakeOut {
  const Redaction& redaction;
  void operator()(const char*, std::string& text) const {
    if (!text.empty()) text = redaction.text(text);
  }
  void operator()(const char* field, Untrusted& text) const { (*this)(field, text.raw()); }
};

}  // namespace

void RedactingSink::on(const Event& event) {
  if (const auto* out = std::get_if<Output>(&event.what)) {
    output(event, *out);
    return;
  }
  if (const auto* ended = std::get_if<ActionEnded>(&event.what)) finish_task(ended->task, event.at);
  if (std::holds_alternative<RunEnded>(event.what)) {
    while (!open_.empty()) finish_task(open_.begin()->first.first, event.at);
  }
  Event clean = event;
  change_texts(clean, TakeOut{redaction_});
  emit(std::move(clean));
}

void RedactingSink::emit(Event event) {
  event.seq = ++seq_;
  inner_.on(event);
}

void RedactingSink::output(const Event& event, const Output& output) {
  const StreamKey key{output.task, output.stream};
  auto found = open_.find(key);
  if (found != open_.end() && found->second.last.stage != output.stage) {
    finish(found->second, event.at);
    open_.erase(found);
    found = open_.end();
  }
  if (found == open_.end()) {
    found = open_.emplace(key, Open{redaction_.new_stream(), output}).first;
    found->second.last.bytes = Untrusted();
  }
  std::string text = found->second.filter->push(output.bytes.raw());
  if (text.empty()) return;
  Output clean = found->second.last;
  clean.bytes = Untrusted(std::move(text));
  emit(Event{0, event.at, std::move(clean)});
}

void RedactingSink::finish(Open& open, Instant at) {
  std::string rest = open.filter->finish();
  if (rest.empty()) return;
  Output clean = open.last;
  clean.bytes = Untrusted(std::move(rest));
  emit(Event{0, at, std::move(clean)});
}

void RedactingSink::finish_task(std::uint64_t task, Instant at) {
  for (auto i = open_.lower_bound({task, Stream::out});
       i != open_.end() && i->first.first == task;) {
    finish(i->second, at);
    i = open_.erase(i);
  }
}

}  // namespace cnplay::events
