// A small terminal for tests: a screen of cells with a cursor, wrapping and scrolling, that knows
// the escapes the live view may use - any other fails the test.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/columns.h"
#include "report/terminal.h"

namespace cnplay::testing {

class Screen final : public report::Terminal {
 public:
  Screen(std::size_t width, std::size_t height) : width_(width), height_(height) {}

  void write(std::string_view bytes) override {
    ++writes;
    written.append(bytes);
    for (std::size_t at = 0; at < bytes.size();) at += put(bytes.substr(at));
  }
  std::size_t width() const override { return width_; }
  std::size_t height() const override { return height_; }

  // As terminals with reflow do it: lines that are too long are wrapped anew.
  void resize(std::size_t width, std::size_t height) {
    const std::vector<Row> old = std::move(rows_);
    const std::size_t cursor = row_;
    rows_.clear();
    width_ = width;
    height_ = height;
    row_ = 0;
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (i == cursor) row_ = rows_.size();
      for (std::size_t at = 0; at == 0 || at < old[i].size(); at += width_) {
        const auto end = std::min(at + width_, old[i].size());
        rows_.emplace_back(old[i].begin() + static_cast<std::ptrdiff_t>(std::min(at, end)),
                           old[i].begin() + static_cast<std::ptrdiff_t>(end));
      }
    }
    column_ = 0;
  }

  // All that can be scrolled back to, and what is on the screen, without trailing blanks.
  std::string all() const {
    std::string out;
    for (const Row& row : rows_) out += text(row) + "\n";
    while (out.ends_with("\n\n")) out.pop_back();
    return out;
  }
  // What is on the screen alone.
  std::vector<std::string> visible() const {
    std::vector<std::string> out;
    for (std::size_t i = first(); i < rows_.size(); ++i) out.push_back(text(rows_[i]));
    return out;
  }

  std::size_t writes = 0;
  std::string written;

 private:
  using Row = std::vector<std::string>;  // one cell a column; the second of a wide one is empty

  static std::string text(const Row& row) {
    std::string out;
    for (const std::string& cell : row) out += cell;
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
  }
  std::size_t first() const { return rows_.size() > height_ ? rows_.size() - height_ : 0; }
  Row& row() {
    while (rows_.size() <= row_) rows_.emplace_back();
    return rows_[row_];
  }

  std::size_t put(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead == 0x1b) return escape(text);
    if (lead == '\n' || lead == '\r') {
      if (lead == '\n') ++row_;
      column_ = 0;
      row();
      return 1;
    }
    EXPECT_GE(lead, 0x20) << "a control character";
    const std::size_t n = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    const std::string one(text.substr(0, n));
    const std::size_t wide = columns_of(one);
    if (column_ + wide > width_) {
      ++row_;
      column_ = 0;
    }
    if (row().size() < column_ + wide) row().resize(column_ + wide, " ");
    row()[column_] = one;
    if (wide == 2) row()[column_ + 1].clear();
    column_ += wide;
    return n;
  }

  std::size_t escape(std::string_view text) {
    std::size_t end = 2;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) ++end;
    if (text.size() < 3 || text[1] != '[' || end >= text.size()) {
      ADD_FAILURE() << "a broken escape";
      return text.size();
    }
    const std::string argument(text.substr(2, end - 2));
    switch (text[end]) {
      case 'm':
        break;
      case 'A': {
        const std::size_t up = std::stoul(argument);
        // A terminal stops at its first visible row; there is no way back into what has scrolled.
        EXPECT_LE(up, row_ - first()) << "the cursor would leave the screen";
        row_ = up > row_ - first() ? first() : row_ - up;
        break;
      }
      case 'J':
        row().resize(std::min(column_, row().size()));
        rows_.resize(row_ + 1);
        break;
      case 'K':
        row().resize(std::min(column_, row().size()));
        break;
      default:
        ADD_FAILURE() << "an unknown escape: " << text.substr(1, end);
    }
    return end + 1;
  }

  std::size_t width_;
  std::size_t height_;
  std::vector<Row> rows_{Row{}};
  std::size_t row_ = 0;
  std::size_t column_ = 0;
};

}  // namespace cnplay::testing
