// The words behind a step, phase or action: which there are, where they make sense, each once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "compile/evaluator.h"
#include "syntax/ast.h"

namespace cnplay::compile {

// Where modifiers stand; `allowed` in the order in which help lists them.
struct ModifierPlace {
  std::string_view name;  // "a step"
  std::vector<std::string_view> allowed;
};

extern const ModifierPlace kStepPlace, kPhasePlace, kDoPlace, kActionPlace, kUndoActionPlace,
    kCheckActionPlace, kWaitPlace, kCheckPlace, kHandlerPlace, kManualPlace, kApprovePlace,
    kAskPlace, kOfferPlace, kOffersPlace, kRollbackPlace, kPlayPlace, kPlainPlace;

class Modifiers {
 public:
  // Reports unknown, repeated, senseless and not yet supported ones (E0503 to E0506, E0907 ...).
  Modifiers(Context& context, const std::vector<syntax::Modifier>& written,
            const ModifierPlace& place);

  // nullptr if it is not there (or was reported).
  const syntax::Modifier* find(std::string_view word) const;
  bool has(std::string_view word) const { return find(word) != nullptr; }
  const std::vector<const syntax::Modifier*>& notifies() const { return notifies_; }
  // Something was wrong: what is missing may just not have been understood.
  bool faulty() const { return faulty_; }

 private:
  void refuse(Context& context, const syntax::Modifier& modifier, const ModifierPlace& place,
              const syntax::Modifier* before);

  std::map<std::string_view, const syntax::Modifier*> known_;
  std::vector<const syntax::Modifier*> notifies_;
  bool faulty_ = false;
};

// How many hosts may fail: of `tolerate`, as it was written.
struct Tolerance {
  enum class Kind { count, percent, all } kind = Kind::count;
  std::int64_t amount = 0;

  // How many of so many hosts; the controller, if it is one of them, counts in no percentage.
  std::uint32_t of(std::size_t hosts, bool with_local) const;
};

// Values of modifiers; reports what is wrong and returns nothing then.
std::optional<Duration> duration_of(Evaluator& evaluator, const syntax::Modifier* modifier);
std::optional<plan::Retry> retry_of(Evaluator& evaluator, const syntax::Modifier* modifier);
std::optional<Tolerance> tolerance_of(Evaluator& evaluator, const syntax::Modifier* modifier);
// The batches that a `serial` cuts `hosts` into, in their order; the last size repeats. Those of
// `begun` come first, as they are. One batch if the size was refused.
std::vector<std::vector<HostIndex>> batches_of(Evaluator& evaluator,
                                               const syntax::Modifier& modifier,
                                               const std::vector<HostIndex>& hosts,
                                               std::vector<std::vector<HostIndex>> begun = {});
// As written, at least one; none if there is no such modifier.
std::vector<std::string> tags_of(Evaluator& evaluator, const syntax::Modifier* modifier);
// `as root`: a bare word, or a string.
std::optional<std::string> user_of(Evaluator& evaluator, const syntax::Modifier* modifier);

}  // namespace cnplay::compile
