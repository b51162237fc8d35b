// Regular expressions of PromQL: RE2, whose syntax and semantics Go's are. Memory and time are
// bounded. Thread-safe.

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/series.h"
#include "query/promql/syntax/options.h"

namespace vigia::promql {

class Regex {
 public:
  // Matches whole values. kInvalid with Go's words: "error parsing regexp: missing closing ): `(`".
  static Result<Regex> CompileAnchored(std::string_view pattern, Semantics semantics);
  // For Search and ReplaceAll.
  static Result<Regex> Compile(std::string_view pattern, Semantics semantics);

  bool Matches(std::string_view value) const;
  // `replacement` with $1, ${1}, $name and ${name} replaced by what the groups matched in `value`
  // (regexp.Expand); false if `value` does not match.
  bool Expand(std::string_view value, std::string_view replacement, std::string& out) const;
  // Whether it matches some part of `text`.
  bool Search(std::string_view text) const;
  // `text` with every match replaced as by Expand (regexp.ReplaceAllString).
  std::string ReplaceAll(std::string_view text, std::string_view replacement) const;

 private:
  struct Program;
  explicit Regex(std::shared_ptr<const Program> program) : program_(std::move(program)) {}

  std::shared_ptr<const Program> program_;
};

// Whether a label of that value (empty for none) fits; false for a pattern that does not compile.
bool FitsValue(const Matcher& matcher, std::string_view value, Semantics semantics);

// The pattern as a SeriesSource is to see it, whose '.' matches line breaks.
std::string PatternForSource(std::string_view pattern, Semantics semantics);

}  // namespace vigia::promql
