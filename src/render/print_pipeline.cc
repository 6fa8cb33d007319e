// `cnplay plan --pipeline`: what is sent ahead.
#include "base/columns.h"
#include "plan/host_text.h"
#include "plan/pipeline.h"
#include "render/printer.h"

namespace cnplay::render {
namespace {

// What a step waits for besides what its own host has done; "" for nothing. `from`: the step
// before.
std::string barrier_between(const Plan& plan, const Node& from, const Node& to) {
  bool follows = false;
  for (const Edge& edge : to.after) {
    if (!orders(plan, edge, to)) continue;
    const Node& before = plan.node(edge.from);
    if (edge.kind == EdgeKind::all_hosts || before.kind != NodeKind::step) {
      return "all hosts wait for each other there";
    }
    follows = follows || edge.from == from.id;
  }
  return follows ? "" : "it follows another step";
}

class Groups {
 public:
  Groups(const Plan& plan, const PrintOptions& options)
      : plan_(plan), options_(options), paint_(options.colour) {}

  std::string print() {
    out_ = "\n" + paint_.bold("SENT AHEAD") +
           "  the actions of one group go to a host without a wait; each action begins when the "
           "one\n            before has ended well\n";
    for (const Section& section : plan_.sections) {
      for (const Zone& zone : schedule(plan_, section, options_.now).zones) show(zone);
      group("the end");
    }
    return std::move(out_);
  }

 private:
  void show(const Zone& zone) {
    if (zone.lane_count > 1) {
      group("branches at the same time: each of their actions is sent alone");
      last_.reset();
      return;
    }
    for (const NodeId id : zone.nodes) {
      const Node& node = plan_.node(id);
      if (node.kind == NodeKind::phase_end && open_.empty()) continue;
      if (node.kind != NodeKind::step) {
        group(node.kind == NodeKind::human ? "people are asked" : "all hosts wait for each other");
        last_.reset();
        continue;
      }
      for (std::uint32_t a = 0; a < node.actions.size(); ++a) {
        const Place place{id, a};
        if (last_) {
          std::string why;
          if (last_->node != id) why = barrier_between(plan_, plan_.node(last_->node), node);
          if (why.empty()) why = decision_between(plan_, *last_, place, std::nullopt);
          if (!why.empty()) group(why);
        }
        open_.push_back(place);
        last_ = place;
      }
    }
  }

  // Ends the group at hand; the next one waits because of `why`.
  void group(const std::string& why) {
    if (open_.empty()) return;
    std::vector<std::string> words;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      const Node& node = plan_.node(open_[i].node);
      std::string word = short_name(node.path);
      if (node.actions.size() > 1) word += "[" + std::to_string(open_[i].action + 1) + "]";
      words.push_back(word + (i + 1 < open_.size() ? "," : ""));
    }
    const std::string number = pad_left(std::to_string(++groups_), 3);
    bool first = true;
    for (const std::string& line : wrap(words, options_.width - 6, 0)) {
      out_ += (first ? paint_.bold(number) + "  " : "     ") + line + "\n";
      first = false;
    }
    if (why != "the end") out_ += "       " + paint_.dim("then: " + why) + "\n";
    open_.clear();
  }

  const Plan& plan_;
  PrintOptions options_;
  Paint paint_;
  std::string out_;
  std::vector<Place> open_;
  std::optional<Place> last_;
  std::size_t groups_ = 0;
};

}  // namespace

std::string pipeline_text(const Plan& plan, const PrintOptions& options) {
  return Groups(plan, options).print();
}

}  // namespace cnplay::render
