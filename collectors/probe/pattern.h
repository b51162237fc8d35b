// A Pattern is a regular expression in RE2's syntax, which is that of Go and therefore of
// blackbox_exporter's modules. Immutable; any thread may match.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vigia::collectors::probe {

class Pattern {
 public:
  // kInvalid, with RE2's words.
  static Result<Pattern> Compile(const std::string& expression);

  // Whether it matches anywhere in `text`.
  bool Found(std::string_view text) const;
  // The same; `groups` becomes the whole match and what each group caught.
  bool Find(std::string_view text, std::vector<std::string>& groups) const;
  const std::string& expression() const { return expression_; }

 private:
  struct Compiled;
  Pattern(std::string expression, std::shared_ptr<const Compiled> compiled)
      : expression_(std::move(expression)), compiled_(std::move(compiled)) {}

  std::string expression_;
  std::shared_ptr<const Compiled> compiled_;
};

// `text` with ${1}, $1 and ${0} replaced by what the groups caught, as Go's Regexp.Expand does
// for numbered groups; $$ is a dollar.
std::string Expand(std::string_view text, const std::vector<std::string>& groups);

}  // namespace vigia::collectors::probe
