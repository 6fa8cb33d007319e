// The small part of the language's expressions that an inventory may use: literals, lists, records,
// interpolation of `index`, `host` and `inventory`, arithmetic on `index`, and sources of secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "diag/diagnostic.h"
#include "inventory/inventory.h"
#include "syntax/ast.h"

namespace cnplay::inventory {

// What an expression may read.
struct HostContext {
  std::string_view host;
  std::optional<std::int64_t> index;
  std::string_view inventory;
};

// What a check of an expression found out.
struct Uses {
  bool index = false;  // it reads `index`: only hosts of a range have one
  bool host = false;   // it reads `host`
};

// Reports (E0610) what an inventory's expression must not contain; true if nothing was found.
bool check_expression(const syntax::Expr& expr, diag::Diagnostics& diags, Uses& uses);

// The value of a checked expression. Parts that failed the check are none.
Value evaluate(const syntax::Expr& expr, const HostContext& context);

// "an int", "a list": for messages.
std::string_view describe_kind(const Value& value);

}  // namespace cnplay::inventory
