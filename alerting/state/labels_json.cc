#include "alerting/state/labels_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "core/text/json.h"

namespace vigia::alerting::state {

std::string LabelsToJson(const Labels& labels) {
  std::string out;
  text::JsonWriter json(out);
  json.BeginObject();
  for (const auto [name, value] : labels) json.Field(name, value);
  json.EndObject();
  return out;
}

Labels LabelsFromJson(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  std::vector<LabelView> pairs;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) pairs.push_back({name, value.get_ref<const std::string&>()});
  }
  return Labels::FromPairs(pairs);
}

}  // namespace vigia::alerting::state
