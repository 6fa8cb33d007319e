// Reads many events of one plan: from_json() with the plan's names looked up once.
#pragma once

#include <memory>
#include <string>

#include "events/event.h"

namespace cnplay::events {

class Decoder {
 public:
  explicit Decoder(const plan::Plan& plan);  // not kept
  ~Decoder();

  // As events::from_json.
  Result<Event> decode(const std::string& line) const;

  struct Tables;

 private:
  std::unique_ptr<Tables> tables_;
};

}  // namespace cnplay::events
