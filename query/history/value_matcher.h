// A Matcher made ready to test many values. Immutable, thread-safe.

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/series.h"

namespace re2 {
class RE2;
}

namespace vigia::history {

class ValueMatcher {
 public:
  // kInvalid, with the words of the regular expression library, if the pattern does not compile.
  static Result<ValueMatcher> Compile(const Matcher& matcher);

  const std::string& name() const { return name_; }
  bool Matches(std::string_view value) const { return MatchesPattern(value) != negated_; }
  // Whether a series without the label fits.
  bool MatchesEmpty() const { return matches_empty_; }

  // What = and =~ ask for before != and !~ turn it round.
  bool negated() const { return negated_; }
  bool MatchesPattern(std::string_view value) const;
  // Whether the pattern is but a list of values: "a", "a|b|c".
  bool IsList() const { return kind_ == Kind::kList; }
  // Of a list: its values, sorted.
  const std::vector<std::string>& values() const { return values_; }
  // Every value that fits the pattern lies in [lower, upper], or above if `upper` is empty.
  const std::string& lower() const { return lower_; }
  const std::string& upper() const { return upper_; }

 private:
  enum class Kind { kList, kAny, kNonEmpty, kPrefix, kRegex };

  ValueMatcher() = default;
  Status CompileRegex(const std::string& pattern);

  std::string name_;
  bool negated_ = false;
  bool matches_empty_ = false;
  Kind kind_ = Kind::kList;
  std::vector<std::string> values_;
  std::string lower_;
  std::string upper_;
  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace vigia::history
