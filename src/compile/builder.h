// Walks a play and makes the plan of it: declarations give names their values, blocks give nodes
// and edges. Procedures are inlined, loops unrolled, batches copied; what is left is the graph.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "compile/calls.h"
#include "compile/environment.h"
#include "compile/evaluator.h"
#include "compile/graph.h"
#include "compile/loader.h"
#include "compile/modifiers.h"
#include "syntax/ast.h"

namespace cnplay::compile {

enum class Place {
  play,
  phase,
  procedure,
  control,
  parallel,
  sequence,
  on_failure,
  always,
  step,
  undo,
  handler,
  rollback,
  check
};

// A step that later ones may read facts of.
struct StepRecord {
  std::string name;
  const syntax::Step* node = nullptr;
  std::vector<std::uint64_t> iteration;                           // of the loops it stands in
  std::vector<plan::Value> turns;                                 // of these: the variable's value
  std::vector<std::pair<std::uint32_t, std::uint32_t>> branches;  // (parallel, branch)
  std::uint64_t batch = 0;  // the only one that it is known in; 0: wherever it stands above
  Span declared;
  std::shared_ptr<StepFacts> facts;
  std::vector<std::shared_ptr<ActionFacts>> actions;  // those of `facts`, which grow by batches
  std::optional<Evaluated> answers{};                 // of a human step, in place of `facts`
  // A procedure that was done, in place of a step: where, and its steps.
  const syntax::Do* call = nullptr;
  std::vector<StepRecord> done{};
};

// A handler, compiled when all that notify it are known.
struct HandlerRecord {
  const syntax::Handler* node = nullptr;
  Span declared;
  std::set<HostIndex> hosts;  // that notify it
  bool notified = false;
  struct Use {
    plan::NodeId node = 0;
    std::size_t action = 0;
  };
  std::vector<Use> uses;
};

// A play or one inlining of a procedure: steps and handlers are visible inside of it.
struct Frame {
  LoadedFile* file = nullptr;
  const syntax::Procedure* procedure = nullptr;  // nullptr: the play
  Frame* caller = nullptr;
  std::vector<StepRecord> steps;  // changed by the two below alone
  // Places in `steps`: by what was written and in which turn of the loops, and by name.
  using Written = std::tuple<const void*, std::vector<std::uint64_t>, std::uint64_t>;
  std::map<Written, std::size_t> written;
  std::unordered_map<std::string, std::vector<std::size_t>> named;
  void add(StepRecord record);
  void shrink(std::size_t size);
  // What is known in `batch` alone, of the steps from place `from` on, is forgotten.
  void end_batch(std::size_t from, std::uint64_t batch);
  std::set<std::string> in_batches;  // names of what was forgotten so
  // The record of the step or call `node` in this turn and batch; nullptr: there is none.
  StepRecord* find(const void* node, const std::vector<std::uint64_t>& iteration,
                   std::uint64_t batch);
  std::map<std::string, HandlerRecord> handlers;
};

// A batch of a `serial` phase.
struct Batch {
  std::uint64_t id = 0;
  const std::vector<HostIndex>* hosts = nullptr;  // empty: `--limit` leaves no batch
  // The set that is cut into batches, as the inventory gives it: named by `of`, or else the one
  // that all steps of the phase are on.
  const std::vector<HostIndex>* of = nullptr;
  Span of_span;
  bool named = false;
};

// Where the walk stands.
struct Position {
  Place place = Place::play;
  Place base = Place::play;  // of a `for` or `if`: the place around it
  std::string prefix;        // of paths: "update_code/cutover"
  std::string key;           // "[a]", "[2]": of loops and batches, for the next name
  std::uint32_t phase = plan::kNone;
  std::uint32_t section = 0;
  Flow* flow = nullptr;
  const Batch* batch = nullptr;  // of a `serial` phase
  // On other hosts than those of the batch at hand: what is found out there is known in this batch
  // alone.
  bool beside_batch = false;
  std::set<HostIndex> about;  // hosts of the batch that the loops around are about
  Tolerance tolerance;
  EnvironmentPtr environment;     // of what is around; may be null
  std::vector<std::string> tags;  // of what is around; sorted
  std::vector<std::uint64_t> iteration;
  std::vector<plan::Value> turns;  // of the loops around: what the variable is
  std::vector<std::pair<std::uint32_t, std::uint32_t>> branches;
  std::string_view inside;  // what of the blocks around forbids barriers: "`parallel`", "`serial`"
};

class Builder {
 public:
  Builder(Context& context, LoadedFile& file);

  void build(const syntax::Play& play);

 private:
  friend class OpenScope;
  friend class Discard;

