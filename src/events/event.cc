#include "events/event.h"

#include "events/names.h"

namespace cnplay::events {

What::What() = default;
What::What(const What&) = default;
What::What(What&&) noexcept = default;
What& What::operator=(const What&) = default;
What& What::operator=(What&&) noexcept = default;
What::~What() = default;

const char* name(Outcome outcome) { return text_of(outcome); }
const char* name(Mode mode) { return text_of(mode); }
const char* name(Stage stage) { return text_of(stage); }
const char* name(Part part) { return text_of(part); }
const char* name(Choice choice) { return text_of(choice); }
const char* name(AtWindow choice) { return text_of(choice); }
const char* name(AssertionEnd end) { return text_of(end); }
const char* name(HumanEnd end) { return text_of(end); }
const char* name(Verdict verdict) { return text_of(verdict); }
std::optional<Outcome> outcome_of(std::string_view name) { return enum_of<Outcome>(name); }

void Tee::on(const Event& event) {
  for (Sink* sink : sinks_) sink->on(event);
}

void Tee::progress(const Progress& progress, Instant now) {
  for (Sink* sink : sinks_) sink->progress(progress, now);
}

void Tee::tick(Instant now) {
  for (Sink* sink : sinks_) sink->tick(now);
}

Status Tee::commit() {
  for (Sink* sink : sinks_) {
    if (Status status = sink->commit(); !status) return status;
  }
  return {};
}

Status Tee::healthy() const {
  for (const Sink* sink : sinks_) {
    if (Status status = sink->healthy(); !status) return status;
  }
  return {};
}

}  // namespace cnplay::events
