// Files of this machine that plays send to hosts, or bring from them: of any size, read piece by
// piece.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "compile/compile.h"

namespace cnplay::cli {

// What a plan has to know of a file that is to be sent. Errors name the path and the cause.
Result<compile::Input::LocalFile> read_local_file(const std::filesystem::path& path);

// SHA-256, hex; "" if it cannot be read.
std::string checksum_of(const std::string& path);

}  // namespace cnplay::cli
