#include "secrets/memory.h"

#include <sodium.h>

namespace cnplay::secrets {

void keep_from_swap(const std::string& text) {
  // The bytes are not changed.
  if (!text.empty()) (void)sodium_mlock(const_cast<char*>(text.data()), text.size());
}

void keep_from_swap(const Secret& value) { keep_from_swap(value.reveal()); }

}  // namespace cnplay::secrets
