// The syntax tree of `.play` and `.inv` files: plain data with spans, made by parse.h, read by
// inventory/, catalog/ and compile/. It holds what was written, unresolved: names are text,
// modifiers may be repeated or senseless together; the later passes reject precisely.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "diag/source.h"

namespace cnplay::syntax {

using diag::Span;

struct Name {
  std::string text;
  Span span;
};

// ---------------------------------------------------------------- expressions

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

// A string literal: texts and interpolations in order. `"a${x}b"` is {"a", x, "b"}. Escapes are
// resolved (\n \t \" \\ \$ \u{...}), text blocks dedented.
struct StringPart {
  std::string text;  // used if expr is null
  ExprPtr expr;
  Span span;
};
struct StringLit {
  std::vector<StringPart> parts;
  bool block = false;  // written as """
};
struct IntLit {
  std::int64_t value = 0;
};
struct BoolLit {
  bool value = false;
};
struct NoneLit {};
struct DurationLit {
  std::int64_t milliseconds = 0;
};
struct SizeLit {
  std::int64_t bytes = 0;
};
struct PercentLit {
  std::int64_t value = 0;
};
struct ListLit {
  std::vector<Expr> items;
};
// `{ dir: app, venv: venv, ..site }`. A spread has no name.
struct Argument {
  Name name;            // empty text: positional (calls only) or a spread
  bool spread = false;  // `..value`
  ExprPtr value;
  Span span;
};
struct RecordLit {
  std::vector<Argument> fields;
};
struct NameRef {
  Name name;
};
struct Member {  // `a.b`
  ExprPtr object;
  Name name;
};
struct Index {  // `a[i]`
  ExprPtr object;
  ExprPtr index;
};
struct Call {  // `group("web")`, `vault("x")`; in an action the callee is a module's name
  ExprPtr callee;
  std::vector<Argument> args;
};
enum class UnaryOp { negate, not_ };
struct Unary {
  UnaryOp op{};
  ExprPtr operand;
};
enum class BinaryOp {
  add,
  sub,
  mul,
  div,
  mod,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  and_,
  or_,
  in,
  intersect,
  union_,
  coalesce
};
// `intersect` is `&`, `union_` is `|` (host sets); `coalesce` is `??`.
struct Binary {
  BinaryOp op{};
  Span op_span;
  ExprPtr left;
  ExprPtr right;
};
struct Conditional {  // `if c then a else b`
  ExprPtr condition;
  ExprPtr then;
  ExprPtr otherwise;
};

using AnyExpr =
    std::variant<StringLit, IntLit, BoolLit, NoneLit, DurationLit, SizeLit, PercentLit, ListLit,
                 RecordLit, NameRef, Member, Index, Call, Unary, Binary, Conditional>;
// Moved and destroyed by code that is compiled once, not in each file that has a tree.
struct ExprNode : AnyExpr {
  using AnyExpr::AnyExpr;
  using AnyExpr::operator=;
  ExprNode();
  ExprNode(ExprNode&&) noexcept;
  ExprNode& operator=(ExprNode&&) noexcept;
  ~ExprNode();
};
struct Expr {
  ExprNode node;
  Span span;
};

// `string`, `list<path>`, `secret<string>`, `enum(a, b)`, `int?`, `hosts`. Unknown words are
// kept: the compiler says what they may be.
struct TypeExpr {
  Name name;
  std::vector<TypeExpr> args;      // list<...>, map<...>, secret<...>
  std::vector<Name> alternatives;  // enum(...)
  bool optional = false;           // `?`
  Span span;
};

// A raw shell text: `sh """..."""` or `sh "..."`. Dedented; no escapes, no interpolation.
struct ShellText {
  std::string text;
  Span span;  // of the literal with its quotes
  // For each line of `text`, the global offset of its first byte, so that a diagnostic can
  // point into the script.
  std::vector<std::uint32_t> line_offsets;
};

// ---------------------------------------------------------------- statements

// A word with what follows it: `on web`, `once`, `timeout 10m`, `retry 2 every 10s`, `expect 6m`,
// `late_by 10m`, `tolerate none`, `serial 25%`, `as root`, `when x`, `outage`, `notify reload`,
// `tags ["a"]`, `by [..]`, `default x`, `even if out`. In any order, possibly repeated or unknown.
struct Modifier {
  Name word;
  std::vector<Expr> values;  // 0 or 1; `retry 2 every 10s` is {2, 10s}, `serial 1 of x` {1, x}
  Span span;
};

struct Item;
using Items = std::vector<Item>;
struct Block {
  Items items;
  Span span;  // braces included
  Span open;  // the `{`
};

// --- inside a play or procedure, and inside steps. The grammar lets every item stand in every
// --- block; compile/ says where it does not belong.

struct Let {
  Name name;
  std::optional<TypeExpr> type;
  Expr value;  // may be a Call that is an action: compile/ decides by the callee
  std::vector<Modifier> modifiers;  // of an action
};
// `git.rebase(dir: app)` as a statement.
struct ActionItem {
  Expr call;  // always a Call
  std::vector<Modifier> modifiers;
};
// `[let x =] sh(dir: app) """...""" unless sh """..."""`.
struct ShellItem {
  std::optional<Name> let;
  std::vector<Argument> args;
  ShellText script;
  std::optional<ShellText> unless;
  std::vector<Modifier> modifiers;
};
// `let todo = check on web { git.rebase(dir: app) }`: whether one of these modules would change
// something.
struct LetCheck {
  Name name;
  Name word;  // `check`
  std::vector<Modifier> modifiers;
  Block body;
};
struct Step {
  std::optional<Name> name;
  std::optional<Expr> title;
  std::vector<Modifier> modifiers;
  Block body;
};
struct Phase {
  std::optional<Name> name;
  std::optional<Expr> title;
  std::vector<Modifier> modifiers;
  Block body;
};
struct Parallel {
  std::vector<Modifier> modifiers;
  Block body;
};
struct Sequence {
  Block body;
};
struct For {  // `for p in ["a", "b"] { ... }`
  Name variable;
  Expr list;
  Block body;
};
struct If {  // `if static_condition { ... } else { ... }`
  Expr condition;
  Block then;
  std::optional<Block> otherwise;
};
struct Do {   // `do lib.procedure(args)`
  Expr call;  // always a Call
  std::vector<Modifier> modifiers;
};
struct WaitUntil {
  Expr time;
  std::vector<Modifier> modifiers;  // late_by
};
struct Assert {  // `assert todo, "nothing to do"`
  Expr condition;
  Expr message;
};
struct Barrier {};
struct Pivot {
  std::optional<Expr> title;
};
struct Undo {  // `undo { ... }` in a step
  Block body;
};
struct UndoAll {};  // `undo all`
struct Hold {
  Expr message;
};
struct Offer {
  Name rollback;
  std::vector<Modifier> modifiers;
};
struct OnFailure {
  std::optional<Name> side;  // "before" or "after" (of the pivot)
  Block body;
};
struct Always {
  Block body;
};
struct Handler {
  std::optional<Name> name;
  std::optional<Expr> title;
  std::vector<Modifier> modifiers;
  Block body;
};
struct Notify {  // statement form; the modifier form is in modifiers
  Name handler;
};
struct Flush {};
struct Rollback {
  Name name;
  std::optional<Expr> title;
  std::vector<Modifier> modifiers;
  Block body;
};
struct Human {  // `manual note "..." { ... }`, `approve`, `ask`
  Name kind;    // "manual", "approve" or "ask"
  std::optional<Name> name;
  std::optional<TypeExpr> type;  // ask
  std::optional<Expr> title;
  std::vector<Modifier> modifiers;
  std::optional<Block> body;
};
struct TickItem {  // `item "..."`, `evidence name: type "..."` in a manual
  Name kind;
  std::optional<Name> name;
  std::optional<TypeExpr> type;
  Expr text;
};
struct Deadline {  // `deadline T else rollback NAME`
  Expr time;
  Name rollback;
};
struct Window {  // `window from T to T`
  Expr from;
  Expr to;
};
struct Report {  // `report timings`
  Name what;
};

// --- declarations at the head of a play

struct Owner {
  Expr text;
};
struct HostsDecl {
  Name name;
  Expr value;
  std::optional<Expr> expect;
};
struct Where {
  Expr condition;  // over `it`
  std::optional<Expr> message;
};
struct ParamDecl {
  Name name;
  TypeExpr type;
  std::optional<Expr> fallback;
  std::optional<Where> where;
  std::optional<Expr> doc;  // modules: `param dir: path "the working tree"`
};
struct HostvarDecl {
  Name name;
  TypeExpr type;
  std::optional<Expr> fallback;
};
struct SecretDecl {
  Name name;
  Expr source;
};
struct Require {
  Expr condition;  // `rehearsed(on: ..., within: ...)` or a bool
  std::optional<Expr> message;
};
struct Lock {
  Expr name;
};
struct Mode {
  Name mode;  // "incident"
};
// `env { NAME: "value" }`: what the scripts find in their environment. In a play, a phase or a
// step; likewise in an inventory, a group or a host.
struct Environment {
  std::vector<Argument> variables;
};
// `path ["~/.local/bin"]`: folders in front of the scripts' PATH. In the same places.
struct SearchPath {
  Expr folders;
};
struct PlayModifier {  // `tolerate 10%` at the head of a play
  Modifier modifier;
};

// --- inside a module

struct Returns {
  std::vector<std::pair<Name, TypeExpr>> fields;
};
// `needs command("git")`, `uses "dpkg"`, `writes dir`, `touches "service:${name}"`: a clause of a
// module, its word and its arguments.
struct Clause {
  Name word;
  std::vector<Expr> values;
};
// `check sh """..."""`, `apply sh ...`, `verify sh ...` / `verify none`, `preview sh ...`,
// or `native`.
struct ScriptClause {
  Name word;
  std::optional<ShellText> script;  // absent: `none`, or the word alone (`native`)
};

using AnyItem =
    std::variant<Let, LetCheck, ActionItem, ShellItem, Step, Phase, Parallel, Sequence, For, If, Do,
                 WaitUntil, Assert, Barrier, Pivot, Undo, UndoAll, Hold, Offer, OnFailure, Always,
                 Handler, Notify, Flush, Rollback, Human, TickItem, Deadline, Window, Report, Owner,
                 HostsDecl, ParamDecl, HostvarDecl, SecretDecl, Require, Lock, Mode, PlayModifier,
                 Environment, SearchPath, Returns, Clause, ScriptClause>;
// As ExprNode.
struct ItemNode : AnyItem {
  using AnyItem::AnyItem;
  using AnyItem::operator=;
  ItemNode();
  ItemNode(ItemNode&&) noexcept;
  ItemNode& operator=(ItemNode&&) noexcept;
  ~ItemNode();
};
struct Item {
  ItemNode node;
  Span span;
  Span keyword;  // the word that begins it, for tight underlines
};

// ---------------------------------------------------------------- files

struct Use {
  Expr path;
  Name alias;
  Span span;
};
struct Play {
  Name name;
  std::optional<Expr> title;
  Block body;
  Span span;
};
struct Procedure {
  Name name;
  std::vector<ParamDecl> params;
  Block body;
  Span span;
};
struct Module {
  Name name;  // dotted: "git.rebase"
  std::optional<Expr> title;
  Block body;
  Span span;
};

// `host web[1..2] { address: ... }`, `host db1 { ... vars { ... } ssh { ... } }`.
struct HostNode {
  Name pattern;  // the base name, "web"
  std::optional<std::pair<std::string, std::string>>
      range;           // digits as written: "1", "2" ("01": padded)
  std::string suffix;  // what follows the range
  Span pattern_span;
  std::vector<Argument> fields;             // address: ..., port: ...: the ssh settings' short form
  std::vector<std::vector<Argument>> vars;  // each `vars { ... }`
  std::vector<std::vector<Argument>> ssh;
  std::vector<Environment> environment;
  std::vector<SearchPath> search_path;
  Span span;
};
// `notify { on: "failure", command: [...] }`.
struct NotifyNode {
  Span span;  // of the word
  std::vector<Argument> settings;
};
struct GroupNode {
  Name name;
  std::vector<std::vector<Argument>> vars;
  std::vector<std::vector<Argument>> ssh;
  std::vector<Environment> environment;
  std::vector<SearchPath> search_path;
  std::vector<HostNode> hosts;
  std::vector<GroupNode> groups;
  std::vector<NotifyNode> notify;
  std::vector<Name> members;  // `members web, db`: groups or hosts named elsewhere
  Span span;
};
struct InventoryNode {
  Name name;
  GroupNode all;  // its own vars, ssh, hosts and groups
  Span span;
};

struct File {
  std::vector<Use> uses;
  std::vector<Play> plays;
  std::vector<Procedure> procedures;
  std::vector<Module> modules;
  std::vector<InventoryNode> inventories;
  Span span;
  std::vector<ShellText> scripts;  // every script of the file, wherever it stands
  std::vector<Name> dollar_names;  // `$name` in texts, where it means the characters: `name`
  // Statements could not be parsed and are left out of the tree. `broken_words`: the words in them,
  // any of which they might have declared.
  bool broken = false;
  std::set<std::string> broken_words;
  std::vector<Span> broken_spans;  // what was reported: left out, or repaired
};

}  // namespace cnplay::syntax
