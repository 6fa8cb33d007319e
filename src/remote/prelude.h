// What every shell on a host is given before its first task: the verdict functions that scripts
// call, and the function that runs a request. POSIX sh; works in dash, bash, busybox and mksh.
#pragma once

#include <string_view>

namespace cnplay::remote {

// Static text without any value in it, as it is sent. The lines of make_bootstrap() must go before
// it.
std::string_view prelude_text();
// The same with its comments.
std::string_view prelude_source();

}  // namespace cnplay::remote
