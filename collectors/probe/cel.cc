#include "collectors/probe/cel.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "collectors/probe/cel_syntax.h"
#include "core/number.h"

namespace vigia::collectors::probe {
namespace {

using cel::Node;
using Json = nlohmann::json;
// Of what an expression makes, or into the body without copying it.
using Ref = std::shared_ptr<const Json>;
using Value = Result<Ref>;

// Of one evaluation: a body may be long, and macros stand within macros.
constexpr std::size_t kMostSteps = 200'000;
// What compares or prints documents calls itself for each level.
constexpr std::size_t kDeepest = 200;

Ref Own(Json value) { return std::make_shared<const Json>(std::move(value)); }

// A part of what `whole` points to.
Ref Part(const Ref& whole, const Json& part) { return {whole, &part}; }

bool TooDeep(std::string_view json) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if ((c == '[' || c == '{') && ++depth > kDeepest) return true;
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return false;
}

// Whole numbers that a JSON document holds are doubles in CEL, for JSON has no others; only those
// of the expression are integers. nlohmann tells them apart, so the body's become doubles.
void MakeDoubles(Json& value) {
  if (value.is_number_integer()) {
    value = value.get<double>();
  } else if (value.is_structured()) {
    for (auto& inner : value) MakeDoubles(inner);
  }
}

std::string_view TypeOf(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::boolean:
      return "bool";
    case Json::value_t::string:
      return "string";
    case Json::value_t::number_float:
      return "double";
    case Json::value_t::array:
      return "list";
    case Json::value_t::object:
      return "map";
    default:
      return "int";
  }
}

class Evaluator {
 public:
  explicit Evaluator(Ref body) { variables_.emplace_back("body", std::move(body)); }

  Value Run(const Node& node) {
    if (++steps_ > kMostSteps) return Wrong(node, "the expression takes too long");
    switch (node.kind) {
      case Node::Kind::kLiteral:
        return node.value;
      case Node::Kind::kVariable:
        return Variable(node.name);
      case Node::Kind::kField:
        return Field(node);
      case Node::Kind::kIndex:
        return Index(node);
      case Node::Kind::kList:
      case Node::Kind::kMap:
        return Collection(node);
      case Node::Kind::kUnary:
        return Unary(node);
      case Node::Kind::kBinary:
        return Binary(node);
      case Node::Kind::kChoice:
        return Choice(node);
      case Node::Kind::kHas:
        return Has(node);
      case Node::Kind::kCall:
        return Call(node);
      case Node::Kind::kMethod:
        return Method(node);
      case Node::Kind::kMacro:
        return Macro(node);
    }
    return Wrong(node, "not understood");
  }

 private:
  static tl::unexpected<Error> Wrong(const Node& node, const std::string& what) {
    return Fail(ErrorCode::kUnavailable, "column " + std::to_string(node.column) + ": " + what);
  }
  static tl::unexpected<Error> Types(const Node& node, const Json& left, const Json& right) {
    return Wrong(node, "'" + node.name + "' does not take " + std::string(TypeOf(left)) + " and " +
                           std::string(TypeOf(right)));
  }

