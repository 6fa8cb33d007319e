// What every shell on a host is given before its first task: the verdict functions that scripts
// call, and the function that runs a shipment. POSIX sh; works in dash, bash, busybox and mksh.
#pragma once

#include <string_view>

namespace cnplay::remote {

// Static text without any value in it. The line `_cn_n=NONCE` must go before it.
std::string_view prelude_text();

}  // namespace cnplay::remote
