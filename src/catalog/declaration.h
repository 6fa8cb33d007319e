// The check of one module's declaration, and what comes of it.
#pragma once

#include "catalog/catalog.h"

namespace cnplay::catalog {

// Reads and checks a module's declaration; every fault goes to `diags` (E0411 to E0422), and
// `valid` of the result says whether there was one. The result's pointers lead into `node`.
Module read_declaration(const syntax::Module& node, diag::Diagnostics& diags);

// The global span of the `length` bytes at `offset` of a script's text.
diag::Span span_in_script(std::string_view text, const std::vector<std::uint32_t>& line_offsets,
                          std::size_t offset, std::size_t length, diag::Span otherwise);

}  // namespace cnplay::catalog
