#include "alerting/templates/common_functions.h"

#include "alerting/templates/humanize.h"
#include "alerting/templates/strings.h"
#include "core/number.h"

namespace vigia::alerting::templates {

Result<double> ToFloat(const Value& value) {
  if (const auto* number = value.As<double>()) return *number;
  if (const auto* number = value.As<std::int64_t>()) return static_cast<double>(*number);
  if (const auto* duration = value.As<GoDuration>()) {
    return static_cast<double>(duration->nanoseconds) / 1e9;
  }
  if (const auto* text = value.string()) {
    if (auto number = ParseDouble(*text)) return number;
    return Fail(ErrorCode::kInvalid,
                "strconv.ParseFloat: parsing \"" + *text + "\": invalid syntax");
  }
  return Fail(ErrorCode::kInvalid, "can't convert " + std::string(TypeName(value)) + " to float");
}

namespace common {

Result<Value> Upper(const Environment&, Arguments arguments) {
  return Value(ToUpper(Text(arguments[0])));
}
Result<Value> Lower(const Environment&, Arguments arguments) {
  return Value(ToLower(Text(arguments[0])));
}

Result<Value> Match(const Environment&, Arguments arguments) {
  const auto matches = RegexMatches(Text(arguments[0]), Text(arguments[1]));
  return matches ? Result<Value>(*matches) : Fail(matches.error());
}

Result<Value> ReplaceAll(const Environment&, Arguments arguments) {
  auto text = RegexReplaceAll(Text(arguments[0]), Text(arguments[1]), Text(arguments[2]));
  return text ? Result<Value>(*std::move(text)) : Fail(text.error());
}

Result<Value> SafeHtml(const Environment&, Arguments arguments) {
  return Value(Markup{.text = Text(arguments[0])});
}

Result<Value> DurationForPeople(const Environment&, Arguments arguments) {
  const auto seconds = ToFloat(arguments[0]);
  return seconds ? Result<Value>(HumanizeDuration(*seconds)) : Fail(seconds.error());
}

}  // namespace common
}  // namespace vigia::alerting::templates
