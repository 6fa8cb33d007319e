// Texts, inventory values and `-e` values as values of a type.
#pragma once

#include <optional>
#include <string>

#include "compile/context.h"
#include "compile/types.h"
#include "inventory/inventory.h"

namespace cnplay::compile {

// A string literal in a place that asks for a string, path, time or enum alternative. Errors say
// what is wrong with it and how it is written.
Result<plan::Value> value_of_text(const std::string& text, const TypePtr& type);

// `-e name=text` read by the declared type: any type that has a one-line form. Lists and maps are
// read by the caller, as expressions.
Result<plan::Value> value_of_extra(const std::string& text, const TypePtr& type);

// A value of an inventory as one of `type`. Secrets need a secret type and are put in the plan.
Result<plan::Value> value_of_inventory(Context& context, const std::string& name,
                                       const inventory::Value& value, const TypePtr& type);

// The secret that a source in an inventory stands for, called `name` in the plan.
plan::SecretRef secret_of_inventory(Context& context, std::string name,
                                    const inventory::Value::Secret& secret, Span at);

// Holds what the play and its inventory want of the vault against what it has: E0306, E0307.
void check_vault(Context& context);

// An example of how a value of the type is written: `10s`, `"/srv/www"`.
std::string example_of(const TypePtr& type);

}  // namespace cnplay::compile
