#include "compile/values.h"

#include <algorithm>
#include <unordered_map>

namespace cnplay::compile {

using plan::Op;
using plan::Value;

namespace {

void mix(std::size_t& seed, std::size_t more) {
  seed ^= more + 0x9e3779b97f4a7c15ULL + (seed << 6) + (seed >> 2);
}

struct ValueHash {
  std::size_t operator()(const Value* value) const { return hash_of(*value); }
};
struct ValueEqual {
  bool operator()(const Value* a, const Value* b) const { return *a == *b; }
};

Cell failed(std::string message, diag::Span at) {
  Trouble trouble;
  trouble.what = Trouble::What::failed;
  trouble.at = at;
  trouble.message = std::move(message);
  return {Value(), std::make_shared<const Trouble>(std::move(trouble))};
}

}  // namespace

std::size_t hash_of(const Value& value) {
  std::size_t seed = value.data.index();
  std::visit(
      [&](const auto& data) {
        using T = std::remove_cvref_t<decltype(data)>;
        if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> ||
                      std::is_same_v<T, std::string>) {
          mix(seed, std::hash<T>()(data));
        } else if constexpr (std::is_same_v<T, Duration>) {
          mix(seed, static_cast<std::size_t>(data.count()));
        } else if constexpr (std::is_same_v<T, Time>) {
          mix(seed, static_cast<std::size_t>(data.at.time_since_epoch().count()));
        } else if constexpr (std::is_same_v<T, Size>) {
          mix(seed, static_cast<std::size_t>(data.bytes));
        } else if constexpr (std::is_same_v<T, Percent>) {
          mix(seed, static_cast<std::size_t>(data.value));
        } else if constexpr (std::is_same_v<T, plan::List>) {
          for (const auto& item : data) mix(seed, hash_of(item));
        } else if constexpr (std::is_same_v<T, plan::Record>) {
          for (const auto& [name, field] : data) mix(seed, hash_of(field));
        } else if constexpr (std::is_same_v<T, plan::SecretRef>) {
          mix(seed, data.index);
        } else if constexpr (std::is_same_v<T, plan::Deferred>) {
          mix(seed, static_cast<std::size_t>(data.expr->op));
        }
      },
      value.data);
  return seed;
}

Values::Values(Value uniform)
    : cells_(std::make_shared<const std::vector<Cell>>(1, Cell{std::move(uniform), nullptr})) {}

Values::Values(std::vector<Cell> cells, std::vector<std::uint32_t> index)
    : cells_(std::make_shared<const std::vector<Cell>>(std::move(cells))),
      index_(std::make_shared<const std::vector<std::uint32_t>>(std::move(index))) {}

Values Values::troubled(Trouble trouble) {
  Values out;
  out.cells_ = std::make_shared<const std::vector<Cell>>(
      1, Cell{Value(), std::make_shared<const Trouble>(std::move(trouble))});
  return out;
}

std::shared_ptr<const std::vector<Cell>> Values::empty_cells() {
  static const auto one = std::make_shared<const std::vector<Cell>>(
      1, Cell{Value(), std::make_shared<const Trouble>()});
  return one;
}

Values Values::map(const std::function<Cell(const Cell&)>& change) const {
  Values out;
  std::vector<Cell> cells;
  cells.reserve(cells_->size());
  for (const auto& cell : *cells_) cells.push_back(change(cell));
  out.cells_ = std::make_shared<const std::vector<Cell>>(std::move(cells));
  out.index_ = index_;
  return out;
}

Values combine(std::span<const Values> operands,
               const std::function<Cell(std::span<const Cell* const>)>& compute, bool lazy) {
  std::vector<const Cell*> row(operands.size());
  const auto value_of = [&]() -> Cell {
    if (!lazy) {
      for (const Cell* cell : row) {
        if (cell->trouble) return {Value(), cell->trouble};
      }
    }
    return compute(row);
  };
  std::vector<std::size_t> varying;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    row[i] = &operands[i].cells()[0];
    if (!operands[i].uniform()) varying.push_back(i);
  }
  if (varying.empty()) {
    Cell cell = value_of();
    if (!cell.trouble) return Values(std::move(cell.value));
    return Values::troubled(*cell.trouble);
  }
  if (varying.size() == 1) {
    const std::size_t only = varying[0];
    return operands[only].map([&](const Cell& cell) {
      row[only] = &cell;
      return value_of();
    });
  }
  // The joint classes: two columns at a time, each pair of cells that occurs once.
  std::vector<std::uint32_t> joint;
  std::vector<std::vector<std::uint32_t>> classes;  // by joint class, the cell of each varying one
  const std::size_t hosts = operands[varying[0]].index().size();
  joint.resize(hosts);
  classes.resize(operands[varying[0]].cells().size());
  for (HostIndex h = 0; h < hosts; ++h) joint[h] = operands[varying[0]].cell_of(h);
  for (std::uint32_t i = 0; i < classes.size(); ++i) classes[i] = {i};
  for (std::size_t v = 1; v < varying.size(); ++v) {
    const Values& next = operands[varying[v]];
    std::unordered_map<std::uint64_t, std::uint32_t> seen;
    std::vector<std::vector<std::uint32_t>> finer;
    for (HostIndex h = 0; h < hosts; ++h) {
      const std::uint32_t cell = next.cell_of(h);
      const std::uint64_t key = (static_cast<std::uint64_t>(joint[h]) << 32) | cell;
      const auto [at, fresh] = seen.emplace(key, static_cast<std::uint32_t>(finer.size()));
      if (fresh) {
        finer.push_back(classes[joint[h]]);
        finer.back().push_back(cell);
      }
      joint[h] = at->second;
    }
    classes = std::move(finer);
  }
  std::vector<Cell> cells;
  cells.reserve(classes.size());
  for (const auto& one : classes) {
    for (std::size_t v = 0; v < varying.size(); ++v) {
      row[varying[v]] = &operands[varying[v]].cells()[one[v]];
    }
    cells.push_back(value_of());
  }
  return Values(std::move(cells), std::move(joint));
}

