// Literals, grouping labels and the modifiers of binary operators.

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "core/duration.h"
#include "core/labels.h"
#include "core/number.h"
#include "core/text/utf8.h"
#include "query/promql/syntax/parser_impl.h"
#include "query/promql/syntax/quote.h"

namespace vigia::promql {
namespace {

// Go's strconv.ParseInt with base 0: 0x, 0b and 0o, a leading 0 for octal, underscores.
std::optional<double> ParseGoInteger(std::string_view text) {
  std::uint64_t base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  bool digits = false;
  for (const char c : text) {
    if (c == '_') continue;
    const int lower = c | 0x20;
    const int digit = c >= '0' && c <= '9'           ? c - '0'
                      : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10
                                                     : 99;
    if (digit >= static_cast<int>(base)) return std::nullopt;
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value > (kMax - static_cast<std::uint64_t>(digit)) / base) return std::nullopt;
    value = value * base + static_cast<std::uint64_t>(digit);
    digits = true;
  }
  if (!digits) return std::nullopt;
  return static_cast<double>(static_cast<std::int64_t>(value));
}

// What fits the nanoseconds of Go's time.Duration.
bool FitsDuration(double seconds) { return std::abs(seconds) <= 9223372036.854775807; }

}  // namespace

double Parser::NumberValue(std::string_view text) {
  if (const auto integer = ParseGoInteger(text)) return *integer;
  std::string plain(text);
  std::erase(plain, '_');
  const bool hexadecimal = plain.size() > 1 && (plain[1] | 0x20) == 'x';
  if (!hexadecimal) {
    if (const auto value = ParseDouble(plain)) return *value;
    double ignored = 0;
    const char* const last = plain.data() + plain.size();
    const auto [end, error] = std::from_chars(plain.data(), last, ignored);
    if (end == last && error == std::errc::result_out_of_range) {
      Error(item_.range(), "error parsing number: strconv.ParseFloat: parsing " + Quote(text) +
                               ": value out of range");
      return 0;
    }
  }
  Error(item_.range(),
        "error parsing number: strconv.ParseFloat: parsing " + Quote(text) + ": invalid syntax");
  return 0;
}

std::optional<double> Parser::SecondsHere() {
  if (Is(Token::kNumber)) {
    const double value = NumberValue(item_.text);
    if (error_) return std::nullopt;
    return value;
  }
  const auto duration = ParseDuration(item_.text);
  if (!duration) {
    Error(item_.range(), "not a valid duration string: " + Quote(item_.text));
    return std::nullopt;
  }
  return static_cast<double>(duration->count()) / 1000;
}

bool Parser::IsDurationHere() const {
  return Is(Token::kDuration) || (Is(Token::kNumber) && semantics_ == Semantics::kPrometheus3);
}

std::optional<double> Parser::ParseSeconds(std::string_view context, std::string_view expected) {
  if (!IsDurationHere()) {
    // Arithmetic on durations is an experiment of Prometheus 3.
    const bool arithmetic = semantics_ == Semantics::kPrometheus3 &&
                            (Is(Token::kLeftParen) || Is(Token::kStep) || Is(Token::kRange) ||
                             Is(Token::kMin) || Is(Token::kMax));
    if (arithmetic) {
      Error(item_.range(), "experimental duration expression is not enabled");
    } else {
      Unexpected(context, expected);
    }
    return std::nullopt;
  }
  const auto seconds = SecondsHere();
  if (!seconds) return std::nullopt;
  if (!FitsDuration(*seconds)) {
    Error(item_.range(), "duration out of range");
    return std::nullopt;
  }
  Take();
  return seconds;
}

std::optional<std::int64_t> Parser::ParsePositiveDuration(std::string_view context,
                                                          std::string_view expected) {
  const PositionRange range = item_.range();
  const bool negative = Is(Token::kSub) && semantics_ == Semantics::kPrometheus3;
  if (negative || (Is(Token::kAdd) && semantics_ == Semantics::kPrometheus3)) Take();
  const auto seconds = ParseSeconds(context, expected);
  if (!seconds) return std::nullopt;
  if (negative || !(*seconds > 0)) {
    Error(range, "duration must be greater than 0");
    return std::nullopt;
  }
  switch (item_.token) {
    case Token::kAdd:
    case Token::kSub:
    case Token::kMul:
    case Token::kDiv:
    case Token::kMod:
    case Token::kPow:
      if (semantics_ == Semantics::kPrometheus3) {
        Error(range, "experimental duration expression is not enabled");
        return std::nullopt;
      }
      break;
    default:
      break;
  }
  // Finer than what samples have: the shortest there is.
  return std::max<std::int64_t>(1, std::llround(*seconds * 1000));
}

