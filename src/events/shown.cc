#include "events/shown.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/lines.h"
#include "events/fields.h"

namespace cnplay::events {
namespace {

class Continuer {
 public:
  template <class T>
  void operator()(const char* name, T& field) {
    if (std::string_view(name) != "advice") visit(field);
  }
  template <class T>
  void node(const char*, T&) {}
  template <class T>
  void host(const char*, T&) {}
  template <class T>
  void phase(const char*, T&) {}

 private:
  void visit(std::string& text) { text = continued(text); }
  void visit(std::optional<std::string>& text) {
    if (text) visit(*text);
  }
  void visit(std::vector<std::string>& all) {
    for (std::string& text : all) visit(text);
  }
  template <class T>
  void visit(T&) {}
};

}  // namespace

Event shown(Event event) {
  Continuer continuer;
  std::visit([&](auto& e) { fields(continuer, e); }, event.what);
  return event;
}

}  // namespace cnplay::events