  // declarations.cc
  void declare_head(const syntax::Block& block);
  void owner(const syntax::Owner& node);
  void hosts(const syntax::HostsDecl& node);
  void param(const syntax::ParamDecl& node);
  void refuse_clear_secret(Evaluated& value, Span at);
  void hostvar(const syntax::HostvarDecl& node);
  // secrets.cc
  void secret(const syntax::SecretDecl& node);
  bool read_from(plan::SecretSource& source, const syntax::Call& call, Span at);
  bool generated(plan::SecretSource& source, const syntax::Call& call, Span at);
  // declarations.cc
  void let(const syntax::Let& node);
  void require(const syntax::Require& node);
  void rehearsed(const syntax::Call& call, Span at);
  void lock(const syntax::Lock& node);
  void check_extras();
  Evaluated extra_value(const diag::SourceMap::Source& source, const std::string& name,
                        const TypePtr& type);
  void declare(const syntax::Name& name, Evaluated value, std::string_view what);
  Span extra_span(const diag::SourceMap::Source& source, const std::string& name) const;

  // items.cc: the walk
  void announce_names(const syntax::Block& block);
  void items(const syntax::Block& block, Position& position);
  void item(const syntax::Item& item, Position& position);
  bool allowed(const syntax::Item& item, const Position& position);
  void phase(const syntax::Phase& node, const syntax::Item& item, const Position& position);
  void phase_body(const syntax::Phase& node, const Position& inner, const Batch* batch = nullptr);
  // batches.cc
  void batches(const syntax::Phase& node, const syntax::Item& item, Position inner,
               const syntax::Modifier& serial);
  std::vector<std::vector<HostIndex>> begun_batches(const Position& inner,
                                                    const std::vector<HostIndex>& hosts) const;
  void declare_batch(const Batch& batch);
  // The set that all steps of a `serial` phase are on: of the first of them, which the rest is held
  // against.
  struct SerialSet {
    std::vector<HostIndex> set, hosts;  // as the inventory gives it; what `--limit` leaves of it
    Span at;
    bool reported = false;
  };
  void find_serial_set(const syntax::Phase& node, Position inner, SerialSet& found);
  void parallel(const syntax::Parallel& node, const syntax::Item& item, const Position& position);
  void parallel_item(const syntax::Item& item, Position& position, const Flow& before,
                     std::deque<Flow>& branches, std::uint32_t id);
  struct Turn {
    Evaluated variable;
    plan::Value value;
    std::string key;
  };
  std::optional<std::vector<Turn>> turns_of(const syntax::For& node);
  void for_each(const syntax::For& node, Position& position,
                const std::function<void(Position&)>& body);
  void if_else(const syntax::If& node, const Position& position,
               const std::function<void(const syntax::Block&)>& body);
  void barrier(plan::NodeKind kind, std::string_view word, Span at, const Position& position,
               std::string title = "");
  void join(Span at, const Position& position);
  void pivot(const syntax::Pivot& node, const syntax::Item& item, const Position& position);
  // assertion.cc
  void assertion(const syntax::Assert& node, const syntax::Item& item, const Position& position);
  // items.cc
  void wait(const syntax::WaitUntil& node, const syntax::Item& item, const Position& position);
  std::optional<plan::Value> one_condition(const Modifiers& modifiers, std::string_view what);
  plan::Node& add_node(plan::NodeKind kind, std::string path, Span at, const Position& position);
  std::string unique_path(const std::string& prefix, const std::string& base);
  std::string claim_path(const std::string& prefix, const std::string& name, Span at,
                         std::string_view what);
  std::string title_of(const std::optional<syntax::Expr>& title, std::string_view what);

  // environment.cc
  EnvironmentPtr inventory_environment() const;
  // True: it was an `env` or a `path`, which is added to `now`. `block`: what it stands in;
  // `too_late`: below a step.
  bool environment_item(const syntax::Item& item, EnvironmentPtr& now, const void* block,
                        bool too_late);
  void set_variables(const syntax::Environment& node, Environment& out, const void* block);
  void set_folders(const syntax::SearchPath& node, Environment& out, const void* block);
  void give_environment(plan::Node& node, const EnvironmentPtr& environment,
                        const std::vector<HostIndex>& hosts, const std::string& label);
  static std::vector<std::string> names_in(const EnvironmentPtr& environment,
                                           const std::vector<HostIndex>& hosts);
  void refuse_shadowed(const plan::Node& node, const std::string& name, Span at);
  // human.cc
  void human(const syntax::Human& node, const syntax::Item& item, const Position& position);
  std::optional<plan::Value> human_text(const syntax::Expr& text, const std::string& kind);
  std::vector<std::string> people(const syntax::Modifier* modifier);
  std::optional<plan::Question> question(const syntax::Name& name,
                                         const std::optional<syntax::TypeExpr>& written,
                                         TypePtr& type);
  using AskedFor = std::map<std::string, Span>;
  void manual_items(const syntax::Human& node, const syntax::Block& block, plan::Human& human,
                    AskedFor& asked);
  void people_count(const syntax::Modifier* count, plan::Human& human);
  const syntax::Expr* default_of(const Modifiers& modifiers);
  void human_default(const std::string& word, const Modifiers& modifiers, const TypePtr& type,
                     plan::Human& human);
  void remember_answers(const syntax::Human& node, const plan::Human& human, plan::NodeId id,
                        const TypePtr& type, const Position& position);

