// Finds many patterns in one pass over a text, whatever their number (Aho and Corasick, "Efficient
// string matching", CACM 1975). Most states have one child, so children are a list; a state with
// many has a table.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace cnplay::secrets {

class Matcher {
 public:
  using State = std::uint32_t;
  static constexpr State kRoot = 0;

  Matcher() : nodes_(1), tables_(1) {}

  // Before build(). Of equal patterns the first one counts. `id` must not be negative.
  void add(std::string_view text, std::int32_t id);
  void build();

  State step(State state, std::uint8_t byte) const;
  // How many of the last bytes are the beginning of a pattern.
  std::uint32_t depth(State state) const { return nodes_[state].depth; }
  // The longest pattern that ends here, as the state right behind it; kRoot: none.
  State ends(State state) const { return nodes_[state].ends; }
  // The next shorter one than that of `end`, a result of ends().
  State shorter(State end) const { return nodes_[nodes_[end].fallback].ends; }
  std::int32_t pattern(State end) const { return nodes_[end].pattern; }
  // One of the patterns that begin with what the state has seen.
  std::int32_t some_pattern(State state) const;

 private:
  struct Node {
    State child = 0;
    State sibling = 0;
    State fallback = 0;
    State ends = 0;
    std::uint32_t depth = 0;
    std::int32_t pattern = -1;
    std::uint32_t table = 0;  // of tables_; 0: its children are in the list alone
    std::uint8_t byte = 0;
  };
  using Table = std::array<State, 256>;

  State child(State state, std::uint8_t byte) const;

  std::vector<Node> nodes_;
  std::vector<Table> tables_;  // the first is the root's
};

}  // namespace cnplay::secrets
