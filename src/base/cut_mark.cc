#include "base/cut_mark.h"

namespace cnplay {
namespace {

constexpr std::string_view kCutBegin = "... (";
constexpr std::string_view kCutEnd = " bytes more)";

}  // namespace

std::string cut_mark(std::uint64_t left_out) {
  return std::string(kCutBegin) + std::to_string(left_out) + std::string(kCutEnd);
}

CutMark find_cut_mark(std::string_view text) {
  for (std::size_t at = 0; (at = text.find(kCutBegin, at)) != std::string_view::npos; ++at) {
    std::size_t end = at + kCutBegin.size();
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    if (end != at + kCutBegin.size() && text.substr(end).starts_with(kCutEnd)) {
      return {at, end + kCutEnd.size() - at};
    }
  }
  return {text.size(), 0};
}

}  // namespace cnplay
