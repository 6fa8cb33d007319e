#include "run/decide.h"

namespace cnplay::run {

using events::Outcome;
using remote::Stage;
using remote::StageResult;

namespace {

const StageResult* find(const remote::TaskResult& result, Stage stage) {
  for (const StageResult& s : result.stages) {
    if (s.stage == stage) return &s;
  }
  return nullptr;
}

Decision failed(std::string reason, const StageResult* stage = nullptr) {
  Decision d;
  d.outcome = Outcome::failed;
  d.reason = std::move(reason);
  if (stage != nullptr) {
    d.message = stage->message;
    // One that said `fail`, or nothing, has no exit code to speak of.
    if (stage->exit_code != 0) d.exit_code = stage->exit_code;
  }
  return d;
}

Decision done(Outcome outcome, const StageResult& stage) {
  Decision d;
  d.outcome = outcome;
  d.message = stage.message;
  d.exit_code = stage.exit_code;
  return d;
}

// A stage that said `fail`, or died. nullopt: neither.
std::optional<Decision> failure_of(const StageResult& stage) {
  if (stage.verdict == remote::Verdict::fail) return failed("", &stage);
  if (stage.exit_code != 0) {
    return failed(std::string(name(static_cast<events::Stage>(stage.stage))) + " exited with " +
                      std::to_string(stage.exit_code),
                  &stage);
  }
  return std::nullopt;
}

Decision after_apply(const Shape& shape, const remote::TaskResult& result,
                     const StageResult* check) {
  const StageResult* apply = find(result, Stage::apply);
  if (apply == nullptr) return failed("the host reported no apply, though it was due");
  if (auto d = failure_of(*apply)) return *d;
  const StageResult& said = check != nullptr ? *check : *apply;
  // Without a check, verify by check has nothing to run.
  if (shape.verify == plan::Verify::none ||
      (shape.verify == plan::Verify::by_check && !shape.has_check)) {
    return done(Outcome::changed, said);
  }
  const StageResult* verify = find(result, Stage::verify);
  if (verify == nullptr) return failed("the host reported no verify, though it was due");
  const bool by_script = shape.verify == plan::Verify::by_script;
  const bool converged =
      verify->exit_code == 0 && (verify->verdict == remote::Verdict::ok ||
                                 (by_script && verify->verdict == remote::Verdict::none));
  if (!converged) return failed("applied but not converged", verify);
  return done(Outcome::changed, said);
}

Decision finished(const Shape& shape, events::Mode mode, const remote::TaskResult& result) {
  if (!shape.has_check) return after_apply(shape, result, nullptr);
  const StageResult* check = find(result, Stage::check);
  if (check == nullptr) return failed("the host reported no check, though it was due");
  if (auto d = failure_of(*check)) return *d;
  switch (check->verdict) {
    case remote::Verdict::ok:
      return done(Outcome::ok, *check);
    case remote::Verdict::skip:
      return done(Outcome::skipped, *check);
    case remote::Verdict::change:
      break;
    case remote::Verdict::fail:
    case remote::Verdict::none:
      return failed("check ended without a verdict", check);
  }
  if (!shape.has_apply) {
    return failed("check said `change`, but the module has no apply", check);
  }
  if (mode == events::Mode::check) {
    Decision d = done(Outcome::would_change, *check);
    const StageResult* preview = find(result, Stage::preview);
    if (preview != nullptr && failure_of(*preview)) {
      d.reason = "no preview: " + (preview->message.empty()
                                       ? "it exited with " + std::to_string(preview->exit_code)
                                       : preview->message.display(200));
    }
    return d;
  }
  return after_apply(shape, result, check);
}

int rank(Outcome outcome) {
  switch (outcome) {
    case Outcome::skipped:
      return 0;
    case Outcome::ok:
      return 1;
    case Outcome::changed:
      return 2;
    case Outcome::depends:
      return 3;
    case Outcome::would_run:
      return 4;
    case Outcome::would_change:
      return 5;
    case Outcome::aborted:
      return 6;
    case Outcome::unreachable:
      return 7;
    case Outcome::unknown:
      return 8;
    case Outcome::failed:
      return 9;
  }
  return 9;
}

}  // namespace

Shape shape_of(const plan::Action& action) {
  if (action.alone) return {true, true, plan::Verify::none};
  // That its file is brought is the apply of one that fetches; nothing verifies it but its
  // checksum.
  if (!action.fetches.empty()) return {true, true, plan::Verify::none};
  return {action.check != plan::kNone, action.apply != plan::kNone, action.verify};
}

std::optional<bool> answer_of(Decision& decision) {
  const bool change = decision.outcome == Outcome::would_change;
  if (change) decision.reason = "there is something to do";
  if (change || decision.outcome == Outcome::skipped) decision.outcome = Outcome::ok;
  return decision.outcome == Outcome::ok ? std::optional(change) : std::nullopt;
}

Decision decide(const Shape& shape, events::Mode mode, const remote::TaskResult& result) {
  const bool applying = mode == events::Mode::apply && shape.has_apply;
  const bool applied = applying && (result.apply_possible || find(result, Stage::apply) != nullptr);
  Decision d;
  switch (result.ended) {
    case remote::Ended::finished:
      d = finished(shape, mode, result);
      break;
    case remote::Ended::timed_out:
      d = failed("killed by its timeout" + (result.error.empty() ? "" : ": " + result.error));
      break;
    case remote::Ended::cancelled:
      d.outcome = applied ? Outcome::unknown : Outcome::aborted;
      d.reason = applied ? "killed on request; apply may have begun" : "killed on request";
      break;
    case remote::Ended::refused:
      return failed(result.error);
    case remote::Ended::not_started:
      d.outcome = Outcome::unreachable;
      d.reason = result.error.empty() ? "never sent" : result.error;
      break;
    case remote::Ended::lost:
      d.outcome = applied ? Outcome::unknown : Outcome::unreachable;
      d.reason = result.error.empty() ? "the connection was lost" : result.error;
      break;
  }
  d.applied = applied && result.ended != remote::Ended::not_started;
  return d;
}

Outcome worst(Outcome a, Outcome b) { return rank(a) >= rank(b) ? a : b; }

bool is_failure(Outcome outcome) { return rank(outcome) >= rank(Outcome::aborted); }

bool is_unapplied(Outcome outcome) {
  return rank(outcome) >= rank(Outcome::depends) && rank(outcome) <= rank(Outcome::would_change);
}

}  // namespace cnplay::run
