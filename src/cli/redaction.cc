#include "cli/redaction.h"

namespace cnplay::cli {
namespace {

class RedactedStream final : public events::StreamFilter {
 public:
  explicit RedactedStream(const secrets::Redactor& redactor) : stream_(redactor) {}
  std::string push(std::string_view chunk) override { return stream_.feed(chunk); }
  std::string finish() override { return stream_.finish(); }

 private:
  secrets::Redactor::Stream stream_;
};

}  // namespace

events::Redaction redaction(const secrets::Redactor& redactor) {
  return {[&redactor](std::string_view text) { return redactor.apply(text); },
          [&redactor] { return std::make_unique<RedactedStream>(redactor); }};
}

}  // namespace cnplay::cli
