// A value as it is for every host of the inventory, each different value held once. All of the
// compiler's arithmetic works on these: an expression that reads no host variable is computed
// once, one that reads some is computed once for each combination of values that occurs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "diag/diagnostic.h"
#include "diag/source.h"
#include "plan/eval.h"
#include "plan/value.h"

namespace cnplay::compile {

using plan::HostIndex;

// Why a host has no value. Reported only if the value is needed for that host.
struct Trouble {
  enum class What {
    quiet,       // reported already
    no_hostvar,  // host variable `name` is not set
    misfit,      // the inventory sets it to what it cannot be: `diagnostic`
    no_fact,     // the step of fact `name` does not run there
    failed,      // computing it failed: `message`
  };
  What what = What::quiet;
  std::string name;     // of the host variable, or "code.moved.before"
  diag::Span at;        // where it is read
  diag::Span declared;  // of the host variable or the step
  std::string message;
  std::string hosts;  // of a fact: the set that its step runs on, as it was written
  std::shared_ptr<const diag::Diagnostic> diagnostic{};
};
using TroublePtr = std::shared_ptr<const Trouble>;

struct Cell {
  plan::Value value;
  TroublePtr trouble;  // if set, there is no value
};

// Immutable and cheap to copy.
class Values {
 public:
  Values() = default;
  explicit Values(plan::Value uniform);
  // `index[h]` says which of `cells` host h of the inventory has.
  Values(std::vector<Cell> cells, std::vector<std::uint32_t> index);
  static Values troubled(Trouble trouble);

  bool uniform() const { return !index_; }
  const std::vector<Cell>& cells() const { return *cells_; }
  const Cell& at(HostIndex host) const { return (*cells_)[index_ ? (*index_)[host] : 0]; }
  const std::vector<std::uint32_t>& index() const { return *index_; }  // not of uniform ones
  std::uint32_t cell_of(HostIndex host) const { return index_ ? (*index_)[host] : 0; }

  // The same hosts with every cell changed.
  Values map(const std::function<Cell(const Cell&)>& change) const;

 private:
  std::shared_ptr<const std::vector<Cell>> cells_ = empty_cells();
  std::shared_ptr<const std::vector<std::uint32_t>> index_;

  static std::shared_ptr<const std::vector<Cell>> empty_cells();
};

// One call of `compute` for each combination of cells that occurs on any host. A combination with a
// trouble in it has that trouble, unless `lazy`: then `compute` sees it.
Values combine(std::span<const Values> operands,
               const std::function<Cell(std::span<const Cell* const>)>& compute, bool lazy = false);

// `op` on values: computed where all is known, else a deferred expression. `at` is for troubles.
Values apply(plan::Op op, std::span<const Values> operands, std::vector<std::string> names,
             diag::Span at);

// Text of the operands put together, as `"..."` does.
Values concat(std::span<const Values> operands, diag::Span at);

// A value as an expression, for deferred ones.
std::shared_ptr<const plan::Expr> to_expr(const plan::Value& value);
plan::Value deferred(plan::Op op);

// The column for `hosts`, equal values held once. Hosts with a trouble get none: look first.
plan::Column column_for(const Values& values, std::span<const HostIndex> hosts);

std::size_t hash_of(const plan::Value& value);

}  // namespace cnplay::compile
