#include "events/shown.h"

#include <string>
#include <string_view>

#include "base/lines.h"
#include "events/texts.h"

namespace cnplay::events {
namespace {

struct Continue {
  void operator()(std::string_view field, std::string& text) const {
    if (field != "advice") text = continued(text);
  }
  void operator()(std::string_view, Untrusted&) const {}
};

}  // namespace

Event shown(Event event) {
  change_texts(event, Continue{});
  return event;
}

}  // namespace cnplay::events
