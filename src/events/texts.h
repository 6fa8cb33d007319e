// The room's own: all texts of an event, for whoever changes each of them.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "events/fields.h"

namespace cnplay::events {

// Calls `change` with the name of the field and each std::string, and each Untrusted, in it. What
// names a node, a host or a phase is no text.
template <class Change>
class Texts {
 public:
  explicit Texts(Change change) : change_(std::move(change)) {}

  template <class T>
  void operator()(const char* name, T& field) {
    visit(name, field);
  }
  template <class T>
  void node(const char*, T&) {}
  template <class T>
  void host(const char*, T&) {}
  template <class T>
  void phase(const char*, T&) {}

 private:
  void visit(const char* name, std::string& text) { change_(name, text); }
  void visit(const char* name, Untrusted& text) { change_(name, text); }
  void visit(const char* name, std::optional<std::string>& text) {
    if (text) change_(name, *text);
  }
  void visit(const char* name, std::vector<std::string>& all) {
    for (std::string& text : all) change_(name, text);
  }
  void visit(const char* name, std::vector<std::pair<std::string, Untrusted>>& facts) {
    for (auto& fact : facts) change_(name, fact.second);
  }
  template <class T>
  void visit(const char*, T&) {}  // numbers and the like

  Change change_;
};

template <class Change>
void change_texts(Event& event, Change change) {
  Texts<Change> texts(std::move(change));
  std::visit([&](auto& e) { fields(texts, e); }, event.what);
}

}  // namespace cnplay::events