  Ref Variable(const std::string& name) const {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->first == name) return at->second;
    }
    return Own({});
  }

  Value Field(const Node& node) {
    const auto parent = Run(*node.children[0]);
    if (!parent) return parent;
    if (!(*parent)->is_object()) {
      return Wrong(node, std::string(TypeOf(**parent)) + " has no field '" + node.name + "'");
    }
    const auto found = (*parent)->find(node.name);
    if (found == (*parent)->end()) return Wrong(node, "no such key: " + node.name);
    return Part(*parent, *found);
  }

  Value Has(const Node& node) {
    const auto parent = Run(*node.children[0]);
    if (!parent) return parent;
    if (!(*parent)->is_object()) return Wrong(node, "has() takes a field of a map");
    return Own((*parent)->contains(node.name));
  }

  Value Index(const Node& node) {
    const auto parent = Run(*node.children[0]);
    if (!parent) return parent;
    const auto index = Run(*node.children[1]);
    if (!index) return index;
    const Json& whole = **parent;
    const Json& key = **index;
    if (whole.is_object()) {
      if (!key.is_string()) return Wrong(node, "a map's key is a string");
      const auto found = whole.find(key.get<std::string>());
      if (found == whole.end()) return Wrong(node, "no such key: " + key.get<std::string>());
      return Part(*parent, *found);
    }
    if (!whole.is_array()) return Wrong(node, std::string(TypeOf(whole)) + " has no entries");
    const double number = key.is_number() ? key.get<double>() : -1;
    if (number < 0 || number >= static_cast<double>(whole.size()) || number != std::floor(number)) {
      return Wrong(node, "no such index");
    }
    return Part(*parent, whole[static_cast<std::size_t>(number)]);
  }

  Value Collection(const Node& node) {
    Json out = node.kind == Node::Kind::kList ? Json::array() : Json::object();
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const auto value = Run(*node.children[i]);
      if (!value) return value;
      if (node.kind == Node::Kind::kList) {
        out.push_back(**value);
        continue;
      }
      if (!(*value)->is_string()) return Wrong(node, "a map's key is a string");
      const auto content = Run(*node.children[++i]);
      if (!content) return content;
      out[(*value)->get<std::string>()] = **content;
    }
    return Own(std::move(out));
  }

  Value Unary(const Node& node) {
    const auto operand = Run(*node.children[0]);
    if (!operand) return operand;
    const Json& value = **operand;
    if (node.name == "!") {
      if (!value.is_boolean()) return Wrong(node, "'!' takes a bool");
      return Own(!value.get<bool>());
    }
    if (value.is_number_float()) return Own(-value.get<double>());
    if (value.is_number_integer()) return Whole(node, 0, value.get<std::int64_t>());
    return Wrong(node, "'-' takes a number");
  }

  static bool Is(const Value& value, bool wanted) {
    return value && (*value)->is_boolean() && (*value)->get<bool>() == wanted;
  }

  // An error on one side is none where the other side decides (langdef.md, "Logical operators").
  Value Logical(const Node& node, bool deciding) {
    const auto left = Run(*node.children[0]);
    if (Is(left, deciding)) return Own(deciding);
    const auto right = Run(*node.children[1]);
    if (Is(right, deciding)) return Own(deciding);
    if (!left) return left;
    if (!right) return right;
    if (!(*left)->is_boolean() || !(*right)->is_boolean()) return Types(node, **left, **right);
    return Own(!deciding);
  }

  Value Binary(const Node& node) {
    if (node.name == "&&") return Logical(node, false);
    if (node.name == "||") return Logical(node, true);
    const auto first = Run(*node.children[0]);
    if (!first) return first;
    const auto second = Run(*node.children[1]);
    if (!second) return second;
    const Json& left = **first;
    const Json& right = **second;
    if (node.name == "==") return Own(left == right);
    if (node.name == "!=") return Own(left != right);
    if (node.name == "in") return In(node, left, right);
    if (node.name[0] == '<' || node.name[0] == '>') return Ordered(node, left, right);
    return Arithmetic(node, left, right);
  }

  static Value In(const Node& node, const Json& value, const Json& among) {
    if (among.is_object()) {
      return Own(value.is_string() && among.contains(value.get<std::string>()));
    }
    if (!among.is_array()) return Types(node, value, among);
    for (const auto& one : among) {
      if (one == value) return Own(true);
    }
    return Own(false);
  }

  static Value Ordered(const Node& node, const Json& left, const Json& right) {
    const bool comparable = (left.is_number() && right.is_number()) ||
                            (left.is_string() && right.is_string()) ||
                            (left.is_boolean() && right.is_boolean());
    if (!comparable) return Types(node, left, right);
    const auto& sign = node.name;
    if (sign == "<") return Own(left < right);
    if (sign == "<=") return Own(left <= right);
    if (sign == ">") return Own(left > right);
    return Own(left >= right);
  }

  static Value Arithmetic(const Node& node, const Json& left, const Json& right) {
    const char sign = node.name[0];
    if (sign == '+' && left.is_string() && right.is_string()) {
      return Own(left.get<std::string>() + right.get<std::string>());
    }
    if (sign == '+' && left.is_array() && right.is_array()) {
      Json both = left;
      both.insert(both.end(), right.begin(), right.end());
      return Own(std::move(both));
    }
    if (left.is_number_integer() && right.is_number_integer()) {
      return Whole(node, left.get<std::int64_t>(), right.get<std::int64_t>());
    }
    // Stricter languages would not mix an integer of the expression and a double of the body.
    if (!left.is_number() || !right.is_number() || sign == '%') return Types(node, left, right);
    const double a = left.get<double>();
    const double b = right.get<double>();
    return Own(sign == '+' ? a + b : sign == '-' ? a - b : sign == '*' ? a * b : a / b);
  }

  static Value Whole(const Node& node, std::int64_t a, std::int64_t b) {
    const char sign = node.name[0];
    std::int64_t out = 0;
    bool overflow = false;
    if (sign == '+') overflow = __builtin_add_overflow(a, b, &out);
    if (sign == '-') overflow = __builtin_sub_overflow(a, b, &out);
    if (sign == '*') overflow = __builtin_mul_overflow(a, b, &out);
    if (sign == '/' || sign == '%') {
      if (b == 0) return Wrong(node, "division by zero");
      overflow = b == -1 && a == std::numeric_limits<std::int64_t>::min();
      if (!overflow) out = sign == '/' ? a / b : a % b;
    }
    if (overflow) return Wrong(node, "the result is too large");
    return Own(out);
  }

  Value Choice(const Node& node) {
    const auto condition = Run(*node.children[0]);
    if (!condition) return condition;
    if (!(*condition)->is_boolean()) return Wrong(node, "'?' takes a bool");
    return Run(*node.children[Is(condition, true) ? 1 : 2]);
  }

  // Of a string: its code points.
  static Value Size(const Node& node, const Json& value) {
    if (value.is_structured()) return Own(static_cast<std::int64_t>(value.size()));
    if (!value.is_string()) return Wrong(node, "size() takes a string, a list or a map");
    std::int64_t count = 0;
    for (const char c : value.get_ref<const std::string&>()) count += (c & 0xC0) != 0x80;
    return Own(count);
  }

  Value Call(const Node& node) {
    auto value = Run(*node.children[0]);
    if (!value || node.name == "dyn") return value;
    if (node.name == "size") return Size(node, **value);
    if (node.name == "string") return (*value)->is_string() ? *value : Own((*value)->dump());
    if (node.name == "bool") return ToBool(node, *value);
    return ToNumber(node, **value);
  }

  static Value ToBool(const Node& node, const Ref& value) {
    if (value->is_boolean()) return value;
    if (*value == "true") return Own(true);
    if (*value == "false") return Own(false);
    return Wrong(node, "this is no bool");
  }

  static Value ToNumber(const Node& node, const Json& value) {
    std::optional<double> number;
    if (value.is_number()) number = value.get<double>();
    if (value.is_string()) {
      if (const auto parsed = ParseDouble(value.get<std::string>())) number = *parsed;
    }
    if (!number) return Wrong(node, node.name + "() does not take this");
    if (node.name == "double") return Own(*number);
    const double whole = std::trunc(*number);
    const bool fits = std::abs(whole) < 9.2e18 && (node.name == "int" || whole >= 0);
    if (!fits) return Wrong(node, "the number is out of range");
    return Own(static_cast<std::int64_t>(whole));
  }

  Value Method(const Node& node) {
    const auto value = Run(*node.children[0]);
    if (!value) return value;
    if (node.name == "size") return Size(node, **value);
    const auto argument = Run(*node.children[1]);
    if (!argument) return argument;
    if (!(*value)->is_string() || !(*argument)->is_string()) {
      return Wrong(node, node.name + "() takes a string of a string");
    }
    const auto& text = (*value)->get_ref<const std::string&>();
    const auto& part = (*argument)->get_ref<const std::string&>();
    if (node.name == "startsWith") return Own(text.starts_with(part));
    if (node.name == "endsWith") return Own(text.ends_with(part));
    if (node.name == "contains") return Own(text.find(part) != text.npos);
    return Own(node.pattern.front().Found(text));
  }

  Value Macro(const Node& node) {
    const auto range = Run(*node.children[0]);
    if (!range) return range;
    if (!(*range)->is_structured()) return Wrong(node, node.name + "() takes a list or a map");
    std::vector<Ref> items;  // of a map: its keys
    for (const auto& [key, item] : (*range)->items()) {
      items.push_back((*range)->is_object() ? Own(key) : Part(*range, item));
    }
    if (node.name == "filter" || node.name == "map") return Transform(node, items);
    return Quantify(node, items);
  }

  // What `child` says with `item` for the macro's variable.
  Value With(const Node& node, const Ref& item, std::size_t child) {
    variables_.emplace_back(node.variable, item);
    auto value = Run(*node.children[child]);
    variables_.pop_back();
    return value;
  }

  Value Transform(const Node& node, const std::vector<Ref>& items) {
    const bool keeps = node.name == "filter";
    const bool tests = keeps || node.children.size() == 3;
    Json out = Json::array();
    for (const auto& item : items) {
      if (tests) {
        const auto wanted = With(node, item, 1);
        if (!wanted) return wanted;
        if (!(*wanted)->is_boolean()) return Wrong(node, "the condition is no bool");
        if (!Is(wanted, true)) continue;
      }
      const auto value = keeps ? Value(item) : With(node, item, node.children.size() - 1);
      if (!value) return value;
      copied_ += (*value)->is_structured() ? (*value)->size() + 1 : 1;
      if (copied_ > kMostSteps) return Wrong(node, "the expression takes too long");
      out.push_back(**value);
    }
    return Own(std::move(out));
  }

  // As a chain of && or ||, an error counts only if nothing else decides.
  Value Quantify(const Node& node, const std::vector<Ref>& items) {
    const bool all = node.name == "all";
    std::size_t matches = 0;
    std::optional<Error> error;
    for (const auto& item : items) {
      const auto value = With(node, item, 1);
      if (all && Is(value, false)) return Own(false);
      if (Is(value, true)) ++matches;
      if (node.name == "exists" && matches > 0) return Own(true);
      if (error) continue;
      if (!value) error = value.error();
      if (value && !(*value)->is_boolean()) error = Wrong(node, "the condition is no bool").value();
    }
    if (error) return Fail(*error);
    if (node.name == "exists_one") return Own(matches == 1);
    return Own(all);
  }

  std::vector<std::pair<std::string, Ref>> variables_;  // innermost last
  std::size_t steps_ = 0;
  std::size_t copied_ = 0;
};

}  // namespace

Result<CelExpression> CelExpression::Compile(const std::string& text) {
  auto root = cel::Parse(text);
  if (!root) return Fail(root.error());
  return CelExpression(text, *std::move(root));
}

Result<bool> CelExpression::Evaluate(std::string_view json) const {
  if (TooDeep(json)) return Fail(ErrorCode::kCorrupt, "the body is nested too deeply");
  Json body = Json::parse(json, nullptr, false);
  if (body.is_discarded()) return Fail(ErrorCode::kCorrupt, "the body is not JSON");
  MakeDoubles(body);
  const auto value = Evaluator(Own(std::move(body))).Run(*root_);
  if (!value) return Fail(value.error());
  if ((*value)->is_boolean()) return (*value)->get<bool>();
  return Fail(ErrorCode::kUnavailable, "the result is no bool but " + std::string(TypeOf(**value)));
}

}  // namespace vigia::collectors::probe
