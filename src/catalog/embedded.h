// The standard modules, embedded at build time from modules/*.play.
#pragma once

#include <vector>

#include "base/embedded.h"

namespace cnplay::catalog {

const std::vector<EmbeddedFile>& embedded_modules();

}  // namespace cnplay::catalog
