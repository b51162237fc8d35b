// Matchers of routes, silences and inhibition rules, as Alertmanager writes them:
//
//     severity="page"   {team=~"db|infra", "kind of host"!="test"}
//
// Names and values are UTF-8, bare or quoted. Regular expressions are RE2, match the whole value,
// and their '.' does not match a line break. A label that is missing counts as empty.
// Immutable; thread-safe.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/labels.h"
#include "core/result.h"
#include "query/promql/regex.h"

namespace vigia::alerting::route {

class Matcher {
 public:
  enum class Op { kEqual, kNotEqual, kRegex, kNotRegex };

  // kInvalid for an empty name and for a regular expression that does not compile.
  static Result<Matcher> Make(std::string name, Op op, std::string value);

  bool Matches(const Labels& labels) const { return MatchesValue(labels.Get(name_)); }
  bool MatchesValue(std::string_view value) const;

  const std::string& name() const { return name_; }
  const std::string& value() const { return value_; }
  Op op() const { return op_; }
  bool is_regex() const { return op_ == Op::kRegex || op_ == Op::kNotRegex; }
  bool is_equal() const { return op_ == Op::kEqual || op_ == Op::kRegex; }

  // `name="value"`, the value quoted as Go does; the name too unless it is a plain one.
  std::string ToString() const;

  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.name_ == b.name_ && a.op_ == b.op_ && a.value_ == b.value_;
  }
  friend bool operator<(const Matcher& a, const Matcher& b);

 private:
  Matcher(std::string name, Op op, std::string value, std::optional<promql::Regex> regex)
      : name_(std::move(name)), op_(op), value_(std::move(value)), regex_(std::move(regex)) {}

  std::string name_;
  Op op_;
  std::string value_;
  std::optional<promql::Regex> regex_;
};

// All of them have to match.
using Matchers = std::vector<Matcher>;

bool MatchesAll(const Matchers& matchers, const Labels& labels);

// `{a="b",c=~"d"}`, in the order given; `{}` for none.
std::string ToString(const Matchers& matchers);

// One matcher, or several separated by commas, with or without braces around. kInvalid names what
// is wrong and where (characters from 1).
Result<Matchers> ParseMatchers(std::string_view text);

}  // namespace vigia::alerting::route
