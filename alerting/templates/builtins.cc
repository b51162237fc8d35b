// The functions that Go's text/template has itself.

#include <array>
#include <compare>
#include <optional>

#include "alerting/templates/escape.h"
#include "alerting/templates/function.h"
#include "alerting/templates/print.h"

namespace vigia::alerting::templates {
namespace {

using Arguments = std::span<const Value>;

tl::unexpected<Error> Wrong(std::string what) { return Fail(ErrorCode::kInvalid, std::move(what)); }

// The evaluator does these itself: they do not evaluate all arguments.
Result<Value> Lazy(const Environment&, Arguments) { return Wrong("not a function to call"); }

Result<Value> Not(const Environment&, Arguments arguments) { return !IsTrue(arguments[0]); }

Result<Value> Call(const Environment&, Arguments arguments) {
  return Wrong("non-function of type " + std::string(TypeName(arguments[0])));
}

// One text of all arguments: a single string as it is, else as print has it.
std::string Joined(Arguments arguments) {
  if (arguments.size() == 1 && arguments[0].string()) return *arguments[0].string();
  return Sprint(arguments);
}

Result<Value> Print(const Environment&, Arguments arguments) { return Value(Sprint(arguments)); }
Result<Value> PrintLine(const Environment&, Arguments arguments) {
  return Value(Sprintln(arguments));
}
Result<Value> PrintFormat(const Environment&, Arguments arguments) {
  return Value(Sprintf(Text(arguments[0]), arguments.subspan(1)));
}
Result<Value> Html(const Environment&, Arguments arguments) {
  return Value(EscapeHtml(Joined(arguments)));
}
Result<Value> JavaScript(const Environment&, Arguments arguments) {
  return Value(EscapeJavaScript(Joined(arguments)));
}
Result<Value> UrlQuery(const Environment&, Arguments arguments) {
  return Value(EscapeQuery(Joined(arguments)));
}

Result<Value> Length(const Environment&, Arguments arguments) {
  const Value& value = arguments[0];
  if (const auto* text = value.string()) return Value(text->size());
  if (const auto* list = value.list()) return Value(list->items.size());
  if (const auto* map = value.map()) return Value(map->entries.size());
  if (value.IsNil()) return Wrong("len of nil pointer");
  return Wrong("len of type " + std::string(TypeName(value)));
}

Result<std::size_t> ListIndex(const Value& index, std::size_t end) {
  if (index.IsNil()) return Wrong("cannot index slice/array with nil");
  const auto* number = index.As<std::int64_t>();
  if (!number) {
    return Wrong("cannot index slice/array with type " + std::string(TypeName(index)));
  }
  if (*number < 0 || static_cast<std::size_t>(*number) >= end) {
    return Wrong("index out of range: " + std::to_string(*number));
  }
  return static_cast<std::size_t>(*number);
}

Result<Value> IndexOne(const Value& value, const Value& index) {
  if (const auto* list = value.list()) {
    const auto at = ListIndex(index, list->items.size());
    return at ? Result<Value>(list->items[*at]) : Fail(at.error());
  }
  if (const auto* text = value.string()) {
    const auto at = ListIndex(index, text->size());
    if (!at) return Fail(at.error());
    return Value(static_cast<int>(static_cast<unsigned char>((*text)[*at])));
  }
  if (const auto* map = value.map()) {
    if (!index.string()) {
      return Wrong("value has type " + std::string(TypeName(index)) + "; should be string");
    }
    const Value* found = map->Find(*index.string());
    return found ? *found : map->missing;
  }
  if (value.IsNil()) return Wrong("index of untyped nil");
  return Wrong("can't index item of type " + std::string(TypeName(value)));
}

Result<Value> Index(const Environment&, Arguments arguments) {
  Value value = arguments[0];
  for (const Value& index : arguments.subspan(1)) {
    auto next = IndexOne(value, index);
    if (!next) return next;
    value = *std::move(next);
  }
  return value;
}

Result<Value> Slice(const Environment&, Arguments arguments) {
  const Value& value = arguments[0];
  const auto* text = value.string();
  const auto* list = value.list();
  if (value.IsNil()) return Wrong("slice of untyped nil");
  if (!text && !list) return Wrong("can't slice item of type " + std::string(TypeName(value)));
  if (arguments.size() > 4) {
    return Wrong("too many slice indexes: " + std::to_string(arguments.size() - 1));
  }
  if (text && arguments.size() == 4) return Wrong("cannot 3-index slice a string");
  const std::size_t size = text ? text->size() : list->items.size();
  std::array<std::size_t, 3> bounds{0, size, size};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto at = ListIndex(arguments[i], size + 1);
    if (!at) return Fail(at.error());
    bounds[i - 1] = *at;
  }
  const auto [low, high, room] = bounds;
  if (low > high || high > room) {
    const auto& [a, b] = low > high ? std::pair(low, high) : std::pair(high, room);
    return Wrong("invalid slice index: " + std::to_string(a) + " > " + std::to_string(b));
  }
  if (text) return Value(text->substr(low, high - low));
  List part{.type = list->type, .methods = list->methods};
  part.items.assign(list->items.begin() + static_cast<std::ptrdiff_t>(low),
                    list->items.begin() + static_cast<std::ptrdiff_t>(high));
  return Value(std::move(part));
}

// What can be compared: bool, int (durations too), float, string. Empty for all else.
using Basic = std::variant<std::monostate, bool, std::int64_t, double, std::string_view>;

Basic ToBasic(const Value& value) {
  if (const auto* truth = value.As<bool>()) return *truth;
  if (const auto* number = value.As<std::int64_t>()) return *number;
  if (const auto* number = value.As<double>()) return *number;
  if (const auto* text = value.string()) return std::string_view(*text);
  if (const auto* markup = value.As<Markup>()) return std::string_view(markup->text);
  if (const auto* duration = value.As<GoDuration>()) return duration->nanoseconds;
  return {};
}

constexpr const char* kIncompatible = "incompatible types for comparison";
constexpr const char* kNoBasic = "invalid type for comparison";

Result<bool> Same(const Value& a, const Value& b) {
  if (a.IsNil() || b.IsNil()) return a.IsNil() && b.IsNil();
  const auto* time_a = a.As<Time>();
  const auto* time_b = b.As<Time>();
  if (time_a && time_b) return *time_a == *time_b;
  const auto left = ToBasic(a);
  const auto right = ToBasic(b);
  for (const auto& [basic, value] : {std::pair(&left, &a), std::pair(&right, &b)}) {
    if (basic->index() == 0 && !value->As<Time>()) {
      return Wrong("non-comparable type " + Show(*value) + ": " + std::string(TypeName(*value)));
    }
  }
  if (left.index() != right.index()) return Wrong(kIncompatible);
  return left == right;
}

Result<Value> Equal(const Environment&, Arguments arguments) {
  if (arguments.size() < 2) return Wrong("missing argument for comparison");
  for (const Value& other : arguments.subspan(1)) {
    const auto same = Same(arguments[0], other);
    if (!same) return Fail(same.error());
    if (*same) return Value(true);
  }
  return Value(false);
}

Result<Value> NotEqual(const Environment&, Arguments arguments) {
  const auto same = Same(arguments[0], arguments[1]);
  return same ? Result<Value>(!*same) : Fail(same.error());
}

Result<std::partial_ordering> Order(Arguments arguments) {
  const auto left = ToBasic(arguments[0]);
  const auto right = ToBasic(arguments[1]);
  if (left.index() == 0 || right.index() == 0) return Wrong(kNoBasic);
  if (left.index() != right.index()) return Wrong(kIncompatible);
  if (left.index() == 1) return Wrong(kNoBasic);
  return left <=> right;
}

template <bool (*decide)(std::partial_ordering)>
Result<Value> Compare(const Environment&, Arguments arguments) {
  const auto order = Order(arguments);
  return order ? Result<Value>(decide(*order)) : Fail(order.error());
}

constexpr std::array kFunctions{
    Function{"and", "aa*", Lazy},
    Function{"call", "aa*", Call},
    Function{"eq", "aa*", Equal},
    Function{"ge", "aa", Compare<std::is_gteq>},
    Function{"gt", "aa", Compare<std::is_gt>},
    Function{"html", "a*", Html},
    Function{"index", "aa*", Index},
    Function{"js", "a*", JavaScript},
    Function{"le", "aa", Compare<std::is_lteq>},
    Function{"len", "a", Length},
    Function{"lt", "aa", Compare<std::is_lt>},
    Function{"ne", "aa", NotEqual},
    Function{"not", "a", Not},
    Function{"or", "aa*", Lazy},
    Function{"print", "a*", Print},
    Function{"printf", "sa*", PrintFormat},
    Function{"println", "a*", PrintLine},
    Function{"slice", "aa*", Slice},
    Function{"urlquery", "a*", UrlQuery},
};

}  // namespace

std::span<const Function> BuiltinFunctions() { return kFunctions; }

}  // namespace vigia::alerting::templates
