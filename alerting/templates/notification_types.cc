#include "alerting/templates/notification_types.h"

#include <algorithm>
#include <array>

namespace vigia::alerting::templates {
namespace {

using Arguments = std::span<const Value>;

// Of a pair.
const std::string& Field(const Value& pair, std::size_t i) {
  return Text(pair.structure()->fields[i].second);
}

Result<Value> PairStrings(Arguments arguments, std::size_t field) {
  std::vector<std::string> strings;
  for (const Value& pair : arguments[0].list()->items) strings.push_back(Field(pair, field));
  return StringList(std::move(strings));
}
Result<Value> PairNames(const Environment&, Arguments arguments) {
  return PairStrings(arguments, 0);
}
Result<Value> PairValues(const Environment&, Arguments arguments) {
  return PairStrings(arguments, 1);
}
Result<Value> PairsText(const Environment&, Arguments arguments) {
  std::string out;
  for (const Value& pair : arguments[0].list()->items) {
    if (!out.empty()) out += ", ";
    out += Field(pair, 0) + "=" + Field(pair, 1);
  }
  return Value(std::move(out));
}

constexpr std::array kPairsMethods{
    Function{"Names", "", PairNames},
    Function{"String", "", PairsText},
    Function{"Values", "", PairValues},
};

// By name, "alertname" first.
Value SortedPairs(const Value& kv) {
  List pairs{.type = "template.Pairs", .methods = kPairsMethods};
  for (const auto& [name, value] : kv.map()->entries) {
    Value pair(Struct{.fields = {{"Name", name}, {"Value", value}}, .type = "template.Pair"});
    const auto at = name == "alertname" ? pairs.items.begin() : pairs.items.end();
    pairs.items.insert(at, std::move(pair));
  }
  return Value(std::move(pairs));
}

Result<Value> KvSortedPairs(const Environment&, Arguments arguments) {
  return SortedPairs(arguments[0]);
}
template <Result<Value> (*method)(const Environment&, Arguments)>
Result<Value> OfPairs(const Environment& environment, Arguments arguments) {
  const Value pairs = SortedPairs(arguments[0]);
  return method(environment, {&pairs, 1});
}

Result<Value> KvRemove(const Environment&, Arguments arguments) {
  Map rest = *arguments[0].map();
  std::erase_if(rest.entries, [&](const auto& entry) {
    const auto& names = arguments[1].list()->items;
    return std::any_of(names.begin(), names.end(),
                       [&](const Value& name) { return Text(name) == entry.first; });
  });
  return Value(std::move(rest));
}

constexpr std::array kKvMethods{
    Function{"Names", "", OfPairs<PairNames>},   Function{"Remove", "l", KvRemove},
    Function{"SortedPairs", "", KvSortedPairs},  Function{"String", "", OfPairs<PairsText>},
    Function{"Values", "", OfPairs<PairValues>},
};

Value WithStatus(const Value& alerts, std::string_view status) {
  List some{.type = "[]template.Alert"};
  for (const Value& alert : alerts.list()->items) {
    if (Text(alert.structure()->fields[0].second) == status) some.items.push_back(alert);
  }
  return Value(std::move(some));
}
Result<Value> Firing(const Environment&, Arguments arguments) {
  return WithStatus(arguments[0], "firing");
}
Result<Value> Resolved(const Environment&, Arguments arguments) {
  return WithStatus(arguments[0], "resolved");
}

constexpr std::array kAlertsMethods{
    Function{"Firing", "", Firing},
    Function{"Resolved", "", Resolved},
};

}  // namespace

Map KeyValues(const Labels& labels) {
  Map map = StringMap(labels);
  map.type = "template.KV";
  map.methods = kKvMethods;
  return map;
}

std::span<const Function> AlertsMethods() { return kAlertsMethods; }

}  // namespace vigia::alerting::templates
