#include "alerting/templates/signature.h"

#include <cmath>
#include <optional>

namespace vigia::alerting::templates {
namespace {

bool IsStringList(const Value& value) {
  const auto* list = value.list();
  return list && std::all_of(list->items.begin(), list->items.end(),
                             [](const Value& item) { return item.string() != nullptr; });
}

// Of a constant number; 28800e9 is a whole one, too.
std::optional<std::int64_t> Whole(const Node& node) {
  if (!node.is_number) return std::nullopt;
  if (const auto* whole = node.constant.As<std::int64_t>()) return *whole;
  const auto* number = node.constant.As<double>();
  constexpr double kLimit = 9.2e18;
  if (!number || std::abs(*number) > kLimit || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

}  // namespace

std::string_view ParameterType(char letter) {
  switch (letter) {
    case 's':
      return "string";
    case 'i':
      return "int";
    case 'f':
      return "float64";
    case 'l':
      return "[]string";
    case 'q':
      return "template.queryResult";
    case 'p':
      return "*template.sample";
    case 'm':
      return "map[string]interface {}";
    case 't':
      return "time.Time";
    case 'd':
      return "time.Duration";
    default:
      return "interface {}";
  }
}

bool FitsParameter(const Value& value, char letter) {
  switch (letter) {
    case 's':
      return value.string() != nullptr;
    case 'i':
      return value.As<std::int64_t>() != nullptr;
    case 'f':
      return value.As<double>() != nullptr;
    case 'l':
      return IsStringList(value);
    case 'q':
      return value.list() != nullptr && value.list()->type == "template.queryResult";
    case 'p':
      return value.structure() != nullptr && value.structure()->type == "*template.sample";
    case 'm':
      return value.map() != nullptr;
    case 't':
      return value.As<Time>() != nullptr;
    case 'd':
      return value.As<GoDuration>() != nullptr;
    default:
      return true;
  }
}

std::string Misfit(const Value& value, char letter) {
  const std::string type(ParameterType(letter));
  if (value.IsNil()) return "invalid value; expected " + type;
  return "wrong type for value; expected " + type + "; got " + std::string(TypeName(value));
}

tl::expected<Value, std::string> FitConstant(const Node& node, char letter) {
  const auto& constant = node.constant;
  const auto* whole = constant.As<std::int64_t>();
  if (letter == 'f' && node.is_number && whole) return Value(static_cast<double>(*whole));
  if (FitsParameter(constant, letter)) return constant;
  if (const auto number = Whole(node); number && letter == 'i') return Value(*number);
  if (const auto number = Whole(node); number && letter == 'd') return Value(GoDuration{*number});
  switch (letter) {
    case 's':
      return tl::make_unexpected("expected string; found " + node.text);
    case 'i':
    case 'd':
      return tl::make_unexpected("expected integer; found " + node.text);
    case 'f':
      return tl::make_unexpected("expected float; found " + node.text);
    default:
      return tl::make_unexpected("can't handle " + node.text + " for arg of type " +
                                 std::string(ParameterType(letter)));
  }
}

}  // namespace vigia::alerting::templates
