// HTML and XML under construction. Literals of the program go in as they are, every other text is
// escaped: a text cannot be mistaken for markup, for the compiler takes it for none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cnplay::report {

// A text that stands in the source: constants alone can be made one.
class Literal {
 public:
  template <std::size_t N>
  consteval Literal(const char (&text)[N]) : view_(text, N - 1) {}  // NOLINT: meant to convert
  std::string_view view() const { return view_; }

 private:
  std::string_view view_;
};

// Text between tags, or in an attribute of HTML between double quotes. Whoever wrote it: as by
// Untrusted::display, without control characters and terminal escapes, broken UTF-8 as U+FFFD.
struct Text {
  explicit Text(std::string_view bytes) : bytes(bytes) {}
  std::string_view bytes;
};
// The same for an attribute of XML, which would read a newline as a space.
struct Attribute {
  explicit Attribute(std::string_view bytes) : bytes(bytes) {}
  std::string_view bytes;
};
struct Number {
  explicit Number(std::uint64_t n) : n(n) {}
  std::uint64_t n;
};
// With three decimals, whatever the locale: 12345 is 12.345.
struct Thousandths {
  explicit Thousandths(std::int64_t n) : n(n) {}
  std::int64_t n;
};

class Markup {
 public:
  Markup& operator<<(Literal literal) {
    out_ += literal.view();
    return *this;
  }
  Markup& operator<<(const Markup& inner) {
    out_ += inner.out_;
    return *this;
  }
  Markup& operator<<(Text text);
  Markup& operator<<(Attribute text);
  Markup& operator<<(Number number) {
    out_ += std::to_string(number.n);
    return *this;
  }
  Markup& operator<<(Thousandths number);

  bool empty() const { return out_.empty(); }
  const std::string& str() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

}  // namespace cnplay::report
