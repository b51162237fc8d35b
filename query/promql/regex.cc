#include "query/promql/regex.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace vigia::promql {
namespace {

constexpr std::int64_t kMaxMemory = 4 << 20;

re2::RE2::Options Options(Semantics semantics) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  options.set_dot_nl(semantics == Semantics::kPrometheus3);
  return options;
}

enum class Anchored { kNo, kYes };

// The escapes that RE2 takes and Go does not: \C, a single byte; and in an anchored pattern \Q
// without an end, which swallows the parenthesis that Prometheus puts behind it. Empty if there is
// none, or the error in Go's words.
std::string EscapeUnknownToGo(std::string_view pattern, Anchored anchored) {
  for (auto at = pattern.find('\\'); at < pattern.size(); at = pattern.find('\\', at + 2)) {
    const auto escape = pattern.substr(at, 2);
    if (escape == "\\C") return "invalid escape sequence: `\\C`";
    if (escape != "\\Q") continue;
    at = pattern.find("\\E", at + 2);
    if (at != pattern.npos) continue;
    if (anchored == Anchored::kNo) break;
    return "missing closing ): `" + std::string(pattern) + "`";
  }
  return {};
}

// Names of groups beyond ASCII, which RE2 takes and Go does not.
std::string NameUnknownToGo(const re2::RE2& re) {
  const auto beyond = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  for (const auto& [name, group] : re.NamedCapturingGroups()) {
    if (std::any_of(name.begin(), name.end(), beyond)) {
      return "invalid named capture: `(?P<" + name + ">`";
    }
  }
  return {};
}

// regexp/syntax.ErrorCode.
std::string_view GoMessage(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    default:
      return "internal regexp error";
  }
}

// The name behind a $, braces removed; moves `rest` behind it. Empty if there is none.
std::string_view TakeGroupName(std::string_view& rest) {
  const bool braced = !rest.empty() && rest[0] == '{';
  std::size_t end = braced ? 1 : 0;
  const std::size_t begin = end;
  while (end < rest.size() &&
         (rest[end] == '_' || std::isalnum(static_cast<unsigned char>(rest[end])))) {
    ++end;
  }
  if (end == begin || (braced && (end >= rest.size() || rest[end] != '}'))) return {};
  const auto name = rest.substr(begin, end - begin);
  rest.remove_prefix(braced ? end + 1 : end);
  return name;
}

// Bytes of the first character, one for what is no UTF-8.
std::size_t NextCharacter(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (text[size] & 0xC0) == 0x80) ++size;
  return size;
}

// What the groups of a regular expression matched, the whole first.
class Groups {
 public:
  explicit Groups(const re2::RE2& re)
      : re_(re), captured_(static_cast<std::size_t>(re.NumberOfCapturingGroups()) + 1) {}

  bool Match(std::string_view text, std::size_t at, re2::RE2::Anchor anchor) {
    return re_.Match({text.data(), text.size()}, at, text.size(), anchor, captured_.data(),
                     static_cast<int>(captured_.size()));
  }
  const re2::StringPiece& operator[](std::size_t i) const { return captured_[i]; }

  // `replacement` with the groups that it names.
  void AppendExpanded(std::string& out, std::string_view replacement) const {
    while (!replacement.empty()) {
      const auto dollar = replacement.find('$');
      out += replacement.substr(0, dollar);
      if (dollar == std::string_view::npos) break;
      replacement.remove_prefix(dollar + 1);
      if (!replacement.empty() && replacement[0] == '$') {
        out += '$';
        replacement.remove_prefix(1);
        continue;
      }
      const auto name = TakeGroupName(replacement);
      if (name.empty()) {
        out += '$';  // malformed: stays as it is
      } else if (const auto group = Find(name); group < captured_.size()) {
        out.append(captured_[group].data(), captured_[group].size());
      }
    }
  }

