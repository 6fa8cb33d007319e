// What may be called: the declarations of modules, the project's own first, then the built-in
// ones. Knows no host and runs nothing.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diag/diagnostic.h"
#include "diag/source.h"
#include "syntax/ast.h"

namespace cnplay::catalog {

struct Param {
  std::string name;
  const syntax::TypeExpr* type = nullptr;
  const syntax::Expr* fallback = nullptr;  // null: required, unless the type is optional
  const syntax::Where* where = nullptr;    // null: every value of the type will do
  std::string doc;
  diag::Span span;  // of the name
};

struct Script {
  std::string text;
  diag::Span span;
  const std::vector<std::uint32_t>* line_offsets = nullptr;
};

enum class Verify { by_check, by_script, none };

// One module. Its declaration was checked when it was added: `valid` says with what result.
// Pointers lead into the catalog's own syntax trees.
struct Module {
  std::string name;  // "git.rebase"
  std::string title;
  std::string doc;  // the comment lines right above the module, `#` taken off
  std::vector<Param> params;
  std::vector<std::pair<std::string, const syntax::TypeExpr*>> returns;
  std::vector<std::string> needs;   // commands
  std::vector<std::string> uses;    // resources
  std::vector<std::string> writes;  // params naming paths that apply changes
  std::vector<std::string> reads;   // params naming paths that check or apply read
  // The things that it changes and looks at, or only looks at: "service:${name}", or a path.
  std::vector<const syntax::StringLit*> touches, looks;
  std::string sends;  // param naming a file of the controller that apply finds at $NAME_file
  // params naming a directory of the controller, and the patterns of what is left out of it
  std::string sends_tree, sends_tree_without;
  std::string renders;     // param naming a text file of the controller; its text is $NAME_text
  std::string fetches;     // param naming a file of the host that is brought ...
  std::string fetches_to;  // ... to the file of the controller that this one names
  std::string reboots;     // param naming how long the host may take that apply restarts
  std::optional<Script> check, apply, verify_script, preview, preflight;
  std::optional<Script> commands;  // what a person would type, for `cnplay docs`
  Verify verify = Verify::by_check;
  bool native = false;
  bool builtin = false;
  bool valid = true;   // false: something in its declaration was reported already
  diag::Span whole;    // of the whole declaration
  diag::Span span;     // of the name
  std::string source;  // the file's name
};

class Catalog {
 public:
  // Adds the modules of one source: checks each declaration (codes E04xx: a module twice in one
  // place, no script at all, a `$name` in a script that is neither a parameter nor assigned
  // there, `fact` of a name that `returns` lacks, a returned fact that no script sets, `writes x`
  // where x is no parameter, an unknown clause, `verify none` without apply, ...). Modules added
  // first win over later ones of the same name.
  void add(const diag::SourceMap::Source& source, bool builtin, diag::Diagnostics& diags);

  // A source that is added, by `add`, when the first module is asked for whose name begins with
  // PREFIX and a dot, or when all are: most plays need few of the built-in ones.
  void add_when_needed(std::string prefix, std::function<void()> add);

  // nullptr if there is none. The pointer stays good.
  const Module* find(std::string_view name) const;
  // All names, sorted.
  std::vector<std::string> names() const;
  // The project's own files, not the built-in ones.
  const std::vector<const syntax::File*>& own_files() const { return own_files_; }
  // Text of the source of a module as it was written, comments included, for `cnplay modules NAME`.
  std::string source_text(const Module& module, const diag::SourceMap& sources) const;

 private:
  std::vector<std::unique_ptr<syntax::File>> files_;
  std::vector<const syntax::File*> own_files_;
  std::map<std::string, Module, std::less<>> modules_;
  mutable std::map<std::string, std::function<void()>, std::less<>> later_;  // by prefix
};

}  // namespace cnplay::catalog
