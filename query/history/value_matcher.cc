#include "query/history/value_matcher.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>

namespace vigia::history {
namespace {

constexpr std::string_view kSpecial = "\\.+*?()[]{}^$|";
// A pattern may take so much memory when compiled; more is refused.
constexpr std::int64_t kRegexMemory = 8 << 20;

// Removes one pair of parentheses around the whole pattern.
std::string_view WithoutGroup(std::string_view pattern) {
  if (pattern.size() < 2 || pattern.front() != '(' || pattern.back() != ')') return pattern;
  auto inner = pattern.substr(1, pattern.size() - 2);
  if (inner.starts_with("?:")) inner.remove_prefix(2);
  return inner.find_first_of("()\\") == inner.npos ? inner : pattern;
}

// The values that "a|b\.c" lists; nothing if the pattern is more than a list.
std::optional<std::vector<std::string>> ListedValues(std::string_view pattern) {
  pattern = WithoutGroup(pattern);
  std::vector<std::string> values(1);
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '|') {
      values.emplace_back();
      continue;
    }
    if (c == '\\') {
      // An escaped punctuation mark is itself; \d, \n, \x41 are not.
      if (++i == pattern.size() || kSpecial.find(pattern[i]) == kSpecial.npos) return std::nullopt;
      c = pattern[i];
    } else if (kSpecial.find(c) != kSpecial.npos) {
      return std::nullopt;
    }
    values.back() += c;
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace

Result<ValueMatcher> ValueMatcher::Compile(const Matcher& matcher) {
  ValueMatcher compiled;
  compiled.name_ = matcher.name;
  compiled.negated_ = matcher.op == Matcher::Op::kNotEqual || matcher.op == Matcher::Op::kNotRegex;
  if (matcher.op == Matcher::Op::kEqual || matcher.op == Matcher::Op::kNotEqual) {
    compiled.values_ = {matcher.value};
  } else if (auto status = compiled.CompileRegex(matcher.value); !status) {
    return Fail(status.error());
  }
  compiled.matches_empty_ = compiled.Matches({});
  return compiled;
}

Status ValueMatcher::CompileRegex(const std::string& pattern) {
  if (auto values = ListedValues(pattern)) {
    values_ = std::move(*values);
    return Ok();
  }
  if (pattern == ".*") {
    kind_ = Kind::kAny;
    return Ok();
  }
  if (pattern == ".+") {
    kind_ = Kind::kNonEmpty;
    return Ok();
  }
  if (pattern.ends_with(".*") && pattern.find_first_of(kSpecial) == pattern.size() - 2) {
    kind_ = Kind::kPrefix;
    lower_ = pattern.substr(0, pattern.size() - 2);
    // The prefix with its last byte one higher is above all that begin with the prefix.
    if (lower_.back() != '\xff') {
      upper_ = lower_;
      ++upper_.back();
    }
    return Ok();
  }
  kind_ = Kind::kRegex;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  regex_ = std::make_shared<const re2::RE2>("^(?s:" + pattern + ")$", options);
  if (!regex_->ok()) {
    return Fail(ErrorCode::kInvalid,
                "invalid regular expression \"" + pattern + "\": " + regex_->error());
  }
  // Without bounds all values are tried.
  if (!regex_->PossibleMatchRange(&lower_, &upper_, 32)) lower_ = upper_ = {};
  return Ok();
}

bool ValueMatcher::MatchesPattern(std::string_view value) const {
  switch (kind_) {
    case Kind::kList:
      return values_.size() == 1 ? value == values_[0]
                                 : std::binary_search(values_.begin(), values_.end(), value);
    case Kind::kAny:
      return true;
    case Kind::kNonEmpty:
      return !value.empty();
    case Kind::kPrefix:
      return value.starts_with(lower_);
    case Kind::kRegex:
      return re2::RE2::PartialMatch(re2::StringPiece(value.data(), value.size()), *regex_);
  }
  return false;
}

}  // namespace vigia::history
