// docs/modules.md: what `cnplay modules --markdown` prints.
#pragma once

#include <string>

#include "catalog/catalog.h"

namespace cnplay::cli {

// The page of the built-in modules, in Markdown: a list, what they touch, and a section for each
// from its declaration and the comment above it. SOURCES are those that CATALOG was read from.
std::string modules_page(const catalog::Catalog& catalog, const diag::SourceMap& sources);

}  // namespace cnplay::cli
