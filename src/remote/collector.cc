#include "remote/collector.h"

#include <algorithm>
#include <csignal>

#include "base/cut_mark.h"

namespace cnplay::remote {
namespace {

std::optional<Stage> stage_of(std::string_view word) {
  if (word == "check") return Stage::check;
  if (word == "apply") return Stage::apply;
  if (word == "verify") return Stage::verify;
  if (word == "preview") return Stage::preview;
  if (word == "preflight") return Stage::preflight;
  return std::nullopt;
}

std::optional<Verdict> verdict_of(std::string_view word) {
  if (word == "ok") return Verdict::ok;
  if (word == "change") return Verdict::change;
  if (word == "fail") return Verdict::fail;
  if (word == "skip") return Verdict::skip;
  return std::nullopt;
}

// Adds what still fits, and returns how many bytes did not.
std::size_t append_capped(std::string& to, std::string_view bytes, std::size_t cap) {
  const std::size_t room = cap - std::min(cap, to.size());
  to.append(bytes.substr(0, room));
  return bytes.size() - std::min(bytes.size(), room);
}

// What is cut says so: half a secret at the cut must be found later.
std::string marked(std::string text, std::uint64_t left_out, std::size_t cap) {
  if (left_out == 0) return text;
  std::string mark = cut_mark(left_out);
  for (int i = 0; i < 2; ++i) {  // more that is left out may make a longer mark
    mark = cut_mark(left_out + text.size() - std::min(text.size(), cap - mark.size()));
  }
  text.resize(std::min(text.size(), cap - mark.size()));
  return text + mark;
}

}  // namespace

Collector::Collector(const Task& task, std::size_t tail_bytes, Output output)
    : id_(task.id),
      may_apply_(task.mode == Mode::apply && !task.apply.empty()),
      has_check_(!task.check.empty()),
      tail_bytes_(tail_bytes),
      output_(std::move(output)) {}

Collector::Record& Collector::record(Stage stage) {
  for (Record& r : records_) {
    if (r.stage == stage) return r;
  }
  records_.emplace_back().stage = stage;
  return records_.back();
}

const Collector::Record* Collector::find(Stage stage) const {
  for (const Record& r : records_) {
    if (r.stage == stage) return &r;
  }
  return nullptr;
}

void Collector::text(Stream stream, std::string_view bytes) {
  if (auto& inner = inner_[static_cast<std::size_t>(stream)]) {
    return inner->parser.feed(bytes, *inner);
  }
  take_text(stream, bytes);
}

void Collector::mark(Stream stream, std::string_view words) {
  const auto index = static_cast<std::size_t>(stream);
  const std::string_view kind = next_word(words);
  if (kind == "A") return follow(stream, words);
  if (kind == "Q") {
    if (number_of(next_word(words)) == id_) {
      followed_ = true;
      state_ = next_word(words);
    }
    return;
  }
  if (kind == "E") {
    if (auto& inner = inner_[index]) inner->parser.flush(*inner);
    inner_[index].reset();
    finish(sides_[index]);
    if (number_of(next_word(words)) == id_) end_seen_[next_word(words) == "err" ? 1 : 0] = true;
    return;
  }
  if (!inner_[index]) take_mark(stream, kind, words);
}

void Collector::follow(Stream stream, std::string_view words) {
  const auto id = number_of(next_word(words));
  const std::string_view nonce = next_word(words);
  const auto group = number_of(next_word(words));
  if (id != id_ || nonce.size() != 32 || !group || *group <= 1) return;
  followed_ = true;
  group_ = static_cast<long>(std::min<std::uint64_t>(*group, 1U << 30U));
  inner_[static_cast<std::size_t>(stream)].emplace(*this, stream, nonce);
}

void Collector::Inner::text(std::string_view bytes) {
  if (inside) collector.take_text(stream, bytes);
}

void Collector::Inner::mark(std::string_view words) {
  const std::string_view kind = next_word(words);
  if (kind == "S" || kind == "E") {
    std::string_view rest = words;
    if (number_of(next_word(rest)) != collector.id_) return;
    inside = kind == "S";
    if (kind == "E") {
      collector.finish(collector.sides_[static_cast<std::size_t>(stream)]);
      collector.inner_end_[next_word(rest) == "err" ? 1 : 0] = true;
      return;
    }
  }
  if (inside) collector.take_mark(stream, kind, words);
}

void Collector::take_text(Stream stream, std::string_view bytes) {
  Side& side = sides_[static_cast<std::size_t>(stream)];
  switch (side.section) {
    case Section::none:
      break;
    case Section::verdict:
      side.left_out += append_capped(side.value, bytes, kMaxMessage);
      return;
    case Section::fact:
      side.left_out += append_capped(side.value, bytes, kMaxFact);
      return;
    case Section::diff:
      // The verifying check may print it again.
      if (side.stage != Stage::verify) side.left_out += append_capped(diff_, bytes, kMaxDiff);
      return;
    case Section::wanted:
      if (side.stage == Stage::check) append_capped(wanted_, bytes, kMaxWanted);
      return;
    case Section::path:
      append_capped(side.value, bytes, kMaxPath);
      return;
    case Section::refusal:
      side.left_out += append_capped(side.value, bytes, kMaxRefusal);
      return;
  }
  // Before the first stage and after the last: children that an earlier task left behind.
  if (!side.stage || end_seen_[static_cast<std::size_t>(stream)]) return;
  output_bytes_ += bytes.size();
  if (bytes.size() >= tail_bytes_) {
    tail_ = bytes.substr(bytes.size() - tail_bytes_);
  } else {
    tail_ += bytes;
    if (tail_.size() > 2 * tail_bytes_) tail_.erase(0, tail_.size() - tail_bytes_);
  }
  pass(*side.stage, stream, bytes);
}

void Collector::pass(Stage stage, Stream stream, std::string_view bytes) {
  const auto index = static_cast<std::size_t>(stream);
  passed_[index] += bytes.size();
  const auto known = static_cast<std::size_t>(std::min<std::uint64_t>(skip_[index], bytes.size()));
  skip_[index] -= known;
  bytes.remove_prefix(known);
  if (!bytes.empty()) output_(stage, stream, bytes);
}

void Collector::take_mark(Stream stream, std::string_view kind, std::string_view words) {
  Side& side = sides_[static_cast<std::size_t>(stream)];
  if (kind == "V") return begin(side, Section::verdict, next_word(words));
  if (kind == "F") return begin(side, Section::fact, next_word(words));
  if (kind == "D") return begin(side, Section::diff, {});
  if (kind == "W") return begin(side, Section::wanted, {});
  if (kind == "P") return begin(side, Section::path, {});
  if (kind == "N") return begin(side, Section::refusal, {});
  finish(side);
  if (kind == "U") {
    wants_upload_ = wants_upload_ || number_of(next_word(words)) == id_;
  } else if (kind == "K") {
    held_back_ = held_back_ || number_of(next_word(words)) == id_;
  } else if (kind == "S") {
    started_ = started_ || number_of(next_word(words)) == id_;
  } else if (kind == "B") {
    if (const auto stage = stage_of(next_word(words))) {
      side.stage = stage;
      record(*stage);
    }
  } else if (kind == "X") {
    const auto stage = stage_of(next_word(words));
    const auto code = number_of(next_word(words));
    if (stage && code) {
      record(*stage).exited = true;
      record(*stage).code = static_cast<int>(std::min<std::uint64_t>(*code, 255));
    }
  }
}

void Collector::begin(Side& side, Section section, std::string_view name) {
  finish(side);
  side.section = section;
  side.name = name;
  side.value.clear();
  side.left_out = 0;
}

void Collector::finish(Side& side) {
  const Section section = std::exchange(side.section, Section::none);
  if (section == Section::verdict) add_verdict(side);
  if (section == Section::fact) add_fact(side);
  if (section == Section::diff && !diff_.ends_with(" bytes more)")) {
    diff_ = marked(std::move(diff_), side.left_out, kMaxDiff);
  }
  if (section == Section::path && preview_.empty()) preview_ = std::move(side.value);
  if (section == Section::refusal && !started_)
    refusal_ = marked(std::move(side.value), side.left_out, kMaxRefusal);
}

void Collector::add_verdict(Side& side) {
  const auto verdict = verdict_of(side.name);
  if (!verdict || !side.stage) return;
  Record& r = record(*side.stage);
  if (r.verdict == Verdict::fail) return;  // the first failure stays
  side.value = marked(std::move(side.value), side.left_out, kMaxMessage);
  if (r.verdict == Verdict::change && *verdict == Verdict::change) {
    if (r.message.size() < kMaxMessage) {
      const std::size_t left_out = append_capped(r.message, "; " + side.value, kMaxMessage);
      r.message = marked(std::move(r.message), left_out, kMaxMessage);
    }
    return;
  }
  if (r.verdict == Verdict::none || *verdict == Verdict::fail) {
    r.verdict = *verdict;
    r.message = std::move(side.value);
    return;
  }
  // A second verdict, out of a pipe's subshell perhaps: it cannot be both.
  r.verdict = Verdict::fail;
  r.message =
      "the script said two verdicts that do not go together: the second is `" + side.name + "`";
}

void Collector::add_fact(Side& side) {
  if (side.stage != Stage::check || side.name.empty()) return;  // again, in the verifying check
  auto refuse = [&](const std::string& why) {
    Record& r = record(Stage::check);
    if (r.verdict == Verdict::fail) return;
    r.verdict = Verdict::fail;
    r.message = why;
  };
  if (side.left_out != 0) return refuse("the fact " + side.name + " is larger than 64 KiB");
  for (auto& [name, value] : facts_) {
    if (name == side.name) {
      value = Untrusted(std::move(side.value));
      return;
    }
  }
  if (facts_.size() == kMaxFacts) return refuse("more than 256 facts");
  facts_.emplace_back(side.name, Untrusted(std::move(side.value)));
}

bool Collector::check_said_change(const Record& check) {
  return check.verdict == Verdict::change && check.code == 0;
}

bool Collector::says_change() const {
  if (!has_check_) return true;
  const Record* check = find(Stage::check);
  return check != nullptr && check_said_change(*check);
}

bool Collector::apply_possible() const {
  if (!may_apply_ || wants_upload_) return false;
  if (!has_check_ || find(Stage::apply) != nullptr) return true;
  const Record* check = find(Stage::check);
  if (check == nullptr) return true;
  // Verdicts come on stderr, exit codes on stdout, in no order between the two: only a verdict
  // that rules change out, or a failed exit, is knowledge.
  if (check->exited && check->code != 0) return false;
  return check->verdict == Verdict::none || check_said_change(*check);
}

bool Collector::applied() const {
  const Record* apply = find(Stage::apply);
  return apply != nullptr && apply->exited && apply->verdict == Verdict::none &&
         (apply->code == 0 || apply->code == 128 + SIGTERM || apply->code == 128 + SIGKILL ||
          apply->code == 128 + SIGHUP);
}

bool Collector::died_of_signal() const {
  return std::any_of(records_.begin(), records_.end(), [](const Record& r) {
    return r.exited && (r.code == 128 + SIGTERM || r.code == 128 + SIGKILL);
  });
}

TaskResult Collector::take() {
  TaskResult result;
  result.apply_possible = apply_possible();
  for (Side& side : sides_) finish(side);
  for (Record& r : records_) {
    const bool by_verdict =
        r.verdict == Verdict::ok || r.verdict == Verdict::fail || r.verdict == Verdict::skip;
    result.stages.push_back({.stage = r.stage,
                             .exit_code = by_verdict ? 0 : r.code,
                             .verdict = r.verdict,
                             .message = Untrusted(std::move(r.message))});
  }
  result.facts = std::move(facts_);
  result.diff = Untrusted(std::move(diff_));
  if (tail_.size() > tail_bytes_) tail_.erase(0, tail_.size() - tail_bytes_);
  if (output_bytes_ > tail_.size()) {
    const std::size_t room = cut_mark(output_bytes_).size() + 1;
    const std::size_t over = tail_.size() + room - std::min(tail_bytes_, tail_.size() + room);
    tail_.erase(0, over);
    tail_.insert(0, cut_mark(output_bytes_ - tail_.size()) + "\n");
  }
  result.tail = Untrusted(std::move(tail_));
  result.output_bytes = output_bytes_;
  const Record* preview = find(Stage::preview);
  if (preview != nullptr && preview->code == 0 && preview->exited) result.preview = preview_;
  return result;
}

}  // namespace cnplay::remote