ExprPtr Parser::ParseNumber() {
  const bool duration = Is(Token::kDuration);
  if (duration && semantics_ == Semantics::kPrometheus2) {
    Unexpected();
    return nullptr;
  }
  const auto value = SecondsHere();
  if (!value) return nullptr;
  auto number = std::make_unique<NumberLiteral>(*value, duration, item_.range());
  Take();
  return number;
}

std::optional<std::string> Parser::UnquoteHere() {
  auto text = Unquote(item_.text);
  if (text) return std::move(*text);
  Error(item_.range(),
        "error unquoting string " + Quote(item_.text) + ": " + text.error().message());
  return std::nullopt;
}

ExprPtr Parser::ParseString() {
  auto text = UnquoteHere();
  if (!text) return nullptr;
  auto string = std::make_unique<StringLiteral>(std::move(*text), item_.range());
  Take();
  return string;
}

bool Parser::ParseGroupModifier(Aggregate& aggregate) {
  aggregate.without = Is(Token::kWithout);
  Take();
  return ParseGroupingLabels(aggregate.grouping);
}

bool Parser::ParseGroupingLabels(std::vector<std::string>& labels) {
  if (!Is(Token::kLeftParen)) {
    Unexpected("grouping opts", "\"(\"");
    return false;
  }
  Take();
  while (!Is(Token::kRightParen)) {
    if (!ParseGroupingLabel(labels)) return false;
    if (Is(Token::kComma)) {
      Take();
    } else if (!Is(Token::kRightParen)) {
      Unexpected("grouping opts", "\",\" or \")\"");
      return false;
    }
  }
  Take();
  return true;
}

bool Parser::ParseGroupingLabel(std::vector<std::string>& labels) {
  if (Is(Token::kString) && semantics_ == Semantics::kPrometheus3) {
    auto name = UnquoteHere();
    if (!name) return false;
    if (name->empty() || !text::IsUtf8(*name)) {
      Error(item_.range(), "invalid label name for grouping: " + Quote(*name));
      return false;
    }
    labels.push_back(std::move(*name));
  } else {
    // Keywords may be label names, too.
    const bool word = Is(Token::kIdentifier) || Is(Token::kMetricIdentifier) ||
                      IsAggregator(item_.token) || IsKeyword(item_.token) ||
                      IsPreprocessor(item_.token) || IsSetOperator(item_.token) ||
                      Is(Token::kAtan2);
    if (!word || !IsLegacyLabelName(item_.text)) {
      Unexpected("grouping opts", "label");
      return false;
    }
    labels.emplace_back(item_.text);
  }
  Take();
  return true;
}

bool Parser::ParseBinaryModifiers(BinaryModifiers& out) {
  if (Is(Token::kBool)) {
    out.return_bool = true;
    Take();
  }
  if (!Is(Token::kOn) && !Is(Token::kIgnoring)) return ParseFill(out.matching);
  out.matching.on = Is(Token::kOn);
  Take();
  if (!ParseGroupingLabels(out.matching.labels)) return false;
  if (Is(Token::kGroupLeft) || Is(Token::kGroupRight)) {
    out.matching.card =
        Is(Token::kGroupLeft) ? VectorMatching::Card::kManyToOne : VectorMatching::Card::kOneToMany;
    Take();
    if (Is(Token::kLeftParen) && !ParseGroupingLabels(out.matching.include)) return false;
  }
  return ParseFill(out.matching);
}

bool Parser::ParseFill(VectorMatching& matching) {
  while (Is(Token::kFill) || Is(Token::kFillLeft) || Is(Token::kFillRight)) {
    const bool left = !Is(Token::kFillRight);
    const bool right = !Is(Token::kFillLeft);
    if ((left && matching.fill_left) || (right && matching.fill_right)) {
      Unexpected();
      return false;
    }
    Take();
    double value = 0;
    if (!ParseFillValue(value)) return false;
    if (left) matching.fill_left = value;
    if (right) matching.fill_right = value;
  }
  return true;
}

bool Parser::ParseFillValue(double& value) {
  if (!Expect(Token::kLeftParen)) return false;
  const bool negative = Is(Token::kSub);
  if (negative || Is(Token::kAdd)) Take();
  if (!Is(Token::kNumber) && !Is(Token::kDuration)) {
    Unexpected();
    return false;
  }
  const auto given = SecondsHere();
  if (!given) return false;
  value = negative ? -*given : *given;
  Take();
  return Expect(Token::kRightParen);
}

}  // namespace vigia::promql
