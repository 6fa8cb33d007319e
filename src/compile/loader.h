// The play's file and the libraries that it uses, parsed, with the names they know each other by.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compile/context.h"
#include "syntax/ast.h"

namespace cnplay::compile {

struct LoadedFile {
  std::string name;  // as it is shown, and as `load` takes it
  syntax::File tree;
  std::map<std::string, LoadedFile*> aliases;  // nullptr: could not be read, reported
  std::map<std::string, const syntax::Procedure*> procedures;
};

class Loader {
 public:
  explicit Loader(Context& context) : context_(context) {}

  // Parses the play's file and, through `use`, all that it needs; a cycle is refused, and printed
  // as a path. Reports everything; the result is always usable.
  LoadedFile* load_play();

  const std::map<std::string, std::unique_ptr<LoadedFile>>& files() const { return files_; }

 private:
  LoadedFile* load(const std::string& name, const diag::SourceMap::Source& source);
  void use(LoadedFile& file, const syntax::Use& use);
  void index(LoadedFile& file);

  Context& context_;
  std::map<std::string, std::unique_ptr<LoadedFile>> files_;
  std::vector<std::string> path_;  // being loaded now
};

}  // namespace cnplay::compile
