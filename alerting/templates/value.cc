#include "alerting/templates/value.h"

#include <algorithm>

#include "alerting/templates/function.h"

namespace vigia::alerting::templates {
namespace {

template <typename... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overload(Cases...) -> Overload<Cases...>;

constexpr auto kByKey = [](const std::pair<std::string, Value>& entry, std::string_view key) {
  return entry.first < key;
};

}  // namespace

Time Time::FromMilliseconds(std::int64_t time) {
  const std::int64_t seconds = time / 1000 - (time % 1000 < 0 ? 1 : 0);
  return {.seconds = seconds,
          .nanoseconds = static_cast<std::int32_t>(time - seconds * 1000) * 1'000'000};
}

Value::Value(List value) : data(std::make_shared<const List>(std::move(value))) {}
Value::Value(Map value) : data(std::make_shared<const Map>(std::move(value))) {}
Value::Value(Struct value) : data(std::make_shared<const Struct>(std::move(value))) {}

const List* Value::list() const {
  const auto* list = As<std::shared_ptr<const List>>();
  return list ? list->get() : nullptr;
}
const Map* Value::map() const {
  const auto* map = As<std::shared_ptr<const Map>>();
  return map ? map->get() : nullptr;
}
const Struct* Value::structure() const {
  const auto* structure = As<std::shared_ptr<const Struct>>();
  return structure ? structure->get() : nullptr;
}

const Value* Map::Find(std::string_view key) const {
  const auto at = std::lower_bound(entries.begin(), entries.end(), key, kByKey);
  return at != entries.end() && at->first == key ? &at->second : nullptr;
}

void Map::Set(std::string key, Value value) {
  const auto at = std::lower_bound(entries.begin(), entries.end(), std::string_view(key), kByKey);
  if (at != entries.end() && at->first == key) {
    at->second = std::move(value);
  } else {
    entries.emplace(at, std::move(key), std::move(value));
  }
}

Value StringList(std::vector<std::string> strings) {
  List list{.type = "[]string"};
  for (auto& string : strings) list.items.emplace_back(std::move(string));
  return list;
}

Map StringMap(const Labels& labels) {
  Map map{.type = "map[string]string", .missing = ""};
  for (const auto [name, value] : labels) map.entries.emplace_back(name, value);
  return map;
}

std::string_view TypeName(const Value& value) {
  return std::visit(Overload{[](std::monostate) -> std::string_view { return "<nil>"; },
                             [](bool) -> std::string_view { return "bool"; },
                             [](std::int64_t) -> std::string_view { return "int"; },
                             [](double) -> std::string_view { return "float64"; },
                             [](const std::string&) -> std::string_view { return "string"; },
                             [](const Markup& markup) { return markup.type; },
                             [](const Time&) -> std::string_view { return "time.Time"; },
                             [](GoDuration) -> std::string_view { return "time.Duration"; },
                             [](const auto& shared) { return shared->type; }},
                    value.data);
}

bool IsTrue(const Value& value) {
  return std::visit(
      Overload{[](std::monostate) { return false; }, [](bool truth) { return truth; },
               [](std::int64_t number) { return number != 0; },
               [](double number) { return number != 0; },
               [](const std::string& text) { return !text.empty(); },
               [](const Markup& markup) { return !markup.text.empty(); },
               [](const Time&) { return true; },
               [](GoDuration duration) { return duration.nanoseconds != 0; },
               [](const std::shared_ptr<const List>& list) { return !list->items.empty(); },
               [](const std::shared_ptr<const Map>& map) { return !map->entries.empty(); },
               [](const std::shared_ptr<const Struct>&) { return true; }},
      value.data);
}

std::span<const Function> MethodsOf(const Value& value) {
  if (const auto* list = value.list()) return list->methods;
  if (const auto* map = value.map()) return map->methods;
  if (const auto* structure = value.structure()) return structure->methods;
  if (value.As<Time>()) return TimeMethods();
  if (value.As<GoDuration>()) return DurationMethods();
  return {};
}

const Function* FindFunction(std::span<const Function> functions, std::string_view name) {
  const auto at = std::find_if(functions.begin(), functions.end(),
                               [&](const Function& row) { return row.name == name; });
  return at == functions.end() ? nullptr : &*at;
}

}  // namespace vigia::alerting::templates
