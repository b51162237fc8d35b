#include "core/number.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/sample.h"

namespace vigia {
namespace {

Error NotANumber(std::string_view text) {
  return {ErrorCode::kInvalid, "'" + std::string(text) + "' is not a number"};
}

template <typename T>
Result<T> ParseInteger(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return Fail(NotANumber(text));
  return value;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

Result<double> ParseDouble(std::string_view text) {
  std::string_view digits = text;
  bool negative = false;
  if (!digits.empty() && (digits[0] == '+' || digits[0] == '-')) {
    negative = digits[0] == '-';
    digits.remove_prefix(1);
  }
  double value = 0;
  if (EqualsIgnoringCase(digits, "inf") || EqualsIgnoringCase(digits, "infinity")) {
    value = kInfinity;
  } else if (EqualsIgnoringCase(digits, "nan")) {
    value = kNaN;
  } else {
    auto format = std::chars_format::general;
    if (digits.size() > 2 && digits[0] == '0' && (digits[1] | 0x20) == 'x') {
      format = std::chars_format::hex;
      digits.remove_prefix(2);
    }
    // from_chars would take a second sign, and words that we have handled.
    const bool starts_right =
        !digits.empty() &&
        (digits[0] == '.' || std::isxdigit(static_cast<unsigned char>(digits[0])));
    const char* const last = digits.data() + digits.size();
    const auto [end, error] = std::from_chars(digits.data(), last, value, format);
    if (!starts_right || end != last) return Fail(NotANumber(text));
    if (error == std::errc::result_out_of_range) {
      // from_chars leaves the value alone; strtod gives the zero or infinity that IEEE rounds to.
      const double rounded = std::strtod(std::string(text).c_str(), nullptr);
      if (!std::isinf(rounded)) return rounded;
      return Fail(ErrorCode::kInvalid, "'" + std::string(text) + "' is too large for a number");
    }
    if (error != std::errc()) return Fail(NotANumber(text));
  }
  return negative ? -value : value;
}

Result<std::int64_t> ParseInt(std::string_view text) { return ParseInteger<std::int64_t>(text); }
Result<std::uint64_t> ParseUint(std::string_view text) { return ParseInteger<std::uint64_t>(text); }

namespace {

// Most values that are not whole have few decimals ("0.25", "1234.56"), for which exact integers
// are several times faster than the general search for the shortest text. Null where `value` has
// more than six, or where the shortest text has an exponent.
char* WriteFewDecimals(char* out, double value) {
  constexpr double kScale = 1e6;
  const double magnitude = std::abs(value);
  // No two decimals of up to 15 digits read as the same double, so the one that reads as `value`
  // is the shortest.
  if (!(magnitude >= 1e-3 && magnitude < 1e9)) return nullptr;
  const auto scaled = static_cast<std::uint64_t>(magnitude * kScale + 0.5);
  if (static_cast<double>(scaled) / kScale != magnitude) return nullptr;
  if (value < 0) *out++ = '-';
  out = std::to_chars(out, out + kMaxDoubleChars, scaled / 1'000'000).ptr;
  auto decimals = static_cast<std::uint32_t>(scaled % 1'000'000);
  *out = '.';
  for (int i = 6; i > 0; --i, decimals /= 10) out[i] = static_cast<char>('0' + decimals % 10);
  out += 6;
  while (*out == '0') --out;
  return out + 1;
}

}  // namespace

char* WriteDouble(char* out, double value) {
  // Most exposed values are integers, for which the integer conversion is several times faster.
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (value >= -kExact && value <= kExact) {
    const auto integer = static_cast<std::int64_t>(value);
    if (static_cast<double>(integer) == value && (integer != 0 || !std::signbit(value))) {
      return std::to_chars(out, out + kMaxDoubleChars, integer).ptr;
    }
    if (char* const end = WriteFewDecimals(out, value)) return end;
  } else if (std::isnan(value)) {
    return static_cast<char*>(std::memcpy(out, "NaN", 3)) + 3;
  } else if (std::isinf(value)) {
    return static_cast<char*>(std::memcpy(out, value > 0 ? "+Inf" : "-Inf", 4)) + 4;
  }
  return std::to_chars(out, out + kMaxDoubleChars, value).ptr;
}

void AppendDouble(std::string& out, double value) {
  char buffer[kMaxDoubleChars];
  out.append(buffer, WriteDouble(buffer, value));
}

std::string FormatDouble(double value) {
  std::string out;
  AppendDouble(out, value);
  return out;
}

}  // namespace vigia