  // procedures.cc
  void do_call(const syntax::Do& node, const syntax::Item& item, const Position& position);
  const syntax::Procedure* find_procedure(const syntax::Call& call, LoadedFile*& file);
  void bind_arguments(const syntax::Procedure& procedure, const syntax::Call& call, Scope& scope);
  // step_names.cc
  void remember_call(const syntax::Do& node, const syntax::Procedure& procedure, Span at,
                     const Position& position, std::vector<StepRecord> steps);
  std::optional<Evaluated> find_step(const syntax::Name& name);
  bool is_unordered(const syntax::Name& name, const StepRecord& record);

  // steps.cc
  void step(const syntax::Step& node, const syntax::Item& item, const Position& position);
  void step_node(const syntax::Step& node, const syntax::Item& item, const Position& position,
                 const std::string& path, const std::vector<HostIndex>& hosts,
                 const std::vector<HostIndex>& set, const std::string& label,
                 const Modifiers& modifiers);
  void wait_for_facts(plan::Node& node, Flow& flow);
  // The hosts of an `on`, as the inventory gives them; `hosts`: those that `--limit` leaves.
  struct Target {
    std::vector<HostIndex> hosts, set;
    bool whole = false;         // the set that is cut into the batches
    bool of_batch = false;      // said by `batch`
    bool in_batch = false;      // differs from batch to batch
    bool beside_batch = false;  // on other hosts
  };
  std::optional<Target> target(const Modifiers& modifiers, Span at, std::string& label,
                               std::string_view what);
  // batches.cc
  std::optional<Target> target_in_batch(const Modifiers& modifiers, Span at, std::string& label,
                                        const Batch& batch);
  bool take_part_in(const Batch& batch, const Modifiers& modifiers, Target& on);
  struct Body {
    plan::NodeId node = 0;
    const std::vector<HostIndex>* hosts = nullptr;
    std::string label;
    std::string become;
    Place place = Place::step;
    Span at;  // of the keyword
    std::vector<plan::Action> actions;
    std::vector<std::shared_ptr<ActionFacts>> facts;
    std::vector<const syntax::Item*> undos;
    std::vector<std::pair<std::size_t, syntax::Name>> notifies;  // (action, handler)
    std::vector<syntax::Name> notify_all;
    std::string step_name;
    EnvironmentPtr environment;
    bool once = false;
    bool empty = true;  // nothing that could be an action was written
  };
  void body_items(const syntax::Block& block, Body& body);
  void body_item(const syntax::Item& item, Body& body);
  void add_action(plan::Action action, const std::vector<syntax::Modifier>& modifiers,
                  const syntax::Name* let, Span at, Body& body);
  void undo(const syntax::Item& item, Body& body, std::vector<plan::Action>& into);
  // check_alone.cc
  void let_check(const syntax::LetCheck& node, const syntax::Item& item, const Position& position);
  plan::NodeId check_node(const syntax::LetCheck& node, const syntax::Item& item,
                          const Position& position, const std::vector<HostIndex>& hosts,
                          const std::vector<HostIndex>& set, const std::string& label,
                          const Modifiers& modifiers);
  bool refuse_in_check(const syntax::Item& item, Body& body);
  void check_alone(Body& body);
  // steps.cc
  Evaluated check_condition(const syntax::Expr& condition);
  void notify(const syntax::Name& handler, plan::NodeId node, std::size_t action,
              const std::vector<HostIndex>& hosts);

  // sections.cc
  void on_failure(const syntax::OnFailure& node, const syntax::Item& item,
                  const Position& position);
  void always(const syntax::Always& node, const Position& position);
  void section_items(const syntax::Block& block, const Position& position, plan::SectionKind kind,
                     plan::OnFailure* responses);
  void find_handlers(const syntax::Block& block);
  void handlers(const Position& position);
  void enter_block(const syntax::Block& block);
  void leave_block(const syntax::Block& block, std::size_t pivots_before);

