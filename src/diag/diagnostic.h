// Diagnostics: what a person is told about their files. Collected, never thrown; all of them
// are shown at once. The wording lives where the error is found; the form lives here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diag/source.h"

namespace cnplay::diag {

enum class Severity { error, warning };

// A place with what is to be said beside it.
struct Label {
  Span span;
  std::string text;
};

// A change to the source: `span` is replaced by `text` (an empty span: inserted there).
struct Edit {
  Span span;
  std::string text;
};

struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;     // "E0101", see codes.h
  std::string summary;  // one line: what is wrong
  Label subject;        // the smallest span, with what is wrong right there
  // Further places of the same file, underlined in the same excerpt with `---`.
  std::vector<Label> context;
  // `note: text` and the place it speaks of, FILE:LINE:COLUMN (its span may be unknown: then text
  // alone). A place of the same file is often better shown as context.
  std::vector<Label> notes;
  std::string help;  // the remedy; may be empty
  // The remedy as changes to the source, where it is one; all of them together.
  std::vector<Edit> edits{};
};

// Collects the diagnostics of one compilation. Not thread-safe.
class Diagnostics {
 public:
  void add(Diagnostic d);
  // Shorthand for the common form.
  void error(std::string code, std::string summary, Label subject, std::string help = {});
  void warning(std::string code, std::string summary, Label subject, std::string help = {});

  bool has_errors() const { return errors_ != 0; }
  std::size_t errors() const { return errors_; }
  // In the order of their places (file by file), exact duplicates left out.
  std::vector<Diagnostic> sorted() const;
  bool empty() const { return all_.empty(); }

 private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

// As text, in the form of design/language.md; `colour` adds ANSI colours. Ends with a newline.
std::string to_text(const Diagnostic& d, const SourceMap& sources, bool colour);
// All of them, a blank line between, then a line that counts them.
std::string to_text(const Diagnostics& all, const SourceMap& sources, bool colour);
// One JSON document: {"version": 1, "diagnostics": [{severity, code, summary, ...}]}.
std::string to_json(const Diagnostics& all, const SourceMap& sources);

// The remedy of a diagnostic that has no edits of its own, where its words alone say what to write
// in place of its subject: "did you mean `X`?" in the label or the help.
std::vector<Edit> suggested_edits(const Diagnostic& d);

// The nearest of `candidates` by edit distance if it is near enough to be meant, else "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace cnplay::diag