std::shared_ptr<const plan::Expr> to_expr(const Value& value) {
  if (const auto* later = value.as<plan::Deferred>()) return later->expr;
  auto expr = std::make_shared<plan::Expr>();
  if (value.as<plan::SecretRef>()) {
    expr->op = Op::secret;
    expr->value = value;
  } else if (const auto* list = value.as<plan::List>(); list && value.needs_run_time()) {
    expr->op = Op::list;
    for (const auto& item : *list) expr->operands.push_back(to_expr(item));
  } else if (const auto* record = value.as<plan::Record>(); record && value.needs_run_time()) {
    expr->op = Op::record;
    for (const auto& [name, field] : *record) {
      expr->names.push_back(name);
      expr->operands.push_back(to_expr(field));
    }
  } else {
    expr->op = Op::constant;
    expr->value = value;
  }
  return expr;
}

Value deferred(Op op) {
  auto expr = std::make_shared<plan::Expr>();
  expr->op = op;
  return Value(plan::Deferred{std::move(expr)});
}

namespace {

// The operators that do not look at all of their operands, once the first is known.
const Cell* lazy_choice(Op op, std::span<const Cell* const> row) {
  const Cell& first = *row[0];
  if (first.trouble || first.value.needs_run_time()) return nullptr;
  const bool* truth = first.value.as<bool>();
  switch (op) {
    case Op::conditional:
      return truth ? row[*truth ? 1 : 2] : nullptr;
    case Op::and_:
      return truth ? (*truth ? row[1] : row[0]) : nullptr;
    case Op::or_:
      return truth ? (*truth ? row[0] : row[1]) : nullptr;
    case Op::coalesce:
      return first.value.is_none() ? row[1] : row[0];
    default:
      return nullptr;
  }
}

}  // namespace

Values apply(Op op, std::span<const Values> operands, std::vector<std::string> names,
             diag::Span at) {
  return combine(
      operands,
      [&](std::span<const Cell* const> row) -> Cell {
        if (const Cell* choice = lazy_choice(op, row)) return *choice;
        bool later = false;
        for (const Cell* cell : row) {
          if (cell->trouble) return {Value(), cell->trouble};
          later = later || cell->value.needs_run_time();
        }
        if (!later) {
          std::vector<Value> values;
          values.reserve(row.size());
          for (const Cell* cell : row) values.push_back(cell->value);
          auto result = plan::apply_op(op, values, names);
          if (!result) return failed(result.error().what, at);
          return {std::move(*result), nullptr};
        }
        auto expr = std::make_shared<plan::Expr>();
        expr->op = op;
        expr->names = names;
        for (const Cell* cell : row) expr->operands.push_back(to_expr(cell->value));
        return {Value(plan::Deferred{std::move(expr)}), nullptr};
      },
      /*lazy=*/true);
}

Values concat(std::span<const Values> operands, diag::Span at) {
  return combine(operands, [&](std::span<const Cell* const> row) -> Cell {
    bool later = false;
    for (const Cell* cell : row) later = later || cell->value.needs_run_time();
    if (!later) {
      std::string text;
      for (const Cell* cell : row) {
        auto piece = plan::text_of(cell->value);
        if (!piece) return failed("it has no text", at);
        text += *piece;
      }
      return {Value(std::move(text)), nullptr};
    }
    auto expr = std::make_shared<plan::Expr>();
    expr->op = Op::concat;
    for (const Cell* cell : row) expr->operands.push_back(to_expr(cell->value));
    return {Value(plan::Deferred{std::move(expr)}), nullptr};
  });
}

plan::Column column_for(const Values& values, std::span<const HostIndex> hosts) {
  if (hosts.empty() || values.uniform()) return plan::Column(values.cells()[0].value);
  constexpr std::uint32_t kUnseen = 0xFFFFFFFF;
  std::vector<std::uint32_t> place(values.cells().size(), kUnseen);
  std::unordered_map<const Value*, std::uint32_t, ValueHash, ValueEqual> seen;
  seen.reserve(std::min(hosts.size(), values.cells().size()));
  std::vector<const Value*> kept;
  std::vector<std::uint32_t> index;
  index.reserve(hosts.size());
  for (const HostIndex h : hosts) {
    const std::uint32_t cell = values.cell_of(h);
    if (place[cell] == kUnseen) {
      const Value* value = &values.cells()[cell].value;
      const auto [at, fresh] = seen.emplace(value, static_cast<std::uint32_t>(kept.size()));
      if (fresh) kept.push_back(value);
      place[cell] = at->second;
    }
    index.push_back(place[cell]);
  }
  if (kept.size() == 1) return plan::Column(*kept[0]);
  std::vector<Value> out;
  out.reserve(kept.size());
  for (const Value* value : kept) out.push_back(*value);
  return plan::Column(std::move(out), std::move(index));
}

}  // namespace cnplay::compile
