// What a call that can fail for a reason outside the program returns: the value, or an Error.
// Exceptions are for bugs and exhausted resources only.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <utility>

namespace cnplay {

// A failure that a person caused or can mend. `what` names the place and the cause,
// `help` the remedy (may be empty). Neither ever holds a secret.
struct Error {
  Error() = default;
  // Two arguments, always: were an Error constructible from one string, a Result<std::string>
  // could not be returned from one either.
  Error(std::string what_, std::string help_) : what(std::move(what_)), help(std::move(help_)) {}

  std::string what;
  std::string help;
};

// boost::system::result with our Error: `if (!r) return r.error();`, `*r`, `r->member`.
// Reading the value of a failed result is a bug in the caller (asserted).
template <class T>
using Result = boost::system::result<T, Error>;

// A call that has nothing to return but may fail. `return {};` is success.
using Status = Result<void>;

// Thrown by value() of a failed Result: the caller did not look at it first.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& at);

inline Error fail(std::string what, std::string help = {}) {
  return Error{std::move(what), std::move(help)};
}

}  // namespace cnplay
