#include "plan/script_text.h"

#include <chrono>

namespace cnplay::plan {

std::string script_text(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

std::string script_text(const Time& time) {
  // format_rfc3339 of whole seconds is `....000Z`; scripts get no fraction.
  std::string text = format_rfc3339(std::chrono::floor<std::chrono::seconds>(time.at));
  return text.substr(0, text.find('.')) + "Z";
}

}  // namespace cnplay::plan