  // ways_back.cc
  void announce_rollbacks(const syntax::Block& block);
  void rollbacks(const syntax::Block& block, const Position& position);
  void rollback(const syntax::Rollback& node, const syntax::Item& item, const Position& position);
  bool is_rollback(const syntax::Name& name);
  bool in_rollback(const Position& position) const;
  void deadline(const syntax::Deadline& node, const syntax::Item& item, const Position& position);
  void window(const syntax::Window& node, const syntax::Item& item);
  std::size_t offer(const syntax::Block& block, std::size_t first, const Position& position,
                    plan::OnFailure& responses);
  void offer_words(const std::vector<syntax::Modifier>& written, plan::Node& made);
  void offer_default(const Modifiers& modifiers, plan::Human& human);
  void entitle_offers();
  std::map<std::string, Span> rollbacks_;    // declared, wherever it stands
  std::map<std::uint32_t, Span> deadlines_;  // by phase
  std::optional<Span> window_;

  void mode(const syntax::Mode& node);
  // choice.cc: --tags, --skip-tags, --start-at
  Position tagged(const Position& position, const Modifiers& modifiers);
  struct Chosen;
  void choose();
  void leave_out_empty_phases();
  bool read_tags(const char* option, const std::string& text, std::vector<std::string>& tags);
  std::optional<plan::NodeId> find_start();
  std::string why_left_out(const plan::Node& node, const Chosen& chosen) const;
  void check_facts_of_left_out();

  // finish.cc
  void finish();

  std::uint64_t epoch_of(const void* node, std::size_t index);

  Context& context_;
  Evaluator evaluator_;
  Calls calls_;
  Frame* frame_ = nullptr;
  Scope* scope_ = nullptr;
  const Position* here_ = nullptr;  // of the item that is being walked
  const syntax::Play* play_ = nullptr;
  bool take_path(const std::string& path, Span at);
  std::unordered_map<std::string, Span> paths_;
  std::vector<std::string> taken_paths_;               // in order, so that they can be given back
  std::unordered_map<std::string, int> path_numbers_;  // the last `-N` that was tried
  std::vector<std::pair<std::string, int>>
      number_log_;  // former ones, so that they can be given back
  // Turns of loops so far, and how many the loops around the place at hand have at least.
  std::size_t turns_ = 0;
  std::size_t product_ = 1;
  bool too_large_ = false;  // reported; nothing more is unrolled
  bool is_too_large(std::size_t size, Span at);
  struct LargeLoop {
    std::size_t nodes = 0;
    Span at;
  };
  LargeLoop largest_loop_;
  void large_loop(std::size_t nodes_before, Span at);
  void warn_of_large_loop();
  std::set<std::string> limited_out_;  // names of steps that `--limit` leaves out
  void leave_out_by_limit(const syntax::Step& node, const syntax::Item& item,
                          const Position& position, const Modifiers& modifiers);
  void check_budgets();
  std::vector<Tolerance> tolerances_;  // by node
  std::vector<Span> spans_;            // by node: where it is written
  std::set<std::string> tags_;         // all that are written
  std::map<std::tuple<std::uint64_t, const void*, std::size_t>, std::uint64_t> epochs_;
  std::uint64_t next_epoch_ = 1;
  std::uint32_t next_parallel_ = 0;
  // Inside of what is walked for its faults alone, and taken back: the branch of an `if` that is
  // not taken, the first look at a `serial` phase.
  int discarded_ = 0;
  SerialSet* serial_set_ = nullptr;
  // What the sets of steps in the batches of a phase are, where that is the same in each batch.
  struct KnownTarget {
    Target target;
    std::string label;
    bool whole = false;
  };
  std::map<std::pair<const syntax::Expr*, std::uint64_t>, KnownTarget> batch_targets_;
  void check_serial_set(const Target& on, const Modifiers& modifiers);
  std::vector<bool> after_pivot_handled_;  // by block around: it has `on_failure after pivot`
  const syntax::Block* block_ = nullptr;   // that is walked, and how far
  std::size_t index_ = 0;
  std::size_t pivots_ = 0;
  LoadedFile& file_;
};

// Takes back, when it ends, all that was added to the plan since it began.
class Discard {
 public:
  explicit Discard(Builder& builder);
  ~Discard();
  Discard(const Discard&) = delete;
  Discard& operator=(const Discard&) = delete;

 private:
  Builder& builder_;
  std::size_t nodes_, phases_, responses_, deadlines_, steps_, pivots_, paths_, numbers_;
  std::vector<std::size_t> sections_;  // the number of nodes of each
};

// A block's own names, while it is walked.
class OpenScope {
 public:
  OpenScope(Builder& builder, const Scope* parent);
  ~OpenScope();
  OpenScope(const OpenScope&) = delete;
  OpenScope& operator=(const OpenScope&) = delete;
  Scope& scope() { return scope_; }

 private:
  Builder& builder_;
  Scope* outer_;
  Scope scope_;
};

}  // namespace cnplay::compile
