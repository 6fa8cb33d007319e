// The sections of the HTML report, and the words that all reports share. Inside of report/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "report/account.h"
#include "report/markup.h"

namespace cnplay::report {

// How many bytes of texts from hosts one file still has room for, counted as they are written
// there. A text that does not fit is named and left out.
class Budget {
 public:
  static constexpr std::uint64_t kAll = std::uint64_t{8} << 20;  // bytes

  explicit Budget(std::uint64_t bytes = kAll) : left_(bytes) {}
  bool take(std::uint64_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }

 private:
  std::uint64_t left_;
};

// "failed", "still running"
std::string verdict_words(const Account& account);
// The title, the band with the verdict, what to do next, and the facts of the run.
Markup header(const Account& account);
// Each is "" if there is nothing to report.
Markup failures_section(const Account& account, Budget& budget);
Markup times_section(const Account& account);
Markup timeline_section(const Account& account);
Markup changes_section(const Account& account, Budget& budget);
Markup incidents_section(const Account& account, Budget& budget);
Markup hosts_section(const Account& account);

// --- words that several sections use

// "update_code/cutover/code" as "cutover/code"; "undo cutover/code".
std::string step_label(const plan::Plan& plan, plan::NodeId node, events::Part part);
// "would change"
std::string words(events::Outcome outcome);
// The class that colours it: good, change, info, bad.
const char* tone(events::Outcome outcome);
// `2026-11-20 21:30:05 UTC`, whole seconds.
std::string moment(const Account& account, Instant at);
// A cell of a table: "850 ms"; "-" if unknown, which a narrow screen leaves out.
Markup duration_cell(Literal label, const std::optional<Duration>& d);
// "95.4 MiB", "12 bytes".
std::string rough_size(std::uint64_t bytes);
// "1 host", "3 hosts"
std::string count(std::uint64_t n, const char* one);
// A text as <pre>: of a long one the end, the lines before it folded, its middle left out. If the
// budget is used up, only the size is written.
Markup text_block(const Excerpt& text, Budget& budget);

}  // namespace cnplay::report
