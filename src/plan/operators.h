// The parts that eval.cc is put together from: inside of plan/.
#pragma once

#include <span>
#include <string>

#include "plan/value.h"

namespace cnplay::plan {

// "a duration", "a list": for messages.
const char* type_name(const Value& value);

// + - * / % and unary minus.
Result<Value> arithmetic(Op op, std::span<const Value> operands);

Result<Value> call_builtin(const std::string& name, std::span<const Value> arguments);

}  // namespace cnplay::plan