 private:
  // By number or name; beyond the last if there is no such group.
  std::size_t Find(std::string_view name) const {
    if (name.find_first_not_of("0123456789") == std::string_view::npos) {
      const bool leading_zero = name.size() > 1 && name[0] == '0';
      if (name.size() >= 6 || leading_zero) return captured_.size();
      return static_cast<std::size_t>(std::stoi(std::string(name)));
    }
    const auto& names = re_.NamedCapturingGroups();
    const auto at = names.find(std::string(name));
    return at == names.end() ? captured_.size() : static_cast<std::size_t>(at->second);
  }

  const re2::RE2& re_;
  std::vector<re2::StringPiece> captured_;
};

}  // namespace

struct Regex::Program {
  Program(const std::string& pattern, Semantics semantics) : re(pattern, Options(semantics)) {}

  re2::RE2 re;
};

namespace {

// What Go says of the pattern; empty if it takes it, too.
std::string FaultOf(const re2::RE2& re, std::string_view pattern, Anchored anchored) {
  if (auto unknown = EscapeUnknownToGo(pattern, anchored); !unknown.empty()) return unknown;
  if (re.ok()) return NameUnknownToGo(re);
  std::string message(GoMessage(re.error_code()));
  std::string_view where = re.error_arg();
  if (where.empty() || re.error_code() == re2::RE2::ErrorMissingParen) where = pattern;
  return ((message += ": `") += where) += '`';
}

}  // namespace

Result<Regex> Regex::CompileAnchored(std::string_view pattern, Semantics semantics) {
  auto program = std::make_shared<const Program>(std::string(pattern), semantics);
  const auto fault = FaultOf(program->re, pattern, Anchored::kYes);
  if (!fault.empty()) return Fail(ErrorCode::kInvalid, "error parsing regexp: " + fault);
  return Regex(std::move(program));
}

Result<Regex> Regex::Compile(std::string_view pattern, Semantics semantics) {
  auto program = std::make_shared<const Program>(std::string(pattern), semantics);
  const auto fault = FaultOf(program->re, pattern, Anchored::kNo);
  if (!fault.empty()) return Fail(ErrorCode::kInvalid, "error parsing regexp: " + fault);
  return Regex(std::move(program));
}

bool Regex::Matches(std::string_view value) const {
  return re2::RE2::FullMatch({value.data(), value.size()}, program_->re);
}

bool Regex::Expand(std::string_view value, std::string_view replacement, std::string& out) const {
  Groups groups(program_->re);
  if (!groups.Match(value, 0, re2::RE2::ANCHOR_BOTH)) return false;
  out.clear();
  groups.AppendExpanded(out, replacement);
  return true;
}

bool Regex::Search(std::string_view text) const {
  return re2::RE2::PartialMatch({text.data(), text.size()}, program_->re);
}

std::string Regex::ReplaceAll(std::string_view text, std::string_view replacement) const {
  Groups groups(program_->re);
  std::string out;
  std::size_t copied = 0;  // up to where `out` has the text
  std::size_t at = 0;
  bool matched = false;
  while (at <= text.size() && groups.Match(text, at, re2::RE2::UNANCHORED)) {
    const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
    const auto end = start + groups[0].size();
    out += text.substr(copied, start - copied);
    // An empty match right behind another one does not count.
    if (end > start || start != copied || !matched) groups.AppendExpanded(out, replacement);
    copied = end;
    matched = true;
    at = end;
    if (end == start) at += NextCharacter(text.substr(end));
  }
  return out += text.substr(copied);
}

bool FitsValue(const Matcher& matcher, std::string_view value, Semantics semantics) {
  if (matcher.op == Matcher::Op::kEqual) return value == matcher.value;
  if (matcher.op == Matcher::Op::kNotEqual) return value != matcher.value;
  const auto regex = Regex::CompileAnchored(matcher.value, semantics);
  return regex && regex->Matches(value) == (matcher.op == Matcher::Op::kRegex);
}

std::string PatternForSource(std::string_view pattern, Semantics semantics) {
  // Left alone where it makes no difference: sources recognise plain alternatives.
  if (semantics == Semantics::kPrometheus3 || pattern.find('.') == std::string_view::npos) {
    return std::string(pattern);
  }
  return "(?-s:" + std::string(pattern) + ")";
}

}  // namespace vigia::promql
