#include "base/result.h"

#include <stdexcept>

namespace cnplay {

void throw_exception_from_error(const Error& error, const boost::source_location& at) {
  throw std::logic_error(std::string(at.file_name()) + ":" + std::to_string(at.line()) +
                         ": unchecked failure: " + error.what);
}

}  // namespace cnplay
