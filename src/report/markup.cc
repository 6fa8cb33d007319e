#include "report/markup.h"

#include "base/markup.h"
#include "base/text.h"

namespace cnplay::report {
namespace {

void escape(std::string_view bytes, bool newlines, std::string& out) {
  const std::string shown = Untrusted(std::string(bytes)).display();
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const char c = shown[i];
    if (const std::string_view entity = entity_of(c); !entity.empty()) {
      out += entity;
      continue;
    }
    switch (c) {
      case '\n':
        out += newlines ? "&#10;" : "\n";
        break;
      case '\t':
        out += newlines ? "&#9;" : "\t";
        break;
      case '\xEF':  // U+FFFE and U+FFFF are no characters of XML
        if (shown.compare(i, 2, "\xEF\xBF") == 0 &&
            (shown[i + 2] == '\xBE' || shown[i + 2] == '\xBF')) {
          out += "\xEF\xBF\xBD";
          i += 2;
          break;
        }
        [[fallthrough]];
      default:
        out += c;
    }
  }
}

}  // namespace

Markup& Markup::operator<<(Text text) {
  escape(text.bytes, false, out_);
  return *this;
}

Markup& Markup::operator<<(Attribute text) {
  escape(text.bytes, true, out_);
  return *this;
}

Markup& Markup::operator<<(Thousandths number) {
  std::int64_t n = number.n;
  if (n < 0) {
    out_ += '-';
    n = -n;
  }
  const std::string rest = std::to_string(n % 1000);
  out_.append(std::to_string(n / 1000)).append(".").append(3 - rest.size(), '0').append(rest);
  return *this;
}

}  // namespace cnplay::report
