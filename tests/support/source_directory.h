// Where the sources stand, for tests that read golden files, documents and plays.
#pragma once

#include <filesystem>

namespace cnplay {

// The one function whose file is compiled with the path: the compiler cache of another clone serves
// all other tests.
std::filesystem::path source_directory();

}  // namespace cnplay
