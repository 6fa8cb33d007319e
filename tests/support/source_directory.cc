#include "support/source_directory.h"

namespace cnplay {

std::filesystem::path source_directory() { return CNPLAY_SOURCE_DIR; }

}  // namespace cnplay
