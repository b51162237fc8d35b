#include "query/promql/regex.h"

#include <re2/re2.h>

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

}  // namespace

struct Regex::Program {
  Program(const std::string& pattern, Semantics semantics) : re(pattern, Options(semantics)) {}

  re2::RE2 re;
};

Result<Regex> Regex::CompileAnchored(std::string_view pattern, Semantics semantics) {
  auto program = std::make_shared<const Program>(std::string(pattern), semantics);
  if (program->re.ok()) return Regex(std::move(program));
  std::string message = "error parsing regexp: ";
  message += GoMessage(program->re.error_code());
  std::string_view where = program->re.error_arg();
  if (where.empty() || program->re.error_code() == re2::RE2::ErrorMissingParen) where = pattern;
  return Fail(ErrorCode::kInvalid, ((message += ": `") += where) += '`');
}

bool Regex::Matches(std::string_view value) const {
  return re2::RE2::FullMatch({value.data(), value.size()}, program_->re);
}

bool Regex::Expand(std::string_view value, std::string_view replacement, std::string& out) const {
  const auto groups = static_cast<std::size_t>(program_->re.NumberOfCapturingGroups());
  std::vector<re2::StringPiece> captured(groups + 1);
  const re2::StringPiece text(value.data(), value.size());
  if (!program_->re.Match(text, 0, text.size(), re2::RE2::ANCHOR_BOTH, captured.data(),
                          static_cast<int>(captured.size()))) {
    return false;
  }
  out.clear();
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
      continue;
    }
    std::size_t group = captured.size();
    if (name.find_first_not_of("0123456789") == std::string_view::npos) {
      const bool leading_zero = name.size() > 1 && name[0] == '0';
      if (name.size() < 6 && !leading_zero)
        group = static_cast<std::size_t>(std::stoi(std::string(name)));
    } else if (const auto at = program_->re.NamedCapturingGroups().find(std::string(name));
               at != program_->re.NamedCapturingGroups().end()) {
      group = static_cast<std::size_t>(at->second);
    }
    if (group < captured.size()) out.append(captured[group].data(), captured[group].size());
  }
  return true;
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
