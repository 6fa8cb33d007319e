// The file of a reviewed plan: `cnplay plan -o FILE` writes it, `cnplay run --plan FILE` reads it.
//
// Only its options decide anything: with them the play is compiled again, and the run is refused
// unless the result is the plan of the file. So a file that somebody has changed cannot make a run
// do what the play does not say.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "plan/plan.h"

namespace cnplay::cli {

struct ReviewedPlan {
  plan::Plan plan;
  std::string inventory_sha256;  // of the text of the inventory
  std::string made;              // when and by whom: "2026-11-20T21:30:05Z by kim on desk"
};

// SHA-256 of the text of an inventory's file; "" of none, in a play that only runs on `local`.
Result<std::string> inventory_sum(const std::string& inventory_file);

// The bytes of the file: a line with the format's version and the checksum of what follows, a line
// about who made it, the plan. They hold no secret, as no plan does.
std::string to_file(const ReviewedPlan& reviewed);

// Reads such bytes. An Error says whether they are no such file, of another version, or damaged;
// `path` is named in it.
Result<ReviewedPlan> from_file(const std::string& path, const std::string& bytes);

// Reads the file. An Error also if it is a symbolic link or no regular file, larger than
// kMostPlanBytes, belongs to somebody else than this user or root, or may be written by others.
Result<ReviewedPlan> read_reviewed_plan(const std::string& path);
inline constexpr std::size_t kMostPlanBytes = std::size_t{256} << 20;

// What is not as it was reviewed, one line each; empty: a run of `now` does what was reviewed. Also
// what only people read counts: titles, places, notifications. Where the project lies does not.
std::vector<std::string> changes_since_review(const ReviewedPlan& reviewed, const plan::Plan& now,
                                              const std::string& inventory_sha256);

}  // namespace cnplay::cli
