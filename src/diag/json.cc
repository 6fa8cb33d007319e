// Diagnostics as JSON, for editors and CI. Its form is stable; `version` counts its changes.
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "base/text.h"
#include "diag/diagnostic.h"

namespace cnplay::diag {
namespace {

using nlohmann::ordered_json;

// {file, line, column, end_line, end_column, label}: lines and columns from 1, columns in
// characters, the end exclusive. Without a place only the label.
ordered_json label(const Label& l, const SourceMap& sources) {
  ordered_json out = ordered_json::object();
  if (sources.find(l.span) != nullptr) {
    const Location begin = sources.locate(l.span);
    const Location end = sources.locate({l.span.end, l.span.end});
    out["file"] = to_valid_utf8(begin.file);
    out["line"] = begin.line;
    out["column"] = begin.column;
    out["end_line"] = end.line;
    out["end_column"] = end.column;
  }
  out["label"] = to_valid_utf8(l.text);
  return out;
}

ordered_json labels(const std::vector<Label>& all, const SourceMap& sources) {
  ordered_json out = ordered_json::array();
  for (const auto& each : all) out.push_back(label(each, sources));
  return out;
}

ordered_json edits(const std::vector<Edit>& all, const SourceMap& sources) {
  ordered_json out = ordered_json::array();
  for (const auto& each : all) {
    ordered_json edit = label({each.span, ""}, sources);
    edit.erase("label");
    edit["text"] = to_valid_utf8(each.text);
    out.push_back(std::move(edit));
  }
  return out;
}

}  // namespace

std::string to_json(const Diagnostics& all, const SourceMap& sources) {
  ordered_json list = ordered_json::array();
  for (const auto& d : all.sorted()) {
    list.push_back({{"severity", d.severity == Severity::error ? "error" : "warning"},
                    {"code", d.code},
                    {"summary", to_valid_utf8(d.summary)},
                    {"subject", label(d.subject, sources)},
                    {"context", labels(d.context, sources)},
                    {"notes", labels(d.notes, sources)},
                    {"help", to_valid_utf8(d.help)},
                    {"edits", edits(d.edits, sources)}});
  }
  return dump_json(ordered_json{{"version", 1}, {"diagnostics", std::move(list)}}, 2) + "\n";
}

}  // namespace cnplay::diag
